"""Numbers within sentences: durations that a program announces, limits that it keeps, results.

A page holds ``<!-- value: NAME -->text<!-- end of value -->``; `with_values` writes the text. NAME
is one of `VALUES`, or a file of ``docs/results`` without its ending and a metric in it.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parents[1]

_SOURCE = ROOT / "fortran_bridge" / "src" / "self_test.cpp"
_MARKED = re.compile(r"(<!-- value: ([\w -]+) -->).*?(<!-- end of value -->)", re.DOTALL)


def _duration(experiment: str, preset: str) -> Callable[[], str]:
    """Return what says how long a preset takes, as ``hybrid run`` announces it."""

    def text() -> str:
        from hybrid.experiments import EXPERIMENTS  # noqa: PLC0415 -- most pages need no torch

        return EXPERIMENTS[experiment].durations[preset]

    return text


def _constant(name: str, file: Path = _SOURCE) -> Callable[[], str]:
    """Return what says a constant of a source in C++ [s]."""

    def text() -> str:
        found = re.search(rf"constexpr double {name} = ([\d.]+);", file.read_text())
        if found is None:
            raise ValueError(f"{file.name}: expected a constant {name}, got none")
        return f"{float(found[1]):g} s"

    return text


def _too_slow() -> str:
    from benchmarks.emulators import TOO_SLOW  # noqa: PLC0415 -- most pages need no torch

    return f"{TOO_SLOW:g} s"


VALUES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "medida-ks quick": _duration("medida-ks", "quick"),
        "medida-ks full": _duration("medida-ks", "full"),
        "self-test at load": _constant("seconds_at_load"),
        "self-test of a block": _constant("most_seconds"),
        "emulator too slow": _too_slow,
    }
)
"""What writes each value, by name."""


def _metric(name: str) -> str:
    """Return a metric of committed results, with half its 95 % interval if it has one."""
    file, _, metric = name.partition(" ")
    path = ROOT / "docs" / "results" / f"{file}.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    if metric not in results:
        raise KeyError(
            f"value {name!r}: expected one of {', '.join(VALUES)}, or a file of docs/results "
            "and a metric in it"
        )
    if metric.startswith("runs_"):
        return f"{results[metric]:.0f}"
    half = results.get(f"{metric}_interval")
    # Differences may be about as large as their intervals.
    digits = 3 if metric.startswith("ahead_") else 2
    return f"{results[metric]:.{digits}f}" + (f" ± {half:.{digits}f}" if half is not None else "")


def with_values(text: str) -> str:
    """Return the text of a page with its marked values brought up to date.

    Raises
    ------
    KeyError
        If a value is unknown; the message names the known ones.
    """

    def write(found: re.Match[str]) -> str:
        text = VALUES[found[2]]() if found[2] in VALUES else _metric(found[2])
        return found[1] + text + found[3]

    return _MARKED.sub(write, text)
