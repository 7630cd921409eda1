"""The programs of the page on turbulence run, one after the other."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "turbulence.md"


@pytest.mark.fortran
@pytest.mark.filterwarnings("ignore:leith_viscosity. without two bounds:UserWarning")
def test_the_programs_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, Any] = {}
    for block in blocks:
        # Hundredth parts of the runs show as much.
        exec(block.replace("time=50.0", "time=0.5"), names)
    assert names["vorticity"].sizes == {"time": 5, "member": 1, "y": 48, "x": 48}
    # It begins where the coupled run has ended.
    np.testing.assert_allclose(names["vorticity"][0], names["run"]["vorticity"][-1], atol=1e-12)
