"""The order of the jobs of the benchmark, and reports of what is finished."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hybrid.cli import app
from hybrid.experiments import EXPERIMENTS, run_until
from hybrid.experiments.quasigeostrophic import experiment
from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.job import TRUTH, HostedJob, RunJob, TrainingJob
from hybrid.experiments.quasigeostrophic.learning.pairs import PairsRun
from hybrid.experiments.quasigeostrophic.order import LAST, NOW, STAGES, Step, steps
from hybrid.experiments.quasigeostrophic.runs.configurations import CONFIGURATIONS, HOUR
from hybrid.experiments.quasigeostrophic.settings import PRESETS

FULL = PRESETS["full"]


def test_every_job_is_done_once_and_the_costliest_last() -> None:
    order = steps(FULL)
    assert (*order,) == (*STAGES, LAST)
    assert EXPERIMENTS["quasigeostrophic"].stages == STAGES
    jobs = [job.name for part in order.values() for step in part for job in step.jobs]
    assert len(jobs) == len(set(jobs))
    n_flow = len(FULL.configurations)
    n_run = sum(len(FULL.seeds(model)) for model in (*FULL.candidates, TRUTH)) * n_flow
    assert sum(name.startswith("climate_") for name in jobs) == n_run
    assert jobs[-1] == f"climate_fcnn_jet_{len(FULL.seeds('fcnn')) - 1}"
    last = [job for step in order[LAST] for job in step.jobs]
    assert {job.model for job in last if isinstance(job, RunJob)} == {"fcnn"}
    assert [job.plan.name for job in last if isinstance(job, TrainingJob)] == ["fcnn"]
    assert len(FULL.seeds("fcnn")) == len(FULL.seeds("gated")) == 10 < len(FULL.seeds(TRUTH))


def test_a_network_is_trained_after_the_one_it_begins_as() -> None:
    names = [job.name for step in steps(FULL)["networks"] for job in step.jobs]
    order = [names.index(name) for name in ("states_0", "network_gated", "network_gated_online")]
    assert order == sorted(order)
    assert names.index("climate_gated_eddy_0") > order[-1]


def test_fits_come_after_the_runs_that_they_are_made_of() -> None:
    found = [[job.name for job in step.jobs] for step in steps(FULL)["calibration"]]
    n = FULL.calibration.n_trial
    rounds = [
        [
            [
                f"calibration_trial_{flow}_{i}"
                for i in range(k * n, (k + 1) * n)
                for flow in ("eddy", "middle")
            ],
            [f"fit_{k}"],
        ]
        for k in range(FULL.calibration.n_round)
    ]
    assert found[1:-1] == [jobs for each in rounds for jobs in each]
    assert {"calibration_truth_eddy_0", "calibration_none_middle_0"} <= set(found[0])
    assert "climate_leith_e_sixth_eddy_0" in found[-1]


def test_without_the_fortran_host_its_runs_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = HostedJob("gated_online", "eddy", 0)
    hosted = {NOW: [], "networks": [Step("runs of networks in Fortran", [job])]}
    monkeypatch.setattr(experiment, "steps", lambda _settings: hosted)
    monkeypatch.setattr(experiment, "can_host", lambda: False)
    options = ["run", "quasigeostrophic", "--preset", "test", "--until", "networks"]
    found = CliRunner().invoke(app, [*options, "--out", str(tmp_path / "out")])
    assert found.exit_code == 0
    assert "runs of networks in Fortran are left out: the host is not built" in found.output


def test_runs_go_seed_by_seed() -> None:
    _, step = steps(FULL)["published"]
    seeds = [job.seed for job in step.jobs if isinstance(job, RunJob)]
    assert seeds == sorted(seeds)
    models = [job.model for job in step.jobs if isinstance(job, RunJob)]
    assert models[0] == TRUTH
    assert {CANDIDATES[model].plan for model in models if model != TRUTH} == {None}


def test_what_a_report_needs_is_said(tmp_path: Path) -> None:
    options = ["run", "quasigeostrophic", "--preset", "test", "--until", NOW]
    found = CliRunner().invoke(app, [*options, "--out", str(tmp_path / "out")])
    assert found.exit_code == 0
    assert "nothing to report yet: expected two finished runs of the truth" in found.output


@pytest.mark.fortran
def test_a_run_that_is_told_to_stop_reports_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path / "cache"))
    out = tmp_path / "out"
    assert run_until("quasigeostrophic", "test", out, NOW) is None
    assert not (out / "results.json").exists()
    result = run_until("quasigeostrophic", "test", out, "published")
    assert result is not None
    missing = "leith_e_sixth, sparse, sparse_unwhitened, gated_online, gated_noise"
    assert result.headline.endswith(f"; not yet run: {missing}")
    results = json.loads((out / "results.json").read_text())
    assert np.isfinite(results["similarity_eddy_mean_leith_e"])
    assert "similarity_eddy_mean_gated_online" not in results
    assert "--until published" in (out / "report.html").read_text()
    again = run_until("quasigeostrophic", "test", out, NOW)
    assert again is not None
    kept = {k: v for k, v in again.metrics.items() if "cost" not in k and "seconds" not in k}
    assert kept == {k: v for k, v in result.metrics.items() if k in kept}


def test_a_run_without_a_snapshot_is_refused() -> None:
    with pytest.raises(ValueError, match="years: expected a run of at least") as error:
        PairsRun(CONFIGURATIONS["eddy"], seed=1, years=0.1, every=1000.0 * HOUR)
    assert str(error.value) == (
        "years: expected a run of at least 0.116 years, 0 of spin-up and the 1000 hours between "
        "two snapshots, got 0.1; lengthen the run, or give a shorter `every`"
    )
    with pytest.raises(ValueError, match=r"least 0\.616 years, 0\.5 of spin-up"):
        PairsRun(CONFIGURATIONS["eddy"], seed=1, years=0.6, every=1000.0 * HOUR, spin_up=0.5)
