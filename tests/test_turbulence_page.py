"""The programs of the pages on turbulence run, one after the other."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from two_dimensional_flow import turbulence

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "turbulence.md"
LEARNED = DOCS / "learned_turbulence.md"


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


def test_the_program_of_the_page_on_learning_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", LEARNED.read_text(), re.DOTALL)
    names: dict[str, Any] = {"truth": turbulence(48, seed=1, n_member=64)}
    # Two updates show as much.
    exec(block.replace("n_model=16", "n_model=2").replace("800_000", "6_400"), names)
    learned = names["learned"]
    assert learned.steps.tolist() == [3200, 6400]
    assert learned.weights.shape == (2, 6)
