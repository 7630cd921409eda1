"""The three readers that are compared give the same samples; the committed run is a whole one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cost_tables
import numpy as np
import pytest
from climsim_folder import real_climsim_folder

from benchmarks import climsim_reading
from benchmarks.climsim_readers import Direct, Library, Scaling, XarrayLoop
from benchmarks.interleaved import Session
from benchmarks.interval import FEWEST
from closures.climsim.files import list_pairs
from closures.climsim.grid import find_grid, read_grid
from closures.climsim.variables import variable_set
from hybrid.climsim_sample import SampleConfig, write_sample

DOCS = Path(__file__).parents[1] / "docs"
EPSILON = np.finfo(np.float32).eps
BRIEF = Session(rounds=FEWEST, seconds_a_turn=1e-4)


@pytest.fixture(scope="module", params=["sample", "real"])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "real":
        return real_climsim_folder()
    folder = tmp_path_factory.mktemp("climsim_benchmark")
    write_sample(folder, SampleConfig(n_per_month=3, months=(1, 7), seed=4))
    return folder


@pytest.mark.parametrize("name", climsim_reading.SIZES)
def test_all_readers_give_the_same_samples(data: Path, name: str) -> None:
    pairs, variables = list_pairs(data)[:3], variable_set(name)
    scaling = Scaling.of(pairs[0], variables)
    ours = Direct(variables, scaling)
    peers = (
        Library(variables, scaling),
        XarrayLoop(variables, scaling, read_grid(find_grid(data))),
    )
    for pair in pairs:
        x, y = (part.copy() for part in ours.read(pair))
        # We subtract in float32, the peers in float64: the value and the mean are rounded, which
        # counts where the range is small beside them, as for vapour in the stratosphere.
        size = np.abs(x) + 2.0 * np.abs(scaling.offset) * scaling.factor
        for peer in peers:
            inputs, outputs = peer.read(pair)
            assert inputs.dtype == outputs.dtype == x.dtype == y.dtype == np.float32
            assert (np.abs(inputs - x) <= 2.0 * EPSILON * size).all()
            # Tendencies below 1e-38 lose digits in float32.
            assert (np.abs(outputs - y) <= 2.0 * EPSILON * np.abs(y) + EPSILON**2).all()


def test_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYBRID_CLIMSIM_DATA", raising=False)
    notes: list[str] = []
    costs = list(climsim_reading.measure(("V1",), replace(BRIEF, note=notes.append)))
    assert notes == ["HYBRID_CLIMSIM_DATA names no folder; a generated sample is read"]
    assert [(cost.task, cost.way) for cost in costs] == [
        ("time step", "direct"),
        ("time step", "netCDF4 + numpy"),
        ("time step", "xarray loop"),
        ("batches", "in memory"),
        ("batches", "mapped files"),
        ("batches", "DataLoader of PyTorch"),
        ("conversion", "10 pairs"),
        ("conversion", "32 pairs"),
    ]
    assert not any(cost.real for cost in costs)
    # An order of magnitude below what is usual, for a busy machine.
    ratios = [cost.by_ours for cost in costs[:3]]
    assert ratios[0] == 1.0
    assert ratios[2] is not None
    assert ratios[2] > 10.0
    peaks = [cost.peak for cost in costs[-2:]]
    assert all(peak is not None and 50 < peak < 2000 for peak in peaks)
    assert len({tuple(cost.row()) for cost in costs}) == 1


@pytest.fixture
def records() -> list[dict[str, Any]]:
    results = json.loads((DOCS / "results" / "climsim-reading.json").read_text())
    found: list[dict[str, Any]] = results["records"]
    return found


def test_the_committed_run_is_one_of_the_real_files_and_reaches_its_aims(
    records: list[dict[str, Any]],
) -> None:
    assert {record["group"] for record in records} == {"climsim-reading"}
    assert all(record["real"] for record in records)
    steps = {(r["variables"], r["way"]): r for r in records if r["task"] == "time step"}
    assert {variables for variables, _ in steps} == set(climsim_reading.SIZES)
    for name in climsim_reading.SIZES:
        assert steps[name, climsim_reading.XARRAY]["by_ours_low"] >= 50.0
        assert steps[name, climsim_reading.LIBRARY]["by_ours_low"] > 2.0
    rates = [r for r in records if r["task"] == "batches" and "DataLoader" not in r["way"]]
    assert len(rates) == 4
    assert all(1.0 / record["seconds"] >= 200_000 for record in rates)
    few, many = (r["peak"] for r in records if r["task"] == "conversion")
    # MiB; what 57 more pairs hold is 77.
    assert many - few < 8.0


def test_the_table_shows_the_committed_run(records: list[dict[str, Any]]) -> None:
    header, _, *rows = cost_tables.climsim_reading_table({"records": records}).splitlines()
    assert header.count("|") == 6
    assert len(rows) == len(records)
    assert f"{1e3 * records[0]['seconds']:.2f} ms" in rows[0]
