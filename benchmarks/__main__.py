"""Run the benchmarks and print what they measured: ``python -m benchmarks``."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from benchmarks.interleaved import FULL, QUICK, one_processor
from hybrid.commands.terminal import examples, is_expected, messages, output, say_error
from hybrid.versions import versions
from solvers.cache import machine
from solvers.fft import available_backends, backend_version

_CAPTION = (
    "medians of times, and of ratios taken turn by turn; one thread; *: the default; "
    "work: points, times the logarithm of those along a side where there are transforms"
)
_NUMBER = re.compile(r"-?[\d.]*(e[+-]\d+)?")


class Group(StrEnum):
    """What can be measured."""

    BRIDGE = "bridge"
    OVERHEAD = "overhead"
    COUPLING = "coupling"
    TWO_LAYER = "two-layer"
    BAROTROPIC = "barotropic"
    EDDY_VISCOSITY = "eddy-viscosity"
    KURAMOTO_SIVASHINSKY = "kuramoto-sivashinsky"
    SHALLOW_WATER = "shallow-water"
    LORENZ96 = "lorenz96"
    CLIMSIM_READING = "climsim-reading"
    EMULATORS = "emulators"
    SPARSE_REGRESSION = "sparse-regression"
    ENSEMBLES = "ensembles"


# Each has TITLE, SIZES, and measure(sizes, session), which yields dataclasses with row().
_MODULES = {
    Group.BRIDGE: "bridge_call",
    Group.OVERHEAD: "overhead",
    Group.COUPLING: "coupling",
    Group.TWO_LAYER: "two_layer_step",
    Group.BAROTROPIC: "barotropic_step",
    Group.EDDY_VISCOSITY: "eddy_viscosity_step",
    Group.KURAMOTO_SIVASHINSKY: "kuramoto_sivashinsky_step",
    Group.SHALLOW_WATER: "shallow_water_step",
    Group.LORENZ96: "lorenz96_step",
    Group.CLIMSIM_READING: "climsim_reading",
    Group.EMULATORS: "emulators",
    Group.SPARSE_REGRESSION: "sparse_regression",
    Group.ENSEMBLES: "ensembles",
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


@app.command(
    epilog=examples(
        "python -m benchmarks",
        "python -m benchmarks two-layer barotropic",
        "python -m benchmarks lorenz96 --quick",
        "python -m benchmarks --json speed.json",
    )
)
def benchmarks(
    groups: Annotated[
        list[Group] | None,
        typer.Argument(
            metavar="GROUP",
            help=f"What to measure: {', '.join(Group)}; by default everything. two-layer compares "
            "with pyqg, which is downloaded and built (minutes) when two-layer is first named.",
            show_default=False,
        ),
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="Write the numbers to a file too.", show_default=False
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Measure the smallest size only, and not for long.")
    ] = False,
) -> None:
    """Measure what a step of each solver and a call of a closure cost on this machine.

    What is compared takes turns, one thread each, so that a busy machine slows all alike.
    """
    if json_file is not None and not json_file.parent.is_dir():
        raise typer.BadParameter(f"expected a file in a folder that exists, got {json_file}")
    records: list[dict[str, Any]] = []
    try:
        for group in groups or list(Group):
            records += run(group, quick=quick, download=bool(groups))
            # After each group, so that an interruption leaves the finished ones.
            if json_file is not None:
                json_file.write_text(json.dumps(report(records), indent=1) + "\n", encoding="utf-8")
    except Exception as error:
        if not is_expected(error):
            raise
        say_error(str(error))
        raise typer.Exit(1) from error


def run(group: Group, *, quick: bool, download: bool) -> list[dict[str, Any]]:
    """Measure a group, print its table and return its numbers.

    Parameters
    ----------
    group
        What to measure.
    quick
        The smallest size only, and not for long.
    download
        Programs to compare with may be downloaded and built.
    """
    module = import_module(f"benchmarks.{_MODULES[group]}")
    import_module("torch").set_num_threads(1)
    sizes = module.SIZES[:1] if quick else module.SIZES
    console = messages()
    # Refreshed between turns only: a thread of its own would take time from what is measured.
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        console=console,
        auto_refresh=False,
        transient=True,
        disable=not console.is_terminal,
    ) as display:
        bar = display.add_task(f"{group}: preparing", total=1.0)
        display.refresh()
        session = replace(
            QUICK if quick else FULL,
            download=download,
            progress=lambda label, done: display.update(
                bar, description=f"{group}: {label}", completed=done, refresh=True
            ),
            note=lambda text: console.print(Text(f"note: {text}", "yellow"), soft_wrap=True),
        )
        with one_processor():
            costs = list(module.measure(sizes, session))
    rows = [cost.row() for cost in costs]
    for alike in by_headings(rows):
        output().print(table(module.TITLE, alike))
    return [{"group": str(group), **asdict(cost)} for cost in costs]


def by_headings(rows: Sequence[Mapping[str, str]]) -> list[list[Mapping[str, str]]]:
    """Return rows in groups, each of rows with the same headings."""
    groups: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    return list(groups.values())


def table(title: str, rows: Sequence[Mapping[str, str]]) -> Table:
    """Return rows as a table, numbers to the right; empty columns are left out."""
    result = Table(title=title, caption=_CAPTION)
    headings = dict.fromkeys(heading for row in rows for heading, text in row.items() if text)
    for heading in headings:
        numbers = all(_NUMBER.fullmatch(row.get(heading, "")) for row in rows)
        result.add_column(Text(heading), justify="right" if numbers else "left")
    for row in rows:
        result.add_row(*(Text(row.get(heading, "")) for heading in headings))
    return result


def report(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is written to a file: where it was measured, and all numbers [s, 1]."""
    libraries = {name: backend_version(name) for name in available_backends()}
    return {
        "machine": machine(),
        "threads": 1,
        "versions": {**versions(), **libraries},
        "records": records,
    }


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
