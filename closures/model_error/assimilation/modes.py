"""Orthonormal modes of fields on a regular grid, in which white noise stays white."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from closures.model_error.assimilation.errors import AssimilationError

Kind = Literal["fourier", "cosine", "sine"]


@dataclass(frozen=True)
class Modes:
    r"""Real orthonormal modes of a grid, a family for each of its dimensions.

    Periodic dimensions have the Hartley modes :math:`\cos kx + \sin kx`, which are real and have
    one amplitude each, as many as there are points; dimensions with walls have cosines (no slope
    at the wall) or sines (no value there), of points in the middle of their cells.

    Parameters
    ----------
    kinds
        Family of each dimension of the grid.
    lengths
        Of the domain along each dimension [length].
    shape
        Points along each dimension.

    Raises
    ------
    AssimilationError
        If a family is unknown, a length is not positive, or not all have one entry a dimension.

    References
    ----------
    Bracewell 1983, J. Opt. Soc. Am. 73, 1832 (Hartley transform).

    Examples
    --------
    >>> modes = Modes(("fourier",), (2.0 * np.pi,), (8,))
    >>> amplitudes = modes.transform(np.cos(modes.positions[0]))
    >>> (amplitudes**2).round(6)
    array([0., 2., 0., 0., 0., 0., 0., 2.])
    """

    kinds: tuple[Kind, ...]
    lengths: tuple[float, ...]
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.kinds or not len(self.kinds) == len(self.lengths) == len(self.shape):
            raise AssimilationError(
                "modes: expected one family, one length and one number of points a dimension, got "
                f"{len(self.kinds)}, {len(self.lengths)} and {len(self.shape)}"
            )
        for kind in self.kinds:
            if kind not in get_args(Kind):
                raise AssimilationError(
                    f"modes: expected families out of {', '.join(get_args(Kind))}, got {kind!r}"
                )
        if min(self.lengths) <= 0.0 or min(self.shape) < 1:
            raise AssimilationError(
                f"modes: expected positive lengths and points, got {self.lengths} and {self.shape}"
            )

    @property
    def positions(self) -> tuple[NDArray[np.float64], ...]:
        """Points of the grid along each dimension [length]."""
        return tuple(
            (np.arange(n, dtype=np.float64) + (0.0 if kind == "fourier" else 0.5)) * (length / n)
            for kind, length, n in zip(self.kinds, self.lengths, self.shape, strict=True)
        )

    @cached_property
    def wavenumbers(self) -> tuple[NDArray[np.float64], ...]:
        """Magnitude of the wavenumber of each mode along each dimension [rad/length]."""
        numbers = []
        for kind, length, n in zip(self.kinds, self.lengths, self.shape, strict=True):
            if kind == "fourier":
                numbers.append(2.0 * np.pi * np.abs(np.fft.fftfreq(n, length / n)))
            else:
                first = 1 if kind == "sine" else 0
                numbers.append(np.pi / length * (first + np.arange(n, dtype=np.float64)))
        return tuple(numbers)

    @cached_property
    def total_wavenumber(self) -> NDArray[np.float64]:
        """Magnitude of the wavenumber vector of each mode, the shape of the grid [rad/length]."""
        squared = [k**2 for k in self.wavenumbers]
        return np.asarray(np.sqrt(sum(np.meshgrid(*squared, indexing="ij"))))

    def transform(self, fields: ArrayLike) -> NDArray[np.float64]:
        """Return the amplitudes of fields ``(..., *shape)``, same shape.

        Raises
        ------
        AssimilationError
            If the last dimensions are not those of the grid.
        """
        return self._along_all(self.checked(fields), inverse=False)

    def inverse(self, amplitudes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fields that have given amplitudes ``(..., *shape)``, same shape."""
        return self._along_all(amplitudes, inverse=True)

    def rows(self, fields: ArrayLike, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return some amplitudes of fields in one row for each field.

        What is white noise with variance s on the grid has independent elements of variance s
        here, so a least-squares fit counts as many data as there are numbers.

        Parameters
        ----------
        fields
            Shape ``(..., *shape)``.
        chosen
            Which modes, the shape of the grid.

        Returns
        -------
        ndarray
            Shape ``(..., n_chosen)``.
        """
        return self.transform(fields)[..., chosen]

    def checked(self, fields: ArrayLike) -> NDArray[np.float64]:
        """Return fields as an array of float64; raise where they are not on this grid."""
        values = np.asarray(fields, dtype=np.float64)
        n_axis = len(self.shape)
        if values.ndim < n_axis or values.shape[values.ndim - n_axis :] != self.shape:
            raise AssimilationError(
                f"fields: expected shape (..., {', '.join(map(str, self.shape))}), got "
                f"{values.shape}"
            )
        return values

    def _along_all(self, values: NDArray[np.float64], *, inverse: bool) -> NDArray[np.float64]:
        for axis, kind in enumerate(self.kinds, start=-len(self.kinds)):
            if kind == "fourier":
                spectrum = fft.fft(values, axis=axis, norm="ortho")
                values = spectrum.real - spectrum.imag
            elif kind == "cosine":
                transform = fft.idct if inverse else fft.dct
                values = transform(values, type=2, axis=axis, norm="ortho")
            else:
                transform = fft.idst if inverse else fft.dst
                values = transform(values, type=2, axis=axis, norm="ortho")
        return np.asarray(values)


@dataclass(frozen=True)
class ModeGroups:
    """Modes that have the same variance, in the order of their wavenumbers.

    Parameters
    ----------
    number
        Group of each mode, the shape of the grid.
    size
        Modes in each group.
    """

    number: NDArray[np.int64]
    size: NDArray[np.float64]

    @classmethod
    def of(cls, modes: Modes, *, isotropic: bool) -> "ModeGroups":
        """Group modes by the magnitudes of their wavenumbers.

        Parameters
        ----------
        modes
            Of the grid.
        isotropic
            In shells of the total wavenumber, as wide as the smallest one; else by the wavenumber
            along each dimension.
        """
        total = modes.total_wavenumber
        if isotropic:
            width = min(
                math.pi / n if k != "fourier" else 2.0 * math.pi / n
                for k, n in zip(modes.kinds, modes.lengths, strict=True)
            )
            label = np.rint(total / width).astype(np.int64).ravel()
        else:
            label = _labels(modes.wavenumbers)
        _, inverse, size = np.unique(label, return_inverse=True, return_counts=True)
        wavenumber = np.bincount(inverse, weights=total.ravel()) / size
        rank = np.empty(len(size), dtype=np.int64)
        order = np.argsort(wavenumber, kind="stable")
        rank[order] = np.arange(len(size))
        return cls(rank[inverse].reshape(modes.shape), size[order].astype(np.float64))

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean over each group of one value for each mode."""
        sums = np.bincount(self.number.ravel(), weights=values.ravel())
        return np.asarray(sums / self.size)


def _labels(wavenumbers: Sequence[NDArray[np.float64]]) -> NDArray[np.int64]:
    """Return a number for each mode, the same where all magnitudes are."""
    label = np.zeros(1, dtype=np.int64)
    for k in wavenumbers:
        levels, along = np.unique(k.round(12), return_inverse=True)
        label = (label[:, None] * len(levels) + along).ravel()
    return label
