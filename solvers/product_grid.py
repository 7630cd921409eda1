"""The finer grid on which a spectral model multiplies fields, so that nothing is aliased."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.spectral import SpectralGrid, to_grid


@dataclass(frozen=True)
class ProductGrid:
    """A grid at least 3/2 as fine, on which the product of two fields has all its waves.

    Waves of the product that the coarse grid lacks are dropped on the way back. Nyquist
    wavenumbers, whose sign is not known, are left out both ways.

    Parameters
    ----------
    coarse
        The grid of the model.

    References
    ----------
    Canuto et al. (2006), Spectral Methods, on the 3/2 rule.

    Examples
    --------
    >>> ProductGrid(SpectralGrid(16, 32, 1.0, 2.0)).shape
    (48, 24)
    """

    coarse: SpectralGrid

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a field: even numbers of points."""
        n_y, n_x = (-(-3 * n // 4) * 2 for n in self.coarse.shape)
        return n_y, n_x

    def to_grid(self, spectrum: NDArray[Any]) -> NDArray[np.float64]:
        """Return fields on this grid, shape ``(..., *shape)``, of spectra of the coarse one."""
        n_y, n_x = self.shape
        half, n_k = self.coarse.n_y // 2, self.coarse.n_x // 2
        fine = np.zeros((*spectrum.shape[:-2], n_y, n_x // 2 + 1), dtype=np.complex128)
        fine[..., :half, :n_k] = spectrum[..., :half, :n_k]
        fine[..., n_y - half + 1 :, :n_k] = spectrum[..., half + 1 :, :n_k]
        return to_grid(fine, self.shape) * (n_y * n_x / (self.coarse.n_y * self.coarse.n_x))

    def to_spectrum(self, field: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return spectra of the coarse grid of fields on this one."""
        n_y, n_x = self.shape
        half, n_k = self.coarse.n_y // 2, self.coarse.n_x // 2
        fine = np.fft.rfft2(field) * (self.coarse.n_y * self.coarse.n_x / (n_y * n_x))
        spectrum = np.zeros((*field.shape[:-2], *self.coarse.spectral_shape), dtype=np.complex128)
        spectrum[..., :half, :n_k] = fine[..., :half, :n_k]
        spectrum[..., half + 1 :, :n_k] = fine[..., n_y - half + 1 :, :n_k]
        return spectrum


def without_nyquist(spectrum: NDArray[Any]) -> NDArray[Any]:
    """Return spectra of an even number of rows and points, their Nyquist wavenumbers set to 0."""
    kept = spectrum.copy()
    kept[..., spectrum.shape[-2] // 2, :] = 0.0
    kept[..., -1] = 0.0
    return kept
