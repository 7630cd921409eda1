"""Runs of moist convection, what is made of them, and the whole experiment with them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from plasim_rain_stand_in import write_rainy_stand_in

from hybrid.experiments import run_experiment, run_until
from hybrid.experiments.multifidelity import settings as multifidelity
from hybrid.experiments.plasim import building, experiment, years
from hybrid.experiments.plasim.convection import findings
from hybrid.experiments.plasim.convection.figures import convection_figure
from hybrid.experiments.plasim.convection.findings import (
    collect_convection,
    convection_table,
    zonal_rain_rms,
)
from hybrid.experiments.plasim.convection.offline import ConvectionScores
from hybrid.experiments.plasim.convection.runs import LEARNED, convection_jobs, short_name
from hybrid.experiments.plasim.jobs import Work
from hybrid.experiments.plasim.report import Calls
from hybrid.experiments.plasim.scoring import COMPARED
from hybrid.experiments.plasim.settings import PRESETS, FidelitySettings

N_LATITUDE = 8
SCORES = ConvectionScores(0.9, 0.1, -0.02, 0.8, np.full(10, 0.7), np.full(10, 0.6))


def climate(rain: np.ndarray) -> xr.Dataset:
    """Return days whose precipitation is `rain` and 3 times that, and little else."""
    _, weight = np.polynomial.legendre.leggauss(N_LATITUDE)
    zeros = ("time", "latitude"), np.zeros((2, N_LATITUDE))
    names = ["surface_temperature", "outgoing_longwave", "absorbed_shortwave", "surface_longwave"]
    names += ["surface_shortwave", "sensible_heat", "latent_heat", "precipitable_water"]
    return xr.Dataset(
        {
            "latitude": np.degrees(np.arcsin(np.polynomial.legendre.leggauss(N_LATITUDE)[0])),
            **dict.fromkeys(names, zeros),
            "precipitation": (("time", "latitude"), np.stack([rain, 3.0 * rain])),
            "weight": ("latitude", weight / weight.sum()),
        }
    )


def test_zonal_rain_differs_by_area_in_parts_of_the_global_mean() -> None:
    even = climate(np.full(N_LATITUDE, 2.0))
    more = climate(np.full(N_LATITUDE, 2.5))
    assert zonal_rain_rms([more], [even]) == pytest.approx(0.25)
    assert zonal_rain_rms([even], [even, more]) == pytest.approx(0.25 / 2.25)
    # A tenth more in one belt alone counts by the root of its area.
    belt = np.full(N_LATITUDE, 2.0)
    belt[3] *= 1.1
    weight = even["weight"].to_numpy()
    assert zonal_rain_rms([climate(belt)], [even]) == pytest.approx(0.1 * weight[3] ** 0.5)


def test_convection_has_two_native_years_and_one_with_the_closure() -> None:
    settings = PRESETS["full"]
    jobs = convection_jobs(settings, Path("restart"), Path("convection.pt"))
    days = {job.name: job.run.n_day for job in jobs}
    assert days == {
        "convection_native_0": 360,
        "convection_native_1": 360,
        "closure_convection": 360,
        "convection_shadow": settings.n_timing,
        "convection_guarded": settings.n_timing,
    }
    assert [job.name for job in jobs if not job.may_end_early] == list(days)[:2]
    assert jobs[0].run.member != jobs[1].run.member
    guarded = next(job.run for job in jobs if job.name == short_name("guarded"))
    assert guarded.schemes["convection"]["policy"] == "host"


@pytest.mark.parametrize("ended", [False, True])
def test_findings_of_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: bool) -> None:
    rain = {
        "convection_native_0": np.full(N_LATITUDE, 1e-8),
        "convection_native_1": np.full(N_LATITUDE, 3e-8),
        LEARNED: np.full(N_LATITUDE, 2.2e-8),
    }
    monkeypatch.setattr(findings, "climate_of", lambda folder: climate(rain[folder.name]))
    calls = {
        "native": Calls(10, 0.01),
        "closure": Calls(10, 0.02),
        "evaluated": Calls(1000),
        "flagged": Calls(50),
        "fallback": Calls(40, 0.001),
    }
    monkeypatch.setattr(findings, "report_of", lambda _folder: {"convection": calls})
    text = "after day 3" if ended else ""
    monkeypatch.setattr(Work, "ended_early", lambda _, name: text if name == LEARNED else "")
    found = collect_convection(Work({}, tmp_path), SCORES)
    metrics = found.metrics()
    # The run with the closure has its time.
    ratio = metrics.get("convection_time_ratio")
    assert ratio == (None if ended else pytest.approx(2.0))
    assert metrics["convection_fallback_share"] == pytest.approx(0.04)
    assert metrics["convection_blowups"] == float(ended)
    # One run from the mean of two: 3/4 of the variance of a difference of single runs. Each is
    # 2/3 or 2 times the other, of the global mean of that.
    expected = (0.75 * (0.667**2 + 2.0**2) / 2.0) ** 0.5
    assert metrics["convection_P_zonal_rms_native"] == pytest.approx(100.0 * expected, rel=1e-3)
    assert metrics["convection_hit_rate"] == 0.9
    assert metrics["convection_condensation_r2_mean"] == pytest.approx(0.7)
    assert ("convection_P_zonal_rms" in metrics) is not ended
    table = convection_table(found, PRESETS["full"])
    where, layers = convection_figure(found).figure.axes[:2]
    assert len(where.get_lines()) == (2 if ended else 3)
    np.testing.assert_allclose(np.asarray(where.get_lines()[1].get_ydata()), 2.0 * 3e-8 * 86400e3)
    assert layers.get_ylim() == (1.0, 0.0)
    if ended:
        assert "after day 3" in table.note
        assert not {f"convection_d{key}" for key in COMPARED} & set(metrics)
        return
    assert metrics["convection_P_zonal_rms"] == pytest.approx(10.0)
    assert metrics["convection_flagged_share"] == pytest.approx(0.05)
    # The second day has 3 times the precipitation.
    assert metrics["convection_dP"] == pytest.approx(0.4e-8 * 86400e3)


@pytest.mark.slow
@pytest.mark.fortran
def test_the_whole_experiment_with_convection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = write_rainy_stand_in(tmp_path / "tree")
    monkeypatch.setattr(building, "source_tree", lambda _folder: tree)
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path / "cache"))
    small = replace(
        PRESETS["test"],
        n_left_out=0,
        n_adjusting=0,
        interval=1,
        stride=8,
        widths=(16,),
        n_convection=6,
        convection_widths=(16,),
        fidelities=FidelitySettings(
            n_day=6,
            n_left_out=0,
            candidates=("mf", "hf", "code"),
            n_seed=2,
            training=multifidelity.Settings(2, (16,), 1, 128, 1),
        ),
    )
    monkeypatch.setattr(experiment, "PRESETS", {"test": small})
    monkeypatch.setattr(years, "N_DAY", 2)
    out = tmp_path / "out"
    run_until("plasim", "test", out, "train")
    assert not (out / "runs").exists()
    result = run_experiment("plasim", "test", out)
    metrics = result.metrics
    for name in ("time_ratio", "P_zonal_rms", "fallback_share", "hit_rate", "dP"):
        assert f"convection_{name}" in metrics
    assert metrics["convection_blowups"] == 0.0
    assert metrics["convection_P_zonal_rms"] > 0.0
    # This model feels neither rain nor the first fluxes.
    assert metrics["convection_P_zonal_rms_native"] == metrics["convection_dTs"] == 0.0
    for cheap in ("betts_miller", "adjustment"):
        for name in ("r2_heating_present_mf", "r2_moistening_p4k_hf", "lead_r2_heating_p4k_code"):
            assert f"convection_{cheap}_{name}" in metrics
    titles = [table.title for table in result.tables]
    assert titles.count("Moist convection") == 1
    assert sum("Kuo's" in title for title in titles) == 2 * 5
    assert (out / "plasim_convection_0.pt").exists()
