"""Coefficients with which the climate of a model is most like the truth's, found by runs of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import differential_evolution
from scipy.stats import qmc

from hybrid.experiments.quasigeostrophic.climate import is_lost
from hybrid.experiments.quasigeostrophic.climate_emulator import ClimateEmulator, Curves
from hybrid.experiments.quasigeostrophic.coefficients import N_COEFFICIENT
from hybrid.experiments.quasigeostrophic.similarity import similarities, summary, worth

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How many runs coefficients are fitted to.

    Parameters
    ----------
    n_round
        Rounds, each with half the range of the one before, around what that one has found.
    n_trial
        Runs of a round, each with coefficients of its own; a power of two fills the range best.
    n_truth
        Initial states: runs of the truth, and of the model without closure.
    """

    n_round: int = 2
    n_trial: int = 64
    n_truth: int = 16


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

    def half_around(self, place: Sequence[float]) -> "Box":
        """Return the box of half the size inside this one whose middle is nearest to a place."""
        low, high = np.array(self.low), np.array(self.high)
        reach = 0.25 * (high - low)
        middle = np.clip(place, low + reach, high - reach)
        return Box(tuple((middle - reach).tolist()), tuple((middle + reach).tolist()))

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
    mean, worst
        What is expected of the scores there.
    n_run, n_lost
        Runs that were fitted to, and those that did not stay finite.
    """

    place: tuple[float, ...]
    mean: float
    worst: float
    n_run: int
    n_lost: int


def fit(
    box: Box,
    trials: Sequence[tuple[Array, xr.Dataset]],
    truths: Sequence[xr.Dataset],
    plain: Sequence[xr.Dataset],
    random: np.random.Generator,
) -> Fitted:
    """Return the coefficients inside a box whose climate is expected to be worth most.

    Parameters
    ----------
    box
        Where they may be.
    trials
        Places, and the climates of runs there.
    truths, plain
        Climates of the truth, and of the model without closure, from the same initial states.
    random
        Of the search.

    Raises
    ------
    ValueError
        If too few runs stayed finite.
    """
    kept = [trial for trial in trials if not is_lost(trial[1])]
    curves = Curves.around(truths, float(plain[0].attrs["cutoff"]))
    truth, without = (np.mean([curves.of(run) for run in runs], axis=0) for runs in (truths, plain))
    baseline = curves.distances(without, truth)
    places = np.array([place for place, _ in kept]).reshape(-1, N_COEFFICIENT)
    emulator = ClimateEmulator.fitted(places, np.array([curves.of(run) for _, run in kept]))

    def scores(place: Array) -> tuple[float, float]:
        found = summary(similarities(curves.distances(emulator(place), truth), baseline))
        return found["mean"], found["min"]

    best = differential_evolution(
        lambda place: -worth(*scores(place)),
        list(zip(box.low, box.high, strict=True)),
        rng=random,
        polish=False,
    ).x
    mean, worst = scores(best)
    return Fitted(tuple(best.tolist()), mean, worst, len(kept), len(trials) - len(kept))
