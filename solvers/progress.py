"""How far a run is: simulated time, speed, Courant number."""

import sys
import time
from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from solvers.integration import Integration
from solvers.schedule import SECONDS_PER_DAY

_SECONDS_BETWEEN_UPDATES = 0.5


class RunProgress:
    """A progress bar of a run, and a callback.

    Parameters
    ----------
    integration
        The run.
    first
        Step it begins after.
    n_step
        Steps it is to make.
    show
        Show the bar; None: where the standard error is a terminal.
    on_progress
        Called with the fraction that is done.
    """

    def __init__(
        self,
        integration: Integration,
        first: int,
        n_step: int,
        show: bool | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        self._integration = integration
        self._first, self._n_step = first, n_step
        self._on_progress = on_progress
        self._began = self._said = time.perf_counter()
        visible = sys.stderr.isatty() if show is None else show
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TextColumn("{task.fields[said]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not visible,
        )
        self._task = self._bar.add_task(integration.model.title, total=n_step, said="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self) -> None:
        """Say how far the run is."""
        done = self._integration.step - self._first
        if self._on_progress is not None:
            self._on_progress(done / self._n_step)
        now = time.perf_counter()
        if now - self._said < _SECONDS_BETWEEN_UPDATES and done < self._n_step:
            return
        self._said = now
        if not self._bar.disable:
            self._bar.update(self._task, completed=done, said=self._state(done, now))

    def _state(self, done: int, now: float) -> str:
        model = self._integration.model
        simulated, seconds = done * model.dt, now - self._began
        courant = f"CFL {self._integration.courant_number():.3f}"
        if model.time_units == "s":
            days = self._integration.time / SECONDS_PER_DAY
            speed = simulated / SECONDS_PER_DAY / seconds
            return f"day {days:.1f}, {speed:.3g} days/s, {courant}"
        return f"time {self._integration.time:.4g}, {simulated / seconds:.3g} per s, {courant}"
