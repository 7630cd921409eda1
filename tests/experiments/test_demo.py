"""The demo as a whole: `make demo` in preset quick, and what is promised of it."""

from pathlib import Path

import pytest

from hybrid.demo import run_demo
from hybrid.experiments.result import ExperimentResult
from hybrid.results import read_results
from hybrid.verify import verify

pytestmark = [pytest.mark.slow, pytest.mark.fortran, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(out: Path) -> list[ExperimentResult]:
    return run_demo(out)


def test_stochastic_closures_reach_the_climate(demo: list[ExperimentResult], out: Path) -> None:
    found = read_results(out / "results.json").metrics
    best = min(found["hellinger_cubic_ar1"], found["hellinger_mlp_ar1"])
    assert best <= 0.04
    assert best <= found["hellinger_none"] / 5
    best_c4 = min(found["hellinger_cubic_ar1_c4"], found["hellinger_mlp_ar1_c4"])
    assert best_c4 <= found["hellinger_floor_c4"] + 0.01


def test_climate_runs_are_long_enough(demo: list[ExperimentResult]) -> None:
    settings = next(result for result in demo if result.name == "lorenz96").settings
    assert float(settings["time_units_per_seed"]) >= 2000.0
    assert settings["n_seed"] == 3


def test_all_promised_metrics_are_there(demo: list[ExperimentResult], out: Path) -> None:
    found = read_results(out / "results.json").metrics
    runs = ("floor", "none", "cubic", "cubic_ar1", "mlp_ar1")
    promised = {f"hellinger_{run}{suffix}" for run in runs for suffix in ("", "_c4")}
    promised |= {
        f"mae_{variable}_{model}{suffix}"
        for variable in ("dT", "dq", "NETSW", "PRECC")
        for model in ("mlp", "ridge", "climatology")
        for suffix in ("", "_season")
    }
    assert promised - found.keys() == set()
    assert found["fortran_minus_python_max"] <= 1e-6


def test_every_archive_is_verified(demo: list[ExperimentResult]) -> None:
    archives = [path for result in demo for path in result.archives]
    assert len(archives) == 12
    for path in archives:
        report = verify(path)
        assert max(row.eps for row in report.rows) <= 4.0, path


def test_report_is_self_contained(demo: list[ExperimentResult], out: Path) -> None:
    text = (out / "report.html").read_text()
    assert text.count('<img src="data:') == sum(len(result.figures) for result in demo)
    assert "http://" not in text
