"""Progress for people at a terminal, and for log files."""

import time
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class LineProgress(Progress):
    """Progress as plain lines: one when a task starts, one when it ends, few between.

    Experiments use it like any `rich.progress.Progress`. It moves no cursor and prints no
    control characters, so it suits files and batch jobs.

    Parameters
    ----------
    console
        Where the lines go.
    interval
        Least time between two lines of a running task [s].
    """

    def __init__(self, console: Console, interval: float = 15.0) -> None:
        super().__init__(console=console, disable=True)
        self.interval = interval
        self._said: dict[TaskID, tuple[float, bool]] = {}

    def add_task(self, *args: Any, **kwargs: Any) -> TaskID:
        """Add a task, see `rich.progress.Progress.add_task`."""
        task_id = super().add_task(*args, **kwargs)
        if self._tasks[task_id].visible:
            self._say(task_id, "started")
        return task_id

    def update(self, task_id: TaskID, **kwargs: Any) -> None:
        """Update a task, see `rich.progress.Progress.update`."""
        super().update(task_id, **kwargs)
        self._report(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Advance a task, see `rich.progress.Progress.advance`."""
        super().advance(task_id, advance)
        self._report(task_id)

    def stop(self) -> None:
        """End the display; there is nothing to erase or complete."""

    def _report(self, task_id: TaskID) -> None:
        task = self._tasks[task_id]
        last, ended = self._said.get(task_id, (0.0, False))
        if ended or not task.visible:
            return
        if task.finished:
            self._say(task_id, f"done in {task.finished_time or 0.0:.1f} s", ended=True)
        elif time.monotonic() - last >= self.interval:
            self._say(task_id, f"{task.percentage:.0f} %")

    def _say(self, task_id: TaskID, text: str, ended: bool = False) -> None:
        self._said[task_id] = (time.monotonic(), ended)
        line = f"{self._tasks[task_id].description}: {text}"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def progress_display(console: Console) -> Progress:
    """Return bars if `console` is a terminal, else `LineProgress`."""
    if not console.is_terminal:
        return LineProgress(console)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


class StepProgress:
    """Steps that follow one another, each of them a task of a display.

    As a context manager it shows the display, and ends the last step if nothing went wrong.

    Parameters
    ----------
    display
        From `progress_display`.
    """

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._task: TaskID | None = None

    def start(self, step: str) -> None:
        """End the current step and start the next one, called `step`."""
        self._end()
        self._task = self._display.add_task(step, total=1.0)

    def update(self, fraction: float) -> None:
        """Say which part of the current step is done, from 0 to 1."""
        if self._task is not None:
            self._display.update(self._task, completed=fraction)

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._end()
        self._display.stop()

    def _end(self) -> None:
        if self._task is not None:
            self._display.update(self._task, completed=1.0)
