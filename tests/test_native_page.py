"""The page about the native engine says what the tests show, and its program runs."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_native_shipped import EXPRESSED, NETWORKS, PHYSICS, TOO_LONG

from closures.columns.registry import ARCHITECTURES
from closures.constraints import LAYERS
from hybrid.comparison import BOUNDS
from hybrid.native.bf16 import LEAST_REDUCED
from hybrid.native.program_file import BINARY, TEXT
from hybrid.native.steps import STEPS
from hybrid.reduced_precision import Compared, Evidence
from hybrid.reduced_precision.climates import COARSEST
from hybrid.reduced_precision.hosts import HOSTS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "guide" / "native.md").read_text(encoding="utf-8")
FORMAT = (ROOT / "fortran_bridge" / "FORMAT.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, str]:
    """Return first and last column of a table of the page."""
    text = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE))


def test_architectures() -> None:
    rows = table("architecture")
    assert list(rows) == list(ARCHITECTURES)
    assert {name for name, said in rows.items() if not said.startswith("yes")} == set(NETWORKS)
    partly = {name for name, said in rows.items() if said == "yes, but not at size `published`"}
    assert partly == TOO_LONG


def test_hard_layers() -> None:
    rows = table("layer")
    assert tuple(rows) == LAYERS
    assert set(rows.values()) == {"yes"}
    assert set(PHYSICS.values()) == {EXPRESSED}


def test_bounds() -> None:
    assert f"within {BOUNDS['native']:g} eps of float32" in PAGE
    assert f"TorchScript has to be within {BOUNDS['torchscript']:g}" in PAGE
    assert f"{BOUNDS['native'] * 2.0**-23:.0e}".replace("e-0", "e-") in PAGE
    assert f"float64, {BOUNDS['native'] * 2.0**-52:.0e}" in PAGE


def test_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program, own_host = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    expressed, reason = capsys.readouterr().out.splitlines()
    assert expressed == "True"
    assert re.fullmatch(EXPRESSED, reason)
    names: dict[str, Any] = {}
    exec(own_host, names)
    climates = [names["run"](Path("mlp.pt"), "float32", seed)["x [1]"] for seed in (0, 1)]
    assert all(climate.shape == (200, 64) and np.isfinite(climate).all() for climate in climates)
    assert climates[0].tolist() != climates[1].tolist()


def test_the_online_test_of_bf16() -> None:
    assert f"matrices of at least {LEAST_REDUCED} weights" in PAGE
    assert f"of at least {LEAST_REDUCED} weights" in FORMAT
    assert COARSEST == 0.1
    assert "beyond a tenth of the\nvariable's standard deviation" in PAGE
    assert all(f"`{name}`" in PAGE for name in HOSTS)
    variable = Compared("x [1]", 1.0, (0.02,), (0.01,))
    entry = Evidence("", "", (0,), "", (variable,), {}).to_dict()
    keys = FORMAT.split("### In bf16", 1)[1].split("| version of", 1)[0]
    assert all(f"`{key}`" in keys for key in (*entry, *entry["variables"][0]))


def test_the_format_lists_every_step_with_its_keys() -> None:
    section = FORMAT.split("## The program of the native engine", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (.*?) \| .* \|$", section, re.MULTILINE)
    listed: dict[str, set[str]] = {}
    for names, keys in rows:
        for name in re.findall(r"`(\w+)`", names):
            listed[name] = set(re.findall(r"`(\w+)`", keys))
    steps = {name: found for name, found in listed.items() if name in STEPS}
    assert set(steps) == set(STEPS)
    for name, found in steps.items():
        assert found == {field.name for field in fields(STEPS[name])} - {"op"}, name
    assert TEXT in FORMAT
    assert BINARY in FORMAT
