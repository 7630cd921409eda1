"""Coefficients with which the climate of a model is most like the truth's, found by runs of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import differential_evolution
from scipy.stats import qmc

from hybrid.experiments.quasigeostrophic.calibration.coefficients import N_COEFFICIENT
from hybrid.experiments.quasigeostrophic.calibration.trials import Surface, Trials

Array = NDArray[np.float64]

# Part of a range next to its ends in which the best place may as well be outside.
_AT_END = 0.05
# Of the values of a population of the search when it ends; the mean is flat around its best place.
_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How many runs coefficients are fitted to.

    Parameters
    ----------
    n_round
        Rounds, each with runs around what has been found, see `Box.narrowed_around`.
    n_trial
        Runs of a round in each flow, each with coefficients and an initial state of its own; a
        power of two fills the range best.
    n_truth
        Runs of the truth in each flow, and of the model without closure, from initial states that
        trials do not have.
    n_again
        Times that runs and truths are drawn again, for the spread of what is fitted to them.
    """

    n_round: int = 2
    n_trial: int = 64
    n_truth: int = 32
    n_again: int = 16


@dataclass(frozen=True)
class Box:
    """A range of coefficients.

    Parameters
    ----------
    low, high
        Its ends, of each coefficient, in the units of `SixthOrderCoefficients.at`.
    """

    low: tuple[float, ...] = (-1.0,) * N_COEFFICIENT
    high: tuple[float, ...] = (1.0,) * N_COEFFICIENT

    def narrowed_around(self, place: Sequence[float]) -> "Box":
        """Return a box around a place in this one, beyond it where the place is near an end.

        Half as wide, but for coefficients of which the place is at an end: there it stays as wide.
        """
        width = np.array(self.high) - self.low
        to_end = np.minimum(place - np.array(self.low), self.high - np.array(place))
        reach = np.where(to_end < _AT_END * width, 0.5, 0.25) * width
        return Box(tuple((place - reach).tolist()), tuple((place + reach).tolist()))

    def places(self, n: int, random: np.random.Generator) -> Array:
        """Return places that fill it evenly, shape ``(n, N_COEFFICIENT)``."""
        return np.asarray(
            qmc.scale(qmc.Sobol(N_COEFFICIENT, rng=random).random(n), self.low, self.high)
        )


@dataclass(frozen=True)
class Fitted:
    """What runs say about coefficients.

    Parameters
    ----------
    place
        Of the best, see `SixthOrderCoefficients.at`.
    spread
        Standard deviations of the place inside its box, from runs and truths drawn again.
    mean, worst
        Scores of the fitted functions there, by flow, which no run has: noise that is left in them
        lowers scores, and the choice of the best place raises them.
    n_run, n_lost
        Runs that were fitted to, and those that did not stay finite.
    """

    place: tuple[float, ...]
    spread: tuple[float, ...]
    mean: dict[str, float]
    worst: dict[str, float]
    n_run: int
    n_lost: int


def fit(
    box: Box, trials: Mapping[str, Trials], random: np.random.Generator, n_again: int
) -> Fitted:
    """Return the coefficients inside a box that are the best for several flows, as runs say.

    They have most of the mean over flows of what closures are chosen by: the mean score, and a part
    of the worst.

    Parameters
    ----------
    box
        Where they may be.
    trials
        Runs by flow, at the same places in each, those of earlier rounds among them.
    random
        Of the search, and of runs drawn again.
    n_again
        Times that runs are drawn again, for the spread, two at least.

    Raises
    ------
    ValueError
        If too few runs stayed finite.
    """
    seed = int(random.integers(2**31))
    place, scores = _best(box, trials, seed)
    again = []
    for _ in range(n_again):
        drawn = {flow: found.drawn_again(random) for flow, found in trials.items()}
        again.append(_best(box, drawn, seed)[0])
    return Fitted(
        tuple(place.tolist()),
        tuple(np.std(again, axis=0, ddof=1).tolist()),
        {flow: float(found.mean()) for flow, found in scores.items()},
        {flow: float(found.min()) for flow, found in scores.items()},
        sum(len(found.vectors) for found in trials.values()),
        sum(int((~found.is_finite).sum()) for found in trials.values()),
    )


def _best(box: Box, trials: Mapping[str, Trials], seed: int) -> tuple[Array, dict[str, Array]]:
    """Return the best place, and the scores of the fitted functions there by flow."""
    surfaces = {flow: Surface.of(found) for flow, found in trials.items()}

    def loss(places: Array) -> Array:
        found = [surface.loss(places.T) for surface in surfaces.values()]
        return np.asarray(np.mean(found, axis=0))

    place = differential_evolution(
        loss,
        list(zip(box.low, box.high, strict=True)),
        rng=seed,
        polish=False,
        tol=_TOLERANCE,
        vectorized=True,
        updating="deferred",
    ).x
    here = place[np.newaxis]
    return np.asarray(place), {flow: found.scores(here)[0] for flow, found in surfaces.items()}
