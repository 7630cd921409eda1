"""Doubly periodic grids: wavenumbers, filters, and the arrays that spectral solvers share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import DTypeLike, NDArray

from solvers.fft import aligned_zeros, complex_dtype, spectral_shape

_SMALLEST = 4
# The exponential filter of pyqg: steepness, and the cutoff as a fraction of pi.
_FILTER_STEEPNESS = 23.6
FILTER_CUTOFF = 0.65
"""Where the small-scale filter begins, as a part of pi over the grid spacing [1]."""


def small_scale_filter(
    w: NDArray[np.float64], cutoff: float = FILTER_CUTOFF
) -> NDArray[np.float64]:
    """Return the filter that models apply once a step in place of viscosity [1].

    ``exp(-23.6 (w - cutoff pi)^4)`` where w exceeds ``cutoff pi``, else 1: that of pyqg, after
    LaCasce (1996, thesis, MIT/WHOI).

    Parameters
    ----------
    w
        Wavenumbers times the grid spacing ``|(k dx, l dy)|`` [1].
    cutoff
        Where it begins, as a part of pi [1].
    """
    excess = np.maximum(w - cutoff * np.pi, 0.0)
    return np.asarray(np.exp(-_FILTER_STEEPNESS * excess**4))


@dataclass(frozen=True)
class SpectralGrid:
    """A doubly periodic grid and the wavenumbers of its real transforms.

    Grid fields have shape ``(n_y, n_x)``; spectra ``(n_y, n_x // 2 + 1)``, as `numpy.fft.rfft2`
    orders them, unnormalised.

    Parameters
    ----------
    n_x, n_y
        Points along x and y, even.
    length_x, length_y
        Size of the domain [m, or 1].

    Raises
    ------
    ValueError
        If a number of points is odd or below 4, or a length is not positive.
    """

    n_x: int
    n_y: int
    length_x: float
    length_y: float

    def __post_init__(self) -> None:
        for name, n in (("nx", self.n_x), ("ny", self.n_y)):
            if not isinstance(n, int | np.integer) or n < _SMALLEST or n % 2:
                raise ValueError(f"{name}: expected an even number of at least 4 points, got {n}")
        for name, length in (("length_x", self.length_x), ("length_y", self.length_y)):
            if not length > 0.0:
                raise ValueError(f"{name}: expected a positive length, got {length}")

    @classmethod
    def of(cls, nx: int, ny: int | None, length_x: float, length_y: float | None) -> Self:
        """Return a grid; without `ny` as many rows as columns, without `length_y` square cells."""
        n_y = nx if ny is None else ny
        # A wrong number of points is refused by its own message.
        square = length_x * n_y / (nx or 1)
        return cls(nx, n_y, length_x, square if length_y is None else length_y)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a grid field."""
        return self.n_y, self.n_x

    @property
    def spectral_shape(self) -> tuple[int, int]:
        """Shape of a spectrum."""
        return self.n_y, self.n_x // 2 + 1

    @property
    def dx(self) -> float:
        """Distance of neighbours along x."""
        return self.length_x / self.n_x

    @property
    def dy(self) -> float:
        """Distance of neighbours along y."""
        return self.length_y / self.n_y

    @property
    def spacing(self) -> dict[str, float]:
        """Distance of neighbours along y and x, by dim."""
        return {"y": self.dy, "x": self.dx}

    @cached_property
    def k(self) -> NDArray[np.float64]:
        """Wavenumbers along x, shape ``(n_x // 2 + 1,)`` [rad / length]."""
        return 2.0 * np.pi / self.length_x * np.arange(self.n_x // 2 + 1, dtype=np.float64)

    @cached_property
    def l(self) -> NDArray[np.float64]:  # noqa: E743 -- the name of the literature
        """Wavenumbers along y, shape ``(n_y,)`` [rad / length]."""
        # The Nyquist wavenumber counts as negative, as in numpy and pyqg.
        counts = np.asarray(np.fft.fftfreq(self.n_y, 1.0 / self.n_y), dtype=np.float64)
        return 2.0 * np.pi / self.length_y * counts

    @cached_property
    def wavenumber_squared(self) -> NDArray[np.float64]:
        """``k**2 + l**2`` [rad2 / length2], shape `spectral_shape`."""
        squared: NDArray[np.float64] = self.k**2 + self.l[:, None] ** 2
        return squared

    @cached_property
    def inverse_wavenumber_squared(self) -> NDArray[np.float64]:
        """``1 / (k**2 + l**2)``, 0 for the mean, which no streamfunction has."""
        with np.errstate(divide="ignore"):
            inverse: NDArray[np.float64] = 1.0 / self.wavenumber_squared
        inverse[self.wavenumber_squared == 0.0] = 0.0
        return inverse

    @cached_property
    def exponential_filter(self) -> NDArray[np.float64]:
        """Small-scale filter applied once a step in place of viscosity [1]."""
        return small_scale_filter(np.hypot(self.k * self.dx, self.l[:, None] * self.dy))

    @cached_property
    def two_thirds(self) -> NDArray[np.float64]:
        """Mask of the waves that products of two of them leave unaliased, ``|k| < n / 3`` [1].

        References
        ----------
        Orszag (1971), J. Atmos. Sci. 28, 1074.
        """
        x = np.abs(np.fft.rfftfreq(self.n_x)) < 1.0 / 3.0
        y = np.abs(np.fft.fftfreq(self.n_y)) < 1.0 / 3.0
        return np.asarray((x & y[:, None]).astype(np.float64))

    def coordinates(self, units: str) -> dict[str, xr.Variable]:
        """Return the positions of the grid points, x_i = i dx and y_j = j dy."""
        return {
            name: xr.Variable(
                name,
                np.arange(n) * spacing,
                {"units": units, "long_name": f"{name} coordinate", "axis": name.upper()},
            )
            for name, n, spacing in (("x", self.n_x, self.dx), ("y", self.n_y, self.dy))
        }


def to_spectrum(field: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Transform real grid fields, any leading axes, to aligned spectra of a given precision.

    The transform is made in float64 and rounded once.
    """
    values = np.fft.rfft2(np.asarray(field, dtype=np.float64))
    spectrum = aligned_zeros(values.shape, complex_dtype(dtype))
    spectrum[...] = values
    return spectrum


def to_grid(spectrum: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Transform spectra, any leading axes, to real grid fields in float64."""
    return np.fft.irfft2(spectrum.astype(np.complex128), s=shape, axes=(-2, -1))


def empty_fields(
    leading: tuple[int, ...], shape: tuple[int, int], dtype: DTypeLike
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return aligned work arrays, grid fields and spectra, with the given leading axes."""
    return (
        aligned_zeros((*leading, *shape), dtype),
        aligned_zeros((*leading, *spectral_shape(shape)), complex_dtype(dtype)),
    )
