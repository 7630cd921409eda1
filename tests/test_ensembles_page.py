"""The program of the page about ensembles runs, and flags what it should."""

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "ensembles.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.fortran


def test_program_flags_warm_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(program, names)
    assert "not confident" in capsys.readouterr().out
    flagged = names["binding"].reasons() != 0  # type: ignore[attr-defined]
    assert flagged[50:].mean() > 0.95
    assert flagged[:50].mean() < 0.2
    confidence = names["confidence"]
    assert isinstance(confidence, np.ndarray)
    # Nothing was written where the host acts itself.
    np.testing.assert_array_equal(flagged, confidence == 0.0)
    assert (confidence[~flagged] >= 1.0 / 1.5).all()
