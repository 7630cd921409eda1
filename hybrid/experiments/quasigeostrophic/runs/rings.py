"""Isotropic spectra as the benchmark has them: means over rings of the spectral plane."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solvers.spectral import SpectralGrid

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rings:
    r"""Rings of wavenumbers of a grid.

    Ring j holds the modes with :math:`j \le K / \Delta < j + 1`, where :math:`\Delta` is the
    diagonal of the spacing of modes. The density there is the mean, over its modes in the half
    plane, of what they and their conjugates contribute, times :math:`\pi K_{j + 1/2} / (\Delta k
    \Delta l)`, the number of such modes a wavenumber in a complete ring. So its integral is about
    the mean over the plane, and rings that are filled unevenly leave no teeth.

    Parameters
    ----------
    grid
        The grid.

    References
    ----------
    ``pyqg.diagnostic_tools.calc_ispec`` of pyqg 0.7.2, which the benchmark uses.
    """

    grid: SpectralGrid

    @cached_property
    def spacing(self) -> tuple[float, float]:
        """Distance of modes along k and l [m-1]."""
        return 2.0 * np.pi / self.grid.length_x, 2.0 * np.pi / self.grid.length_y

    @cached_property
    def width(self) -> float:
        """Width of a ring [m-1]."""
        return float(np.hypot(*self.spacing))

    @cached_property
    def wavenumber(self) -> Array:
        """Wavenumbers in the middle of the rings that fit in, shape ``(ring,)`` [m-1]."""
        dk, dl = self.spacing
        largest = min(dk * (self.grid.n_x // 2), dl * (self.grid.n_y // 2))
        n = int(np.ceil(largest / self.width))
        return (np.arange(n, dtype=np.float64) + 0.5) * self.width

    @cached_property
    def cutoff(self) -> float:
        """First wavenumber along x that the model's filter damps, about 2/3 of Nyquist's [m-1]."""
        return float(self.grid.k[np.argmax(self.grid.exponential_filter[0] < 1.0)])

    @cached_property
    def ring(self) -> NDArray[np.int64]:
        """Number of the ring of every mode of the half plane, flat."""
        # Rounding must not decide about modes between two rings.
        number = np.sqrt(self.grid.wavenumber_squared) / self.width
        return np.floor(number * (1.0 + 1e-12)).astype(np.int64).ravel()

    @cached_property
    def _weight(self) -> Array:
        """What a mode of the half plane is multiplied with before modes of a ring are added."""
        twice = np.full(self.grid.spectral_shape, 2.0)
        twice[:, [0, -1]] = 1.0
        return np.asarray(twice.ravel() * self._of_a_mode[self.ring])

    @cached_property
    def _of_a_mode(self) -> Array:
        """Density in its ring of what one mode contributes, also in rings that do not fit in."""
        count = np.bincount(self.ring)
        dk, dl = self.spacing
        return np.asarray((np.arange(len(count)) + 0.5) * self.width * np.pi / (dk * dl * count))

    def density(self, modes: Array) -> Array:
        """Return the spectrum of what single modes contribute to a mean over the plane.

        Parameters
        ----------
        modes
            On the half plane of `numpy.fft.rfft2`, shape ``(..., l, k)`` [units].

        Returns
        -------
        ndarray
            Shape ``(..., ring)`` [units m].
        """
        flat = modes.reshape(-1, self.ring.size) * self._weight
        n = len(self.wavenumber)
        rows = np.zeros((len(flat), n))
        for row, values in zip(rows, flat, strict=True):
            row[:] = np.bincount(self.ring, values, minlength=n)[:n]
        return rows.reshape(*modes.shape[:-2], n)

    def totals(self, density: Array) -> Array:
        """Return what all modes of each ring contribute together, exactly, of their `density`.

        Parameters
        ----------
        density
            Shape ``(..., ring)`` [units m].

        Returns
        -------
        ndarray
            The same shape [units].
        """
        return np.asarray(density / self._of_a_mode[: len(self.wavenumber)])
