"""Coefficients with which the climate of a model is most like the truth's, found by runs of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import differential_evolution
from scipy.spatial.distance import cdist
from scipy.stats import qmc

from hybrid.experiments.quasigeostrophic.calibration.coefficients import N_COEFFICIENT
from hybrid.experiments.quasigeostrophic.calibration.emulator import ClimateEmulator, Curves
from hybrid.experiments.quasigeostrophic.runs.climate import is_lost

Array = NDArray[np.float64]

WANTED = 0.5
"""Worst score that the fitted functions are to have: the largest of Ross et al. (2023) is 0.44."""

# What a score takes off the mean for each unit by which the worst is below that.
_PENALTY = 10.0
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
        Runs of a round, each with coefficients and an initial state of its own; a power of two
        fills the range best.
    n_truth
        Runs of the truth, and of the model without closure, from initial states that trials do not
        have.
    n_again
        Times that runs and truths are drawn again, for the spread of what is fitted to them.
    """

    n_round: int = 3
    n_trial: int = 64
    n_truth: int = 32
    n_again: int = 16


@dataclass(frozen=True)
class Box:
    """A range of coefficients.

    Parameters
    ----------
    low, high
        Its ends, of each coefficient, in the units of `Coefficients.at`.
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
        Of the best, see `Coefficients.at`.
    spread
        Standard deviations of the place inside its box, from runs and truths drawn again.
    mean, worst
        Scores of the fitted functions there, which no run has: noise that is left in them lowers
        scores, and the choice of the best place raises them.
    n_run, n_lost
        Runs that were fitted to, and those that did not stay finite.
    """

    place: tuple[float, ...]
    spread: tuple[float, ...]
    mean: float
    worst: float
    n_run: int
    n_lost: int


@dataclass(frozen=True)
class Trials:
    """Runs with coefficients, and what they are held against.

    Parameters
    ----------
    places
        Coefficients of the runs, shape ``(run, N_COEFFICIENT)``.
    vectors
        `Curves` of those that stayed finite, shape ``(finite run, value)``.
    is_finite
        Whether a run did, shape ``(run,)``.
    truths, plain
        `Curves` of the truth, and of the model without closure, from the same initial states, shape
        ``(state, value)``.
    curves
        What these are.
    """

    places: Array
    vectors: Array
    is_finite: NDArray[np.bool_]
    truths: Array
    plain: Array
    curves: Curves

    @classmethod
    def of(
        cls,
        runs: Sequence[tuple[Array, xr.Dataset]],
        truths: Sequence[xr.Dataset],
        plain: Sequence[xr.Dataset],
    ) -> "Trials":
        """Return those of climates.

        Parameters
        ----------
        runs
            Places, and the climates of runs there.
        truths, plain
            Climates of the truth, and of the model without closure, from the same initial states.
        """
        curves = Curves.around(truths, float(plain[0].attrs["cutoff"]))
        return cls(
            places=np.array([place for place, _ in runs]),
            vectors=np.array([curves.of(run) for _, run in runs if not is_lost(run)]),
            is_finite=np.array([not is_lost(run) for _, run in runs]),
            truths=np.array([curves.of(run) for run in truths]),
            plain=np.array([curves.of(run) for run in plain]),
            curves=curves,
        )

    def drawn_again(self, random: np.random.Generator) -> "Trials":
        """Return as many finite runs and truths, drawn with replacement, and the lost runs."""
        n, n_truth = len(self.vectors), len(self.truths)
        runs, states = random.integers(0, n, n), random.integers(0, n_truth, n_truth)
        places = np.concatenate([self.places[self.is_finite][runs], self.places[~self.is_finite]])
        finite = np.arange(len(places)) < n
        return Trials(
            places,
            self.vectors[runs],
            finite,
            self.truths[states],
            self.plain[states],
            self.curves,
        )


def fit(box: Box, trials: Trials, random: np.random.Generator, n_again: int) -> Fitted:
    """Return the coefficients inside a box with most of the mean score, as runs say.

    Of those whose worst score is `WANTED` at least.

    Parameters
    ----------
    box
        Where they may be.
    trials
        Runs, those of earlier rounds among them.
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
    place, mean, worst = _best(box, trials, seed)
    again = [_best(box, trials.drawn_again(random), seed)[0] for _ in range(n_again)]
    n_lost = int((~trials.is_finite).sum())
    return Fitted(
        tuple(place.tolist()),
        tuple(np.std(again, axis=0, ddof=1).tolist()),
        mean,
        worst,
        len(trials.vectors),
        n_lost,
    )


def _best(box: Box, trials: Trials, seed: int) -> tuple[Array, float, float]:
    """Return the best place, and the mean and the worst score of the fitted functions there."""
    emulator = ClimateEmulator.fitted(trials.places[trials.is_finite], trials.vectors)
    truth, without = trials.truths.mean(axis=0), trials.plain.mean(axis=0)
    baseline = trials.curves.distances(without, truth)

    def scores(places: Array) -> Array:
        return 1.0 - trials.curves.distances(emulator(places), truth) / baseline

    def loss(places: Array) -> Array:
        # Where the nearest run was lost, the functions say nothing.
        nearest = np.argmin(cdist(places.T, trials.places), axis=1)
        found = scores(places.T)
        lacking = np.maximum(WANTED - found.min(axis=1), 0.0)
        return np.where(trials.is_finite[nearest], _PENALTY * lacking - found.mean(axis=1), np.inf)

    place = differential_evolution(
        loss,
        list(zip(box.low, box.high, strict=True)),
        rng=seed,
        polish=False,
        tol=_TOLERANCE,
        vectorized=True,
        updating="deferred",
    ).x
    (found,) = scores(place[np.newaxis])
    return np.asarray(place), float(found.mean()), float(found.min())
