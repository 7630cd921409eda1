"""The random numbers that the bridge gives to closures."""

from ctypes import c_double, c_int64

import numpy as np
from numpy.typing import NDArray

from fortran_bridge.c_library import check, int64, library, pointer, uint64


def noise(
    seed: int, field: int, step: int, column_id: NDArray[np.int64], size: int
) -> NDArray[np.float64]:
    """Return the bridge's standard normal numbers, shape ``(n_column, size)``.

    Parameters
    ----------
    seed, field, step
        Seed, number of the noise field (from 0) and model step.
    column_id
        Global column numbers, shape ``(n_column,)``.
    size
        Elements a column.
    """
    ids = np.ascontiguousarray(column_id, dtype=np.int64)
    values = np.empty((ids.size, size))
    check(
        library().hybrid_noise(
            *(uint64("seed", seed), int64("field", field), int64("step", step)),
            *(ids.size, pointer(ids, c_int64), size),
            pointer(values, c_double),
        )
    )
    return values
