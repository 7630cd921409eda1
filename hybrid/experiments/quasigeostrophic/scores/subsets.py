"""Distances from the truth of many choices among the same runs."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.quasigeostrophic.runs.averages import BUDGET, SPECTRA
from hybrid.experiments.quasigeostrophic.runs.climate import FIELDS
from hybrid.experiments.quasigeostrophic.scores.mixtures import mixture_distances
from hybrid.experiments.quasigeostrophic.scores.similarity import spectral_distances

Array = NDArray[np.float64]
Subset = Sequence[int]


def subset_distances(
    made: Sequence[xr.Dataset],
    truth: Sequence[xr.Dataset],
    subsets: Sequence[tuple[Subset, Subset]],
    cutoff: float,
) -> list[dict[str, float]]:
    """Return `distances` between some runs of a model and some of the truth, choice by choice.

    The same as those of the runs of each choice `pooled`, without pooling and sorting them anew.

    Parameters
    ----------
    made, truth
        Runs of a model, and of the truth, all finite, and of one grid each.
    subsets
        Choices: numbers of runs of the model, and of the truth.
    cutoff
        Wavenumber below which spectra count [m-1].

    Returns
    -------
    list of dict
        By `METRICS`, for every choice.
    """
    weights = np.concatenate(
        [
            _shares(len(made), [own for own, _ in subsets]),
            -_shares(len(truth), [wanted for _, wanted in subsets]),
        ]
    )
    areas = {
        f"{name}_{layer + 1}": mixture_distances(
            [run[name].isel(layer=layer).to_numpy().ravel() for run in (*made, *truth)], weights
        )
        for name in FIELDS
        for layer in (0, 1)
    }
    own, wanted = _spectra(made), _spectra(truth)
    return [
        {name: float(area[i]) for name, area in areas.items()}
        | spectral_distances(_mean(own, some), _mean(wanted, them), cutoff)
        for i, (some, them) in enumerate(subsets)
    ]


def _shares(n: int, subsets: Sequence[Subset]) -> Array:
    """Return the weights of runs in the choices among them, shape ``(run, choice)``."""
    shares = np.zeros((n, len(subsets)))
    for i, subset in enumerate(subsets):
        shares[list(subset), i] = 1.0 / len(subset)
    return shares


def _spectra(runs: Sequence[xr.Dataset]) -> xr.Dataset:
    names = [*SPECTRA, *BUDGET]
    return xr.concat([run[names] for run in runs], "member", join="exact", combine_attrs="override")


def _mean(spectra: xr.Dataset, subset: Subset) -> xr.Dataset:
    return spectra.isel(member=list(subset)).mean("member", keep_attrs=True)
