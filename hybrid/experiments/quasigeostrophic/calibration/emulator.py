"""The climate of a model as a smooth function of its coefficients, learned from runs.

Scores of single runs are noise for the most part. Distribution functions and mean spectra vary
smoothly with coefficients, and those of several runs together are their means: a regression of
these averages over all runs, and scores of what it predicts have much less noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from hybrid.experiments.quasigeostrophic.runs.climate import FIELDS
from hybrid.experiments.quasigeostrophic.scores.similarity import (
    DISTRIBUTIONAL,
    SPECTRAL,
    spectrum_of,
)

Array = NDArray[np.float64]

N_EDGE = 800
"""Values at which distribution functions are kept."""

# How far the values at which they are kept go beyond those of the truth.
_MARGIN = 1.5


@dataclass(frozen=True)
class Curves:
    """Distribution functions and spectra of climates as vectors, one after another.

    Parameters
    ----------
    edges
        Values at which distribution functions are kept, by `DISTRIBUTIONAL`, shape ``(N_EDGE,)``.
    n_wavenumber
        Number of wavenumbers below the cut-off.
    """

    edges: dict[str, Array]
    n_wavenumber: int

    @classmethod
    def around(cls, truths: Sequence[xr.Dataset], cutoff: float) -> "Curves":
        """Return those that hold climates like the truth's.

        Parameters
        ----------
        truths
            Climates.
        cutoff
            Wavenumber below which spectra count [m-1].
        """
        edges = {}
        for name, layer, metric in _fields():
            values = [run[name].isel(layer=layer) for run in truths]
            low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
            beyond = 0.5 * (_MARGIN - 1.0) * (high - low)
            edges[metric] = np.linspace(low - beyond, high + beyond, N_EDGE)
        return cls(edges, int((truths[0].wavenumber < cutoff).sum()))

    def of(self, run: xr.Dataset) -> Array:
        """Return the vector of a climate; that of several runs together is the mean of theirs."""
        parts = []
        for name, layer, metric in _fields():
            values = np.sort(run[name].isel(layer=layer).to_numpy(), axis=None)
            parts.append(np.searchsorted(values, self.edges[metric], side="right") / values.size)
        return np.concatenate(
            [*parts, *(spectrum_of(run, name)[: self.n_wavenumber] for name in SPECTRAL)]
        )

    def distances(self, made: Array, truth: Array) -> Array:
        """Return the distances of such vectors from another, those of climates, by `METRICS`.

        Parameters
        ----------
        made
            Shape ``(..., value)``.
        truth
            Shape ``(value,)``.

        Returns
        -------
        array
            Shape ``(..., 18)``.
        """
        n, many = N_EDGE * len(DISTRIBUTIONAL), made.shape[:-1]
        difference = made - truth
        functions = np.abs(difference[..., :n]).reshape(*many, len(DISTRIBUTIONAL), N_EDGE)
        spectra = difference[..., n:].reshape(*many, len(SPECTRAL), self.n_wavenumber)
        edges = np.array([self.edges[metric] for metric in DISTRIBUTIONAL])
        areas = trapezoid(functions, edges)
        return np.concatenate([areas, np.sqrt(np.mean(spectra**2, axis=-1))], axis=-1)


def _fields() -> list[tuple[str, int, str]]:
    """Return fields, layers, and what metrics call them, in the order of `DISTRIBUTIONAL`."""
    pairs = [(name, layer) for name in FIELDS for layer in (0, 1)]
    return [(*pair, metric) for pair, metric in zip(pairs, DISTRIBUTIONAL, strict=True)]


@dataclass(frozen=True)
class ClimateEmulator:
    """A quadratic function of coefficients that has the vectors of climates as its values.

    Parameters
    ----------
    regression
        The function.
    """

    regression: Pipeline

    @classmethod
    def fitted(cls, places: Array, vectors: Array) -> "ClimateEmulator":
        """Return it by least squares.

        Parameters
        ----------
        places
            Where runs were made, shape ``(run, coefficient)``.
        vectors
            Their `Curves`, shape ``(run, value)``.

        Raises
        ------
        ValueError
            If there are not more runs than terms of the function.
        """
        n_term = comb(places.shape[1] + 2, 2)
        if len(places) <= n_term:
            raise ValueError(
                f"places: expected more than {n_term} runs that stayed finite, the terms of a "
                f"quadratic function, got {len(places)}; look where coefficients keep more runs "
                "from blowing up, or make more (Calibration.n_trial)"
            )
        regression = make_pipeline(PolynomialFeatures(2), LinearRegression(fit_intercept=False))
        return cls(regression.fit(places, vectors))

    def __call__(self, places: Array) -> Array:
        """Return the vectors of climates at places, from ``(n, coefficient)`` to ``(n, value)``."""
        return np.asarray(self.regression.predict(places))
