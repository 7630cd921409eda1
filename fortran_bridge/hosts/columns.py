"""The bridge's Fortran interface, called from Python.

What `NativeClosure` and `Binding` do through the C interface, `FortranClosure` and `FortranBinding`
do through module ``hybrid``, compiled by gfortran: for tests of that path, and for hosts in Fortran
that are looked at from Python.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fortran_bridge.binding import Differences, Dims, HostGrid, Timers
from fortran_bridge.c_library import REASONS
from fortran_bridge.errors import BridgeError
from fortran_bridge.hosts.extension import extension

_KINDS = {np.dtype(np.float32): "real32", np.dtype(np.float64): "real64"}
_MOST_RANK = 5


class FortranClosure:
    """A ``closure_t``: a loaded archive; immutable, may be shared by threads.

    Parameters
    ----------
    path
        Archive file.
    engine
        ``"auto"``, or the name of an engine.
    device
        ``"cpu"``, or a device of the engine such as ``"cuda:0"``.
    n_thread
        Threads inside the engine's operations.

    Raises
    ------
    BridgeError
        If the archive cannot be loaded.
    BuildError
        If the Fortran part cannot be built, for example without f90wrap.
    """

    def __init__(
        self, path: Path | str, engine: str = "auto", device: str = "cpu", n_thread: int = 1
    ) -> None:
        self._fortran = extension().hybrid_python.python_closure_t()
        _check(self._fortran.load(str(path), engine, device, n_thread))

    @property
    def fortran(self) -> Any:
        """The object that f90wrap made."""
        return self._fortran

    @property
    def description(self) -> str:
        """What a person wants to know: engine, device, blocks, fields; lines of text."""
        return _whole(self._fortran.text, "describe")

    @property
    def manifest(self) -> str:
        """The archive's manifest, JSON text."""
        return _whole(self._fortran.text, "manifest")

    def fields(self, group: str) -> tuple[str, ...]:
        """Return names of ``"inputs"``, ``"outputs"``, ``"state"`` or ``"noise"``, in order."""
        numbers = range(1, self._fortran.field_count(group) + 1)
        return tuple(_text(self._fortran.field_name(group, i)) for i in numbers)

    def units(self, name: str) -> str:
        """Return the units of a field; empty if there is no such field."""
        return _text(self._fortran.field_units(name))

    def size(self, name: str) -> int:
        """Return the elements a column of a field; -1 if there is no such field."""
        return int(self._fortran.field_size(name))


class FortranBinding:
    """A ``binding_t``: the columns of one caller, used by one thread at a time.

    Arrays have float32 or float64 values and one to five axes. A Fortran procedure takes them as
    they lie if they are in Fortran order. `put` reads a copy of others; `get` and `bind`, which
    use the memory itself, refuse them.

    Parameters
    ----------
    closure
        A loaded archive.
    n_column
        Number of columns (members of a grid closure).
    column_id
        Global column numbers, shape ``(n_column,)``; default 1, 2, ...
    seed
        Seed of the random numbers.
    reproducible
        True: results do not depend on how many columns come along.
    policy
        ``"error"``, ``"flag"``, ``"clip"``, ``"zero"`` or ``"host"``.
    grid
        The host's grid, for a grid closure.

    Raises
    ------
    BridgeError
        From every method, with the text of ``errmsg`` and the status.
    """

    def __init__(
        self,
        closure: FortranClosure,
        n_column: int,
        *,
        column_id: NDArray[np.int64] | None = None,
        seed: int = 0,
        reproducible: bool = True,
        policy: str = "error",
        grid: HostGrid | None = None,
    ) -> None:
        self._fortran = extension().hybrid_python.python_binding_t()
        self._arrays: list[NDArray[Any]] = []
        self._outputs = closure.fields("outputs")
        self._n_column = n_column
        last = (_numbers(column_id), seed, reproducible, policy)
        if grid is None:
            _check(self._fortran.create(closure.fortran, n_column, *last))
            return
        places = (",".join(grid.dims), list(grid.sizes), list(grid.spacing))
        boundary = ",".join(grid.boundary)
        _check(self._fortran.create_grid(closure.fortran, n_column, *places, boundary, *last))

    @property
    def n_column(self) -> int:
        """Number of columns."""
        return self._n_column

    def bind(
        self, name: str, array: NDArray[Any], *, dims: Dims, units: str, accumulate: bool = False
    ) -> Self:
        """Tie an array in Fortran order to a field; its memory is used by every `run`.

        Parameters
        ----------
        name
            Input or output field.
        array
            Its values [units]; outputs are written to it. It is kept as long as the binding.
        dims
            Names of its axes in order, for example ``"column,level"``.
        units
            UDUNITS string of the array's values.
        accumulate
            Add outputs to the array instead of replacing its values.

        Raises
        ------
        TypeError
            If `array` is not a NumPy array of float32 or float64.
        ValueError
            If its memory cannot be used as it lies, or it has another number of axes.
        """
        procedure = self._procedure("bind", name, array)
        _check_memory(name, array, is_written=name in self._outputs)
        _check(procedure(name, array, _axes(dims), units, accumulate))
        self._arrays.append(array)
        return self

    def run(self, step: int) -> None:
        """Evaluate the closure for model step `step`, with arrays that were bound."""
        _check(self._fortran.run(step))

    def put(self, name: str, array: NDArray[Any], *, dims: Dims, units: str) -> Self:
        """Read an input now; arguments as those of `bind`, in any order of memory."""
        procedure = self._procedure("put", name, array)
        _check(procedure(name, np.require(array, requirements=["F", "A"]), _axes(dims), units))
        return self

    def apply(self, step: int) -> None:
        """Evaluate the closure for what was put."""
        _check(self._fortran.apply(step))

    def get(
        self, name: str, array: NDArray[Any], *, dims: Dims, units: str, accumulate: bool = False
    ) -> Self:
        """Write an output of the last `apply` now; arguments and errors as those of `bind`."""
        procedure = self._procedure("get", name, array)
        _check_memory(name, array, is_written=True)
        _check(procedure(name, array, _axes(dims), units, accumulate))
        return self

    def chunk(self, n_column: int, column_id: NDArray[np.int64] | None = None) -> None:
        """Use the binding for another chunk of at most as many columns as at first."""
        _check(self._fortran.chunk(n_column, _numbers(column_id)))
        self._n_column = n_column

    def commit(self) -> None:
        """Make the state computed by the last run or apply the current one."""
        _check(self._fortran.commit())

    def reasons(self) -> NDArray[np.int32]:
        """Return why each column was flagged last: bits ``1 << REASONS.index(reason)``.

        128 is set where nothing was written. Shape ``(n_column,)``.
        """
        found = np.zeros(self._n_column, dtype=np.int32)
        _check(self._fortran.reasons(found))
        return found

    def mask(self) -> NDArray[np.bool_]:
        """Return which columns the last evaluation flagged, shape ``(n_column,)``."""
        return self.reasons().astype(np.bool_)

    def set_threshold(self, threshold: float) -> None:
        """Flag columns whose output of role ``"confidence"`` is below `threshold`."""
        _check(self._fortran.threshold(threshold))

    def counts(self, name: str | None = None) -> dict[str, int]:
        """Return evaluated columns and, by reason, those flagged in field `name` (None: any)."""
        flagged = np.zeros(len(REASONS), dtype=np.int64)
        (evaluated,) = _check(self._fortran.counts(name or "", flagged))
        return {"evaluated": int(evaluated), **dict(zip(REASONS, flagged.tolist(), strict=True))}

    @property
    def summary(self) -> str:
        """The counts in one line."""
        return _whole(self._fortran.text, "summary")

    @property
    def timers(self) -> Timers:
        """Where the time went."""
        n_run, *seconds = _check(self._fortran.timers())
        return Timers(int(n_run), *map(float, seconds))

    def ramp(self, name: str, start: float, end: float, first: int, last: int) -> Self:
        """Let an output have a share of the closure, from `start` to `end`; see `Binding`."""
        _check(self._fortran.ramp(name, start, end, first, last))
        return self

    def shadow(self, name: str) -> Self:
        """Leave an output to the host's own scheme, and record how the closure differs."""
        return self.ramp(name, 0.0, 0.0, 0, 0)

    def partial(
        self,
        name: str,
        *,
        element: Sequence[float] | NDArray[np.float64] = (),
        column: Sequence[float] | NDArray[np.float64] = (),
    ) -> Self:
        """Multiply the share of an output by factors from 0 to 1; nothing is 1 everywhere."""
        factors = (np.asarray(values, dtype=np.float64).ravel() for values in (element, column))
        _check(self._fortran.partial(name, *factors))
        return self

    def differences(self, name: str, size: int) -> Differences:
        """Return closure minus host of an output with a share; `size` elements a column."""
        count = np.zeros(size, dtype=np.int64)
        mean, rms, largest = (np.zeros(size) for _ in range(3))
        _check(self._fortran.differences(name, count, mean, rms, largest))
        return Differences(count, mean, rms, largest)

    def state_get(self, name: str, size: int = 1) -> NDArray[np.float64]:
        """Return the committed state of a field, shape ``(n_column, size)``."""
        values = np.empty((self._n_column, size))
        # Fortran has the element before the column.
        _check(self._fortran.state_get(name, values.T))
        return values

    def state_set(self, name: str, values: NDArray[np.float64]) -> None:
        """Replace the committed state of a field, shape ``(n_column, size)``."""
        _check(self._fortran.state_set(name, np.asarray(values, dtype=np.float64).T))

    def free(self) -> None:
        """Release the binding and its arrays; so does the garbage collector."""
        self._fortran.free()
        self._arrays.clear()

    def _procedure(self, verb: str, name: str, array: object) -> Callable[..., Any]:
        """Return the Fortran procedure for the kind and rank of `array`."""
        if not isinstance(array, np.ndarray) or array.dtype not in _KINDS:
            found = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise TypeError(
                f"{name}: expected a NumPy array of float32 or float64, got {found}; convert it"
            )
        if not 1 <= array.ndim <= _MOST_RANK:
            raise ValueError(
                f"{name}: expected 1 to {_MOST_RANK} axes, got {array.ndim}; reshape it"
            )
        procedure: Callable[..., Any] = getattr(
            self._fortran, f"{verb}_{_KINDS[array.dtype]}_{array.ndim}"
        )
        return procedure


def _check_memory(name: str, array: NDArray[Any], *, is_written: bool) -> None:
    if not (array.flags.f_contiguous and array.flags.aligned):
        raise ValueError(
            f"{name}: expected an array in Fortran order, whose memory the procedure uses, got "
            f"shape {array.shape} with strides {array.strides}; make it with order='F', or turn a "
            "C-ordered one and its dims round"
        )
    if is_written and not array.flags.writeable:
        raise ValueError(
            f"{name}: expected a writeable array for an output, got a read-only one; give a copy"
        )


def _axes(dims: Dims) -> str:
    return dims if isinstance(dims, str) else ",".join(dims)


def _numbers(column_id: NDArray[np.int64] | None) -> NDArray[np.int64]:
    # An empty array stands for none.
    return np.asarray([] if column_id is None else column_id, dtype=np.int64)


def _text(characters: bytes) -> str:
    return characters.decode().rstrip()


def _whole(piece_of: Callable[[str, int], tuple[bytes, int]], what: str) -> str:
    """Return a text that Fortran hands over in pieces."""
    characters, length = b"", 1
    while len(characters) < length:
        piece, length = piece_of(what, len(characters) + 1)
        characters += piece[: length - len(characters)]
    return characters.decode()


def _check(result: tuple[Any, ...]) -> tuple[Any, ...]:
    """Raise what ``stat`` and ``errmsg``, the last two, say; return the others."""
    *values, stat, errmsg = result
    if stat:
        raise BridgeError(_text(errmsg), int(stat))
    return tuple(values)
