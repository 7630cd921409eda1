"""What a long run is judged by: its last states, and spectra averaged over time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.quasigeostrophic.runs.averages import BUDGET, SPECTRA, Averages
from hybrid.experiments.quasigeostrophic.runs.configurations import Duration
from solvers.errors import SolverBlewUp, TendencyError
from solvers.integration import Integration
from solvers.quasigeostrophic import TwoLayerQG
from solvers.spectral import to_grid
from solvers.tendency_source import PythonTendency, TendencySource

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

FIELDS = {
    "q": ("s-1", "potential vorticity"),
    "u": ("m s-1", "velocity along x without the mean flow"),
    "v": ("m s-1", "velocity along y"),
    "kinetic_energy": ("m2 s-2", "kinetic energy with the mean flow"),
    "enstrophy": ("s-2", "half the squared relative vorticity"),
}
"""Units and names of the fields of the last states."""

BLEW_UP = "blew_up_after"
"""Attribute of a run that did not stay finite: the time [s]; it has nothing else."""

ENVELOPE: Mapping[str, float] = MappingProxyType({"q": 1e-3, "u": 20.0, "v": 20.0})
"""Largest magnitudes that archives are made for [s-1, m s-1], ten times what any flow here has."""


def climate(
    model: TwoLayerQG,
    initial: Array,
    duration: Duration,
    *,
    tendency: PythonTendency | TendencySource | None = None,
    on_progress: OnProgress = lambda _fraction: None,
) -> xr.Dataset:
    """Run a model and return its climate.

    Parameters
    ----------
    model
        The model.
    initial
        Potential vorticity to begin with, shape ``(2, ny, nx)`` [s-1].
    duration
        Length, and what is kept.
    tendency
        Closure; None: without.
    on_progress
        Called with the fraction done.

    Returns
    -------
    Dataset
        `FIELDS` over time, layer, y and x, of the last states; `SPECTRA` over layer and
        wavenumber, and `BUDGET` over wavenumber, means over the time after the spin-up, in the
        rings of `Rings`; parameters of the model as attributes, and ``cutoff``, the wavenumber
        below which spectra count [m-1]. Of a run that did not stay finite the attribute
        `BLEW_UP` alone, see `is_lost`.
    """
    integration = model.start(initial, tendency=tendency)
    samples = _samples(integration, duration, coupled=tendency is not None)
    try:
        return averaged(model, samples, duration, on_progress)
    except SolverBlewUp as error:
        lost_after = error.time
    except TendencyError:
        # The guard of an archive speaks up before numbers overflow.
        if not _leaves_envelope(integration):
            raise
        lost_after = integration.time
    on_progress(1.0)
    return xr.Dataset(attrs={BLEW_UP: lost_after})


class Sample(NamedTuple):
    """A state of a run that is looked at.

    Parameters
    ----------
    time
        Model time [s].
    q
        Potential vorticity, shape ``(2, ny, nx)`` [s-1].
    tendency
        The closure's, same shape [s-2]; None: there is no closure, or it does not count yet.
    """

    time: float
    q: Array
    tendency: Array | None


def averaged(
    model: TwoLayerQG, samples: Iterable[Sample], duration: Duration, on_progress: OnProgress
) -> xr.Dataset:
    """Return the climate of a run, see `climate`, from its states every `Duration.sampled_every`.

    Parameters
    ----------
    model
        The model.
    samples
        States from the first interval on; after the spin-up with the closure's tendency, if there
        is a closure.
    duration
        Length, and what is kept.
    on_progress
        Called with the fraction done.
    """
    averages = Averages(model)
    snapshots: deque[tuple[float, Array]] = deque(maxlen=duration.n_snapshot)
    for i, sample in enumerate(samples, 1):
        if i % duration.samples_a_snapshot == 0:
            snapshots.append((sample.time, sample.q))
        if i > duration.n_spin_up:
            averages.add(sample.q, sample.tendency)
        on_progress(i / duration.n_sample)
    return _labelled(model, snapshots, averages)


def _samples(integration: Integration, duration: Duration, *, coupled: bool) -> Iterator[Sample]:
    """Advance a run to its end, and yield what is looked at."""
    interval, ahead = round(duration.sampled_every / integration.model.dt), 0
    for i in range(1, duration.n_sample + 1):
        integration.advance(interval - ahead)
        time, q, ahead = integration.time, _vorticity(integration), 0
        tendency = None
        if coupled and i > duration.n_spin_up:
            # A closure is asked when a step begins.
            integration.advance(1)
            ahead, tendency = 1, closure_tendency(integration)
        yield Sample(time, q, tendency)


def _leaves_envelope(integration: Integration) -> bool:
    """Advance until the closure fails again, and return whether the state is at fault."""
    with suppress(TendencyError, SolverBlewUp):
        while True:
            integration.advance(1)
    fields = integration.fields()
    return any(not float(abs(fields[name]).max()) < most for name, most in ENVELOPE.items())


def is_lost(made: xr.Dataset) -> bool:
    """Whether a run did not stay finite."""
    return BLEW_UP in made.attrs


def _vorticity(integration: Integration) -> Array:
    return to_grid(integration.prognostic["q"][0], integration.model.grid.shape)  # type: ignore[attr-defined]


def closure_tendency(integration: Integration) -> Array:
    """Return what the closure said at the beginning of the last step, shape ``(2, ny, nx)``."""
    (output,) = integration.closure_outputs(0)
    return np.array(output.array, dtype=np.float64)


def fields_of(model: TwoLayerQG, q: Array) -> dict[str, Array]:
    """Return `FIELDS` of potential vorticity [s-1], all of shape ``(..., 2, ny, nx)``."""
    grid = model.grid
    psi = model.invert(np.fft.rfft2(q))
    u = to_grid(-1j * grid.l[:, None] * psi, grid.shape)
    v = to_grid(1j * grid.k * psi, grid.shape)
    vorticity = to_grid(-grid.wavenumber_squared * psi, grid.shape)
    mean_flow = np.array([model.u1, model.u2])[:, None, None]
    energy = 0.5 * ((u + mean_flow) ** 2 + v**2)
    return {"q": q, "u": u, "v": v, "kinetic_energy": energy, "enstrophy": 0.5 * vorticity**2}


def _labelled(
    model: TwoLayerQG, snapshots: "deque[tuple[float, Array]]", averages: Averages
) -> xr.Dataset:
    times, states = zip(*snapshots, strict=True)
    fields = fields_of(model, np.stack(states))
    dims = ("time", "layer", "y", "x")
    # Rounding of single precision is far below what any distance resolves.
    data = {
        name: (dims, fields[name].astype(np.float32), {"units": units, "long_name": text})
        for name, (units, text) in FIELDS.items()
    }
    spectra = {
        name: (("layer", "wavenumber"), averages.spectra[name] / averages.n, _labels(*label))
        for name, label in SPECTRA.items()
    }
    budget = {
        name: (("wavenumber",), averages.budget[name] / averages.n, _labels("m3 s-3", text))
        for name, text in BUDGET.items()
    }
    wavenumber = _labels("m-1", "angular wavenumber, middle of the ring")
    return xr.Dataset(
        {**data, **spectra, **budget},
        coords={
            **model.coordinates(),
            "time": ("time", np.array(times), _labels("s", "model time")),
            "wavenumber": ("wavenumber", averages.rings.wavenumber, wavenumber),
        },
        attrs={**model.attributes(), "cutoff": averages.rings.cutoff, "n_sample": averages.n},
    )


def _labels(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
