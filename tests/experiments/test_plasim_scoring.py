"""Scores of runs with closures, and the whole experiment on a stand-in of the model."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from plasim_stand_in import write_stand_in
from scipy import stats

from hybrid.experiments import UnknownExperimentError, run_experiment, run_until
from hybrid.experiments.plasim import building, experiment, jobs, years
from hybrid.experiments.plasim.building import Host
from hybrid.experiments.plasim.climate import MAPS, PROFILES, SINGLE
from hybrid.experiments.plasim.errors import HostRunError
from hybrid.experiments.plasim.model_run import Run
from hybrid.experiments.plasim.noise import noise_floor
from hybrid.experiments.plasim.offline import energy_residual
from hybrid.experiments.plasim.report import Calls
from hybrid.experiments.plasim.schemes import layer_thickness, split_in_time
from hybrid.experiments.plasim.scoring import (
    annual_means,
    compared,
    costs,
    cross_section,
    differences,
    microseconds,
    rms,
    zonal_rms,
)
from hybrid.experiments.plasim.settings import PRESETS
from hybrid.experiments.result import Table

N_TIME, N_LATITUDE, N_LEVEL = 6, 8, 10


def climate(warmer: float = 0.0, n_time: int = N_TIME) -> xr.Dataset:
    """Return a climate with 2 days of nonsense and then one that is `warmer`."""
    later = (np.arange(n_time) >= 2)[:, np.newaxis] * np.ones(N_LATITUDE)
    single = {
        name: (("time", "latitude"), np.where(later, 10.0 * i + warmer, -999.0))
        for i, name in enumerate(SINGLE)
    }
    profiles = {
        name: (
            ("time", "level", "latitude"),
            np.broadcast_to(later[:, np.newaxis] * warmer, (n_time, N_LEVEL, N_LATITUDE)),
        )
        for name in PROFILES
    }
    _, weight = np.polynomial.legendre.leggauss(N_LATITUDE)
    return xr.Dataset({**single, **profiles, "weight": ("latitude", weight / 2.0)})


def test_differences_are_told_in_spreads_of_native_runs() -> None:
    native, closure = (
        [compared(climate(warmer), 2, N_TIME) for warmer in each]
        for each in ((0.0, 0.2, 0.4), (0.5, 0.7))
    )
    found = differences(native, closure)
    of_surface = found["Ts"]
    assert of_surface.native == pytest.approx(0.2)
    assert of_surface.difference == pytest.approx(0.4)
    assert of_surface.spread == pytest.approx(0.2)
    assert of_surface.in_spreads == pytest.approx(2.0)
    # There is a single year, so means of members are annual ones.
    error = (0.2**2 / 3 + 0.02 / 2) ** 0.5
    assert of_surface.error == pytest.approx(error)
    # Welch's t has as many degrees of freedom as this.
    freedom = error**4 / ((0.2**2 / 3) ** 2 / 2 + (0.02 / 2) ** 2 / 1)
    assert of_surface.p == pytest.approx(2 * stats.t.sf(0.4 / error, freedom))
    single = differences(native, closure[:1])["Ts"]
    assert single.error == pytest.approx(0.2 * (1 / 3 + 1) ** 0.5)
    assert np.isnan(single.p)
    assert np.isnan(of_surface.native_trend)
    assert found["SFC"].difference == pytest.approx(4 * 0.4)
    # Absorbed less outgoing: both are warmer by the same.
    assert found["TOA"].difference == pytest.approx(0.0, abs=1e-12)
    assert found["P"].difference == pytest.approx(0.4 * 86400e3)


def test_one_native_run_has_no_spread() -> None:
    found = differences([climate()], [climate(1.0)])
    assert np.isnan(found["Ts"].in_spreads)


def test_spreads_are_those_of_single_years() -> None:
    # The mean over both years is the same for both members, each year's is not.
    def member(first: float, second: float) -> xr.Dataset:
        days = compared(climate(0.0, 2 + 2 * 360 + 5), 2, 2 + 2 * 360 + 5)
        warmer = np.repeat([first, second, 99.0], [360, 360, 5])
        surface = days["surface_temperature"] + xr.DataArray(warmer, dims="time")
        return days.assign(surface_temperature=surface)

    members = [member(1.0, -1.0), member(-1.0, 1.0)]
    np.testing.assert_allclose(annual_means(members[0])["Ts"], [1.0, -1.0], atol=1e-12)
    found = differences(members, members[:1])["Ts"]
    assert found.difference == pytest.approx(0.0, abs=1e-12)
    assert found.native_trend == pytest.approx(0.0, abs=1e-12)
    assert found.closure_trend == pytest.approx(-2.0)
    assert found.spread == pytest.approx(2.0**0.5)


def test_zonal_temperature_differs_by_mass_and_area() -> None:
    warm, cold = (
        cross_section([compared(climate(warmer), 2, N_TIME)], "temperature")
        for warmer in (3.0, 1.0)
    )
    difference = warm - cold
    thickness = layer_thickness(N_LEVEL)
    assert rms(difference, climate()["weight"], thickness) == pytest.approx(2.0)
    top = difference * xr.DataArray(np.eye(N_LEVEL)[0], dims="level")
    expected = 2.0 * thickness[0] ** 0.5
    assert rms(top, climate()["weight"], thickness) == pytest.approx(expected)
    top[0, 0] = np.nan
    assert np.isnan(rms(top, climate()["weight"], thickness))


def test_zonal_means_are_compared_in_units_for_people() -> None:
    warm, cold = ([compared(climate(warmer), 2, N_TIME)] for warmer in (3.0, 1.0))
    found = zonal_rms(warm, cold, layer_thickness(N_LEVEL))
    assert found == {
        "T": pytest.approx(2.0),
        "q": pytest.approx(2000.0),
        "u": pytest.approx(2.0),
    }


def test_the_noise_floor_is_what_two_ensembles_of_one_model_differ_by() -> None:
    generator = np.random.default_rng(0)

    def rms_of_means(found: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> float:
        return float(np.sqrt(np.square(np.mean(found, 0) - np.mean(others, 0)).mean()))

    members = list(generator.normal(size=(5, 100_000)))
    others = list(generator.normal(size=(3, 100_000)))
    expected = rms_of_means(others, members)
    assert noise_floor(members, 3, rms_of_means) == pytest.approx(expected, rel=0.01)
    assert np.isnan(noise_floor(members[:1], 3, rms_of_means))


def test_energy_that_is_not_accounted_for() -> None:
    # Two layers; 100 and 60 W m-2 upward at the top and at the ground, 300 in the first column
    # and 310 in the second downward at the top.
    fluxes = np.array(
        [[-100, -80, -60, 300, 200, 150], [-100, -80, -60, 310, 200, 150]], np.float32
    )
    assert energy_residual(fluxes, None) == 0.0
    assert energy_residual(fluxes, xr.DataArray([300.0, 310.5])) == pytest.approx(0.5)
    rounded = np.random.default_rng(0).uniform(0.0, 400.0, (100, 6)).astype(np.float32)
    assert 0.0 < energy_residual(rounded, None) < 8 * 400.0 * 2.0**-23


def test_costs_are_of_a_column() -> None:
    assert microseconds(Calls(100, 2.0), 2000) == pytest.approx(10.0)
    shadow = {"longwave": {"native": Calls(10, 0.04), "closure": Calls(10, 0.02)}}
    reports = {
        "shadow": shadow,
        "noop": {"longwave": {"held": Calls(9, 0.0018)}},
        "linear": {"longwave": {"closure": Calls(10, 0.01)}},
    }
    found = costs(reports, ["longwave"], 1000)["longwave"]
    assert found == {
        "native": 4.0,
        "closure": 2.0,
        "noop": pytest.approx(0.2),
        "linear": pytest.approx(1.0),
    }
    reports.pop("shadow")
    assert list(costs(reports, ["longwave"], 1000)["longwave"]) == ["noop", "linear"]


def test_every_part_of_the_time_leaves_its_end_out() -> None:
    steps = 37 * np.arange(10)
    columns = xr.Dataset({"step": ("column", np.repeat(steps, 3))})
    earlier, later = split_in_time(columns, 0.4, n_part=2)
    assert sorted(set(later["step"].to_numpy())) == [111, 148, 296, 333]
    assert sorted(set(earlier["step"].to_numpy())) == [0, 37, 74, 185, 222, 259]
    assert earlier.sizes["column"] + later.sizes["column"] == 30


def test_the_full_preset_is_as_long_as_it_says() -> None:
    settings = PRESETS["full"]
    closures = [{"longwave": Path("a.pt")}] * settings.n_closure
    found = jobs.all_jobs(settings, Path("restart"), closures)
    years = {
        kind: [job.run.n_day / 360 for job in found if job.name.startswith(f"{kind}_")]
        for kind in ("native", "closure")
    }
    assert years == {"native": [5.0] * 5, "closure": [10.0, 5.0, 5.0]}
    others = [job for job in found if not job.name.startswith(("native_", "closure_"))]
    over_given_sea = [job for job in others if job.name.startswith("response_")]
    assert sum(job.run.n_day / 360 for job in over_given_sea) == 6.0
    assert {job.run.n_day for job in others if job not in over_given_sea} == {settings.n_timing}
    assert [job.n_rank for job in others if job.name.startswith("ranks_")] == [1, 1, 2, 2]
    assert len(others) == 2 + 4 + 6


def test_a_run_with_a_closure_may_end_early_and_a_native_one_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blows_up(_host: object, _run: Run, folder: Path, _on_progress: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        raise HostRunError("after day 3")

    monkeypatch.setattr(jobs, "run_years", blows_up)
    work = jobs.Work({1: Host(tmp_path / "plasim.x", tmp_path, "key")}, tmp_path)
    work(jobs.Job("closure_0", Run(9), may_end_early=True), lambda _: None)
    assert work.ended_early("closure_0") == "after day 3"
    monkeypatch.setattr(jobs, "run_years", lambda *_: None)
    work(jobs.Job("closure_0", Run(9), may_end_early=True), lambda _: None)
    assert work.ended_early("closure_0") == ""
    monkeypatch.setattr(jobs, "run_years", blows_up)
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
        # The members of this model differ on the first day alone.
        n_adjusting=0,
        interval=1,
        stride=8,
        widths=(16,),
        sunlit_widths=(16,),
        n_response=2,
        ranks=(1,),
    )
    monkeypatch.setattr(experiment, "PRESETS", {"test": small})
    monkeypatch.setattr(years, "N_DAY", 2)
    out = tmp_path / "out"
    for stage, left in (("dump", []), ("train", ["checkpoint"]), ("export", ["plasim"])):
        run_until("plasim", "test", out, stage)
        found = {path.name.partition("_")[0] for path in out.iterdir()}
        assert found >= set(left)
        assert not {"runs", "results.json"} & found
    run_until("plasim", "test", out, "couple")
    first = out / "runs" / "native_1" / "year_01" / "finished.json"
    before = first.stat().st_mtime_ns
    result = run_experiment("plasim", "test", out)
    assert first.stat().st_mtime_ns == before
    assert [path.name for path in sorted(first.parents[1].iterdir())] == ["year_01", "year_02"]
    metrics = result.metrics
    assert metrics["blowups"] == 0.0
    for name in (
        *("longwave_time_ratio", "shortwave_time_ratio", "noop_time_ratio", "zonal_T_rms"),
        *(f"d{key}_in_spreads" for key in ("OLR", "TOA")),
        "fallback_share",
    ):
        assert name in metrics
    assert 0.0 <= metrics["fallback_share"] < 1.0
    assert 0.0 <= metrics["flagged_share"] < 1.0
    for name in ("longwave", "shortwave"):
        assert 0.0 <= metrics[f"{name}_energy_residual"] < 1e-3
    # No dynamics: states do not feel the fluxes.
    assert metrics["dTs"] == metrics["zonal_T_rms"] == 0.0
    assert metrics["dOLR"] != 0.0
    check_tables(*result.tables[2:5])
    # Twice the carbon dioxide changes nothing at the top of this model, four kelvins do.
    assert metrics["forcing_native"] == 0.0
    sigma, t = 5.67e-8, 226.0
    assert metrics["feedback_native"] == pytest.approx(-4.0 * sigma * t**3 * 0.85, rel=0.05)
    assert metrics["columns_differing_1_ranks"] == 0.0
    # No column of the training was as warm.
    assert metrics["fallback_share_control"] < metrics["fallback_share_warm"] <= 1.0
    assert metrics["response_blowups"] == 0.0
    assert [figure.name for figure in result.figures] == [
        "zonal_means",
        "temperature",
        "specific_humidity",
        "eastward_wind",
        *(f"map_{name}" for name in MAPS),
        "rain",
    ]
    spin_up = next((tmp_path / "cache" / "plasim").glob("spin-up-*"))
    before = (spin_up / "plasim_status").stat().st_mtime_ns
    run_experiment("plasim", "test", tmp_path / "again")
    assert (spin_up / "plasim_status").stat().st_mtime_ns == before


def check_tables(shadow: Table, first: Table, cost: Table) -> None:
    """Hold tables of the stand-in to what its runs are."""
    assert list(shadow.rows)[:2] == ["upward longwave, top", "upward longwave, ground"]
    assert list(first.rows) == ["closure_0", "noop", "every_2", "every_3", "linear", "native_1"]
    outgoing, surface = first.rows["closure_0"][0], first.rows["closure_0"][4]
    assert outgoing is not None
    assert outgoing > 0.0
    # States do not feel the fluxes.
    assert surface == 0.0
    assert cost.rows["whole model, native"][1] == 1.0
    assert len([name for name in cost.rows if name.startswith("whole model")]) == 7


def test_unknown_stages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownExperimentError, match=r"one of dump, .*couple; got 'score'"):
        run_until("plasim", "test", tmp_path, "score")
    with pytest.raises(UnknownExperimentError, match="expected none, as it runs as a whole"):
        run_until("lorenz96", "test", tmp_path, "train")


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.fortran
@pytest.mark.timeout(1800)
def test_plasim_itself(tmp_path: Path) -> None:
    result = run_experiment("plasim", "test", tmp_path)
    assert result.metrics["blowups"] == 0.0
    # Days after a cold start, and a network that has hardly been trained: no blow-up is all.
    assert 240.0 < result.metrics["Ts_native"] < 310.0
