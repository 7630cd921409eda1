"""The page about physics layers names them all, and its program runs."""

import re
from pathlib import Path
from typing import get_args

import pytest

from closures.constraints import LAYERS
from closures.constraints.closing import Method

PAGE = (Path(__file__).parents[1] / "docs" / "physics.md").read_text(encoding="utf-8")


def first_column(heading: str) -> list[str]:
    table = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_tables_name_every_layer_in_order_and_every_method() -> None:
    assert tuple(first_column("layer")) == LAYERS
    assert set(first_column("method")) == set(get_args(Method))


def test_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(program, names)
    assert "net sunlight misses cam_in_asdir, cam_in_aldir" in capsys.readouterr().out
    layers = names["layers"]
    assert isinstance(layers, tuple)
    assert [type(layer).__name__ for layer in layers] == [
        "ZeroTendencies",
        "WaterPositivity",
        "Precipitation",
        "Longwave",
        "NightSunlight",
    ]
