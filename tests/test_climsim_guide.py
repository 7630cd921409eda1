"""The page about ClimSim's files: its table is that of the sets, its example runs."""

import re
from pathlib import Path

import pytest

from closures.climsim.conversion import Conversion, convert
from closures.climsim.files import list_pairs
from closures.climsim.variables import set_names, variable_set
from hybrid.climsim_sample import SampleConfig, write_sample

PAGE = Path(__file__).parents[1] / "docs" / "climsim.md"


def test_the_table_has_all_sets_and_their_sizes() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", PAGE.read_text(), re.MULTILINE)
    sizes = [
        (name, variable_set(name).n_input, variable_set(name).n_output) for name in set_names()
    ]
    assert [(name, int(n), int(m)) for name, n, m in rows] == sizes


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    write_sample(tmp_path / "in", SampleConfig(n_per_month=3, months=(1,)))
    convert(list_pairs(tmp_path / "in"), tmp_path / "shards", Conversion(variable_set("V2")))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(example, str(PAGE), "exec"), names)
    assert names["epoch"] == 2
    assert tuple(getattr(names["inputs"], "shape", ())) == (512, 557)
    assert tuple(getattr(names["outputs"], "shape", ())) == (512, 368)
