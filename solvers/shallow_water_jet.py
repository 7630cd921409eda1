"""The jet that runs of shallow water begin with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.c_grid import CGrid

# Departures from the jet, relative to it, from which eddies develop.
_PERTURBATION = 0.01


@dataclass(frozen=True, kw_only=True, eq=False)
class BalancedJet:
    """A zonal jet in geostrophic balance, in the middle of a domain, with small random eddies.

    Velocities are those of transports without divergence, ``H u`` of the jet and the curl of a
    random streamfunction, divided by the thickness: no mass piles up at first, so few gravity
    waves arise where the jet meets the topography.

    Parameters
    ----------
    grid
        Cells of the domain.
    speed, width
        Of the jet, u = `speed` sech^2((y - ly/2) / `width`) [m s-1, m].
    depth
        Thickness of the layer at rest above a bottom at 0, H [m].
    gravity
        Acceleration g [m s-2].
    coriolis
        Coriolis parameter at the corners, from y = 0 to y = ly, shape ``(n_y + 1,)`` [s-1].
    bottom
        Height of the bottom at the centres, shape ``(n_y, n_x)`` [m].
    """

    grid: CGrid
    speed: float
    width: float
    depth: float
    gravity: float
    coriolis: NDArray[np.float64]
    bottom: NDArray[np.float64]

    def draw(self, n_member: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw the flow of some members, which differ in their eddies.

        Parameters
        ----------
        n_member
            Number of members.
        rng
            Source of random numbers.

        Returns
        -------
        ndarray
            Thickness and velocities, shape ``(n_member, 3, n_y, n_x)`` [m, m s-1, m s-1].
        """
        grid, jet = self.grid, self._profile()
        # f u = -g d(eta)/dy between the rows.
        slope = -self.coriolis[1:-1] * 0.5 * (jet[1:] + jet[:-1]) / self.gravity
        surface = np.concatenate([[0.0], np.cumsum(slope) * grid.dy])
        y = np.arange(jet.size + 1)[:, np.newaxis] * grid.dy
        psi = self._eddies(n_member, rng) * np.sin(np.pi * y / grid.length_y) ** 2
        state = np.empty((n_member, 3, *grid.shape))
        h, u, v = state[:, 0], state[:, 1], state[:, 2]
        h[...] = self.depth - self.bottom + (surface - surface.mean())[:, np.newaxis]
        along_x = jet[:, np.newaxis] - np.diff(psi, axis=-2) / grid.dy
        along_y = (np.roll(psi, -1, axis=-1) - psi)[:, :-1] / grid.dx
        u[...] = self.depth * along_x / (0.5 * (h + np.roll(h, 1, axis=-1)))
        v[...] = self.depth * along_y / (0.5 * (h + np.roll(h, 1, axis=-2)))
        return state

    def _profile(self) -> NDArray[np.float64]:
        away = (self.grid.row_centres - 0.5 * self.grid.length_y) / self.width
        # sech^2, without overflow far away from a narrow jet.
        decay = np.exp(-2.0 * np.abs(away))
        jet = self.speed * 4.0 * decay / (1.0 + decay) ** 2
        # On a torus the surface must come back to where it was.
        return np.asarray(jet if self.grid.walls else jet - jet.mean())

    def _eddies(self, n_member: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw streamfunctions [m2 s-1] at the corners, shape ``(n_member, n_y + 1, n_x)``."""
        n_y, n_x = self.grid.shape
        noise = np.fft.rfft2(rng.standard_normal((n_member, n_y, n_x)))
        k = 2.0 * np.pi * np.fft.rfftfreq(n_x, self.grid.dx)
        l = 2.0 * np.pi * np.fft.fftfreq(n_y, self.grid.dy)[:, np.newaxis]  # noqa: E741
        smooth = np.exp(-0.5 * (k**2 + l**2) * self.width**2)
        psi = np.fft.irfft2(noise * smooth, s=(n_y, n_x))
        psi -= psi.mean(axis=(-2, -1), keepdims=True)
        size = _PERTURBATION * self.speed * self.width
        # Of a jet that is wider than the domain no eddy is left.
        psi /= np.maximum(psi.std(axis=(-2, -1), keepdims=True), np.finfo(np.float64).tiny)
        return size * np.concatenate([psi, psi[:, :1]], axis=1)
