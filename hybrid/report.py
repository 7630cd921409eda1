"""The file ``report.html``: one page for people, with everything inside.

The page needs no network and no JavaScript; a content security policy in its head makes
browsers refuse both. Its first line says where the numbers come from: the headline of the run,
or, of several runs, first those of runs on generated data, which are marked.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2

from closures import atomic
from hybrid.embedded_figure import data_uri
from hybrid.experiments.result import ExperimentResult, Figure, Preset, Table
from hybrid.score_table import format_column, format_rows
from hybrid.versions import versions


@dataclass(frozen=True)
class Run:
    """What the results of one report have in common.

    Parameters
    ----------
    command
        Command that repeats the run.
    preset, seed
        As given to it.
    """

    command: str
    preset: Preset
    seed: int


def write_report(path: Path, results: Sequence[ExperimentResult], run: Run) -> None:
    """Write one page for one or several experiments, completely or not at all.

    Parameters
    ----------
    path
        The page; archives in or below its folder are named relative to it.
    results
        One section each, in this order.
    run
        How the results came about.
    """
    atomic.write_text(path, render_report(results, run, path.parent))


def render_report(results: Sequence[ExperimentResult], run: Run, folder: Path) -> str:
    """Return the page as text; `folder` is where it will lie."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hybrid"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        run=run,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        versions=versions(),
        sections=[_section(result, folder) for result in results],
    )


def _section(result: ExperimentResult, folder: Path) -> dict[str, Any]:
    return {
        "name": result.name,
        "headline": result.headline,
        "generated": result.generated_data,
        "tables": [_table(table) for table in result.tables],
        "figures": [_figure(figure) for figure in result.figures],
        "choices": dict(result.choices),
        "settings": {key: _value(value) for key, value in result.settings.items()},
        "metrics": _metrics(result.metrics),
        "archives": [_archive(path, folder) for path in result.archives],
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": table.columns,
        "rows": format_rows(table),
        "note": table.note,
    }


def _figure(figure: Figure) -> dict[str, str]:
    return {
        "name": figure.name,
        "title": figure.title,
        "reading": figure.reading,
        "source": data_uri(figure.figure),
    }


def _metrics(metrics: Mapping[str, float]) -> dict[str, str]:
    return {key: format_column([float(metrics[key])])[0] for key in sorted(metrics)}


def _value(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _archive(path: Path, folder: Path) -> dict[str, str]:
    content = path.read_bytes()
    inside = path.resolve().is_relative_to(folder.resolve())
    return {
        "path": str(path.resolve().relative_to(folder.resolve()) if inside else path.name),
        "size": f"{len(content) / 1024:.0f} KiB",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
