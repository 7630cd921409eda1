"""Scores of one closure in one climate, in memory that does not grow with the members."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.ensemble_scores.calibration_sums import N_PIT_BIN, CalibrationSums
from closures.ensemble_scores.crps import fair_crps, half_weighted_crps
from closures.ensemble_scores.errors import ScoreError
from closures.ensemble_scores.mixture import mixture_crps
from closures.ensemble_scores.outputs import Outputs
from closures.ensemble_scores.point_sums import PointSums
from closures.ensemble_scores.prediction import Prediction, checked_prediction
from closures.ensemble_scores.scores import Scores
from closures.ensemble_scores.spread_sums import SpreadSums

Array = NDArray[np.float64]


class EnsembleScorer:
    """Collects what the scores of a closure need while columns go by.

    A prediction is an ensemble, whose differences are the epistemic part of the uncertainty, and
    may have normal noise around each member, the aleatoric part: then the predictive distribution
    is the mixture. A deterministic closure is an ensemble of 1 without noise.

    Parameters
    ----------
    outputs
        What is predicted.
    n_member
        Number of members.
    noise
        Whether members have noise.

    Raises
    ------
    ScoreError
        If there is no member.

    Examples
    --------
    >>> outputs = Outputs({"heating": slice(0, 2)}, mass=[1.0, 3.0], scale=[1.0, 1.0])
    >>> scorer = EnsembleScorer(outputs, n_member=1)
    >>> scorer.add([[0.0, 0.0], [2.0, 4.0]], [[[0.0, 2.0], [2.0, 4.0]]])
    >>> scores = scorer.scores()
    >>> scores.r2.tolist()
    [1.0, 0.5]
    >>> scores.pooled("heating")["r2"]
    0.625
    """

    def __init__(self, outputs: Outputs, n_member: int, *, noise: bool = False) -> None:
        if n_member < 1:
            raise ScoreError(f"scores: expected at least 1 member, got {n_member}")
        self.outputs = outputs
        self.n_member = n_member
        self.noise = noise
        n = outputs.n_output
        self._points = PointSums(n)
        self._calibration = CalibrationSums(N_PIT_BIN if noise else n_member + 1, n)
        self._spread = SpreadSums(n_member, outputs.scale)
        self._crps, self._published = np.zeros((2, n))
        self._column_epistemic: list[Array] = []
        self._column_total: list[Array] = []

    def add(
        self,
        truth: ArrayLike,
        members: ArrayLike,
        noise: ArrayLike | None = None,
        area: ArrayLike | None = None,
    ) -> None:
        """Add columns.

        Parameters
        ----------
        truth
            ``(n_column, n_output)``.
        members
            ``(n_member, n_column, n_output)``, in the same units.
        noise
            Standard deviation of the members' noise in these units, the same for all
            ``(n_column, n_output)`` or by member; None if they have none.
        area
            Weight of each column ``(n_column,)``; None for 1.

        Raises
        ------
        ScoreError
            If an array is missing, of another shape or not finite, or a standard deviation or
            weight is negative. Columns before the first bad one may have been added.
        """
        if (noise is not None) != self.noise:
            raise ScoreError(
                f"scores: expected {'noise' if self.noise else 'no noise'}, as said at the start, "
                f"got {'none' if self.noise else 'some'}"
            )
        prediction = checked_prediction(
            truth, members, noise, area, (self.n_member, self.outputs.n_output)
        )
        for block in prediction.blocks():
            self._add_block(block)

    def scores(self) -> Scores:
        """Return the scores of all columns so far.

        Raises
        ------
        ScoreError
            If no column has weight.
        """
        if self._points.weight == 0.0:
            raise ScoreError("scores: expected at least one column of some weight, got none")
        return Scores(
            self.outputs,
            self._points,
            self._spread,
            self._calibration,
            crps=self._crps / self._points.weight,
            crps_published=self._published / self._points.weight,
            column_epistemic=np.concatenate(self._column_epistemic, axis=1),
            column_total=np.concatenate(self._column_total, axis=1),
        )

    def _add_block(self, block: Prediction) -> None:
        truth, members, noise, weight = block.truth, block.members, block.noise, block.area
        mean = members.mean(axis=0)
        one = self.n_member == 1
        epistemic = np.zeros_like(mean) if one else members.var(axis=0, ddof=1)
        aleatoric = np.zeros_like(mean) if noise is None else (noise**2).mean(axis=0)
        self._points.add(mean, truth, weight)
        self._spread.add(epistemic, aleatoric, (mean - truth) ** 2, weight)
        absolute = np.abs(members - truth).mean(axis=0)
        fair = absolute if one else fair_crps(members, truth)
        self._published += weight @ half_weighted_crps(absolute, fair)
        if noise is None:
            self._crps += weight @ fair
            self._calibration.add(members, truth, weight)
        else:
            self._crps += weight @ mixture_crps(members, noise, truth)
            self._calibration.add_mixture(members, noise, truth, weight)
        for kept, variance in (
            (self._column_epistemic, epistemic),
            (self._column_total, epistemic + aleatoric),
        ):
            deviation = np.sqrt(variance)
            spreads = [self.outputs.relative_spread(deviation, name) for name in self.outputs.parts]
            kept.append(np.array(spreads))
