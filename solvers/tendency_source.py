"""Where a closure enters a solver: a Python function, or a C function and its context.

A solver calls its tendency source once an evaluation of its own tendency, after the grid fields
exist and before the state is advanced, from compiled code and without Python in between. What it
calls is always a C function (`hybrid_tendency_function`, documented in
``fortran_bridge/include/hybrid_tendency.h``); a Python function is wrapped into one.
"""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from functools import cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numba import carray, cfunc, types  # type: ignore[attr-defined]
from numpy.typing import DTypeLike, NDArray

from solvers.errors import TendencyError
from solvers.function_pointer import call_tendency

FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_int,
    *(ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64),
    *(ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int64)),
)
"""The C type of a tendency function."""

N_SIZES = 7
"""Entries of the ``sizes`` of a tendency function."""

PythonTendency = Callable[[Mapping[str, NDArray[Any]], int], Any]

CFunction = int | Callable[..., Any]
"""A C function: its address, or a function pointer of `ctypes`."""

CContext = int | NDArray[Any] | ctypes.Structure | ctypes.Array[Any]
"""Memory of a C function: its address, or an object whose memory it is."""

ClosureState = Mapping[str, NDArray[np.float64]]
"""What a closure carries from step to step, by name."""


@dataclass(frozen=True)
class GridField:
    """A field of one member that a closure may read or write.

    Parameters
    ----------
    name, units
        Name and UDUNITS string.
    dims
        Names of the axes of `array`.
    array
        The solver's own memory; it stays where it is as long as the run lasts.
    spacing
        Distance of neighbours by dim, for the dims of a uniform grid [length of the model].
    """

    name: str
    units: str
    dims: tuple[str, ...]
    array: NDArray[Any]
    spacing: Mapping[str, float] = default(default_factory=dict)


@dataclass(frozen=True)
class BoundTendency:
    """What a solver calls for one member: a C function with its context, without a state.

    Closures that carry a state from step to step, or know why they failed, derive from it.

    Parameters
    ----------
    function, context
        Addresses.
    keep_alive
        What must live as long as the solver calls them.
    """

    function: int
    context: int = 0
    keep_alive: Any = None

    def explain(self, status: int) -> str:
        """Return why the last call failed; may also raise what made it fail."""
        return f"the closure returned status {status}"

    def state(self) -> ClosureState:
        """Return copies of what is carried from step to step, shape ``(n_column, n_element)``."""
        return {}

    def set_state(self, state: ClosureState) -> None:
        """Replace what is carried from step to step; `state` is like that of `state`."""


@runtime_checkable
class TendencySource(Protocol):
    """A closure for any number of members; `hybrid.coupling` makes one from an archive."""

    def bind(
        self, member: int, fields: Sequence[GridField], tendencies: Sequence[GridField]
    ) -> BoundTendency:
        """Return what the solver calls for a member; raise if the closure does not fit."""


class PythonTendencySource:
    """A Python function as a tendency source.

    Parameters
    ----------
    function
        Called as ``function(fields, step)`` with the solver's fields by name, read-only, of one
        member; returns the tendency (an array of the shape of the prognostic field, of real
        numbers) or, for a solver with several prognostic fields, a mapping of their names to
        tendencies; those not named are zero. The fields are views of memory that the solver
        uses again in the next call: copy what is to be kept.
    """

    def __init__(self, function: PythonTendency) -> None:
        self.function = function

    def bind(
        self, member: int, fields: Sequence[GridField], tendencies: Sequence[GridField]
    ) -> BoundTendency:
        """Wrap the function into a C function for the arrays of a member."""
        del member
        read_only = {field.name: _read_only(field.array) for field in fields}
        failures: list[BaseException] = []
        memory = np.zeros(2, dtype=np.int64)

        def call(*arguments: Any) -> int:
            try:
                _store(self.function(read_only, int(arguments[1])), tendencies)
                memory[1] = _DONE
            except BaseException as error:  # noqa: BLE001 -- nothing may pass through C
                failures[:] = [error]
                memory[1] = _RAISED
            return 0

        function = FUNCTION(call)
        memory[0] = _address(function)
        return _BoundPython(
            _guard(), _memory(memory), keep_alive=(function, memory), failures=failures
        )


@dataclass(frozen=True, kw_only=True)
class _BoundPython(BoundTendency):
    failures: list[BaseException]

    def explain(self, status: int) -> str:
        """Raise what the function raised."""
        if status == _RAISED:
            raise self.failures.pop()
        return "the closure was interrupted before it could begin"


_DONE, _RAISED, _NOT_BEGUN = 0, 1, 2


def _call_guarded(
    context: Any, step: int, stage: int, fields: int, tendency: int, sizes: int
) -> int:
    """Call a Python function, whose address `context` begins with, and return if it was done.

    What is raised while Python enters a function, by a signal say, is lost, and with it what the
    function returns. So it is the function itself that notes, in memory, that it was done.
    """
    memory = carray(context, 2)
    memory[1] = _NOT_BEGUN
    call_tendency(memory[0], 0, step, stage, fields, tendency, sizes)
    return memory[1]  # type: ignore[no-any-return]


@cache
def _guard() -> int:
    """Return the address of the compiled `_call_guarded`."""
    pointer: Any = types.CPointer(types.int64)  # type: ignore[no-untyped-call]
    arguments = (pointer, types.int64, types.int64, *(types.intp,) * 3)
    compiled: Any = cfunc(types.int32(*arguments), cache=True)(_call_guarded)
    return int(compiled.address)


class CTendency:
    """A compiled function as a tendency source, from C, Fortran (``bind(c)``) or numba.

    It gets the fields of a member as one block of memory and trusts that they are those it was
    written for; see ``fortran_bridge/include/hybrid_tendency.h`` for what it may rely on. What
    its contexts hold is not part of the solver's restarts.

    Parameters
    ----------
    function
        A `hybrid_tendency_function`: its address, or a function of a `ctypes` library.
    contexts
        Memory of the function for each member: NumPy arrays or objects of `ctypes`, which are
        kept, or addresses of what outlives the run; default: null.

    Raises
    ------
    TypeError
        If `function` is neither.
    ValueError
        If `function` is null; when it is coupled, if there are fewer contexts than members.

    Examples
    --------
    >>> library = ctypes.CDLL("./libdrag.so")  # doctest: +SKIP
    >>> TwoLayerQG().run(days=1, tendency=CTendency(library.drag))  # doctest: +SKIP
    """

    def __init__(self, function: CFunction, contexts: Sequence[CContext] | None = None) -> None:
        self.function = _address(function)
        self.contexts = contexts
        self._keep_alive = function

    def bind(
        self, member: int, fields: Sequence[GridField], tendencies: Sequence[GridField]
    ) -> BoundTendency:
        """Return the function with the context of a member."""
        del fields, tendencies
        if self.contexts is None:
            return BoundTendency(self.function, keep_alive=self._keep_alive)
        if member >= len(self.contexts):
            raise ValueError(
                f"contexts: expected one for each member, got {len(self.contexts)} "
                f"and a member {member}"
            )
        context = self.contexts[member]
        return BoundTendency(self.function, _memory(context), (self._keep_alive, context))


def closure_sizes(
    dtype: DTypeLike,
    *,
    n_field: int,
    shape: tuple[int, int, int],
    n_tendency: int = 1,
    n_stage: int = 1,
) -> NDArray[np.int64]:
    """Return the ``sizes`` of a tendency function.

    Parameters
    ----------
    dtype
        ``float64`` or ``float32``.
    n_field, n_tendency
        Fields in and tendencies out.
    shape
        Layers, rows and points in a row of each of them; 1 where there are none.
    n_stage
        Calls in one step.

    Returns
    -------
    ndarray
        Bytes a number, stages, fields, tendencies, layers, rows, points in a row.
    """
    itemsize = np.dtype(dtype).itemsize
    return np.array([itemsize, n_stage, n_field, n_tendency, *shape], dtype=np.int64)


def as_tendency_source(tendency: PythonTendency | TendencySource) -> TendencySource:
    """Return a tendency source; a Python function is wrapped into one.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if isinstance(tendency, TendencySource):
        return tendency
    if callable(tendency):
        return PythonTendencySource(tendency)
    raise TypeError(
        "tendency: expected a function of (fields, step) or a tendency source such as "
        f"hybrid.coupling.couple(archive), got {type(tendency).__name__}"
    )


def _address(function: CFunction) -> int:
    try:
        address = ctypes.cast(function, ctypes.c_void_p).value  # type: ignore[arg-type]
    except ctypes.ArgumentError as error:
        raise TypeError(
            "function: expected the address of a C function, or a function of a ctypes library, "
            f"got {type(function).__name__}"
        ) from error
    if not address:
        raise ValueError("function: expected the address of a C function, got null")
    return address


def _memory(context: CContext) -> int:
    if isinstance(context, int):
        return context
    return context.ctypes.data if isinstance(context, np.ndarray) else ctypes.addressof(context)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


def _store(returned: Any, tendencies: Sequence[GridField]) -> None:
    if not isinstance(returned, Mapping):
        if len(tendencies) != 1:
            names = ", ".join(field.name for field in tendencies)
            raise TendencyError(f"closure: expected a mapping with some of {names}, got an array")
        returned = {tendencies[0].name: returned}
    unknown = sorted(set(returned) - {field.name for field in tendencies})
    if unknown:
        names = ", ".join(field.name for field in tendencies)
        raise TendencyError(f"closure: expected tendencies of {names}, got {', '.join(unknown)}")
    for field in tendencies:
        value = returned.get(field.name, 0.0)
        if value is None:
            raise TendencyError(f"closure: {field.name}: expected an array, got None")
        values = np.asarray(value)
        if values.dtype.kind not in "biuf":
            raise TendencyError(
                f"closure: {field.name}: expected real numbers, got {values.dtype}"
                + ("; return their real part" if values.dtype.kind == "c" else "")
            )
        if field.name in returned and values.shape != field.array.shape:
            dims = ", ".join(field.dims)
            raise TendencyError(
                f"closure: {field.name}: expected shape {field.array.shape} ({dims}), "
                f"got {values.shape}"
            )
        if not np.isfinite(values).all():
            raise TendencyError(
                f"closure: {field.name}: expected finite values, got "
                f"{int((~np.isfinite(values)).sum())} non-finite of {values.size}"
            )
        field.array[...] = values
