"""Numbers within sentences: durations that a program announces, limits that it keeps.

A page holds ``<!-- value: NAME -->text<!-- end of value -->``; `with_values` writes the text.
"""

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


def with_values(text: str) -> str:
    """Return the text of a page with its marked values brought up to date.

    Raises
    ------
    KeyError
        If a value is unknown; the message names the known ones.
    """

    def write(found: re.Match[str]) -> str:
        if found[2] not in VALUES:
            raise KeyError(f"value {found[2]!r}: expected one of {', '.join(VALUES)}")
        return found[1] + VALUES[found[2]]() + found[3]

    return _MARKED.sub(write, text)
