"""Two-layer flows that several test files start from."""

from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from oracle import reference_quasigeostrophic as reference

from solvers.quasigeostrophic import TwoLayerQG, TwoLayerQGIntegration
from solvers.spectral import to_grid
from solvers.tendency_source import PythonTendency

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

OBLONG = TwoLayerQG(
    nx=64,
    ny=48,
    length_y=6e5,
    dt=1200.0,
    beta=5e-12,
    delta=0.4,
    h1=800.0,
    u1=0.03,
    u2=-0.01,
    bottom_drag=1e-6,
)
"""No parameter at its default, grid cells that are not square."""

_COURANT_NUMBER = 0.25
_SPIN_UP = 3000


def parameters(model: TwoLayerQG) -> reference.TwoLayerParameters:
    """Return the parameters of the reference for the same flow."""
    n_y, n_x = model.grid.shape
    return reference.TwoLayerParameters(
        nx=n_x,
        ny=n_y,
        lx=model.grid.length_x,
        ly=model.grid.length_y,
        dt=model.dt,
        beta=model.beta,
        bottom_drag=model.bottom_drag,
        deformation_radius=model.deformation_radius,
        delta=model.delta,
        h1=model.h1,
        u1=model.u1,
        u2=model.u2,
        filtered=model.filter,
    )


def start(
    model: TwoLayerQG,
    q: Array | xr.Dataset | None = None,
    *,
    n_member: int | None = None,
    n_thread: int = 1,
    tendency: PythonTendency | None = None,
) -> TwoLayerQGIntegration:
    """Start a model from potential vorticity on the grid, or from a run."""
    integration = model.start(q, n_member=n_member, n_thread=n_thread, tendency=tendency)
    assert isinstance(integration, TwoLayerQGIntegration)
    return integration


def vigorous(model: TwoLayerQG, seed: int = 0) -> Array:
    """Draw large waves, shape (2, ny, nx) [s-1], whose eddies have a Courant number of 0.25."""
    q: Array = model.random_state(1, np.random.default_rng(seed))[0]
    u, v = reference.velocities(np.fft.rfft2(q), parameters(model))
    fastest = np.max(np.abs(u) / model.grid.dx + np.abs(v) / model.grid.dy)
    return q * (_COURANT_NUMBER / (model.dt * fastest))


@cache
def spun_up(model: TwoLayerQG) -> TwoLayerQGIntegration:
    """Return turbulence after 3000 steps, to be read only."""
    integration = start(model, vigorous(model))
    integration.advance(_SPIN_UP)
    for array in (integration.q_spectrum, integration.history):
        array.flags.writeable = False
    return integration


def turbulence(model: TwoLayerQG) -> Array:
    """Return potential vorticity of the spun-up flow on the grid, shape (2, ny, nx) [s-1]."""
    return to_grid(spun_up(model).q_spectrum[0], model.grid.shape)


def known_tendencies(integration: TwoLayerQGIntegration) -> tuple[Spectrum, ...]:
    """Return up to three tendencies of the steps before, the newest first, of the first member."""
    slots = [(integration.step - 1 - age) % 3 for age in range(min(integration.step, 3))]
    return tuple(integration.history[0, slot].copy() for slot in slots)


def set_past(integration: TwoLayerQGIntegration, newest: Spectrum, older: Spectrum) -> None:
    """Let a first member at rest in time begin with two known tendencies: AB3 from the start."""
    integration.step = 2
    integration.history[0, 1], integration.history[0, 0] = newest, older


def relative_difference(a: Spectrum, b: Spectrum) -> float:
    """Return the largest difference of two spectra relative to the largest value."""
    return float(np.abs(a - b).max() / np.abs(b).max())
