"""A model in motion: a state that is advanced in place."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.coupling_point import Coupling
from solvers.description import Description
from solvers.errors import SolverBlewUp, TendencyError
from solvers.tendency_source import (
    N_SIZES,
    BoundTendency,
    ClosureState,
    GridField,
    PythonTendency,
    TendencySource,
    as_tendency_source,
)

RESTART = "restart_"
"""What the names of restart variables begin with."""

CLOSURE = f"{RESTART}closure_"
"""What the names of restart variables of closures begin with."""


class _Snapshot(NamedTuple):
    """What `Integration.restart_arrays` and the closures held at a step."""

    arrays: dict[str, NDArray[Any]]
    closure: ClosureState


class Integration(ABC):
    """The state of an ensemble of runs of one model, and how it is advanced.

    Made by `Model.start`. A subclass allocates its arrays, names those that a restart needs in
    `restart_arrays` and advances all members in compiled code in `_advance`.

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

        Parameters
        ----------
        n_step
            Number of steps.

        Raises
        ------
        SolverBlewUp
            If the state is no longer finite; the message names the first such step.
        TendencyError
            If the closure fails; what a Python closure raises comes through as it is.
        """
        before = self._snapshot()
        self._advance(n_step)
        if self.coupling.status.any():
            self._explain(before)
        if self.coupling.n_finite.min() < n_step or self._bad_member() is not None:
            self._restore(before)
            self._find_blow_up(n_step)
        else:
            self.step += n_step

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
        self._bound = [
            source.bind(member, self.closure_inputs(member), outputs[member])
            for member in range(self.n_member)
        ]
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
            pairs = np.iscomplexobj(array)
            values = array.view(array.real.dtype).reshape(*array.shape, 2) if pairs else array
            variables[RESTART + name] = xr.Variable(
                (*dims, "part") if pairs else dims,
                values.copy(),
                {"long_name": "for restarts" + (": real and imaginary part" if pairs else "")},
            )
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
            restart variables are incomplete.
        """
        step = int(_restart_values(dataset, f"{RESTART}step"))
        if step < 0:
            raise ValueError(
                f"initial: {RESTART}step: expected the number of steps done, got {step}: the run "
                "was ended while it wrote its restart variables; continue it with resume=True"
            )
        for name, (_, array) in self.restart_arrays.items():
            values = _restart_values(dataset, RESTART + name)
            pairs = np.iscomplexobj(array)
            target = array.view(array.real.dtype).reshape(*array.shape, 2) if pairs else array
            if values.shape != target.shape or values.dtype != target.dtype:
                raise ValueError(
                    f"initial: {RESTART}{name}: expected {target.dtype} of shape {target.shape}, "
                    f"got {values.dtype} of shape {values.shape}; continue a run with the same "
                    "model, members and precision"
                )
            target[...] = values
        self.step = step
        own = {RESTART + name for name in self.restart_arrays}
        self._restarted_closure = {
            str(name).removeprefix(CLOSURE): np.asarray(dataset[name].to_numpy())
            for name in dataset.data_vars
            if str(name).startswith(CLOSURE) and name not in own
        }
        self._continue_closure()

    def _closure_state(self) -> dict[str, NDArray[np.float64]]:
        """Return what closures carry from step to step, (n_member, n_column, n_element)."""
        members = [bound.state() for bound in self._bound]
        return {name: np.stack([m[name] for m in members]) for name in (members or [{}])[0]}

    def _set_closure_state(self, state: ClosureState) -> None:
        for member, bound in enumerate(self._bound):
            bound.set_state({name: values[member] for name, values in state.items()})

    def _continue_closure(self) -> None:
        """Give the closure, once there is one, the state that an earlier run has left."""
        given, expected = self._restarted_closure, self._closure_state()
        if not (given and self._bound):
            return
        if _shapes(given) != _shapes(expected):
            raise ValueError(
                f"initial: expected the state of the closure, {_shapes(expected)}, got "
                f"{_shapes(given)}; continue with the closure and the members of that run, or "
                f"drop its variables {CLOSURE}* to begin without"
            )
        self._set_closure_state(given)
        self._restarted_closure = {}

    def _snapshot(self) -> _Snapshot:
        arrays = {name: array.copy() for name, (_, array) in self.restart_arrays.items()}
        return _Snapshot(arrays, self._closure_state())

    def _restore(self, snapshot: _Snapshot) -> None:
        for name, (_, array) in self.restart_arrays.items():
            array[...] = snapshot.arrays[name]
        self._set_closure_state(snapshot.closure)

    def _explain(self, before: _Snapshot) -> None:
        member = int(np.flatnonzero(self.coupling.status)[0])
        step = self.step + int(self.coupling.n_finite[member])
        self._restore(before)
        reason = self._bound[member].explain(int(self.coupling.status[member]))
        raise TendencyError(f"{self.model.title}: member {member}, step {step}: {reason}")

    def _bad_member(self) -> int | None:
        """Return the first member whose state is not finite."""
        for member in range(self.n_member):
            if not all(np.isfinite(array[member]).all() for array in self.prognostic.values()):
                return member
        return None

    def _find_blow_up(self, n_step: int) -> None:
        """Advance to the last finite state of the next steps by bisection, and raise."""
        finite, bad = 0, n_step
        while bad - finite > 1:
            before, part = self._snapshot(), (bad - finite) // 2
            self._advance(part)
            if self._bad_member() is None:
                finite += part
                self.step += part
            else:
                self._restore(before)
                bad = finite + part
        before = self._snapshot()
        self._advance(1)
        member = self._bad_member()
        # A closure with a memory of its own may do better the second time.
        if member is not None:
            self._blow_up(before, member)
        self.step += 1
        self.advance(n_step - finite - 1)

    def _blow_up(self, before: _Snapshot, member: int) -> None:
        bad = [
            name for name, array in self.prognostic.items() if not np.isfinite(array[member]).all()
        ]
        self._restore(before)
        raise SolverBlewUp(
            model=self.model.title,
            field=", ".join(bad),
            member=member,
            step=self.step + 1,
            time=(self.step + 1) * self.model.dt,
            time_units=self.model.time_units,
            dt=self.model.dt,
            courant_number=self.courant_number(),
        )


def _restart_values(dataset: xr.Dataset, name: str) -> NDArray[Any]:
    if name not in dataset:
        raise ValueError(
            f"initial: expected a dataset with {name}, as run() returns it, "
            f"got variables {', '.join(map(str, dataset.variables))}"
        )
    return np.asarray(dataset[name].to_numpy())


def _shapes(state: ClosureState) -> str:
    """Return names and shapes in a fixed order, for comparison and for people."""
    named = [f"{name} {state[name].shape}" for name in sorted(state)]
    return ", ".join(named) or "none"
