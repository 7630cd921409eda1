"""Programs of a page of the documentation, run at sizes that a test can afford."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def run_programs(
    page: str, smaller: Mapping[str, str], n_program: int, monkeypatch: pytest.MonkeyPatch, at: Path
) -> dict[str, Any]:
    """Run them one after the other in the folder `at`, and return the names that they leave.

    Each text of `smaller` is replaced by a smaller one, which may call `dataclasses.replace`.
    """
    monkeypatch.chdir(at)
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(at))
    programs = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert len(programs) == n_program
    names: dict[str, Any] = {"replace": replace}
    for program in programs:
        affordable = program
        for large, small in smaller.items():
            affordable = affordable.replace(large, small)
        exec(affordable, names)
    return names
