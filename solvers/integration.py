"""A model in motion: a state that is advanced in place."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import chain
from time import perf_counter
from typing import Any, NamedTuple, NoReturn

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.coupling_point import Coupling
from solvers.description import Description
from solvers.errors import SolverBlewUp, TendencyError
from solvers.interrupts import interrupts_wait
from solvers.restart_variables import (
    CLOSURE,
    RESTART,
    restart_array,
    restart_step,
    restart_values,
    restart_variable,
)
from solvers.tendency_source import (
    N_SIZES,
    BoundTendency,
    ClosureState,
    GridField,
    PythonTendency,
    TendencySource,
    as_tendency_source,
)

__all__ = ["RESTART", "Integration", "Snapshot"]

# Long enough that leaving compiled code costs nothing, short enough to answer an interrupt.
_SECONDS_A_CHUNK = 0.2
# No solver is that quick: a clock that shows less has stood still.
_SHORTEST_STEP = 1e-9


class Snapshot(NamedTuple):
    """What `Integration.restart_arrays` and the closures held at a step."""

    step: int
    arrays: dict[str, NDArray[Any]]
    closure: ClosureState


class Integration(ABC):
    """The state of an ensemble of runs of one model, and how it is advanced.

    Made by `Model.start`. A subclass allocates its arrays, names those that a restart needs in
    `restart_arrays` and advances all members in compiled code in `_advance`. It cannot be copied
    or pickled: compiled code holds addresses of its memory.

    Parameters
    ----------
    model
        The model.
    n_member
        Number of ensemble members.
    n_thread
        Number of threads that share the members.

    Attributes
    ----------
    step : int
        Number of steps done since time 0.
    """

    def __init__(self, model: Description, n_member: int, n_thread: int = 1) -> None:
        self.model = model
        self.n_member = n_member
        self.n_thread = n_thread
        self.step = 0
        self.coupling = Coupling(
            function=np.zeros(n_member, dtype=np.int64),
            context=np.zeros(n_member, dtype=np.int64),
            sizes=np.zeros(N_SIZES, dtype=np.int64),
            n_finite=np.zeros(n_member, dtype=np.int64),
            status=np.zeros(n_member, dtype=np.int64),
        )
        self._bound: list[BoundTendency] = []
        # Of the last chunk; a first chunk has one step.
        self._seconds_a_step = _SECONDS_A_CHUNK
        # Clocks of virtual machines stand still now and then: no chunk is more than twice as long
        # as any before, so that one wrong time does not lose an interrupt.
        self._longest_chunk = 1
        # State that a run to be continued has left, until there is a closure that takes it.
        self._restarted_closure: ClosureState = {}

    @property
    def time(self) -> float:
        """Model time [s, or 1 for dimensionless models]."""
        return self.step * self.model.dt

    @abstractmethod
    def fields(self) -> dict[str, xr.Variable]:
        """Return the fields a user wants to see, dims ``(member, ...)``, with units."""

    @abstractmethod
    def courant_number(self) -> float:
        """Return the largest Courant number of all members [1]."""

    @property
    @abstractmethod
    def prognostic(self) -> Mapping[str, NDArray[Any]]:
        """The arrays of each prognostic field, member first."""

    @property
    @abstractmethod
    def restart_arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Dims and memory of all arrays whose values the next step depends on."""

    @abstractmethod
    def _advance(self, n_step: int) -> None:
        """Advance every member `n_step` steps from `self.step`; set `n_finite` and `status`."""

    def advance(self, n_step: int) -> None:
        """Advance all members.

        An interrupt from the keyboard ends it after some tenths of a second, or after the step
        if that takes longer, with all members at `step`, from where they can be advanced on.

        Parameters
        ----------
        n_step
            Number of steps.

        Raises
        ------
        SolverBlewUp
            If the state is no longer finite; the message names the first such step. The state is
            then the last finite one.
        TendencyError
            If the closure fails; what a Python closure raises comes through as it is, with a note
            of the member and the step. The state is then that of before the call.
        """
        first = before = self._snapshot()
        end = self.step + n_step
        try:
            while self.step < end:
                self._advance_chunk(self._chunk(end), before)
                if self.step < end:
                    before = self._snapshot()
        except (SolverBlewUp, KeyboardInterrupt):
            raise
        except BaseException:
            self._restore(first)
            raise

    def _chunk(self, end: int) -> int:
        """Return for how many steps to enter compiled code."""
        in_time = int(_SECONDS_A_CHUNK / max(self._seconds_a_step, _SHORTEST_STEP))
        return max(1, min(end - self.step, in_time, 2 * self._longest_chunk))

    def _advance_chunk(self, n_step: int, before: Snapshot) -> None:
        """Advance all members, or none if that cannot be done; interrupts wait."""
        began = perf_counter()
        with interrupts_wait():
            try:
                self._advance(n_step)
            except BaseException:
                self._restore(before)
                raise
            if self.coupling.status.any():
                self._closure_failed(n_step, before)
            elif self._bad_member(n_step) is not None:
                self._restore(before)
                self._find_blow_up(n_step)
            else:
                self.step += n_step
        self._seconds_a_step = (perf_counter() - began) / n_step
        self._longest_chunk = max(self._longest_chunk, n_step)

    def couple(self, tendency: PythonTendency | TendencySource) -> None:
        """Let a closure add its tendency at every evaluation of the model's own.

        After `continue_from`, a closure that carries a state from step to step continues with
        the one that the earlier run has left.

        Raises
        ------
        TypeError
            If `tendency` is neither a function nor a tendency source.
        TendencyError
            If the closure does not fit the fields.
        ValueError
            If the earlier run has left the state of another closure.
        """
        source = as_tendency_source(tendency)
        outputs = [self.closure_outputs(member) for member in range(self.n_member)]
        bound = [
            source.bind(member, self.closure_inputs(member), outputs[member])
            for member in range(self.n_member)
        ]
        _check_closure_state(self._restarted_closure, bound)
        self._bound = bound
        self.coupling.function[:] = [bound.function for bound in self._bound]
        self.coupling.context[:] = [bound.context for bound in self._bound]
        for output in chain.from_iterable(outputs):
            # What this closure does not write must not add what an earlier one has written.
            output.array[...] = 0.0
        self._continue_closure()

    @abstractmethod
    def closure_inputs(self, member: int) -> Sequence[GridField]:
        """Return the fields of a member that a closure may read."""

    @abstractmethod
    def closure_outputs(self, member: int) -> Sequence[GridField]:
        """Return the tendencies of a member that a closure may write."""

    def restart(self) -> dict[str, xr.Variable]:
        """Return what the run can be continued from, bit for bit; complex values as pairs."""
        variables = {f"{RESTART}step": xr.Variable((), np.int64(self.step))}
        for name, (dims, array) in self.restart_arrays.items():
            variables[RESTART + name] = restart_variable(dims, array)
        for name, state in self._closure_state().items():
            variables[CLOSURE + name] = xr.Variable(
                ("member", "closure_column", f"closure_{name}"),
                state,
                {"long_name": "for restarts: state of the closure"},
            )
        return variables

    def continue_from(self, dataset: xr.Dataset) -> None:
        """Take over the state that a run of the same model has ended with.

        Raises
        ------
        ValueError
            If the dataset is not of this model, grid, precision or number of members, or its
            restart variables are incomplete or not finite. The state is then as before.
        """
        step = restart_step(dataset)
        arrays = [
            (array, restart_array(dataset, RESTART + name, array))
            for name, (_, array) in self.restart_arrays.items()
        ]
        own = {RESTART + name for name in self.restart_arrays}
        closure = {
            str(name).removeprefix(CLOSURE): restart_values(dataset, str(name))
            for name in dataset.data_vars
            if str(name).startswith(CLOSURE) and name not in own
        }
        if self._bound:
            _check_closure_state(closure, self._bound)
        for array, values in arrays:
            array[...] = values
        self.step = step
        self._restarted_closure = closure
        self._continue_closure()

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled."""
        raise TypeError(
            f"{type(self).__name__}: expected to be used where it was made, got copied or pickled, "
            "but compiled code holds addresses of its memory; make another with model.start and "
            "give its continue_from(xarray.Dataset(integration.restart()))"
        )

    def _closure_state(self) -> dict[str, NDArray[np.float64]]:
        """Return what closures carry from step to step, (n_member, n_column, n_element)."""
        return _state_of(self._bound)

    def _set_closure_state(self, state: ClosureState) -> None:
        for member, bound in enumerate(self._bound):
            bound.set_state({name: values[member] for name, values in state.items()})

    def _continue_closure(self) -> None:
        """Give the closure, once there is one, the state that an earlier run has left."""
        if self._restarted_closure and self._bound:
            self._set_closure_state(self._restarted_closure)
            self._restarted_closure = {}

    def _snapshot(self) -> Snapshot:
        arrays = {name: array.copy() for name, (_, array) in self.restart_arrays.items()}
        return Snapshot(self.step, arrays, self._closure_state())

    def _restore(self, snapshot: Snapshot) -> None:
        self.step = snapshot.step
        for name, (_, array) in self.restart_arrays.items():
            array[...] = snapshot.arrays[name]
        self._set_closure_state(snapshot.closure)

    def _closure_failed(self, n_step: int, before: Snapshot) -> NoReturn:
        """Raise the blow-up that the closure met, if there was one, else why the closure failed."""
        error, n_done, overflowed = self._closure_error()
        others = self.coupling.status == 0
        blew_up = overflowed or self._not_finite() is not None
        blew_up |= bool((self.coupling.n_finite[others] < n_step).any())
        self._restore(before)
        if blew_up and n_done > 0:
            try:
                self._find_blow_up(n_done)
            except SolverBlewUp as blow_up:
                raise blow_up from error
            self._restore(before)
        raise error

    def _closure_error(self) -> tuple[BaseException, int, bool]:
        """Return why the first closure failed, after how many steps, if for too large a state."""
        n_finite, failed = self.coupling.n_finite, np.flatnonzero(self.coupling.status)
        member = int(failed[n_finite[failed].argmin()])
        n_done = int(n_finite[member])
        where = f"{self.model.title}: member {member}, step {self.step + n_done}"
        given, largest = [], 0.0
        for field in self.closure_inputs(member):
            size = float(np.abs(field.array).max())
            largest = max(largest, size) if np.isfinite(size) else np.inf
            given.append(f"{field.name} up to {size:.3g} {field.units}".removesuffix(" 1"))
        # What is larger than this has no finite square.
        dtype = self.closure_inputs(member)[0].array.dtype
        overflowed = largest > float(np.sqrt(np.finfo(dtype).max))
        error: BaseException
        try:
            error = TendencyError(f"{where}: {self._bound[member].explain(self._status(member))}")
        except BaseException as raised:  # noqa: BLE001 -- whatever a Python closure has raised
            error = raised
        error.add_note(
            f"{where}: the closure was given {', '.join(given)}"
            + ("; the run is blowing up; use a shorter dt or more dissipation" * overflowed)
        )
        return error, n_done, overflowed

    def _status(self, member: int) -> int:
        return int(self.coupling.status[member])

    def _not_finite(self) -> int | None:
        """Return the first member whose state is not finite."""
        for member in range(self.n_member):
            if not all(np.isfinite(array[member]).all() for array in self.prognostic.values()):
                return member
        return None

    def _bad_member(self, n_step: int) -> int | None:
        """Return the first member that has not come through the last steps."""
        stopped = np.flatnonzero(self.coupling.n_finite < n_step)
        return int(stopped[0]) if stopped.size else self._not_finite()

    def _find_blow_up(self, n_step: int) -> None:
        """Advance to the last finite state of the next steps by bisection, and raise."""
        finite, bad = 0, n_step
        while bad - finite > 1:
            before, part = self._snapshot(), (bad - finite) // 2
            self._advance(part)
            if self._bad_member(part) is None:
                finite += part
                self.step += part
            else:
                self._restore(before)
                bad = finite + part
        before = self._snapshot()
        self._advance(1)
        if self.coupling.status.any():
            error, *_ = self._closure_error()
            self._restore(before)
            raise error
        member = self._bad_member(1)
        if member is not None:
            self._blow_up(before, member)
        # A closure with a memory of its own may do better the second time.
        self.step += 1

    def _blow_up(self, before: Snapshot, member: int) -> NoReturn:
        bad = [
            name for name, array in self.prognostic.items() if not np.isfinite(array[member]).all()
        ]
        self._restore(before)
        raise SolverBlewUp(
            model=self.model.title,
            field=", ".join(bad or self.prognostic),
            member=member,
            step=self.step + 1,
            time=(self.step + 1) * self.model.dt,
            time_units=self.model.time_units,
            dt=self.model.dt,
            courant_number=self.courant_number(),
        )


def _state_of(bound: Sequence[BoundTendency]) -> dict[str, NDArray[np.float64]]:
    """Return what closures carry from step to step, member first."""
    members = [one.state() for one in bound]
    return {name: np.stack([m[name] for m in members]) for name in (members or [{}])[0]}


def _check_closure_state(given: ClosureState, bound: Sequence[BoundTendency]) -> None:
    """Refuse the state of another closure; none is no state to continue from."""
    expected = _state_of(bound)
    if given and _shapes(given) != _shapes(expected):
        raise ValueError(
            f"initial: expected the state of the closure, {_shapes(expected)}, got "
            f"{_shapes(given)}; continue with the closure and the members of that run, or "
            f"drop its variables {CLOSURE}* to begin without"
        )


def _shapes(state: ClosureState) -> str:
    """Return names and shapes in a fixed order, for comparison and for people."""
    named = [f"{name} {state[name].shape}" for name in sorted(state)]
    return ", ".join(named) or "none"
