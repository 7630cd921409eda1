"""Feedback and forcing of runs over a given sea."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hybrid.experiments.plasim.climate import SINGLE
from hybrid.experiments.plasim.jobs import all_jobs
from hybrid.experiments.plasim.model_run import Run, warmed
from hybrid.experiments.plasim.report import Calls, share
from hybrid.experiments.plasim.responses import (
    CARBON_DIOXIDE,
    CONTROL,
    N_DAY_OF_BLOCK,
    WARM,
    response,
    response_difference,
    response_name,
)
from hybrid.experiments.plasim.settings import PRESETS

N_BLOCK = 6


def climate(changes: Mapping[str, float], weather: np.ndarray | float = 0.0) -> xr.Dataset:
    """Return a climate that is 100 everywhere but for `changes`, with weather in the sunlight."""
    n_day = N_BLOCK * N_DAY_OF_BLOCK
    daily = {name: np.full(n_day, 100.0 + changes.get(name, 0.0)) for name in SINGLE}
    daily["absorbed_shortwave"] = daily["absorbed_shortwave"] + weather
    ones = np.ones(8)
    _, weight = np.polynomial.legendre.leggauss(8)
    fields = {name: (("time", "latitude"), np.outer(each, ones)) for name, each in daily.items()}
    return xr.Dataset({**fields, "weight": ("latitude", weight / 2.0)})


def test_feedback_is_flux_for_each_kelvin_and_forcing_is_flux() -> None:
    found = response(
        {
            CONTROL: climate({}),
            WARM: climate(
                {"surface_temperature": 4.0, "outgoing_longwave": 9.0, "absorbed_shortwave": 1.0}
            ),
            CARBON_DIOXIDE: climate({"outgoing_longwave": -3.7}),
        }
    )
    assert found.feedback.value == pytest.approx(-2.0)
    assert found.shortwave_feedback.value == pytest.approx(0.25)
    assert found.forcing.value == pytest.approx(3.7)
    assert found.feedback.error == pytest.approx(0.0, abs=1e-12)


def test_errors_are_those_of_means_of_blocks() -> None:
    of_blocks = np.array([1.0, -1.0, 2.0, -2.0, 3.0, -3.0])
    weather = np.repeat(of_blocks, N_DAY_OF_BLOCK)
    found = response(
        {
            CONTROL: climate({}, weather),
            WARM: climate({"surface_temperature": 2.0}),
            CARBON_DIOXIDE: climate({}),
        }
    )
    error = of_blocks.std(ddof=1) / N_BLOCK**0.5
    assert found.feedback.error == pytest.approx(error / 2.0)
    assert found.forcing.error == pytest.approx(error)


def test_seasons_that_both_models_have_cancel_in_their_difference() -> None:
    season = np.repeat([1.0, 2.0, 3.0, 3.0, 2.0, 1.0], N_DAY_OF_BLOCK)

    def of(sunlight: float) -> dict[str, xr.Dataset]:
        warm = {"surface_temperature": 4.0, "absorbed_shortwave": sunlight}
        return {
            CONTROL: climate({}),
            WARM: climate(warm, season),
            CARBON_DIOXIDE: climate({"outgoing_longwave": -3.7}),
        }

    assert response(of(1.0)).feedback.error > 0.05
    found = response_difference(of(2.0), of(1.0))
    assert found.feedback.value == found.shortwave_feedback.value == pytest.approx(0.25)
    assert found.forcing.value == pytest.approx(0.0, abs=1e-12)
    assert found.feedback.error == pytest.approx(0.0, abs=1e-12)


def test_a_given_sea_is_told_to_the_model() -> None:
    own = Run(9, changes={"radmod": {"co2": 720.0}}).namelists()
    assert "nocean" not in str(own["oceanmod_namelist"])
    assert "co2 = 720.0" in str(own["radmod_namelist"])
    warm = Run(9, sea_warmer=4.0, changes={"oceanmod": {"ndiag": 5}}).namelists()
    assert warm["oceanmod_namelist"]["oceanmod_nl"] == {"ndiag": 5, "nocean": 0, "newsurf": 1}


def test_a_warmer_sea_keeps_the_layout_of_its_file() -> None:
    header = "       169         0  20090000        -1        64        32         0         0"
    text = f"{header}\n   271.360   300.007\n{header}\n   299.999   -10.000\n"
    expected = f"{header}\n   275.360   304.007\n{header}\n   303.999    -6.000\n"
    assert warmed(text, 4.0) == expected


def test_runs_over_a_given_sea_are_made_where_the_preset_asks(tmp_path: Path) -> None:
    full = PRESETS["full"]
    archives = [{"longwave": tmp_path / "a.pt"}] * full.n_closure
    for n_day, n in ((360, 6), (0, 0)):
        settings = replace(full, n_response=n_day)
        jobs = all_jobs(settings, tmp_path / "restart", archives)
        found = {job.name: job for job in jobs if job.name.startswith("response_")}
        assert len(found) == n
    jobs = all_jobs(full, tmp_path / "restart", archives)
    found = {job.name: job for job in jobs}
    warm = found[response_name("closure", WARM)]
    assert warm.run.sea_warmer == 4.0
    assert warm.run.schemes["longwave"]["policy"] == "host"
    assert warm.may_end_early
    assert not found[response_name("native", WARM)].may_end_early


def test_shares_are_of_column_evaluations() -> None:
    report = {
        "longwave": {"evaluated": Calls(1000), "flagged": Calls(100), "fallback": Calls(100, 1.0)},
        "shortwave": {"evaluated": Calls(1000), "flagged": Calls(300), "fallback": Calls(50, 1.0)},
    }
    assert share(report, ["longwave", "shortwave"], "flagged") == pytest.approx(0.2)
    assert share(report, ["longwave", "shortwave"], "fallback") == pytest.approx(0.075)
    assert share(report, ["shortwave"], "fallback") == pytest.approx(0.05)
