"""The uniform, doubly periodic grid of a labelled field, and its wavenumbers."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.fft
import xarray as xr
from numpy.typing import NDArray

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]


@dataclass(frozen=True)
class PeriodicGrid:
    """Cells at ``x_0 + i dx``, ``y_0 + j dy`` of a doubly periodic plane.

    Parameters
    ----------
    nx, ny
        Number of cells.
    dx, dy
        Distances of their centres [units].
    x_0, y_0
        Position of the first cell [units].
    units
        Units of length.
    """

    nx: int
    ny: int
    dx: float
    dy: float
    x_0: float = 0.0
    y_0: float = 0.0
    units: str = "m"

    @classmethod
    def of(cls, field: xr.DataArray | xr.Dataset) -> Self:
        """Read the grid from the coordinates ``x`` and ``y``.

        Raises
        ------
        ValueError
            If the field does not end in ``(y, x)``, or a coordinate is missing or not uniform.
        """
        if isinstance(field, xr.DataArray) and field.dims[-2:] != ("y", "x"):
            raise ValueError(
                f"{field.name}: expected the last dimensions (y, x), got {field.dims}; "
                "use field.transpose(..., 'y', 'x')"
            )
        x_0, dx = _origin_and_spacing(field, "x")
        y_0, dy = _origin_and_spacing(field, "y")
        return cls(
            nx=field.sizes["x"],
            ny=field.sizes["y"],
            dx=dx,
            dy=dy,
            x_0=x_0,
            y_0=y_0,
            units=str(field["x"].attrs.get("units", "1")),
        )

    @property
    def length_x(self) -> float:
        """Period in x [units]."""
        return self.nx * self.dx

    @property
    def length_y(self) -> float:
        """Period in y [units]."""
        return self.ny * self.dy

    def wavenumbers(self) -> tuple[Array, Array]:
        """Return the angular wavenumbers of `scipy.fft.rfft2`.

        Returns
        -------
        k, l : ndarray
            Shapes ``(nx // 2 + 1,)`` and ``(ny, 1)`` [units-1]; the last k is positive, the l
            of the shortest wave is negative.
        """
        k = 2.0 * np.pi * np.fft.rfftfreq(self.nx, self.dx)
        l = 2.0 * np.pi * np.fft.fftfreq(self.ny, self.dy)  # noqa: E741 -- its name in the field
        return np.asarray(k, np.float64), np.asarray(l[:, np.newaxis], np.float64)

    def total_wavenumber(self) -> Array:
        """Return ``K = sqrt(k^2 + l^2)``, shape ``(ny, nx // 2 + 1)`` [units-1]."""
        return np.hypot(*self.wavenumbers())

    def multiplicity(self) -> Array:
        """Return how many modes of the full plane a mode of the half plane stands for.

        2, but 1 for k = 0 and for the shortest wave in x, which are their own conjugates;
        shape ``(nx // 2 + 1,)``.
        """
        weight = np.full(self.nx // 2 + 1, 2.0)
        weight[0] = 1.0
        if self.nx % 2 == 0:
            weight[-1] = 1.0
        return weight

    def transform(self, values: NDArray[np.floating[Any]]) -> Spectrum:
        """Return Fourier coefficients (not normalised) of fields of shape ``(..., ny, nx)``."""
        return np.asarray(scipy.fft.rfft2(values))

    def inverse(self, coefficients: Spectrum) -> Array:
        """Return the fields, shape ``(..., ny, nx)``, of their Fourier coefficients."""
        return np.asarray(scipy.fft.irfft2(coefficients, s=(self.ny, self.nx)))

    def coarse(self, nx: int, *, centred: bool = False) -> "PeriodicGrid":
        """Return a grid of the same periods with fewer cells, in the same ratio in x and y.

        Parameters
        ----------
        nx
            Number of cells in x.
        centred
            False: the first cells of both grids coincide, and so does every r-th fine one with
            a coarse one, if r = fine nx / nx is an integer. True: a coarse cell lies at the
            centre of the r x r fine cells that it covers, so it is shifted by (r - 1)/2 fine
            cells.

        Raises
        ------
        ValueError
            If `nx` is odd, too small or not smaller, or does not give an even number of rows.
        """
        ny, remainder = divmod(self.ny * nx, self.nx)
        if nx % 2 or not 2 <= nx < self.nx:
            raise ValueError(
                f"nx: expected an even number of coarse cells from 2 to {self.nx - 1}, got {nx}"
            )
        if remainder or ny % 2 or ny < 2:
            raise ValueError(
                f"nx: expected a number that coarsens {self.ny} rows to an even number of rows, "
                f"got {nx} of {self.nx}, which gives {self.ny * nx / self.nx:g} rows"
            )
        ratio = self.nx / nx
        shift = 0.5 * (ratio - 1.0) if centred else 0.0
        return PeriodicGrid(
            nx=nx,
            ny=ny,
            dx=self.dx * ratio,
            dy=self.dy * ratio,
            x_0=self.x_0 + shift * self.dx,
            y_0=self.y_0 + shift * self.dy,
            units=self.units,
        )

    def label(self, values: NDArray[Any], like: xr.DataArray) -> xr.DataArray:
        """Return values on this grid with the names, attributes and other coordinates of a field.

        Parameters
        ----------
        values
            Shape ``(..., ny, nx)``, the leading axes those of `like`.
        like
            The field; its ``x`` and ``y`` are replaced by those of this grid.
        """
        kept = {
            name: coordinate
            for name, coordinate in like.coords.items()
            if not {"x", "y"} & set(coordinate.dims)
        }
        x = ("x", self.x_0 + self.dx * np.arange(self.nx), like["x"].attrs)
        y = ("y", self.y_0 + self.dy * np.arange(self.ny), like["y"].attrs)
        return xr.DataArray(
            values,
            dims=like.dims,
            coords={**kept, "y": y, "x": x},
            name=like.name,
            attrs=like.attrs,
        )


def _origin_and_spacing(field: xr.DataArray | xr.Dataset, axis: str) -> tuple[float, float]:
    if axis not in field.coords:
        raise ValueError(
            f"{axis}: expected a coordinate with the positions of the cells, got none; "
            f"use assign_coords({axis}=...)"
        )
    position = np.asarray(field[axis].values, dtype=np.float64)
    if position.size < 2:
        raise ValueError(f"{axis}: expected at least 2 cells, got {position.size}")
    spacing = (position[-1] - position[0]) / (position.size - 1)
    steps = np.diff(position)
    # Positions may have been stored as float32.
    if spacing <= 0.0 or np.abs(steps - spacing).max() > 1e-3 * spacing:
        raise ValueError(
            f"{axis}: expected uniform, increasing positions, got distances from "
            f"{steps.min():g} to {steps.max():g}; interpolate to a uniform grid"
        )
    return float(position[0]), float(spacing)
