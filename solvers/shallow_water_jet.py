"""The jet that runs of shallow water begin with."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from solvers.shallow_water import ShallowWater

# Departures from the jet, relative to it, from which eddies develop.
_PERTURBATION = 0.01


def balanced_jet(
    model: "ShallowWater", n_member: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a jet in geostrophic balance, with small random eddies.

    Velocities are those of transports without divergence, ``H u`` of the jet and the curl of a
    random streamfunction, divided by the thickness: no mass piles up at first, so few gravity
    waves arise where the jet meets the topography.

    Parameters
    ----------
    model
        Grid, bottom and rotation; speed and width of the jet.
    n_member
        Number of members; they differ in their eddies.
    rng
        Source of random numbers.

    Returns
    -------
    ndarray
        Thickness and velocities, shape ``(n_member, 3, ny, nx)`` [m, m s-1, m s-1].
    """
    jet = _profile(model)
    # f u = -g d(eta)/dy between the rows.
    slope = -model.coriolis_of_rows[1:-1] * 0.5 * (jet[1:] + jet[:-1]) / model.gravity
    surface = np.concatenate([[0.0], np.cumsum(slope) * model.dy])
    y = np.arange(jet.size + 1)[:, np.newaxis] * model.dy
    psi = _eddies(model, n_member, rng) * np.sin(np.pi * y / model.length_y) ** 2
    state = np.empty((n_member, *model.state_shape))
    h, u, v = state[:, 0], state[:, 1], state[:, 2]
    h[...] = model.depth - model.bottom + (surface - surface.mean())[:, np.newaxis]
    along_x = jet[:, np.newaxis] - np.diff(psi, axis=-2) / model.dy
    along_y = (np.roll(psi, -1, axis=-1) - psi)[:, :-1] / model.dx
    u[...] = model.depth * along_x / (0.5 * (h + np.roll(h, 1, axis=-1)))
    v[...] = model.depth * along_y / (0.5 * (h + np.roll(h, 1, axis=-2)))
    return state


def _profile(model: "ShallowWater") -> NDArray[np.float64]:
    away = (model.row_centres - 0.5 * model.length_y) / model.jet_width
    # sech^2, without overflow far away from a narrow jet.
    decay = np.exp(-2.0 * np.abs(away))
    jet = model.jet_speed * 4.0 * decay / (1.0 + decay) ** 2
    # On a torus the surface must come back to where it was.
    return np.asarray(jet if model.walls else jet - jet.mean())


def _eddies(model: "ShallowWater", n_member: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw streamfunctions [m2 s-1] at the corners, shape ``(n_member, ny + 1, nx)``."""
    n_y, n_x = model.grid_shape
    noise = np.fft.rfft2(rng.standard_normal((n_member, n_y, n_x)))
    k = 2.0 * np.pi * np.fft.rfftfreq(n_x, model.dx)
    l = 2.0 * np.pi * np.fft.fftfreq(n_y, model.dy)[:, np.newaxis]  # noqa: E741
    smooth = np.exp(-0.5 * (k**2 + l**2) * model.jet_width**2)
    psi = np.fft.irfft2(noise * smooth, s=(n_y, n_x))
    psi -= psi.mean(axis=(-2, -1), keepdims=True)
    size = _PERTURBATION * model.jet_speed * model.jet_width
    # Of a jet that is wider than the domain no eddy is left.
    psi /= np.maximum(psi.std(axis=(-2, -1), keepdims=True), np.finfo(np.float64).tiny)
    return size * np.concatenate([psi, psi[:, :1]], axis=1)
