"""Measure groups one after the other: progress, tables, and the report."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from benchmarks.groups import SUBJECTS, Group, expected_seconds, in_words
from benchmarks.interleaved import FULL, QUICK, one_processor
from hybrid.commands.terminal import messages, output
from hybrid.versions import installed, versions
from solvers.cache import machine
from solvers.fft import available_backends, backend_version

_CAPTION = (
    "medians of times, and of ratios taken turn by turn; one thread; *: the default; "
    "work: points, times the logarithm of those along a side where there are transforms"
)
_NUMBER = re.compile(r"-?[\d.]*(e[+-]\d+)?")


@dataclass(frozen=True)
class Suite:
    """What is measured in one go.

    Parameters
    ----------
    groups
        What to measure.
    quick
        The smallest size only, and not for long.
    download
        Programs to compare with may be downloaded and built.
    json_file
        Where the report goes, too.
    """

    groups: tuple[Group, ...]
    quick: bool
    download: bool
    json_file: Path | None = None

    @property
    def command(self) -> str:
        """The command that measures this."""
        names = () if self.groups == tuple(Group) else self.groups
        return " ".join(["python -m benchmarks", *names, *(["--quick"] if self.quick else [])])

    def run(self) -> dict[str, Any]:
        """Measure every group and return the report."""
        expected = expected_seconds(self.groups, quick=self.quick)
        messages().print(
            Text(f"{len(self.groups)} groups, about {in_words(expected)} on a quiet machine")
        )
        records: list[dict[str, Any]] = []
        seconds: dict[str, float] = {}
        made = self._report(records, seconds)
        for number, group in enumerate(self.groups, 1):
            began = time.perf_counter()
            label = f"{number} of {len(self.groups)}, {group}"
            records += run(group, quick=self.quick, download=self.download, label=label)
            seconds[group] = round(time.perf_counter() - began, 1)
            # After each group, so that an interruption leaves the finished ones.
            made = self._report(records, seconds)
            if self.json_file is not None:
                self.json_file.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        return made

    def _report(
        self, records: list[dict[str, Any]], seconds: Mapping[str, float]
    ) -> dict[str, Any]:
        return report(records) | {"command": self.command, "seconds": dict(seconds)}


def run(group: Group, *, quick: bool, download: bool, label: str = "") -> list[dict[str, Any]]:
    """Measure a group, print its table and return its numbers.

    Parameters
    ----------
    group
        What to measure.
    quick
        The smallest size only, and not for long.
    download
        Programs to compare with may be downloaded and built.
    label
        What the display calls it, if not by its name.
    """
    module = import_module(f"benchmarks.{SUBJECTS[group].module}")
    label = label or group
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
        bar = display.add_task(f"{label}: preparing", total=1.0)
        display.refresh()
        session = replace(
            QUICK if quick else FULL,
            download=download,
            progress=lambda what, done: display.update(
                bar, description=f"{label}: {what}", completed=done, refresh=True
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


def table(
    title: str, rows: Sequence[Mapping[str, str]], *, caption: str | None = _CAPTION
) -> Table:
    """Return rows as a table, numbers to the right; empty columns are left out."""
    result = Table(title=title, caption=caption)
    headings = dict.fromkeys(heading for row in rows for heading, text in row.items() if text)
    for heading in headings:
        numbers = all(_NUMBER.fullmatch(row.get(heading, "")) for row in rows)
        result.add_column(Text(heading), justify="right" if numbers else "left")
    for row in rows:
        result.add_row(*(Text(row.get(heading, "")) for heading in headings))
    return result


def _peer_versions() -> dict[str, str]:
    """Return the versions of compilers and libraries that are compared with, or compile what is."""
    found = {name: installed(name) for name in ("onnxruntime", "pysindy", "scikit-learn", "xarray")}
    for compiler in ("gfortran", "g++"):
        if shutil.which(compiler) is not None:
            command = [compiler, "-dumpfullversion"]
            said = subprocess.run(command, capture_output=True, text=True, check=False)
            found[compiler] = said.stdout.strip()
    return {name: version for name, version in found.items() if version}


def report(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is written to a file: where it was measured, and all numbers [s, 1]."""
    libraries = {name: backend_version(name) for name in available_backends()}
    return {
        "machine": machine(),
        "threads": 1,
        "versions": {**versions(), **libraries, **_peer_versions()},
        "records": records,
    }
