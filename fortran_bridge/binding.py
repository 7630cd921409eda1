"""The columns of one caller, tied to the fields of a closure."""

import ctypes
from collections.abc import Sequence
from ctypes import byref, c_double, c_int64, c_ubyte, c_void_p
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fortran_bridge.c_library import REASONS, check, int64, library, pointer, uint64
from fortran_bridge.native_closure import NativeClosure

Dims = str | tuple[str, ...]


@dataclass(frozen=True)
class HostGrid:
    """The host's grid, for a grid closure.

    Parameters
    ----------
    dims
        Names of its dimensions, for example ``("y", "x")``.
    sizes
        Points along each, without halo.
    spacing
        Distance of points along each, in the units of the closure's grid.
    boundary
        For each ``"periodic"``, ``"wall"`` or ``"halo"``.

    Raises
    ------
    ValueError
        If these are not tuples with one entry a dimension.
    """

    dims: tuple[str, ...]
    sizes: tuple[int, ...]
    spacing: tuple[float, ...]
    boundary: tuple[str, ...]

    def __post_init__(self) -> None:
        # The library is handed no lengths: it would read past the end of the shorter ones.
        entries: tuple[object, ...] = (self.dims, self.sizes, self.spacing, self.boundary)
        lengths = {len(entry) if isinstance(entry, tuple) else None for entry in entries}
        if len(lengths) != 1 or lengths <= {None, 0}:
            raise ValueError(
                "grid: expected tuples of dims, sizes, spacing and boundary with one entry a "
                f"dimension, got {self.dims!r}, {self.sizes!r}, {self.spacing!r} and "
                f"{self.boundary!r}"
            )


@dataclass(frozen=True)
class Timers:
    """Evaluations since create, and the seconds [s] they took by phase."""

    n_run: int
    packing: float
    engine: float
    unpacking: float


@dataclass(frozen=True)
class Differences:
    """Closure minus host by element of a column, in the units of the host's array.

    Every array has the shape ``(elements a column,)``: how many were compared, their mean, root
    mean square and largest magnitude.
    """

    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    rms: NDArray[np.float64]
    largest: NDArray[np.float64]


class Binding:
    """The columns of one caller. Arrays are bound once, or handed over at each call.

    `bind`, then `run` and `commit` each step, use the same memory all the time; `put`, `apply`
    and `get` keep no array.

    Parameters
    ----------
    closure
        A loaded archive.
    n_column
        Number of columns (members of a grid closure); with none, every call does nothing.
    column_id
        Global column numbers, shape ``(n_column,)``, the key of the random numbers; default
        1, 2, ...
    seed
        Seed of the random numbers.
    reproducible
        True: results do not depend on how many columns come along.
    policy
        ``"error"``, ``"flag"``, ``"clip"``, ``"zero"`` or ``"host"``: what happens to a column
        that the guard flags; see ``hybrid_binding_create`` in ``include/hybrid.h``.
    grid
        The host's grid, for a grid closure whose sizes are open or whose grid shall be compared.

    Raises
    ------
    BridgeError
        From every method, with a message that says what to do.
    ValueError
        If a number is beyond the integers of C: 64 bits, for the seed without sign.
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
        grid: HostGrid | None = None,
    ) -> None:
        self._handle = c_void_p()
        self._arrays: list[NDArray[Any]] = []
        self._outputs = closure.outputs
        self._n_column = n_column
        ids = _column_numbers(n_column, column_id)
        last = (uint64("seed", seed), int(reproducible), policy.encode(), byref(self._handle))
        first = (closure.handle, int64("n_column", n_column), pointer(ids, c_int64))
        if grid is None:
            check(library().hybrid_binding_create(*first, *last))
            return
        sizes = (c_int64 * len(grid.sizes))(*(int64("sizes", size) for size in grid.sizes))
        spacing = (c_double * len(grid.spacing))(*grid.spacing)
        dims, boundary = ",".join(grid.dims).encode(), ",".join(grid.boundary).encode()
        check(library().hybrid_binding_create_grid(*first, dims, sizes, spacing, boundary, *last))

    @property
    def n_column(self) -> int:
        """Number of columns."""
        return self._n_column

    def bind(
        self, name: str, array: NDArray[Any], *, dims: Dims, units: str, accumulate: bool = False
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
        view = self._view(name, array, dims, units, is_written=name in self._outputs)
        check(library().hybrid_binding_bind(self._handle, *view, int(accumulate)))
        self._arrays.append(array)
        return self

    def run(self, step: int) -> None:
        """Evaluate the closure for model step `step`; may be called several times a step."""
        check(library().hybrid_binding_run(self._handle, int64("step", step)))

    def put(self, name: str, array: NDArray[Any], *, dims: Dims, units: str) -> Self:
        """Read an input now; arguments as those of `bind`."""
        view = self._view(name, array, dims, units, is_written=False)
        check(library().hybrid_binding_put(self._handle, *view))
        return self

    def apply(self, step: int) -> None:
        """Evaluate the closure for what was put."""
        check(library().hybrid_binding_apply(self._handle, int64("step", step)))

    def get(
        self, name: str, array: NDArray[Any], *, dims: Dims, units: str, accumulate: bool = False
    ) -> Self:
        """Write an output of the last `apply` now; arguments as those of `bind`.

        Get every output before `commit`, and ask for `reasons` or `mask` afterwards.
        """
        view = self._view(name, array, dims, units, is_written=True)
        check(library().hybrid_binding_get(self._handle, *view, int(accumulate)))
        return self

    def chunk(self, n_column: int, column_id: NDArray[np.int64] | None = None) -> None:
        """Use the binding for another chunk of at most as many columns as at first."""
        ids = _column_numbers(n_column, column_id)
        n = int64("n_column", n_column)
        check(library().hybrid_binding_chunk(self._handle, n, pointer(ids, c_int64)))
        self._n_column = n_column

    def commit(self) -> None:
        """Make the state computed by the last run or apply the current one."""
        check(library().hybrid_binding_commit(self._handle))

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

    def reasons(self) -> NDArray[np.uint8]:
        """Return why each column was flagged last: bits ``1 << REASONS.index(reason)``.

        128 is set where nothing was written: not for a column that overflows in a later `get` than
        the first. Shape ``(n_column,)``.
        """
        reasons = np.zeros(self._n_column, dtype=np.uint8)
        check(library().hybrid_binding_mask(self._handle, pointer(reasons, c_ubyte), reasons.size))
        return reasons

    def mask(self) -> NDArray[np.bool_]:
        """Return which columns the last evaluation flagged, shape ``(n_column,)``."""
        return self.reasons().astype(np.bool_)

    def set_threshold(self, threshold: float) -> None:
        """Flag columns whose output of role ``"confidence"`` is below `threshold`."""
        check(library().hybrid_binding_threshold(self._handle, threshold))

    def counts(self, name: str | None = None) -> dict[str, int]:
        """Return evaluated columns and, by reason, those flagged in field `name` (None: any)."""
        evaluated = c_int64()
        flagged = (c_int64 * len(REASONS))()
        field = None if name is None else name.encode()
        check(library().hybrid_binding_counts(self._handle, field, byref(evaluated), flagged))
        return {"evaluated": evaluated.value, **dict(zip(REASONS, flagged, strict=True))}

    @property
    def summary(self) -> str:
        """The counts in one line."""
        return str(library().hybrid_binding_summary(self._handle).decode())

    @property
    def timers(self) -> Timers:
        """Where the time went."""
        n_run = c_int64()
        seconds = [c_double() for _ in range(3)]
        check(library().hybrid_binding_timers(self._handle, byref(n_run), *map(byref, seconds)))
        return Timers(n_run.value, *(value.value for value in seconds))

    def ramp(self, name: str, start: float, end: float, first: int, last: int) -> Self:
        """Let an output have a share of the closure beside the host's own scheme.

        Parameters
        ----------
        name
            Output whose array the host's scheme has written before `run` or `get`.
        start, end
            Share of the closure up to step `first` and from step `last` on, from 0 to 1; linear
            between.
        first, last
            Steps.
        """
        steps = (int64("first", first), int64("last", last))
        check(library().hybrid_binding_ramp(self._handle, name.encode(), start, end, *steps))
        return self

    def shadow(self, name: str) -> Self:
        """Leave an output to the host's own scheme, and record how the closure differs."""
        return self.ramp(name, 0.0, 0.0, 0, 0)

    def partial(
        self,
        name: str,
        *,
        element: Sequence[float] | NDArray[np.float64] | None = None,
        column: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> Self:
        """Restrict the share of an output to levels or regions.

        Parameters
        ----------
        name
            Output.
        element
            Factor from 0 to 1 for each element of a column; None is 1 everywhere.
        column
            Factor for each column; None is 1 everywhere.
        """
        arrays = [
            None if values is None else np.ascontiguousarray(values, dtype=np.float64).ravel()
            for values in (element, column)
        ]
        pairs = [
            item
            for array in arrays
            for item in (pointer(array, c_double), 0 if array is None else array.size)
        ]
        check(library().hybrid_binding_partial(self._handle, name.encode(), *pairs))
        return self

    def differences(self, name: str, size: int) -> Differences:
        """Return closure minus host of an output with a share; `size` elements a column."""
        count = np.zeros(size, dtype=np.int64)
        mean, rms, largest = (np.zeros(size) for _ in range(3))
        check(
            library().hybrid_binding_differences(
                *(self._handle, name.encode(), pointer(count, c_int64)),
                *(pointer(array, c_double) for array in (mean, rms, largest)),
                size,
            )
        )
        return Differences(count, mean, rms, largest)

    def state_get(self, name: str, size: int = 1) -> NDArray[np.float64]:
        """Return the committed state of a field, shape ``(n_column, size)``."""
        values = np.empty((self._n_column, size))
        check(
            library().hybrid_binding_state_get(
                self._handle, name.encode(), pointer(values, c_double), values.size
            )
        )
        return values

    def state_set(self, name: str, values: NDArray[np.float64]) -> None:
        """Replace the committed state of a field: ``n_column * size`` values."""
        flat = np.ascontiguousarray(values, dtype=np.float64)
        check(
            library().hybrid_binding_state_set(
                self._handle, name.encode(), pointer(flat, c_double), flat.size
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

    def _view(
        self, name: str, array: NDArray[Any], dims: Dims, units: str, *, is_written: bool
    ) -> tuple[Any, ...]:
        _check_memory(name, array, is_written=is_written)
        # An integer of 8 bytes must not pass for a real of 8 bytes.
        kind = array.dtype.itemsize if array.dtype.kind == "f" else -array.dtype.itemsize
        axes = dims if isinstance(dims, str) else ",".join(dims)
        shape = (c_int64 * array.ndim)(*array.shape)
        stride = (c_int64 * array.ndim)(*array.strides)
        names = (axes.encode(), units.encode())
        return (name.encode(), array.ctypes.data, kind, array.ndim, shape, stride, *names)


def _column_numbers(n_column: int, column_id: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    if column_id is None:
        return None
    numbers = np.ascontiguousarray(column_id, dtype=np.int64)
    if numbers.shape != (n_column,):
        raise ValueError(f"column_id: expected shape ({n_column},), got {numbers.shape}")
    return numbers


def _check_memory(name: str, array: object, *, is_written: bool) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(
            f"{name}: expected a NumPy array, whose memory the binding uses, got "
            f"{type(array).__name__}; make an array with numpy.array, keep it, and give that"
        )
    if not array.dtype.isnative or not array.flags.aligned:
        raise ValueError(
            f"{name}: expected an aligned array of native byte order, got dtype "
            f"{array.dtype.str!r}, aligned {array.flags.aligned}; copy it"
        )
    if is_written and not array.flags.writeable:
        raise ValueError(
            f"{name}: expected a writeable array for an output, got a read-only one; "
            "give a copy, or the array that this is a view of"
        )
