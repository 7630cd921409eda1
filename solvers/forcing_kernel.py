"""The compiled part of the forcing of two-dimensional turbulence."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.coupling_point import Integers
from solvers.forcing import BandForcing

if TYPE_CHECKING:
    from solvers.barotropic import Barotropic

Field = NDArray[Any]


class Source(NamedTuple):
    """Waves of the forcing in the model's memory; `kicks` tells random from steady ones."""

    row: Integers
    column: Integers
    amplitude: Field
    kicks: bool


def source(model: "Barotropic") -> Source:
    """Return the waves of a forcing where the time loop finds them in its spectra."""
    grid, forcing, waves = model.grid, model.forcing, model.waves()
    kicks = isinstance(forcing, BandForcing)
    unit = grid.n_x * grid.n_y * (np.sqrt(model.dt) if kicks else 1.0)
    return Source(
        np.asarray(waves.l % grid.n_y, dtype=np.int64),
        np.asarray(waves.m, dtype=np.int64),
        np.asarray(unit * waves.amplitude, dtype=model.dtype),
        kicks,
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
