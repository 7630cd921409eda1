"""How far a run is: simulated time, speed, Courant number."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from solvers.integration import Integration
from solvers.schedule import SECONDS_PER_DAY

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SECONDS_BETWEEN_UPDATES = 0.5
# A file keeps every line.
_SECONDS_BETWEEN_LINES = 15.0
# The Courant number may take this fraction of the time of a run.
_COURANT_SHARE = 0.01


class RunProgress:
    """A progress bar of a run, and a callback.

    Nothing is shown in the first half second: a run that is over by then pays nothing for it.
    Where the progress is asked for and the standard error is no terminal, lines are written.

    Parameters
    ----------
    integration
        The run; where it continues an interrupted one, at the step where that was.
    first
        Step it begins after.
    n_step
        Steps it is to make.
    show
        Show the progress; None: where the standard error is a terminal.
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
        terminal = sys.stderr.isatty()
        self._visible, self._insist = terminal if show is None else show, bool(show)
        self._display = _Bar(integration.model.title, n_step) if terminal else _Lines(n_step)
        self._resumed = integration.step
        self._began = time.perf_counter()
        self._due = self._began + _SECONDS_BETWEEN_UPDATES
        self._courant, self._courant_due = 0.0, self._began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def update(self) -> None:
        """Say how far the run is."""
        done = self._integration.step - self._first
        if self._on_progress is not None:
            self._on_progress(done / self._n_step)
        if not self._visible:
            return
        ended = done == self._n_step and (self._insist or self._display.shown)
        if ended or time.perf_counter() >= self._due:
            self._display.say(done, self._state())
            self._due = time.perf_counter() + self._display.seconds_between

    def _state(self) -> str:
        model, now = self._integration.model, self._integration.time
        seconds = time.perf_counter() - self._began
        speed = (self._integration.step - self._resumed) * model.dt / seconds
        courant = f"CFL {self._courant_number():.3f}"
        if model.time_units == "s":
            days, rate = now / SECONDS_PER_DAY, speed / SECONDS_PER_DAY
            return f"day {days:.1f}, {rate:.3g} days/s, {courant}"
        return f"time {now:.4g}, {speed:.3g} per s, {courant}"

    def _courant_number(self) -> float:
        began = time.perf_counter()
        if began >= self._courant_due:
            self._courant = self._integration.courant_number()
            ended = time.perf_counter()
            self._courant_due = ended + (ended - began) / _COURANT_SHARE
        return self._courant


class _Bar:
    """A bar that a terminal draws again and again in its place."""

    seconds_between = _SECONDS_BETWEEN_UPDATES

    def __init__(self, title: str, n_step: int) -> None:
        self._title, self._n_step = title, n_step
        self._drawn: tuple[Progress, TaskID] | None = None

    @property
    def shown(self) -> bool:
        """Whether it has been drawn."""
        return self._drawn is not None

    def say(self, done: int, state: str) -> None:
        """Draw it with so many steps done."""
        if self._drawn is None:
            self._drawn = _draw(self._title, self._n_step)
        progress, task = self._drawn
        progress.update(task, completed=done, state=state, refresh=True)

    def stop(self) -> None:
        """Leave it as it is, and give the cursor back."""
        if self._drawn is not None:
            self._drawn[0].stop()


class _Lines:
    """Lines in a file."""

    seconds_between = _SECONDS_BETWEEN_LINES

    def __init__(self, n_step: int) -> None:
        self._n_step = n_step
        self.shown = False

    def say(self, done: int, state: str) -> None:
        """Write how many steps are done."""
        self.shown = True
        sys.stderr.write(f"{100 * done // self._n_step} %: {state}\n")
        sys.stderr.flush()

    def stop(self) -> None:
        """Do nothing: there is no cursor to give back."""


def _draw(title: str, n_step: int) -> "tuple[Progress, TaskID]":
    # It takes a tenth of a second to import, which most runs do not last.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        # Refreshing by itself would take a thread, and time from the run.
        auto_refresh=False,
    )
    progress.start()
    return progress, progress.add_task(title, total=n_step, state="")
