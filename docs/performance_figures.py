"""Figures of the page on performance, each from one file of results."""

import hashlib
import io
from collections.abc import Callable, Mapping
from itertools import cycle
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from performance_tables import way

from hybrid.figure_style import common_legend, new_figure, panel_title


def overhead_figure(results: dict[str, Any]) -> Figure:
    """Return a step through the bridge beside the bare call, by number of columns."""
    figure, axes = new_figure(1, 2, sharey=True)
    for panel, net in zip(axes[0], ("A", "B"), strict=True):
        for reproducible in (False, True):
            points = {
                record["n_column"]: max(
                    share["ratio"]
                    for share in record["bridge"]
                    if share["reproducible"] == reproducible
                )
                for record in results["records"]
                if (record["net"], record["peer"]) == (net, "bare call")
                and record["memory"] == "kept"
            }
            label = f"reproducible {'on' if reproducible else 'off'}"
            panel.plot(list(points), list(points.values()), "o-", label=label)
        _by_columns(panel, f"net {net}")
    axes[0, 0].set_ylabel("step / bare call")
    common_legend(figure)
    return figure


def solver_figure(results: dict[str, Any]) -> Figure:
    """Return how many times longer peers take for a step, by grid points along a side."""
    figure, axes = new_figure()
    panel = axes[0, 0]
    lines: dict[str, dict[int, float]] = {}
    for record in results["records"]:
        if record.get("speed_up") is not None and record["transforms"] and record["default"]:
            size = int(record["size"].split(" x ")[0])
            label = f"{record['model']}, beside {record['peer']}"
            lines.setdefault(label, {})[size] = record["speed_up"]
    for label, points in lines.items():
        panel.plot(list(points), list(points.values()), "o-", label=label)
    panel.set_xscale("log", base=2)
    panel.set_yscale("log", base=2)
    panel.set_xlabel("grid points along a side")
    panel.set_ylabel("peer's time / ours")
    _plain(panel)
    common_legend(figure, row_length=60)
    return figure


def engines_figure(results: dict[str, Any]) -> Figure:
    """Return how many times as fast as the way by hand each way is, by number of columns."""
    figure, axes = new_figure(1, 2)
    for panel, net in zip(axes[0], ("A", "B"), strict=True):
        lines: dict[str, dict[int, float]] = {}
        for record in results["records"]:
            # The way by hand is what all others are compared with: 1 everywhere.
            if record["net"] == net and record["way"] != "by hand":
                lines.setdefault(way(record), {})[record["n_column"]] = record["speed_up"]
        for (label, points), marker in zip(lines.items(), cycle("osD^vPX*"), strict=False):
            dashes = "-" if label.startswith("bridge") else "--"
            panel.plot(list(points), list(points.values()), f"{marker}{dashes}", label=label)
        panel.set_yscale("log", base=2)
        _by_columns(panel, f"net {net}")
    axes[0, 0].set_ylabel("time by hand / time")
    common_legend(figure, row_length=80)
    return figure


FIGURES: Mapping[str, tuple[str, Callable[[dict[str, Any]], Figure]]] = MappingProxyType(
    {
        "bridge-overhead": ("bridge-overhead.json", overhead_figure),
        "engines": ("engines.json", engines_figure),
        "solver-speed": ("solver-speed.json", solver_figure),
    }
)
"""File of results, and what draws each figure, by its name."""


def drawn(figure: Figure, results: Path) -> str:
    """Return a figure as SVG, which names the results that it was drawn from.

    Parameters
    ----------
    figure
        The figure.
    results
        Its file.
    """
    text = io.StringIO()
    # The same results give the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "performance"}):
        metadata = {"Date": None, "Description": digest(results)}
        figure.savefig(text, format="svg", metadata=metadata)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def digest(results: Path) -> str:
    """Return what a figure calls the results that it was drawn from."""
    return f"sha256 of {results.name}: {hashlib.sha256(results.read_bytes()).hexdigest()}"


def _by_columns(panel: Axes, title: str) -> None:
    panel.set_xscale("log", base=2)
    panel.set_xlabel("columns of a call")
    panel.axhline(1.0, color="#444444", linewidth=0.8)
    panel_title(panel, title)
    _plain(panel)


def _plain(panel: Axes) -> None:
    """Write 64, not 2 to the sixth."""
    panel.xaxis.set_major_formatter("{x:.0f}")
    panel.yaxis.set_major_formatter("{x:g}")
