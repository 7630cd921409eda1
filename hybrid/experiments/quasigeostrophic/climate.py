"""What a long run is judged by: its last states, and spectra averaged over time."""

from collections import deque
from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.quasigeostrophic.configurations import Duration
from hybrid.experiments.quasigeostrophic.rings import Rings
from solvers.diagnostics.energy_budget import modal_energy_budget
from solvers.errors import SolverBlewUp
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

SPECTRA = {
    "kinetic_energy_spectrum": ("m3 s-2", "kinetic energy spectrum"),
    "enstrophy_spectrum": ("m s-2", "potential enstrophy spectrum"),
}
"""Units and names of the spectra of each layer."""

BUDGET = {
    "kinetic_energy_transfer": "transfer of kinetic energy, and the closure's work on it",
    "available_potential_energy_transfer": (
        "transfer of available potential energy, and the closure's work on it"
    ),
    "available_potential_energy_generation": "generation from the mean shear",
    "bottom_drag": "work of bottom drag",
    "filter": "work of the filter",
    "parameterization": "work of the closure, which is a part of both transfers too",
}
"""Names of the spectra of the energy budget of both layers, in m3 s-3."""

BLEW_UP = "blew_up_after"
"""Attribute of a run that did not stay finite: the time [s]; it has nothing else."""


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
    averages = _Averages(model)
    snapshots: deque[tuple[float, Array]] = deque(maxlen=duration.n_snapshot)
    interval, ahead = round(duration.sampled_every / model.dt), 0
    try:
        for i in range(1, duration.n_sample + 1):
            integration.advance(interval - ahead)
            ahead = 0
            averaged = i > duration.n_spin_up
            kept = i % duration.samples_a_snapshot == 0
            if averaged or kept:
                q = _vorticity(integration)
            if kept:
                snapshots.append((integration.time, q))
            if averaged:
                source = None
                if tendency is not None:
                    # A closure is asked when a step begins.
                    integration.advance(1)
                    ahead, source = 1, _closure_tendency(integration)
                averages.add(q, source)
            on_progress(i / duration.n_sample)
    except SolverBlewUp as error:
        on_progress(1.0)
        return xr.Dataset(attrs={BLEW_UP: error.time})
    return _labelled(model, snapshots, averages)


def is_lost(made: xr.Dataset) -> bool:
    """Whether a run did not stay finite."""
    return BLEW_UP in made.attrs


class _Averages:
    """Sums over time of spectra."""

    def __init__(self, model: TwoLayerQG) -> None:
        self.model, self.rings, self.n = model, Rings(model.grid), 0
        n = len(self.rings.wavenumber)
        self.spectra = {name: np.zeros((2, n)) for name in SPECTRA}
        self.budget = {name: np.zeros(n) for name in BUDGET}

    def add(self, q: Array, source: Array | None) -> None:
        """Add a state (2, ny, nx) and the closure's tendency of it."""
        model, density = self.model, self.rings.density
        k2 = model.grid.wavenumber_squared
        spectrum = np.fft.rfft2(q) / (model.grid.n_x * model.grid.n_y)
        psi = model.invert(spectrum)
        self.spectra["kinetic_energy_spectrum"] += density(0.5 * k2 * np.abs(psi) ** 2)
        self.spectra["enstrophy_spectrum"] += density(0.5 * np.abs(spectrum) ** 2)
        terms = modal_energy_budget(
            _dataset(model, q), None if source is None else _on(model, source)
        )
        if source is not None:
            rate = model.invert(np.fft.rfft2(source) / (model.grid.n_x * model.grid.n_y))
            shares = np.array([model.delta, 1.0])[:, None, None] / (1.0 + model.delta)
            kinetic = np.sum(shares * k2 * np.real(np.conj(psi) * rate), axis=0)
            terms["kinetic_energy_transfer"] += kinetic
            terms["available_potential_energy_transfer"] += terms["parameterization"] - kinetic
        for name in set(BUDGET) & set(terms):
            self.budget[name] += density(terms[name])
        self.n += 1


def _vorticity(integration: Integration) -> Array:
    return to_grid(integration.prognostic["q"][0], integration.model.grid.shape)  # type: ignore[attr-defined]


def _closure_tendency(integration: Integration) -> Array:
    (output,) = integration.closure_outputs(0)
    return np.array(output.array, dtype=np.float64)


def _on(model: TwoLayerQG, field: Array) -> xr.DataArray:
    """Return a field (2, ny, nx) with the coordinates of the model."""
    return xr.DataArray(field, dims=("layer", "y", "x"), coords=model.coordinates())


def _dataset(model: TwoLayerQG, q: Array) -> xr.Dataset:
    return xr.Dataset({"q": _on(model, q)}, attrs=model.attributes())


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
    model: TwoLayerQG, snapshots: "deque[tuple[float, Array]]", averages: _Averages
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
