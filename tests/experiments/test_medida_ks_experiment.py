"""The experiment medida-ks in preset test: metrics, report, and what is not done again."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hybrid.experiments import run_experiment
from hybrid.experiments.medida_ks import jobs
from hybrid.experiments.medida_ks.findings import Findings
from hybrid.experiments.medida_ks.jobs import Job, discover_all
from hybrid.experiments.medida_ks.settings import N_TIME, PRESETS, WeakTerm
from hybrid.experiments.result import ExperimentResult

SETTINGS = PRESETS["test"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentResult, Path]:
    """Run preset test."""
    out = tmp_path_factory.mktemp("medida-ks")
    return run_experiment("medida-ks", "test", out), out


def test_results_are_flat_and_say_what_was_found(run: tuple[ExperimentResult, Path]) -> None:
    results = json.loads((run[1] / "results.json").read_text())
    for case in SETTINGS.cases:
        assert results[f"terms_ok_{case}"] == results[f"terms_ok_{case}_black_box"] == 1.0
        assert results[f"eps_{case}"] <= 1e-3
        for suffix in ("n05", "n1", "n2"):
            assert results[f"eps_{case}_{suffix}"] < results[f"eps_before_{case}"]
            assert 0.0 <= results[f"terms_ok_{case}_{suffix}_unknown"] <= 1.0
    assert results["detected_0.1_100"] == 1.0
    assert results["detected_strength_0.1_100_n2"] > results["detected_strength_0.01_100_n2"]
    assert results["choices"]["ill_posed"] == "no_hyperdiffusion"
    assert "error_ratio_no_hyperdiffusion" not in results
    assert results["error_ratio_half_antidiffusion"] <= 1e-3
    assert results["w1_corrected_half_antidiffusion"] < results["w1_uncorrected_half_antidiffusion"]
    assert "w1_uncorrected_no_hyperdiffusion" not in results
    assert 0.04 < results["lyapunov_exponent"] < 0.14


def test_report_has_every_table_and_figure(run: tuple[ExperimentResult, Path]) -> None:
    result, out = run
    assert [table.title for table in result.tables] == [
        "Error of coefficients [%]",
        "Right terms",
        "Calibration of standard errors",
        "Forecast error after a Lyapunov time, relative to the uncorrected model",
        "Distance of climates",
    ]
    names = [figure.name for figure in result.figures]
    assert names == ["error_growth", "climates", "detection_map", "detection_by_strength"]
    for table in result.tables:
        assert all(len(row) == len(table.columns) for row in table.rows.values())
    assert "Growth of forecast errors" in (out / "report.html").read_text()


def test_what_is_done_is_not_done_again_but_with_other_settings(
    run: tuple[ExperimentResult, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def noisy(job: Job, *_: object) -> dict[str, float]:
        asked.append(job.name)
        return {}

    monkeypatch.setattr(jobs, "_noisy", noisy)
    work = partial(discover_all, Job("noisy", "1", 1), lambda _: None, out=run[1])
    work(settings=SETTINGS)
    assert asked == []
    work(settings=replace(SETTINGS, weak=WeakTerm((0.5,), (100,))))
    assert asked == ["noisy_1"]


def test_lost_runs_do_not_count_as_good_ones() -> None:
    growth = {
        "uncorrected": [list(np.linspace(0.0, 2.0, N_TIME + 1))],
        "corrected": [None],
        "corrected_n1": [[0.0] * N_TIME + [value] for value in (0.1, 0.3)] + [None],
    }
    online = {case: {"growth": growth, "climate": {}} for case in SETTINGS.cases}
    findings = Findings(SETTINGS, {}, [], online, Path(), 1.0)
    assert findings.error_ratio("dispersion_0p5", "corrected") == np.inf
    assert findings.error_ratio("dispersion_0p5", "corrected_n1") == pytest.approx(0.1)
    assert findings.error_ratio("no_hyperdiffusion", "corrected_n1") is None
