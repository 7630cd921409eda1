"""Arguments and results of the C functions, for ctypes; see ``include/hybrid.h``."""

import ctypes
import operator
from ctypes import (
    CFUNCTYPE,
    POINTER,
    c_char_p,
    c_double,
    c_int,
    c_int64,
    c_ubyte,
    c_uint64,
    c_void_p,
)
from functools import cache
from typing import Any

from numpy.typing import NDArray

from fortran_bridge.build import ensure_built
from fortran_bridge.errors import BridgeError

REASONS = ("not_finite", "below", "above", "overflow", "not_confident")
"""Why the guard flags a column, in the order of ``enum hybrid_reason``."""

LogFunction = CFUNCTYPE(None, c_int, c_char_p, c_void_p)

_INT64S = POINTER(c_int64)
_DOUBLES = POINTER(c_double)
_ARRAY = [c_char_p, c_void_p, c_int, c_int, _INT64S, _INT64S, c_char_p, c_char_p]
"""name, data, kind, rank, shape, stride, dims, units"""

SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "hybrid_last_error": (c_char_p, []),
    "hybrid_version": (c_char_p, []),
    "hybrid_abi_version": (c_int, []),
    "hybrid_log_to": (None, [LogFunction, c_void_p]),
    "hybrid_device_count": (c_int, [c_char_p, c_char_p, POINTER(c_int)]),
    "hybrid_local_device": (c_int, [c_char_p, c_int, c_char_p, c_int]),
    "hybrid_closure_load": (c_int, [c_char_p, c_char_p, c_char_p, c_int, POINTER(c_void_p)]),
    "hybrid_closure_load_memory": (
        c_int,
        [c_char_p, c_int64, c_char_p, c_char_p, c_char_p, c_int, POINTER(c_void_p)],
    ),
    "hybrid_closure_load_precision": (
        c_int,
        [c_char_p, c_char_p, c_char_p, c_int, c_char_p, POINTER(c_void_p)],
    ),
    "hybrid_closure_load_memory_precision": (
        c_int,
        [c_char_p, c_int64, c_char_p, c_char_p, c_char_p, c_int, c_char_p, POINTER(c_void_p)],
    ),
    "hybrid_closure_retain": (c_int, [c_void_p]),
    "hybrid_closure_free": (None, [c_void_p]),
    "hybrid_closure_manifest": (c_char_p, [c_void_p]),
    "hybrid_closure_describe": (c_char_p, [c_void_p]),
    "hybrid_closure_blocks": (c_int, [c_void_p, _INT64S, c_int]),
    "hybrid_closure_field_count": (c_int, [c_void_p, c_char_p]),
    "hybrid_closure_field_name": (c_char_p, [c_void_p, c_char_p, c_int]),
    "hybrid_closure_field_units": (c_char_p, [c_void_p, c_char_p]),
    "hybrid_closure_field_size": (c_int64, [c_void_p, c_char_p]),
    "hybrid_binding_create": (
        c_int,
        [c_void_p, c_int64, _INT64S, c_uint64, c_int, c_char_p, POINTER(c_void_p)],
    ),
    "hybrid_binding_create_grid": (
        c_int,
        [
            *(c_void_p, c_int64, _INT64S, c_char_p, _INT64S, _DOUBLES, c_char_p),
            *(c_uint64, c_int, c_char_p, POINTER(c_void_p)),
        ],
    ),
    "hybrid_binding_retain": (c_int, [c_void_p]),
    "hybrid_binding_free": (None, [c_void_p]),
    "hybrid_binding_bind": (c_int, [c_void_p, *_ARRAY, c_int]),
    "hybrid_binding_run": (c_int, [c_void_p, c_int64]),
    "hybrid_binding_put": (c_int, [c_void_p, *_ARRAY]),
    "hybrid_binding_apply": (c_int, [c_void_p, c_int64]),
    "hybrid_binding_get": (c_int, [c_void_p, *_ARRAY, c_int]),
    "hybrid_binding_chunk": (c_int, [c_void_p, c_int64, _INT64S]),
    "hybrid_binding_commit": (c_int, [c_void_p]),
    "hybrid_binding_tendency": (
        c_int,
        [c_void_p, c_int64, c_int64, c_void_p, c_void_p, _INT64S],
    ),
    "hybrid_binding_error": (c_char_p, [c_void_p]),
    "hybrid_binding_mask": (c_int, [c_void_p, POINTER(c_ubyte), c_int64]),
    "hybrid_binding_threshold": (c_int, [c_void_p, c_double]),
    "hybrid_binding_counts": (c_int, [c_void_p, c_char_p, _INT64S, _INT64S]),
    "hybrid_binding_summary": (c_char_p, [c_void_p]),
    "hybrid_binding_timers": (c_int, [c_void_p, _INT64S, _DOUBLES, _DOUBLES, _DOUBLES]),
    "hybrid_binding_ramp": (c_int, [c_void_p, c_char_p, c_double, c_double, c_int64, c_int64]),
    "hybrid_binding_partial": (
        c_int,
        [c_void_p, c_char_p, _DOUBLES, c_int64, _DOUBLES, c_int64],
    ),
    "hybrid_binding_differences": (
        c_int,
        [c_void_p, c_char_p, _INT64S, _DOUBLES, _DOUBLES, _DOUBLES, c_int64],
    ),
    "hybrid_binding_state_get": (c_int, [c_void_p, c_char_p, _DOUBLES, c_int64]),
    "hybrid_binding_state_set": (c_int, [c_void_p, c_char_p, _DOUBLES, c_int64]),
    "hybrid_noise": (c_int, [c_uint64, c_int64, c_int64, c_int64, _INT64S, c_int64, _DOUBLES]),
}


@cache
def library() -> ctypes.CDLL:
    """Return the native library, built first if need be.

    Raises
    ------
    BuildError
        If it cannot be built.
    """
    loaded = ctypes.CDLL(str(ensure_built().library))
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype = result
        function.argtypes = arguments
    return loaded


def check(status: int) -> None:
    """Raise `BridgeError` with the library's message if a call failed."""
    if status:
        raise BridgeError(library().hybrid_last_error().decode(), status)


def int32(name: str, value: int) -> int:
    """Return `value`, or raise ValueError if C would cut it to 32 bits."""
    return _within(name, value, -(2**31), 2**31 - 1)


def int64(name: str, value: int) -> int:
    """Return `value`, or raise ValueError if C would cut it to 64 bits."""
    return _within(name, value, -(2**63), 2**63 - 1)


def uint64(name: str, value: int) -> int:
    """Return `value`, or raise ValueError if C would cut it to 64 bits, or wrap it."""
    return _within(name, value, 0, 2**64 - 1)


def _within(name: str, value: int, least: int, most: int) -> int:
    number = operator.index(value)
    if not least <= number <= most:
        raise ValueError(f"{name}: expected an integer from {least} to {most}, got {number}")
    return number


def pointer(array: NDArray[Any] | None, kind: Any) -> Any:
    """Return the address of an array for ctypes; null for None."""
    return None if array is None else array.ctypes.data_as(POINTER(kind))
