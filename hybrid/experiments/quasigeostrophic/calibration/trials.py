"""Runs with coefficients, and scores as functions of coefficients that are learned from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from hybrid.experiments.quasigeostrophic.calibration.emulator import ClimateEmulator, Curves
from hybrid.experiments.quasigeostrophic.runs.climate import is_lost
from hybrid.experiments.quasigeostrophic.scores.similarity import worth

Array = NDArray[np.float64]


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


@dataclass(frozen=True)
class Surface:
    """Scores in one flow as functions of coefficients.

    Parameters
    ----------
    trials
        The runs that they are learned from.
    emulator
        The functions that climates are.
    truth
        `Curves` of the mean of the truths.
    baseline
        Distances from it of the model without closure.
    """

    trials: Trials
    emulator: ClimateEmulator
    truth: Array
    baseline: Array

    @classmethod
    def of(cls, trials: Trials) -> "Surface":
        """Return what runs say.

        Raises
        ------
        ValueError
            If too few of them stayed finite.
        """
        truth, without = trials.truths.mean(axis=0), trials.plain.mean(axis=0)
        emulator = ClimateEmulator.fitted(trials.places[trials.is_finite], trials.vectors)
        return cls(trials, emulator, truth, trials.curves.distances(without, truth))

    def scores(self, places: Array) -> Array:
        """Return the scores at places, shape ``(n, 18)``."""
        distances = self.trials.curves.distances(self.emulator(places), self.truth)
        return np.asarray(1.0 - distances / self.baseline)

    def loss(self, places: Array) -> Array:
        """Return what the best place has least of, shape ``(n,)``."""
        # Where the nearest run was lost, the functions say nothing.
        nearest = np.argmin(cdist(places, self.trials.places), axis=1)
        found = self.scores(places)
        merit = worth(np.asarray(found.mean(axis=1)), np.asarray(found.min(axis=1)))
        return np.where(self.trials.is_finite[nearest], -merit, np.inf)
