"""The page on model error: its example finds what its model lacks, and corrects the model."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid.equations import read_equations

PAGE = Path(__file__).parents[1] / "docs" / "model_error.md"


def test_the_example_finds_the_missing_term(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sources = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    for source in sources:
        exec(compile(source, PAGE, "exec"), names)
    assert len(read_equations(tmp_path / "ks_error.pt")) == 1
    assert np.isfinite(names["corrected"].u).all()
    assert names["error"].named == pytest.approx({"u_xx": -0.6}, rel=1e-3)
    assert capsys.readouterr().out == f"{names['error']}\n"
