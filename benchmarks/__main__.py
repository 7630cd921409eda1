"""Run the benchmarks and print what they measured: ``python -m benchmarks``."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from benchmarks.baseline import (
    TOLERANCE,
    BaselineError,
    Verdict,
    best_of,
    changes,
    differences,
    read_baseline,
    slower_groups,
)
from benchmarks.groups import Group
from benchmarks.suite import Suite, table
from hybrid.commands.terminal import examples, is_expected, messages, output, say_error

_INTERVALS = "medians, and 95 % intervals, of ratios taken turn by turn"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


@app.command(
    epilog=examples(
        "python -m benchmarks --quick",
        "python -m benchmarks two-layer barotropic",
        "python -m benchmarks --quick --json before.json",
        "python -m benchmarks --quick --compare before.json",
    )
)
def benchmarks(
    groups: Annotated[
        list[Group] | None,
        typer.Argument(
            metavar="GROUP",
            help=f"What to measure: {', '.join(Group)}; by default everything.",
            show_default=False,
        ),
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="Write the numbers to a file too.", show_default=False
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--compare",
            metavar="FILE",
            help="Hold the ratios against those of a file that --json wrote; the exit status is 1 "
            "if one is worse beyond noise, also when its group is measured once more.",
            show_default=False,
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            min=0.0, help="How far apart intervals of ratios must be to count in --compare."
        ),
    ] = TOLERANCE,
    quick: Annotated[
        bool, typer.Option("--quick", help="Measure the smallest size only, and not for long.")
    ] = False,
    download: Annotated[
        bool,
        typer.Option(
            "--download",
            help="Download and build pyqg, which two-layer compares with, if it is not there "
            "(minutes); so does naming two-layer.",
        ),
    ] = False,
) -> None:
    """Measure what a step of each solver and a call of a closure cost on this machine.

    What is compared takes turns, one thread each, so that a busy machine slows all alike.
    """
    if json_file is not None and not json_file.parent.is_dir():
        raise typer.BadParameter(f"expected a file in a folder that exists, got {json_file}")
    suite = Suite(
        tuple(groups or Group), quick=quick, download=download or bool(groups), json_file=json_file
    )
    try:
        before = read_baseline(baseline) if baseline is not None else None
        now = suite.run()
        slower = before is not None and _compare(before, now, suite, tolerance)
    except Exception as error:
        if not is_expected(error) and not isinstance(error, BaselineError):
            raise
        say_error(str(error))
        raise typer.Exit(1) from error
    if slower:
        raise typer.Exit(1)


def _compare(
    before: Mapping[str, Any], now: Mapping[str, Any], suite: Suite, tolerance: float
) -> bool:
    """Print what became of every ratio; return whether one is worse beyond noise."""
    found = changes(before, now)
    slow = slower_groups(found, tolerance)
    if slow:
        # Of some hundred ratios a few are out of their intervals by chance.
        messages().print(Text(f"slower: {', '.join(slow)}; measured once more", "yellow"))
        again = replace(suite, groups=tuple(map(Group, slow)), json_file=None).run()
        found = best_of(found, changes(before, again))
    for difference in differences(before, now):
        messages().print(Text(f"note: {difference}", "yellow"), soft_wrap=True)
    rows = [change.row(tolerance) for change in found]
    output().print(table("Ratios of times, less is better", rows, caption=_INTERVALS))
    counts = Counter(change.verdict(tolerance).value for change in found)
    said = ", ".join(f"{counts[name]} {name}" for name in Verdict if counts[name])
    output().print(Text(said or "nothing to compare"))
    return counts[Verdict.SLOWER] > 0


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
