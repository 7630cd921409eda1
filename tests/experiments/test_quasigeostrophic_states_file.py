"""Datasets of the benchmark in a zarr store: what they hold, and how a call goes on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
import zarr
from typer.testing import CliRunner

from hybrid.experiments.quasigeostrophic import __main__ as main
from hybrid.experiments.quasigeostrophic.learning import states_file
from hybrid.experiments.quasigeostrophic.learning.pairs import PairsRun
from hybrid.experiments.quasigeostrophic.learning.states_file import StatesError, write_states
from hybrid.experiments.quasigeostrophic.settings import PRESETS

TEST = PRESETS["test"]
FLOW = TEST.configurations["eddy"]
LEARNING = replace(TEST.learning, n_run=3, years=0.05)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path / "cache"))


def test_a_store_holds_the_states_that_networks_learn_from(tmp_path: Path) -> None:
    parts: list[float] = []
    made = write_states(tmp_path / "eddy.zarr", FLOW, LEARNING, on_progress=parts.append)
    assert dict(made.sizes) == {"run": 3, "time": 4, "operator": 3, "layer": 2, "y": 32, "x": 32}
    for i in range(3):
        expected = LEARNING.states_run(FLOW, 0, i).pairs()
        xr.testing.assert_equal(made.isel(run=i).load(), expected)
    assert made.attrs["source"] == "eddy of 0.05 years, seed 0"
    assert made.q.attrs["units"] == "s-1"
    assert made.q_tendency_total.attrs["units"] == "s-2"
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


def test_an_interrupted_call_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "eddy.zarr"
    whole = write_states(tmp_path / "whole.zarr", FLOW, LEARNING).load()
    finished = states_file._set_finished

    def interrupted(folder: Path, number: int) -> None:
        if number == 2:
            raise KeyboardInterrupt
        finished(folder, number)

    monkeypatch.setattr(states_file, "_set_finished", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_states(path, FLOW, LEARNING)
    # What was not announced is not seen.
    assert xr.open_zarr(path, consolidated=True).sizes["run"] == 1
    monkeypatch.setattr(states_file, "_set_finished", finished)
    made: list[PairsRun] = []
    pairs = PairsRun.pairs

    def counted(self: PairsRun, on_progress: object = None) -> xr.Dataset:
        made.append(self)
        return pairs(self)

    monkeypatch.setattr(PairsRun, "pairs", counted)
    xr.testing.assert_identical(write_states(path, FLOW, LEARNING).load(), whole)
    assert len(made) == 2
    # Nothing is left to do, and fewer runs are there.
    xr.testing.assert_identical(write_states(path, FLOW, replace(LEARNING, n_run=2)).load(), whole)
    assert len(made) == 2


def test_a_store_of_other_states_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "eddy.zarr"
    one = replace(LEARNING, n_run=1)
    write_states(path, FLOW, one)
    with pytest.raises(StatesError, match=r"got others \(seed: 0 there, 1 asked for\)"):
        write_states(path, FLOW, one, seed=1)


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StatesError, match="expected nothing of this name, or a zarr store"):
        write_states(tmp_path, FLOW, LEARNING)


def test_the_command_writes_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(main.FLOWS, "jet", FLOW)
    path = tmp_path / "jet.zarr"
    options = ["--flow", "jet", "--runs", "2", "--years", "0.05", "--hours", "50", "--seed", "3"]
    said = CliRunner().invoke(main.app, ["data", str(path), *options])
    assert said.exit_code == 0, said.output
    assert "jet.zarr: 2 run, 8 time, 3 operator, 2 layer, 32 y, 32 x" in said.output
    made = xr.open_zarr(path, consolidated=True)
    assert made.time.values[0] == 50 * 3600.0
    assert made.attrs["beta"] == FLOW.beta
    second = replace(LEARNING, every=50 * 3600.0).states_run(FLOW, 3, 1).pairs()
    xr.testing.assert_equal(made.isel(run=1).load(), second)


def test_the_command_explains_itself(tmp_path: Path) -> None:
    help_text = CliRunner().invoke(main.app, ["data", "--help"])
    assert help_text.exit_code == 0
    assert "jet.zarr --flow jet" in help_text.output
    refused = CliRunner().invoke(main.app, ["data", str(tmp_path), "--runs", "1"])
    assert refused.exit_code == 1
    assert "expected nothing of this name" in refused.output
    for option in (["--hours", "0.5"], ["--years", "0.05"]):
        wrong = CliRunner().invoke(main.app, ["data", str(tmp_path / "x.zarr"), *option])
        assert wrong.exit_code == 2
        assert f"{option[0]} {option[1]}" in wrong.output


def test_runs_of_two_seeds_are_others() -> None:
    twelve = replace(LEARNING, n_run=12)
    first, second = ({twelve.states_run(FLOW, seed, i).seed for i in range(12)} for seed in (0, 1))
    assert not first & second


def test_a_call_that_is_killed_before_the_store_is_consolidated_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, two = tmp_path / "eddy.zarr", replace(LEARNING, n_run=2)
    write_states(path, FLOW, replace(LEARNING, n_run=1))
    consolidate = zarr.consolidate_metadata
    trimmed: list[str] = []

    def killed(store: str, **options: Any) -> None:
        trimmed.append(store)
        # The first call makes the store that is there whole.
        if len(trimmed) == 2:
            raise KeyboardInterrupt
        consolidate(store, **options)

    monkeypatch.setattr(zarr, "consolidate_metadata", killed)
    with pytest.raises(KeyboardInterrupt):
        write_states(path, FLOW, two)
    monkeypatch.setattr(zarr, "consolidate_metadata", consolidate)
    made = write_states(path, FLOW, two)
    assert made.sizes["run"] == 2
    xr.testing.assert_equal(made.isel(run=1).load(), LEARNING.states_run(FLOW, 0, 1).pairs())
