"""Scores by level, and pooled over the levels of a variable."""

import numpy as np
from numpy.typing import NDArray

from closures.ensemble_scores.calibration_sums import LEVELS, CalibrationSums
from closures.ensemble_scores.outputs import Outputs
from closures.ensemble_scores.point_sums import PointSums
from closures.ensemble_scores.ranks import coverage
from closures.ensemble_scores.spread_sums import SpreadSums

Array = NDArray[np.float64]

CONSTANT = 1e-3
"""A level whose truth varies by less than this share of the most variable level has no R2."""


class Scores:
    """Scores of one closure in one climate.

    All means are over columns with their weights. Arrays are ``(n_output,)``, in the outputs'
    units. CRPS: the fair one of an ensemble without noise [1], that of the mixture if members
    have noise (`mixture_crps`), the absolute error of a single prediction.

    Attributes
    ----------
    r2 : Array
        ``1 - sum (p - y)^2 / sum (y - mean y)^2``, p the ensemble's mean, against the mean of the
        truth at that level in this climate; NaN where the truth does not vary.
    mae, rmse, bias : Array
        Of the ensemble's mean; bias is prediction minus truth.
    truth_deviation : Array
        Standard deviation of the truth.
    crps : Array
        Continuous ranked probability score.
    crps_published : Array
        With half the weight on the members' spread, noise ignored (`half_weighted_crps`): not
        proper, to compare with published tables alone.
    epistemic_variance, aleatoric_variance : Array
        Mean variance of the members (with n - 1), and of their noise.
    spread_error : Array
        ``sqrt(mean((1 + 1/n) epistemic + aleatoric)) / rmse``: 1 in expectation if the truth cannot
        be told from a member with its noise; NaN where the error is 0.
    ranks : Array
        Rank histogram ``(n_output, n_member + 1)``, or that of the probability integral transform
        if members have noise, each row's sum 1; NaN where nothing could be ranked.
    coverage50, coverage90, width50, width90 : Array
        Of central intervals: share of samples inside (`coverage`) and mean width. NaN if there is
        no noise and the members are too few, below 3 or 19. Without noise the number of members is
        allowed for; a mixture is judged as issued, and with few members it covers less than its
        level: 89 % instead of 90 % with 32, 85 % with 5, if they differ by as much as their noise.
    spread_skill : Array
        Weight, expected and actual squared error, these in units of the scale's square, by bin of
        expected error `SPREAD_EDGES`, ``(3, n_output, n_bin)``; sums.
    column_epistemic, column_total : Array
        Relative spread of each column in the order added, ``(n_variable, n_column)``:
        mass-weighted mean over levels of the members' standard deviation (total: with the noise)
        in units of the scale.
    excluded : dict
        Levels of each variable whose truth has a standard deviation below `CONSTANT` times that of
        its most variable level, counted from 0: without R2 in the variable's means.

    References
    ----------
    .. [1] Ferro 2014, Fair scores for ensemble forecasts, QJRMS 140, doi:10.1002/qj.2270.
    """

    def __init__(
        self,
        outputs: Outputs,
        points: PointSums,
        spread: SpreadSums,
        calibration: CalibrationSums,
        *,
        crps: Array,
        crps_published: Array,
        column_epistemic: Array,
        column_total: Array,
    ) -> None:
        weight = points.weight
        self.outputs = outputs
        self.crps = crps
        self.crps_published = crps_published
        self.column_epistemic = column_epistemic
        self.column_total = column_total
        self.mae = points.absolute / weight
        self.bias = points.error / weight
        self.truth_deviation = points.deviation
        self._squared = points.squared / weight
        self._expected = spread.expected / weight
        self.rmse = np.sqrt(self._squared)
        self.r2 = 1.0 - _ratio(points.squared, points.spread)
        self.epistemic_variance = spread.epistemic / weight
        self.aleatoric_variance = spread.aleatoric / weight
        self.spread_error = np.sqrt(_ratio(self._expected, self._squared))
        self.spread_skill = spread.binned.copy()
        self._ranks = calibration.ranks.copy()
        self.ranks = _ratio(self._ranks, self._ranks.sum(axis=1, keepdims=True))
        self.coverage50, self.coverage90 = (coverage(self._ranks, level) for level in LEVELS)
        self.width50, self.width90 = calibration.width / weight
        self.excluded = {name: self._constant(part) for name, part in outputs.parts.items()}

    def _constant(self, part: slice) -> tuple[int, ...]:
        deviation = self.truth_deviation[part]
        constant = (deviation < CONSTANT * deviation.max()) | (deviation == 0.0)
        return tuple(np.flatnonzero(constant).tolist())

    def pooled(self, name: str) -> dict[str, float]:
        """Return the scores of a variable over all its levels.

        With the levels' mass m: ``r2`` is the mean ``sum_k m_k R2_k / sum_k m_k`` and
        ``r2_lowest`` the least, both without the `excluded` levels; ``r2_pooled`` is
        ``1 - sum_k m_k SSE_k / sum_k m_k SST_k`` of all levels, in which quiet levels count
        little. ``rmse`` is the root of the mean squared error, ``spread_error`` the root of the
        ratio of both means, coverages are shares of all ranked samples, and everything else is the
        mean over all levels.

        Parameters
        ----------
        name
            Of the variable.

        Returns
        -------
        dict
            Scores by name: ``r2``, ``r2_lowest``, ``r2_pooled``, ``mae``, ``rmse``, ``bias``,
            ``crps``, ``crps_published``, ``epistemic_variance``, ``aleatoric_variance``,
            ``spread_error``, and ``coverage`` and ``width`` with ``50`` and ``90``.
        """

        def mean(values: Array) -> float:
            return float(self.outputs.column_mean(values, name))

        part = self.outputs.parts[name]
        mass = self.outputs.mass[part]
        kept = np.ones(mass.size, dtype=np.bool_)
        kept[list(self.excluded[name])] = False
        r2 = self.r2[part][kept]
        squared = mean(self._squared)
        variance = mean(self.truth_deviation**2)
        ranks = mass @ self._ranks[part]
        return {
            "r2": float(_ratio(mass[kept] @ np.nan_to_num(r2), mass[kept].sum())),
            "r2_lowest": float(r2.min()) if r2.size else np.nan,
            "r2_pooled": 1.0 - float(_ratio(squared, variance)),
            "rmse": float(np.sqrt(squared)),
            "spread_error": float(np.sqrt(_ratio(mean(self._expected), squared))),
            **{name: mean(getattr(self, name)) for name in _MEANS},
            **{f"coverage{100 * level:.0f}": float(coverage(ranks, level)) for level in LEVELS},
        }

    def spread_skill_of(self, name: str) -> tuple[Array, Array, Array]:
        """Return share of samples, expected and actual error by bin of expected error.

        Mass-weighted over the levels of a variable of scale above 0; errors are roots of mean
        squares in units of the scale, NaN in empty bins. Points on the diagonal are calibrated.
        """
        part = self.outputs.parts[name]
        count, expected, actual = np.einsum(
            "k,jkb->jb", self.outputs.mass[part], self.spread_skill[:, part]
        )
        share = _ratio(count, count.sum())
        return share, np.sqrt(_ratio(expected, count)), np.sqrt(_ratio(actual, count))


_MEANS = (
    "mae", "bias", "crps", "crps_published", "epistemic_variance", "aleatoric_variance",
    "width50", "width90",
)  # fmt: skip


def _ratio(above: Array | float, below: Array | float) -> Array:
    """Return the quotient, NaN where there is nothing to divide by."""
    shape = np.broadcast_shapes(np.shape(above), np.shape(below))
    quotient: Array = np.divide(
        above, below, out=np.full(shape, np.nan), where=np.asarray(below) > 0.0
    )
    return quotient
