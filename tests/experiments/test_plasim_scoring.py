"""Scores of runs with closures, and the whole experiment on a stand-in of the model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from plasim_stand_in import write_stand_in

from hybrid.experiments import run_experiment
from hybrid.experiments.plasim import building, experiment, jobs
from hybrid.experiments.plasim.building import Host
from hybrid.experiments.plasim.climate import PROFILES, SINGLE, Calls
from hybrid.experiments.plasim.errors import HostRunError
from hybrid.experiments.plasim.running import Run
from hybrid.experiments.plasim.scoring import (
    costs,
    differences,
    microseconds,
    rms,
    zonal_temperature,
)
from hybrid.experiments.plasim.settings import PRESETS
from hybrid.experiments.plasim.training import layer_thickness, split_in_time

N_TIME, N_LATITUDE, N_LEVEL = 6, 8, 10


def climate(warmer: float = 0.0) -> xr.Dataset:
    """Return a climate with 2 days of nonsense and then one that is `warmer`."""
    later = (np.arange(N_TIME) >= 2)[:, np.newaxis] * np.ones(N_LATITUDE)
    single = {
        name: (("time", "latitude"), np.where(later, 10.0 * i + warmer, -999.0))
        for i, name in enumerate(SINGLE)
    }
    profiles = {
        name: (
            ("time", "level", "latitude"),
            np.broadcast_to(later[:, np.newaxis] * warmer, (N_TIME, N_LEVEL, N_LATITUDE)),
        )
        for name in PROFILES
    }
    _, weight = np.polynomial.legendre.leggauss(N_LATITUDE)
    return xr.Dataset({**single, **profiles, "weight": ("latitude", weight / 2.0)})


def test_differences_are_told_in_spreads_of_native_runs() -> None:
    native = [climate(0.0), climate(0.2), climate(0.4)]
    found = differences(native, [climate(0.5), climate(0.7)], n_adjusting=2)
    of_surface = found["Ts"]
    assert of_surface.native == pytest.approx(0.2)
    assert of_surface.difference == pytest.approx(0.4)
    assert of_surface.spread == pytest.approx(0.2)
    assert of_surface.in_spreads == pytest.approx(2.0)
    # Absorbed less outgoing: both are warmer by the same.
    assert found["TOA"].difference == pytest.approx(0.0, abs=1e-12)
    assert found["P"].difference == pytest.approx(0.4 * 86400e3)


def test_one_native_run_has_no_spread() -> None:
    found = differences([climate()], [climate(1.0)], n_adjusting=2)
    assert np.isnan(found["Ts"].in_spreads)


def test_zonal_temperature_differs_by_mass_and_area() -> None:
    difference = zonal_temperature([climate(3.0)], 2) - zonal_temperature([climate(1.0)], 2)
    thickness = layer_thickness(N_LEVEL)
    assert rms(difference, climate()["weight"], thickness) == pytest.approx(2.0)
    top = difference * xr.DataArray(np.eye(N_LEVEL)[0], dims="level")
    expected = 2.0 * thickness[0] ** 0.5
    assert rms(top, climate()["weight"], thickness) == pytest.approx(expected)


def test_costs_are_of_a_column() -> None:
    assert microseconds(Calls(100, 2.0), 2000) == pytest.approx(10.0)
    shadow = {"longwave": {"native": Calls(10, 0.04), "closure": Calls(10, 0.02)}}
    noop = {"longwave": {"held": Calls(9, 0.0018)}}
    found = costs(shadow, noop, ["longwave"], 1000)
    assert found == {"longwave": {"native": 4.0, "closure": 2.0, "noop": pytest.approx(0.2)}}


def test_no_time_step_is_both_trained_on_and_tested() -> None:
    columns = xr.Dataset({"step": ("column", np.repeat([0, 37, 74, 111, 148], 3))})
    earlier, later = split_in_time(columns, 0.4)
    assert sorted(set(earlier["step"].to_numpy())) == [0, 37, 74]
    assert sorted(set(later["step"].to_numpy())) == [111, 148]


def test_a_run_with_a_closure_may_end_early_and_a_native_one_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blows_up(_host: object, _run: Run, folder: Path, _on_progress: object) -> None:
        folder.mkdir(parents=True)
        raise HostRunError("after day 3")

    monkeypatch.setattr(jobs, "run_model", blows_up)
    work = jobs.Work(Host(tmp_path / "plasim.x", tmp_path, "key"), tmp_path)
    work(jobs.Job("closure_0", Run(9), may_end_early=True), lambda _: None)
    assert work.ended_early("closure_0") == "after day 3"
    assert work.ended_early("closure_1") == ""
    with pytest.raises(HostRunError, match="after day 3"):
        work(jobs.Job("native_0", Run(9)), lambda _: None)


@pytest.mark.slow
@pytest.mark.fortran
def test_the_whole_experiment_on_the_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = write_stand_in(tmp_path / "tree")
    monkeypatch.setattr(building, "source_tree", lambda _folder: tree)
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    small = replace(
        PRESETS["test"],
        schemes=("longwave", "shortwave"),
        n_left_out=0,
        interval=1,
        stride=8,
        widths=(16,),
    )
    monkeypatch.setattr(experiment, "PRESETS", {"test": small})
    result = run_experiment("plasim", "test", tmp_path / "out")
    metrics = result.metrics
    assert metrics["blowups"] == 0.0
    assert metrics["longwave_time_ratio"] > 0.0
    assert metrics["shortwave_time_ratio"] > 0.0
    assert metrics["shortwave_heating_r2_mean"] <= 1.0
    assert 0.0 <= metrics["flagged_share"] < 1.0
    # No dynamics: states do not feel the fluxes.
    assert metrics["dTs"] == metrics["zonal_T_rms"] == 0.0
    assert metrics["dOLR"] != 0.0
    assert [table.title for table in result.tables][1] == "Processor time"
    assert len(result.figures) == 2
    spin_up = next((tmp_path / "cache" / "plasim").glob("spin-up-*"))
    before = (spin_up / "plasim_status").stat().st_mtime_ns
    run_experiment("plasim", "test", tmp_path / "again")
    assert (spin_up / "plasim_status").stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.fortran
@pytest.mark.timeout(1800)
def test_plasim_itself(tmp_path: Path) -> None:
    result = run_experiment("plasim", "test", tmp_path)
    assert result.metrics["blowups"] == 0.0
    # Days after a cold start, and a network that has hardly been trained: no blow-up is all.
    assert 240.0 < result.metrics["Ts_native"] < 310.0
