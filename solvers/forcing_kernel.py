"""The compiled part of the forcing of two-dimensional turbulence."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.coupling_point import Integers
from solvers.forcing import Waves
from solvers.spectral import SpectralGrid

Field = NDArray[Any]


class Source(NamedTuple):
    """Waves of the forcing in the model's memory; `kicks` tells random from steady ones."""

    row: Integers
    column: Integers
    amplitude: Field
    kicks: bool


def source(
    waves: Waves, grid: SpectralGrid, dtype: str, *, kick_interval: float | None = None
) -> Source:
    """Return the waves of a forcing where the time loop finds them in its spectra.

    Parameters
    ----------
    waves
        Waves of a steady forcing [1 / time2], or of kicks [1 / time1.5].
    grid
        Grid of the spectra.
    dtype
        Their precision, ``"float64"`` or ``"float32"``.
    kick_interval
        Time from kick to kick [time]; None: the forcing is steady.
    """
    unit = grid.n_x * grid.n_y * (1.0 if kick_interval is None else np.sqrt(kick_interval))
    return Source(
        np.asarray(waves.l % grid.n_y, dtype=np.int64),
        np.asarray(waves.m, dtype=np.int64),
        np.asarray(unit * waves.amplitude, dtype=dtype),
        kick_interval is not None,
    )


@njit(cache=True)
def _add_wave(total: Field, row: int, column: int, real: Any, imag: Any) -> None:
    total[row, column] += complex(real, imag)
    # Both halves of the first column are stored.
    if column == 0:
        total[total.shape[0] - row, 0] += complex(real, -imag)


@njit(cache=True)
def push(tendency: Field, force: Source) -> None:
    """Add a steady forcing."""
    for n in range(force.row.size):
        amplitude = force.amplitude[n]
        _add_wave(tendency, force.row[n], force.column[n], amplitude, amplitude * 0)


@njit(cache=True)
def kick(w: Field, force: Source, phases: Field) -> None:
    """Add the kicks of a step, each with a phase of its own."""
    kind = force.amplitude.dtype.type
    for n in range(force.row.size):
        real = force.amplitude[n] * kind(np.cos(phases[n]))
        imag = force.amplitude[n] * kind(np.sin(phases[n]))
        _add_wave(w, force.row[n], force.column[n], real, imag)
