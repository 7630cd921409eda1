"""Periodic grids of any dimension: derivatives and changes of resolution, by Fourier series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.signal import resample

from closures.model_error.errors import LibraryError

Array = NDArray[Any]


@dataclass(frozen=True)
class PeriodicGrid:
    """A grid that is periodic along every axis.

    Fields have shape ``(..., *shape)``, whatever is in front of the axes of the grid.

    Parameters
    ----------
    axes
        Letter of each axis, in the order of the axes of a field: ``"x"``, ``"yx"``.
    shape
        Points along each.
    lengths
        Length of the domain along each [the unit of length of the model].

    Raises
    ------
    LibraryError
        If the three have different lengths, or a size or length is not positive.

    Examples
    --------
    >>> grid = PeriodicGrid("x", (64,), (2 * np.pi,))
    >>> x = grid.coordinate("x")
    >>> bool(np.allclose(grid.derivative(np.sin(3 * x), "xx"), -9 * np.sin(3 * x)))
    True
    """

    axes: str
    shape: tuple[int, ...]
    lengths: tuple[float, ...]

    def __post_init__(self) -> None:
        sizes = {len(self.axes), len(set(self.axes)), len(self.shape), len(self.lengths)}
        if len(sizes) > 1 or not self.axes:
            raise LibraryError(
                "grid: expected a letter, a number of points and a length for each axis, got "
                f"{self.axes!r}, {self.shape} and {self.lengths}"
            )
        if min(self.shape) < 1 or not min(self.lengths) > 0.0:
            raise LibraryError(
                f"grid: expected positive sizes and lengths, got {self.shape} and {self.lengths}"
            )

    @cached_property
    def _wavenumbers(self) -> Mapping[str, Array]:
        """Wavenumbers along each axis, shaped to multiply a spectrum."""
        numbers = {}
        for i, (axis, n, length) in enumerate(
            zip(self.axes, self.shape, self.lengths, strict=True)
        ):
            last = i == len(self.shape) - 1
            k = 2.0 * np.pi / length * (fft.rfftfreq if last else fft.fftfreq)(n, 1.0 / n)
            numbers[axis] = k.reshape([-1 if j == i else 1 for j in range(len(self.shape))])
        return numbers

    @property
    def _positions(self) -> tuple[int, ...]:
        return tuple(range(-len(self.shape), 0))

    def coordinate(self, axis: str) -> Array:
        """Return the positions of the points along an axis, shaped to multiply a field."""
        i = self.axes.index(axis)
        positions = np.arange(self.shape[i]) * (self.lengths[i] / self.shape[i])
        return positions.reshape([-1 if j == i else 1 for j in range(len(self.shape))])

    def check(self, name: str, field: Array) -> None:
        """Raise `LibraryError` if an array is not a field on this grid."""
        if field.shape[-len(self.shape) :] != self.shape:
            raise LibraryError(
                f"{name}: expected shape (..., {', '.join(map(str, self.shape))}) on axes "
                f"{self.axes!r}, got {field.shape}"
            )

    def spectrum(self, field: Array) -> Array:
        """Return the real transform of a field over all axes of the grid."""
        return np.asarray(fft.rfftn(field, axes=self._positions))

    def from_spectrum(self, spectrum: Array) -> Array:
        """Return the field of a spectrum."""
        return np.asarray(fft.irfftn(spectrum, s=self.shape, axes=self._positions))

    def differentiate(self, spectrum: Array, along: str) -> Array:
        """Return the field whose spectrum is that of a derivative of a field.

        Parameters
        ----------
        spectrum
            Transform of the field.
        along
            A letter for each derivation: ``"xxx"``, ``"xy"``.

        Raises
        ------
        LibraryError
            If a letter is not an axis of the grid.
        """
        return self.from_spectrum(spectrum * self.derivative_factor(along))

    def derivative_factor(self, along: str) -> Array:
        """Return what a derivation multiplies a spectrum with, shaped to do so.

        Parameters
        ----------
        along
            As in `differentiate`.

        Raises
        ------
        LibraryError
            If a letter is not an axis of the grid.
        """
        factor: Any = 1.0
        for axis in sorted(set(along)):
            if axis not in self.axes:
                raise LibraryError(
                    f"derivative along {axis!r}: expected an axis of the grid, {self.axes!r}"
                )
            order, k = along.count(axis), self._wavenumbers[axis]
            n = self.shape[self.axes.index(axis)]
            factor = factor * (1j * k) ** order
            if order % 2 and n % 2 == 0:
                # On the grid, the shortest wave is a cosine whose slope is 0 at every point.
                factor = np.where(np.isclose(np.abs(k), np.abs(k).max()), 0.0, factor)
        return np.asarray(factor)

    def derivative(self, field: Array, along: str) -> Array:
        """Return a derivative of a field; `along` as in `differentiate`."""
        self.check("field", np.asarray(field))
        return self.differentiate(self.spectrum(field), along)

    def refined(self, factor: float) -> "PeriodicGrid":
        """Return a grid with `factor` times the points along each axis, rounded up to even."""
        shape = tuple(2 * int(np.ceil(0.5 * factor * n)) for n in self.shape)
        return PeriodicGrid(self.axes, shape, self.lengths)

    def interpolate(self, field: Array, shape: Sequence[int]) -> Array:
        """Return the waves of a field that a grid of another shape has, at its points."""
        for axis, n in zip(self._positions, shape, strict=True):
            if field.shape[axis] != n:
                field = resample(field, n, axis=axis)
        return field
