"""What every numerical model here offers: start it, run it, get labelled data."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from solvers.caller_warning import warn_caller
from solvers.continuation import (
    NumberedMembers,
    check_continuable,
    describe,
    fft_library,
    library_to_keep,
    member_numbers,
    warn_of_circumstances,
    warn_of_closure,
)
from solvers.description import Description
from solvers.errors import StabilityWarning
from solvers.file_recorder import recorded_attributes
from solvers.integration import Integration
from solvers.run_loop import Labels, run_loop
from solvers.schedule import Schedule
from solvers.tendency_source import PythonTendency, TendencySource, as_tendency_source


class Model(Description):
    """A numerical model: parameters, grid and numerics, immutable.

    Subclasses are frozen dataclasses, one a file; every field becomes an attribute of the data
    that `run` returns.
    """

    @abstractmethod
    def _integration(self, n_member: int, n_thread: int) -> Integration:
        """Allocate an integration at rest."""

    @abstractmethod
    def random_state(self, n_member: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw initial states from which turbulence develops, shape ``(n_member, ...)``."""

    @abstractmethod
    def set_state(self, integration: Integration, state: NDArray[Any]) -> None:
        """Put prognostic fields of shape ``(n_member, *state_shape)`` into an integration."""

    @property
    @abstractmethod
    def state_shape(self) -> tuple[int, ...]:
        """Shape of the prognostic fields of one member, as `run` takes them."""

    @abstractmethod
    def stability_limit(self, integration: Integration) -> float:
        """Return the longest time step that linear theory allows at a state [time_units]."""

    def start(
        self,
        initial: ArrayLike | xr.Dataset | None = None,
        *,
        n_member: int | None = None,
        seed: int = 0,
        tendency: PythonTendency | TendencySource | None = None,
        n_thread: int = 1,
    ) -> Integration:
        """Return a model in motion, for those who want to advance it themselves.

        Parameters
        ----------
        initial
            Prognostic fields, shape ``(n_member, *state_shape)`` or ``state_shape``, [units of
            the fields]; or what an earlier run of this model returned, or some members of it,
            which is then continued: bit for bit by the same versions and FFT library on the same
            type of machine (with ``fft="auto"``, the library that was used is used again);
            default: random.
        n_member
            Number of ensemble members; default: as many as `initial` has, else 1.
        seed
            Seed of a random initial state.
        tendency
            Closure: a function of ``(fields, step)`` or a `TendencySource`.
        n_thread
            Number of threads that share the members.

        Raises
        ------
        ValueError
            If the initial state has another shape or is not finite, an earlier run is not of
            this model or not given with its last moment, or a number of members or threads is
            not positive.

        Warns
        -----
        StabilityWarning
            If the time step is above the stability limit.
        UserWarning
            If an earlier run is continued by other versions or another FFT library, or without
            the closure that it had.
        """
        begun = initial.attrs if isinstance(initial, xr.Dataset) else {}
        return self._start(initial, n_member, seed, tendency, n_thread, begun)

    def _start(
        self,
        initial: ArrayLike | xr.Dataset | None,
        n_member: int | None,
        seed: int,
        tendency: PythonTendency | TendencySource | None,
        n_thread: int,
        begun: Mapping[str, Any],
    ) -> Integration:
        """Start; `begun` are the attributes of the part of this run that there is already."""
        self.require_finite()
        for name, number in (("n_member", n_member), ("n_thread", n_thread)):
            if number is not None and number < 1:
                raise ValueError(f"{name}: expected a positive number, got {number}")
        if isinstance(initial, xr.Dataset):
            check_continuable(initial, self, self.state_shape)
            numbers = member_numbers(initial)
            integration = self._planned(n_member or len(numbers), n_thread, begun)
            integration.continue_from(initial)
            now = {**self.attributes(), "fft_library": fft_library(integration)}
            warn_of_circumstances("initial: the run", initial.attrs, now)
            warn_of_closure(initial.attrs, describe(tendency))
        else:
            state = self._initial_state(initial, n_member, seed)
            numbers = np.arange(len(state))
            integration = self._planned(len(state), n_thread, begun)
            self.set_state(integration, state)
        if tendency is not None:
            integration.couple(NumberedMembers(as_tendency_source(tendency), numbers))
        limit = self.stability_limit(integration)
        if self.dt > limit:
            warn_caller(
                f"{self.title}: dt: {self.dt:g} is above the stability limit {limit:.4g} "
                f"[{self.time_units}] of this state; use a shorter dt",
                StabilityWarning,
            )
        return integration

    def _planned(self, n_member: int, n_thread: int, begun: Mapping[str, Any]) -> Integration:
        """Allocate an integration that transforms as the part of the run that there is."""
        integration = self._integration(n_member, n_thread)
        library = library_to_keep(begun, integration)
        if library is None:
            return integration
        # Models are dataclasses, and those that transform have this parameter.
        model: Model = replace(self, fft=library)  # type: ignore[type-var]
        return model._integration(n_member, n_thread)

    def run(
        self,
        *,
        steps: int | None = None,
        time: float | None = None,
        days: float | None = None,
        save_every: float | None = None,
        initial: ArrayLike | xr.Dataset | None = None,
        n_member: int | None = None,
        seed: int = 0,
        tendency: PythonTendency | TendencySource | None = None,
        n_thread: int = 1,
        path: Path | str | None = None,
        resume: bool = False,
        progress: bool | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> xr.Dataset:
        """Run the model and return its fields.

        Parameters
        ----------
        steps, time, days
            Duration, one of the three: a number of steps, a model time [`time_units`], or days.
        save_every
            Interval between saved states, in the unit of the duration; default: about a 30th.
        initial, n_member, seed, tendency, n_thread
            As in `start`.
        path
            Write to this file while running, with constant memory: ``.nc`` or ``.zarr``.
        resume
            Continue a run that was interrupted while it wrote to `path`, with the FFT library
            that it used.
        progress
            Show a progress bar; default: where the standard error is a terminal.
        on_progress
            Called with the fraction that is done.

        Returns
        -------
        xarray.Dataset
            Fields with units, dims ``(time, member, ...)``, the state at time 0 first; parameters,
            versions, the FFT library, the closure (``tendency``) and, where the beginning is
            random, its ``seed`` as attributes; variables ``restart_*`` to continue from. With
            `path`, values stay in the file until they are asked for.

        Raises
        ------
        SolverBlewUp
            At the first non-finite state.
        ValueError
            If the duration is not a whole number of steps, or `initial` does not fit, or what is
            at `path` is of another run.
        FileExistsError
            If there is something at `path`, and `resume` is not set.
        RuntimeError
            If another process is writing to `path`.
        """
        schedule = Schedule.of(
            self.dt, self.time_units, steps=steps, time=time, days=days, save_every=save_every
        )
        file = None if path is None else Path(path)
        begun = recorded_attributes(file) if file is not None and resume else {}
        if not begun and isinstance(initial, xr.Dataset):
            begun = initial.attrs
        integration = self._start(initial, n_member, seed, tendency, n_thread, begun)
        return run_loop(
            integration,
            schedule,
            self._labels(integration, initial, seed, describe(tendency)),
            path=file,
            resume=resume,
            progress=progress,
            on_progress=on_progress,
        )

    def _labels(
        self,
        integration: Integration,
        initial: ArrayLike | xr.Dataset | None,
        seed: int,
        closure: str,
    ) -> Labels:
        members = np.arange(integration.n_member)
        used = {"seed": seed if initial is None else None, "fft_library": fft_library(integration)}
        if isinstance(initial, xr.Dataset):
            members, used["seed"] = member_numbers(initial), initial.attrs.get("seed")
        named = {name: value for name, value in used.items() if value is not None}
        return Labels({**self.attributes(), **named, "tendency": closure}, members)

    def _initial_state(
        self, initial: ArrayLike | None, n_member: int | None, seed: int
    ) -> NDArray[Any]:
        if initial is None:
            return self.random_state(n_member or 1, np.random.default_rng(seed))
        state = np.asarray(initial)
        if state.shape == self.state_shape:
            state = np.broadcast_to(state, (n_member or 1, *self.state_shape))
        members = len(state) if state.ndim and n_member is None else n_member
        if state.shape != (members, *self.state_shape):
            raise ValueError(
                f"initial: expected shape {self.state_shape} or (n_member, "
                f"{str(self.state_shape)[1:]}, got {state.shape}"
            )
        if not np.isfinite(state).all():
            raise ValueError(
                f"initial: expected finite values, got {int((~np.isfinite(state)).sum())} "
                f"non-finite of {state.size}"
            )
        return state
