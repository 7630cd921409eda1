"""What a closure compiled into the time loop of two-layer flow makes of given fields."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from solvers import Deconvolution, LeithE
from solvers.tendency_source import FUNCTION, GridField, closure_sizes

Field = NDArray[Any]


def evaluated(
    closure: Deconvolution | LeithE, flow: Field, dtype: DTypeLike = "float64", d: float = 15625.0
) -> Field:
    """Return the tendency of a flow (q, u, v), shape (3, 2, y, x), as the time loop gets it.

    The grid has square cells of width d.
    """
    memory = np.array(flow, dtype)
    tendency = np.full(flow.shape[1:], np.nan, dtype)
    dims, spacing = ("layer", "y", "x"), {"y": d, "x": d}
    given = zip("quv", ("s-1", "m s-1", "m s-1"), memory, strict=True)
    fields = [GridField(name, units, dims, part, spacing) for name, units, part in given]
    bound = closure.bind(0, fields, [GridField("q_tendency", "s-2", dims, tendency, spacing)])
    _, _, n_y, n_x = memory.shape
    sizes = closure_sizes(dtype, n_field=3, shape=(2, n_y, n_x))
    sizes_at = sizes.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
    call = FUNCTION(bound.function)
    for _ in range(2):
        # What one call leaves in the work space does not reach the next.
        tendency[...] = np.nan
        status = call(bound.context, 0, 0, memory.ctypes.data, tendency.ctypes.data, sizes_at)
        assert status == 0
    return tendency
