"""What every experiment takes and gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from matplotlib.figure import Figure as MatplotlibFigure
from rich.progress import Progress

Preset = Literal["test", "quick", "full"]


@dataclass(frozen=True)
class Request:
    """One call of an experiment.

    Parameters
    ----------
    preset
        ``test`` (at most 20 s), ``quick`` (minutes on 2 cores) or ``full`` (honest scale).
    out
        Folder for archives and intermediate files; it exists.
    seed
        Seed of every random choice; the same seed gives the same numbers.
    progress
        Running progress display; an experiment adds one task a stage.
    data
        Folder of input data, where an experiment reads any.
    """

    preset: Preset
    out: Path
    seed: int
    progress: Progress
    data: Path | None = None

    def task(self, description: str) -> Callable[[float], None]:
        """Add a stage to the progress display; return what to call with the fraction done."""
        task = self.progress.add_task(description, total=1.0)
        return lambda fraction: self.progress.update(task, completed=fraction)


@dataclass(frozen=True)
class Figure:
    """A figure with axis labels and units, and one line that says how to read it."""

    name: str
    title: str
    reading: str
    figure: MatplotlibFigure


@dataclass(frozen=True)
class Table:
    """A table of scores: `rows` maps a row label to one number a column."""

    title: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[float | None, ...]]
    note: str = ""


@dataclass(frozen=True)
class ExperimentResult:
    """Everything a report needs.

    Parameters
    ----------
    name
        Name of the experiment, as in ``hybrid run NAME``.
    headline
        First line of the report: what was run, on which data.
    metrics
        Flat, ``metric: number``; written to ``results.json``.
    settings
        What the numbers depend on: sizes, durations, seeds, splits.
    choices
        Strings found by the run, such as which closure is ``best``.
    tables, figures
        Content of the report, in order.
    archives
        Compiled closures that the run wrote.
    generated_data
        True if generated data stood in for real data, which the report says first of all.
    """

    name: str
    headline: str
    metrics: Mapping[str, float]
    settings: Mapping[str, str | int | float]
    choices: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    archives: tuple[Path, ...] = ()
    generated_data: bool = False
