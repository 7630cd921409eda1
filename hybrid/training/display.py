"""Losses as they come: a table that grows, and a bar."""

from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import TaskID
from rich.table import Table

from closures.training import EpochReport
from hybrid.progress import progress_display

COLUMNS = ("epoch", "training", "validation", "best", "rate", "samples/s", "left")
ROWS = 20
"""Epochs that the table of a terminal shows."""


class LossDisplay:
    """The losses of a training: a live table on a terminal, a line an epoch elsewhere.

    Parameters
    ----------
    console
        Where they go.
    name
        What is trained.
    """

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._rows: list[tuple[str, ...]] = []
        self._progress = progress_display(console)
        self._live: Live | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(self._content(), console=self._console, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.update(self._content(with_bar=False))
            self._live.stop()

    def on_progress(self, fraction: float) -> None:
        """Show the fraction of the training that is done."""
        if self._task is None:
            self._task = self._progress.add_task(f"training {self._name}", total=1.0)
        self._progress.update(self._task, completed=fraction)

    def on_epoch(self, report: EpochReport) -> None:
        """Show an epoch."""
        row = _row(report)
        self._rows.append(row)
        if self._live is not None:
            self._live.update(self._content())
            return
        if len(self._rows) == 1:
            self._say(COLUMNS)
        self._say(row)

    def _say(self, row: tuple[str, ...]) -> None:
        line = "  ".join(f"{cell:>10}" for cell in row)
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _content(self, *, with_bar: bool = True) -> Group:
        table = Table(title=f"training {self._name}", title_justify="left")
        for column in COLUMNS:
            table.add_column(column, justify="right")
        for row in self._rows[-ROWS:]:
            table.add_row(*row, style="bold" if row[2].endswith("*") else None)
        return Group(table, self._progress) if with_bar else Group(table)


def _row(report: EpochReport) -> tuple[str, ...]:
    held = "-" if report.validation is None else f"{report.validation:.5g}"
    return (
        f"{report.epoch}/{report.n_epoch}",
        f"{report.training:.5g}",
        held + ("*" if report.improved and report.validation is not None else ""),
        f"{report.best:.5g}",
        f"{report.learning_rate:.2g}",
        f"{report.samples_per_second:.0f}",
        _duration(report.seconds_left),
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
