"""The native library as Python sees it: the same C ABI that Fortran calls, through ctypes."""

import ctypes
import json
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_int64, c_ubyte, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fortran_bridge.build import ensure_built
from fortran_bridge.errors import BridgeError

_INT64S = POINTER(c_int64)
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "hybrid_last_error": (c_char_p, []),
    "hybrid_version": (c_char_p, []),
    "hybrid_closure_load": (c_int, [c_char_p, c_char_p, POINTER(c_void_p)]),
    "hybrid_closure_retain": (c_int, [c_void_p]),
    "hybrid_closure_free": (None, [c_void_p]),
    "hybrid_closure_manifest": (c_char_p, [c_void_p]),
    "hybrid_closure_blocks": (c_int, [c_void_p, _INT64S, c_int]),
    "hybrid_binding_create": (
        c_int,
        [c_void_p, c_int64, _INT64S, c_uint64, c_int, c_char_p, POINTER(c_void_p)],
    ),
    "hybrid_binding_retain": (c_int, [c_void_p]),
    "hybrid_binding_free": (None, [c_void_p]),
    "hybrid_binding_bind": (
        c_int,
        [c_void_p, c_char_p, c_void_p, c_int, c_int, _INT64S, _INT64S, c_char_p, c_char_p, c_int],
    ),
    "hybrid_binding_run": (c_int, [c_void_p, c_int64]),
    "hybrid_binding_commit": (c_int, [c_void_p]),
    "hybrid_binding_tendency": (
        c_int,
        [c_void_p, c_int64, c_int64, c_void_p, c_void_p, _INT64S],
    ),
    "hybrid_binding_error": (c_char_p, [c_void_p]),
    "hybrid_binding_mask": (c_int, [c_void_p, POINTER(c_ubyte), c_int64]),
    "hybrid_binding_state_get": (c_int, [c_void_p, c_char_p, POINTER(c_double), c_int64]),
    "hybrid_binding_state_set": (c_int, [c_void_p, c_char_p, POINTER(c_double), c_int64]),
    "hybrid_noise": (
        c_int,
        [c_uint64, c_int64, c_int64, c_int64, _INT64S, c_int64, POINTER(c_double)],
    ),
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
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype = result
        function.argtypes = arguments
    return loaded


def _check(status: int) -> None:
    if status:
        raise BridgeError(library().hybrid_last_error().decode(), status)


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return array.ctypes.data_as(POINTER(kind))


class NativeClosure:
    """A loaded archive; immutable, may be shared by threads.

    Parameters
    ----------
    path
        Archive file.
    engine
        ``"auto"``, or the name of an engine.

    Raises
    ------
    BridgeError
        If the file is missing, damaged, of a newer format, or its engine cannot be opened.
    """

    def __init__(self, path: Path | str, engine: str = "auto") -> None:
        self._handle = c_void_p()
        _check(
            library().hybrid_closure_load(str(path).encode(), engine.encode(), byref(self._handle))
        )

    @property
    def handle(self) -> c_void_p:
        """The C handle."""
        return self._handle

    @property
    def manifest(self) -> str:
        """The archive's manifest, JSON text."""
        return str(library().hybrid_closure_manifest(self._handle).decode())

    @property
    def outputs(self) -> frozenset[str]:
        """Names of the fields that `run` writes."""
        return frozenset(field["name"] for field in json.loads(self.manifest)["spec"]["outputs"])

    @property
    def blocks(self) -> tuple[int, ...]:
        """Block sizes [columns] that round alike, as the self-test at load found them."""
        sizes = (c_int64 * 16)()
        count = library().hybrid_closure_blocks(self._handle, sizes, len(sizes))
        return tuple(sizes[:count])

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            library().hybrid_closure_free(self._handle)


class Binding:
    """The arrays of one caller, tied to the fields of a closure.

    Parameters
    ----------
    closure
        A loaded archive.
    n_column
        Number of columns.
    column_id
        Global column numbers, shape ``(n_column,)``, the key of the random numbers; default
        1, 2, ...
    seed
        Seed of the random numbers.
    reproducible
        True: results do not depend on how many columns come along.
    policy
        ``"error"`` or ``"host"``: what happens to a column with non-finite values.

    Raises
    ------
    BridgeError
        From every method, with a message that says what to do.
    """

    def __init__(
        self,
        closure: NativeClosure,
        n_column: int,
        *,
        column_id: NDArray[np.int64] | None = None,
        seed: int = 0,
        reproducible: bool = True,
        policy: str = "error",
    ) -> None:
        self._handle = c_void_p()
        self._arrays: list[NDArray[Any]] = []
        self._outputs = closure.outputs
        self._n_column = n_column
        ids = None
        if column_id is not None:
            numbers = np.ascontiguousarray(column_id, dtype=np.int64)
            if numbers.shape != (n_column,):
                raise ValueError(f"column_id: expected shape ({n_column},), got {numbers.shape}")
            ids = _pointer(numbers, c_int64)
        _check(
            library().hybrid_binding_create(
                *(closure.handle, n_column, ids, seed, int(reproducible), policy.encode()),
                byref(self._handle),
            )
        )

    def bind(
        self,
        name: str,
        array: NDArray[Any],
        *,
        dims: str | tuple[str, ...],
        units: str,
        accumulate: bool = False,
    ) -> Self:
        """Tie a float32 or float64 array of any strides to a field; its memory is used as is.

        Parameters
        ----------
        name
            Input or output field.
        array
            Its values [units]; outputs are written to it.
        dims
            Names of its axes in order, for example ``"column,level"`` or
            ``("column", "level")``.
        units
            UDUNITS string of the array's values; converted if possible.
        accumulate
            Add outputs to the array instead of replacing its values.

        Raises
        ------
        TypeError
            If `array` is not a NumPy array.
        ValueError
            If it cannot be used in place: byte order, alignment, an output that is read-only.
        """
        self._check_memory(name, array)
        # An integer of 8 bytes must not pass for a real of 8 bytes.
        kind = array.dtype.itemsize if array.dtype.kind == "f" else -array.dtype.itemsize
        axes = dims if isinstance(dims, str) else ",".join(dims)
        shape = (c_int64 * array.ndim)(*array.shape)
        stride = (c_int64 * array.ndim)(*array.strides)
        _check(
            library().hybrid_binding_bind(
                *(self._handle, name.encode(), array.ctypes.data, kind, array.ndim),
                *(shape, stride, axes.encode(), units.encode(), int(accumulate)),
            )
        )
        self._arrays.append(array)
        return self

    def _check_memory(self, name: str, array: object) -> None:
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"{name}: expected a NumPy array, whose memory the binding uses, got "
                f"{type(array).__name__}; make an array with numpy.array, keep it, and bind that"
            )
        if not array.dtype.isnative or not array.flags.aligned:
            raise ValueError(
                f"{name}: expected an aligned array of native byte order, got dtype "
                f"{array.dtype.str!r}, aligned {array.flags.aligned}; copy it"
            )
        if name in self._outputs and not array.flags.writeable:
            raise ValueError(
                f"{name}: expected a writeable array for an output, got a read-only one; "
                "bind a copy, or the array that this is a view of"
            )

    def run(self, step: int) -> None:
        """Evaluate the closure for model step `step`; may be called several times a step."""
        _check(library().hybrid_binding_run(self._handle, step))

    def commit(self) -> None:
        """Make the state computed by the last run the current one."""
        _check(library().hybrid_binding_commit(self._handle))

    @property
    def tendency(self) -> tuple[int, int]:
        """Addresses of a `hybrid_tendency_function` that runs and commits, and of its context.

        See ``fortran_bridge/include/hybrid_tendency.h``. Valid as long as the binding.
        """
        function = ctypes.cast(library().hybrid_binding_tendency, c_void_p).value
        assert function is not None
        assert self._handle.value is not None
        return function, self._handle.value

    @property
    def tendency_error(self) -> str:
        """Why the function of `tendency` failed last; empty if it never did."""
        return str(library().hybrid_binding_error(self._handle).decode())

    def mask(self) -> NDArray[np.bool_]:
        """Return which columns the last run left to the host, shape ``(n_column,)``."""
        mask = np.zeros(self._n_column, dtype=np.uint8)
        _check(library().hybrid_binding_mask(self._handle, _pointer(mask, c_ubyte), mask.size))
        return mask.astype(np.bool_)

    def state_get(self, name: str, size: int = 1) -> NDArray[np.float64]:
        """Return the committed state of a field, shape ``(n_column, size)``."""
        values = np.empty((self._n_column, size))
        _check(
            library().hybrid_binding_state_get(
                self._handle, name.encode(), _pointer(values, c_double), values.size
            )
        )
        return values

    def state_set(self, name: str, values: NDArray[np.float64]) -> None:
        """Replace the committed state of a field: ``n_column * size`` values."""
        flat = np.ascontiguousarray(values, dtype=np.float64)
        _check(
            library().hybrid_binding_state_set(
                self._handle, name.encode(), _pointer(flat, c_double), flat.size
            )
        )

    def free(self) -> None:
        """Release the binding and its arrays."""
        if self._handle:
            library().hybrid_binding_free(self._handle)
            self._handle = c_void_p()
            self._arrays.clear()

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self.free()


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
    _check(
        library().hybrid_noise(
            *(seed, field, step, ids.size, _pointer(ids, c_int64), size),
            _pointer(values, c_double),
        )
    )
    return values
