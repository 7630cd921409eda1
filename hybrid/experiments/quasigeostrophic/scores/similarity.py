"""How much closer to the truth a closure brings the climate of the coarse model."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from hybrid.experiments.quasigeostrophic.runs.averages import BUDGET, SPECTRA
from hybrid.experiments.quasigeostrophic.runs.climate import FIELDS, is_lost

Array = NDArray[np.float64]
Score = TypeVar("Score", float, Array)

FLUXES = (
    "kinetic_energy_transfer",
    "available_potential_energy_transfer",
    "available_potential_energy_generation",
    "bottom_drag",
)
"""Terms of the energy budget that count."""

DISTRIBUTIONAL = tuple(f"{name}_{layer}" for name in FIELDS for layer in (1, 2))
"""Metrics of distributions, Wasserstein-1 distances by layer, 1 being the upper one."""

SPECTRAL = (*(f"{name}_{layer}" for name in SPECTRA for layer in (1, 2)), *FLUXES)
"""Metrics of spectra, root mean square errors over wavenumbers below the cut-off."""

METRICS = (*DISTRIBUTIONAL, *SPECTRAL)
"""All 18."""

WORST = 0.3
"""Weight of the worst of the 18 scores, beside their mean, where closures are chosen."""

_SHORT = {
    "kinetic_energy_spectrum": "KE spectrum",
    "enstrophy_spectrum": "PV spectrum",
    "kinetic_energy_transfer": "KE transfer",
    "available_potential_energy_transfer": "APE transfer",
    "available_potential_energy_generation": "APE generation",
    "bottom_drag": "bottom drag",
    "kinetic_energy": "KE",
}


def short_name(metric: str) -> str:
    """Return what figures call a metric.

    Examples
    --------
    >>> short_name("kinetic_energy_spectrum_1"), short_name("q_2"), short_name("bottom_drag")
    ('KE spectrum 1', 'q 2', 'bottom drag')
    """
    name, _, layer = metric.rpartition("_")
    if layer not in ("1", "2"):
        return _SHORT[metric]
    return f"{_SHORT.get(name, name)} {layer}"


def pooled(runs: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return several runs of one model as one: their states together, and mean spectra.

    For scores of many choices of runs see `subset_distances`.

    Raises
    ------
    ValueError
        If there is none, or one did not stay finite.
    """
    if not runs or any(map(is_lost, runs)):
        raise ValueError(
            f"runs: expected at least one, all of them finite, got {len(runs)} of which "
            f"{sum(map(is_lost, runs))} blew up"
        )
    together = xr.concat(
        [run.drop_vars("time") for run in runs], "member", join="exact", combine_attrs="override"
    )
    return together.assign({name: together[name].mean("member") for name in (*SPECTRA, *BUDGET)})


def distances(made: xr.Dataset, truth: xr.Dataset, cutoff: float) -> dict[str, float]:
    """Return how far a climate is from the truth's, by metric.

    The truth is not filtered: its distributions and spectra are those of its own grid, as in the
    benchmark, so that what the coarse grid cannot hold counts as a distance of every closure.

    Parameters
    ----------
    made, truth
        What `climate` returns, or several `pooled`.
    cutoff
        Wavenumber below which spectra count, that of the coarse model also where a run on a finer
        grid is judged [m-1].

    Raises
    ------
    ValueError
        If a run did not stay finite, or spectra have other wavenumbers below the cut-off.
    """
    if is_lost(made) or is_lost(truth):
        raise ValueError("made, truth: expected finite runs, got one that blew up")
    return distribution_distances(made, truth) | spectral_distances(made, truth, cutoff)


def spectral_distances(made: xr.Dataset, truth: xr.Dataset, cutoff: float) -> dict[str, float]:
    """Return how far spectra are from the truth's, by `SPECTRAL`.

    Parameters
    ----------
    made, truth, cutoff
        As of `distances`; of the climates spectra alone are needed.

    Raises
    ------
    ValueError
        If spectra have other wavenumbers below the cut-off.
    """
    own, other = (run.wavenumber.to_numpy() for run in (made, truth))
    own, other = own[own < cutoff], other[other < cutoff]
    if own.shape != other.shape or not np.allclose(own, other):
        raise ValueError(
            f"made: expected the {len(other)} wavenumbers of the truth below {cutoff:g} m-1, got "
            f"{len(own)}; run both in the same domain, and choose a cut-off that both grids have"
        )
    n, result = len(own), {}
    for name in SPECTRAL:
        found, wanted = (spectrum_of(run, name)[:n] for run in (made, truth))
        result[name] = float(np.sqrt(np.mean((found - wanted) ** 2)))
    return result


def distribution_distances(made: xr.Dataset, truth: xr.Dataset) -> dict[str, float]:
    """Return how far the distributions of states are from the truth's, by `DISTRIBUTIONAL`.

    Parameters
    ----------
    made, truth
        As of `distances`; their grids may differ.
    """
    return {
        f"{name}_{layer + 1}": _wasserstein(made[name], truth[name], layer)
        for name in FIELDS
        for layer in (0, 1)
    }


def similarities(made: Mapping[str, float], baseline: Mapping[str, float]) -> dict[str, float]:
    """Return ``1 - D(made) / D(baseline)`` by metric: 1 is the truth, 0 is no better.

    Parameters
    ----------
    made, baseline
        `distances` from the truth of a run with a closure, and of the coarse model without.
    """
    return {name: 1.0 - made[name] / baseline[name] for name in METRICS}


def summary(scores: Mapping[str, float]) -> dict[str, float]:
    """Return ``mean``, ``min``, and the means over the two kinds, of all similarities."""
    every = np.array([scores[name] for name in METRICS])
    return {
        "mean": float(every.mean()),
        "min": float(every.min()),
        "distributional": float(np.mean([scores[name] for name in DISTRIBUTIONAL])),
        "spectral": float(np.mean([scores[name] for name in SPECTRAL])),
    }


def worth(mean: Score, worst: Score) -> Score:
    """Return what closures are chosen by: the mean of the scores, and `WORST` of the worst."""
    return mean + WORST * worst


def thinned(run: xr.Dataset, nx: int) -> xr.Dataset:
    """Return a run with states at the points that a coarser grid has; spectra stay as they are.

    Values at points are not averaged, so distributions stay as they are too, but for chance:
    neighbours on a fine grid tell much the same.

    Parameters
    ----------
    run
        What `climate` returns.
    nx
        Grid points along a side, a divisor of those of the run; of others the run stays as it is.
    """
    step, rest = divmod(run.sizes["x"], nx)
    every = slice(None, None, step if step and not rest else None)
    return run.isel(x=every, y=every)


def _wasserstein(made: xr.DataArray, truth: xr.DataArray, layer: int) -> float:
    found, wanted = (field.isel(layer=layer).to_numpy().ravel() for field in (made, truth))
    return float(wasserstein_distance(found, wanted))


def spectrum_of(run: xr.Dataset, name: str) -> Array:
    """Return the spectrum of a climate that one of `SPECTRAL` is about, over all wavenumbers."""
    if name in FLUXES:
        return np.asarray(run[name].to_numpy())
    kind, _, layer = name.rpartition("_")
    return np.asarray(run[kind].isel(layer=int(layer) - 1).to_numpy())
