"""Pieces of the experiment that processes share: states from sensors, and discoveries."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.model_error import ModelError, NothingFoundError
from closures.model_error.interpolation import FourierInterpolator
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.medida_qg import everywhere, sensors
from hybrid.experiments.medida_qg.cases import CASES
from hybrid.experiments.medida_qg.flow import Flow
from hybrid.experiments.medida_qg.sensors import Observations, at_sensors, points
from hybrid.experiments.medida_qg.settings import NOISE, SHARE, Settings

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

EVERYWHERE = "everywhere"
"""Name of the discoveries from every grid point, without noise."""

_LAYERS = 2


@dataclass(frozen=True)
class Job:
    """One interpolator for one sample, or with sample None the discoveries from its states."""

    interpolator: str
    sample: int | None = None

    @property
    def name(self) -> str:
        """Name of the stage."""
        return self.interpolator if self.sample is None else f"{self.interpolator}_{self.sample}"


def truth(checkpoint: Checkpoint, settings: Settings, on_progress: OnProgress) -> Array:
    """Return the samples of nature, see `Truth.states`."""
    seed = int(checkpoint.generator("truth").integers(2**31))

    def make() -> xr.Dataset:
        q = settings.truth.states(seed, on_progress)
        return xr.Dataset({"q": (("time", "sample", "layer", "y", "x"), q)})

    return np.asarray(checkpoint.arrays("truth", make).q)


def observe(checkpoint: Checkpoint, settings: Settings, q: Array) -> Observations:
    """Return what sensors measure of nature."""
    seed = int(checkpoint.generator("sensors").integers(2**31))
    return Observations.of(Flow(settings.truth.nature).psi(q), SHARE, NOISE, seed)


def do(job: Job, on_progress: OnProgress, *, checkpoint: Checkpoint, settings: Settings) -> None:
    """Do a job; what is done is not done again."""
    if job.sample is None:
        discoveries(checkpoint, settings, job.interpolator, on_progress)
    else:
        interpolated(checkpoint, settings, job.interpolator, job.sample, on_progress)


def interpolated(
    checkpoint: Checkpoint,
    settings: Settings,
    name: str,
    sample: int,
    on_progress: OnProgress = lambda _fraction: None,
) -> Array:
    """Return the streamfunction that an interpolator makes of a sample, ``(2, ny, nx)`` [1]."""

    def make() -> xr.Dataset:
        nature, q = settings.truth.nature, truth(checkpoint, settings, on_progress)
        if name == "exact":
            psi = Flow(nature).psi(q[1, sample])
        else:
            observations = observe(checkpoint, settings, q)
            seed = int(checkpoint.generator(f"{name}_{sample}").integers(2**31))
            fit = _fourier if name == "fourier" else _other
            psi = fit(settings, observations, sample, name, seed, on_progress)
        shape = (_LAYERS, *nature.grid.shape)
        return xr.Dataset({"psi": (("layer", "y", "x"), psi.reshape(shape))})

    return np.asarray(checkpoint.arrays(f"{name}_{sample}", make).psi)


def _other(
    settings: Settings,
    observations: Observations,
    sample: int,
    name: str,
    seed: int,
    on_progress: OnProgress,
) -> Array:
    nature = settings.truth.nature
    fit = settings.interpolator(name, seed).fit
    return fit(at_sensors(nature, observations, sample), on_progress)(points(nature))


def _fourier(
    settings: Settings,
    observations: Observations,
    sample: int,
    _name: str,
    seed: int,
    on_progress: OnProgress,
) -> Array:
    """Fit each layer with a spectrum of its own."""
    nature, layers = settings.truth.nature, []
    for layer in range(_LAYERS):
        there = at_sensors(nature, observations, sample, slice(layer, layer + 1))
        interpolator = FourierInterpolator(band=1.2, n_likelihood=settings.n_likelihood, seed=seed)
        layers.append(interpolator.fit(there)(points(nature)))
        on_progress((layer + 1) / _LAYERS)
    return np.concatenate(layers)


def discoveries(
    checkpoint: Checkpoint,
    settings: Settings,
    name: str,
    on_progress: OnProgress = lambda _fraction: None,
) -> xr.Dataset:
    """Return what is found in every case, from every point or with an interpolator.

    Returns
    -------
    Dataset
        ``coefficient`` over ``case`` and ``term``, and ``covariance`` over ``term`` twice, 0 where
        a term was not found.
    """

    def make() -> xr.Dataset:
        nature, q = settings.truth.nature, truth(checkpoint, settings, on_progress)
        if name != EVERYWHERE:
            observations = observe(checkpoint, settings, q)
            psi = np.stack([interpolated(checkpoint, settings, name, i) for i in range(q.shape[1])])
        found: list[ModelError | None] = []
        for i, case in enumerate(CASES):
            try:
                if name == EVERYWHERE:
                    error = everywhere.find(nature, case, q)
                else:
                    error = sensors.find(nature, case, observations, psi)
            except NothingFoundError:
                found.append(None)
            else:
                found.append(error)
            on_progress((i + 1) / len(CASES))
        return _tabulated(found)

    return checkpoint.arrays(f"found_{name}", make)


def _tabulated(found: list[ModelError | None]) -> xr.Dataset:
    names = sorted({name for error in found if error for name in error.named})
    coefficient = np.zeros((len(found), len(names)))
    covariance = np.zeros((*coefficient.shape, len(names)))
    for i, error in enumerate(found):
        if error is not None:
            columns = [names.index(name) for name in error.named]
            coefficient[i, columns] = error.coefficients
            covariance[i][np.ix_(columns, columns)] = error.covariance
    dims = ("case", "term", "other_term")
    return xr.Dataset(
        {"coefficient": (dims[:2], coefficient), "covariance": (dims, covariance)},
        {"case": list(CASES), "term": names, "other_term": names},
    )
