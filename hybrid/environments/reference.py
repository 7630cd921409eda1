"""The statistics that a closure is rewarded for, of a run and of the truth."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from solvers.spectral import SpectralGrid

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Shells:
    """Sums over rings of wavenumbers of a grid.

    Parameters
    ----------
    grid
        The grid; rings are as wide as its smallest wavenumber, and lie around its multiples, 1 to
        the last one that the two-thirds rule keeps along both axes.
    """

    grid: SpectralGrid

    @cached_property
    def _weights(self) -> Array:
        first = 2.0 * np.pi / max(self.grid.length_x, self.grid.length_y)
        ring = np.rint(np.sqrt(self.grid.wavenumber_squared) / first).astype(int)
        kept = self.grid.two_thirds > 0.0
        last = round(float(min(self.grid.k[kept[0]].max(), self.grid.l[kept[:, 0]].max())) / first)
        # Waves that the spectrum holds once stand for themselves and their conjugates.
        twice = np.where(self.grid.k > 0.0, 2.0, 1.0)
        points = (self.grid.n_x * self.grid.n_y) ** 2
        rings = np.arange(1, last + 1)[:, np.newaxis, np.newaxis]
        return np.asarray(0.5 * twice * kept * (ring == rings) / points)

    @property
    def n_ring(self) -> int:
        """Number of rings."""
        return len(self._weights)

    def enstrophy(self, vorticity: Array) -> Array:
        """Return the enstrophy of each ring [1 / time2], shape ``(n, ring)``.

        Parameters
        ----------
        vorticity
            Fields, shape ``(n, y, x)`` [1 / time].
        """
        power = np.abs(np.fft.rfft2(vorticity)) ** 2
        return np.asarray(np.einsum("rlk,nlk->nr", self._weights, power))

    def transfer(self, vorticity: Array, tendency: Array) -> Array:
        """Return what a tendency adds to the enstrophy of each ring [1 / time3].

        Parameters
        ----------
        vorticity, tendency
            Fields, shape ``(n, y, x)`` [1 / time], [1 / time2].

        Returns
        -------
        ndarray
            Shape ``(n, ring)``; over the square of the wavenumber it is what is added to the
            energy.
        """
        product = np.fft.rfft2(vorticity).conj() * np.fft.rfft2(tendency)
        return np.asarray(2.0 * np.einsum("rlk,nlk->nr", self._weights, product.real))


def moments_of(vorticity: Array) -> Array:
    """Return the mean squares and mean fourth powers of fields, shape ``(n, 2)``."""
    squares = vorticity**2
    return np.stack([squares.mean((-2, -1)), (squares**2).mean((-2, -1))], axis=-1)


def shape_of(moments: Array) -> Array:
    """Return logarithms of the standard deviation and of the kurtosis of mean moments."""
    square, fourth = moments[..., 0], moments[..., 1]
    return np.stack([0.5 * np.log(square), np.log(fourth / square**2)], axis=-1)


@dataclass(frozen=True)
class Reference:
    """Statistics of a truth on the coarse grid, and by how much a mean of some snapshots misses.

    Parameters
    ----------
    spectrum
        Mean enstrophy of each ring [1 / time2], shape ``(ring,)``.
    spectrum_error
        Standard deviation of the logarithm of the enstrophy of a mean over `n_mean` snapshots,
        shape ``(ring,)`` [1].
    shape
        Logarithms of standard deviation and kurtosis of the vorticity, shape ``(2,)``.
    shape_error
        Their standard deviations for a mean over `n_mean` snapshots, shape ``(2,)`` [1].
    """

    spectrum: Array
    spectrum_error: Array
    shape: Array
    shape_error: Array

    @classmethod
    def of(cls, vorticity: Array, grid: SpectralGrid, n_mean: int = 1) -> Self:
        """Return the statistics of snapshots of a truth.

        Parameters
        ----------
        vorticity
            Snapshots in the order of time, filtered to the grid, shape ``(n, y, x)`` [1 / time].
        grid
            The grid.
        n_mean
            Snapshots in a mean whose error is wanted: as many as an episode lasts.

        Raises
        ------
        ValueError
            If there are not two such means.
        """
        n_block = len(vorticity) // n_mean if n_mean > 0 else 0
        if n_block < 2:
            raise ValueError(
                f"n_mean: expected at least two means of {n_mean} snapshots, got "
                f"{len(vorticity)} snapshots; give more, or take shorter means"
            )
        spectra, moments = Shells(grid).enstrophy(vorticity), moments_of(vorticity)

        def blocks(values: Array) -> Array:
            shaped = values[: n_block * n_mean].reshape(n_block, n_mean, -1)
            return np.asarray(shaped.mean(axis=1))

        return cls(
            spectrum=spectra.mean(axis=0),
            spectrum_error=np.log(blocks(spectra)).std(axis=0, ddof=1),
            shape=shape_of(moments.mean(axis=0)),
            shape_error=shape_of(blocks(moments)).std(axis=0, ddof=1),
        )
