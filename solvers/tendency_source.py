"""Where a closure enters a solver: a Python function, or a C function and its context.

A solver calls its tendency source once an evaluation of its own tendency, after the grid fields
exist and before the state is advanced, from compiled code and without Python in between. What it
calls is always a C function (`hybrid_tendency_function`, documented in
``fortran_bridge/include/hybrid_tendency.h``); a Python function is wrapped into one.
"""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from solvers.errors import TendencyError

FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_int,
    *(ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64),
    *(ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int64)),
)
"""The C type of a tendency function."""

PythonTendency = Callable[[Mapping[str, NDArray[Any]], int], Any]


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
    """

    name: str
    units: str
    dims: tuple[str, ...]
    array: NDArray[Any]


class BoundTendency(NamedTuple):
    """A C function with the context of one member, as addresses, and what keeps them valid."""

    function: int
    context: int
    keep_alive: Any


@runtime_checkable
class TendencySource(Protocol):
    """A closure that runs without Python; `hybrid.coupling` makes one from an archive."""

    def bind(
        self, member: int, fields: Sequence[GridField], tendencies: Sequence[GridField]
    ) -> BoundTendency:
        """Return what the solver calls for a member; raise if the closure does not fit."""

    def explain(self, member: int, step: int) -> str:
        """Return why the call of a member failed at a step."""


class PythonTendencySource:
    """A Python function as a tendency source.

    Parameters
    ----------
    function
        Called as ``function(fields, step)`` with the solver's fields by name, read-only, of one
        member; returns the tendency (an array of the shape of the prognostic field) or, for a
        solver with several prognostic fields, a mapping of their names to tendencies.
    """

    def __init__(self, function: PythonTendency) -> None:
        self.function = function
        self._failure: BaseException | None = None

    def bind(
        self, member: int, fields: Sequence[GridField], tendencies: Sequence[GridField]
    ) -> BoundTendency:
        """Wrap the function into a C function for the arrays of a member."""
        del member
        read_only = {field.name: _read_only(field.array) for field in fields}

        def call(*arguments: Any) -> int:
            step = int(arguments[1])
            try:
                _store(self.function(read_only, step), tendencies)
            except BaseException as error:  # noqa: BLE001 -- nothing may pass through C
                self._failure = error
                return 1
            return 0

        function = FUNCTION(call)
        address = ctypes.cast(function, ctypes.c_void_p).value
        assert address is not None
        return BoundTendency(address, 0, function)

    def explain(self, member: int, step: int) -> str:
        """Raise what the function raised."""
        del member, step
        assert self._failure is not None
        failure, self._failure = self._failure, None
        raise failure


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
        values = np.asarray(returned.get(field.name, 0.0))
        if field.name in returned and values.shape != field.array.shape:
            dims = ", ".join(field.dims)
            raise TendencyError(
                f"closure: {field.name}: expected shape {field.array.shape} ({dims}), "
                f"got {values.shape}"
            )
        field.array[...] = values
