"""The page on model error: its example finds what its model lacks."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "model_error.md"


def test_the_example_finds_the_missing_term(capsys: pytest.CaptureFixture[str]) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(source, PAGE, "exec"), names)
    assert names["error"].named == pytest.approx({"u_xx": -0.6}, rel=1e-3)
    assert capsys.readouterr().out == f"{names['error']}\n"
