"""The experiment ``multifidelity``: its test bed of columns, and a run of preset test."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

import hybrid
from closures.multifidelity import confidence_of
from fortran_bridge.hosts import ClimsimHost
from fortran_bridge.native_closure import NativeClosure
from hybrid.experiments import EXPERIMENTS, run_experiment
from hybrid.experiments.multifidelity import job as jobs
from hybrid.experiments.multifidelity.bed import Table, Tables
from hybrid.experiments.multifidelity.candidates import CANDIDATES, by_name
from hybrid.experiments.multifidelity.columns import ColumnSizes, column_bed
from hybrid.experiments.multifidelity.hosted import run_closure
from hybrid.experiments.multifidelity.job import Job, Scored, do, restored
from hybrid.experiments.multifidelity.settings import INPUT_LIMIT, PRESETS
from hybrid.experiments.multifidelity.shown import Shown
from hybrid.experiments.result import ExperimentResult

PLAN = PRESETS["test"]
(SIZES, SETTINGS) = PLAN.beds[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentResult, Path]:
    out = tmp_path_factory.mktemp("multifidelity")
    return run_experiment("multifidelity", "test", out), out


@pytest.fixture(scope="module")
def data(run: tuple[ExperimentResult, Path]) -> Path:
    (folder,) = (run[1] / "samples").iterdir()
    return folder


@pytest.fixture(scope="module")
def tables(data: Path) -> Tables:
    assert Tables.are_in(data)
    return Tables.read(data)


def test_results_are_flat_and_named_as_documented(run: tuple[ExperimentResult, Path]) -> None:
    _, out = run
    metrics = json.loads((out / "results.json").read_text())
    for name in PLAN.candidates:
        for variable in ("heating", "moistening"):
            for climate in ("present", "p4k"):
                crps = metrics[f"crps_{variable}_{climate}_{name}"]
                mae = metrics[f"mae_{variable}_{climate}_{name}"]
                assert 0.0 < crps <= mae * (1.0 + 1e-12)
    assert metrics["crps_heating_p4k_det"] == metrics["mae_heating_p4k_det"]
    assert 0.0 < metrics["coverage90_present"] < 1.0
    assert 0.0 <= metrics["ood_auroc"] <= 1.0
    assert set(EXPERIMENTS["multifidelity"].durations) == {"test", "quick", "full"}


def test_report_has_scores_and_calibration_of_each_climate(
    run: tuple[ExperimentResult, Path],
) -> None:
    result, out = run
    titles = [table.title for table in result.tables]
    assert [title for title in titles if title.startswith("Scores")] == [
        "Scores: generated columns, present",
        "Scores: generated columns, +4 K",
    ]
    assert all("HF, deterministic" not in t.rows for t in result.tables if "Calib" in t.title)
    assert {figure.name for figure in result.figures} == {
        "r2_columns",
        "spread_error_columns",
        "reliability_columns",
        "spread_maps_columns",
    }
    assert (out / "report.html").stat().st_size > 100_000


def test_results_and_report_say_what_the_bed_is_made_of(
    run: tuple[ExperimentResult, Path],
) -> None:
    _, out = run
    assert isinstance(SIZES, ColumnSizes)
    settings = json.loads((out / "results.json").read_text())["settings"]
    assert settings["beds"] == "columns"
    assert settings["columns_contract"] == "multifidelity_columns 1.0"
    assert settings["columns_grid"] == "384 columns of 60 levels"
    assert settings["columns_sample_low"] == SIZES.low
    assert settings["columns_n_low"] == 384 * SIZES.low
    assert settings["columns_n_test_p4k"] == 384 * SIZES.test
    assert settings["columns_sample_warmings"] == "0.0, 8.0"
    assert settings["columns_training_n_member"] == SETTINGS.n_member
    assert settings["columns_training_n_epoch"] == SETTINGS.n_epoch
    assert settings["columns_seeds"] == "0"
    assert settings["columns_candidates"] == "mf, hf, det"
    assert not any("online" in name for name in settings)
    report = (out / "report.html").read_text()
    assert all(f"<dt>{name}</dt>" in report for name in settings)


def test_low_fidelity_is_its_code_and_high_fidelity_is_not(tables: Tables) -> None:
    assert tables.low.code is not None
    assert np.array_equal(tables.low.outputs, tables.low.code)
    for table in (tables.high, *tables.tests.values()):
        assert table.code is not None
        heating = slice(0, 60)
        error = ((table.outputs - table.code)[:, heating] ** 2).sum()
        assert 0.1 < error / (table.outputs[:, heating] ** 2).sum() < 1.0


def test_high_fidelity_samples_are_of_the_present_alone(tables: Tables) -> None:
    lowest = 59
    present, warm = (t.inputs[:, lowest].mean() for t in tables.tests.values())
    assert tables.high.inputs[:, lowest].mean() == pytest.approx(present, abs=1.5)
    assert warm - present == pytest.approx(4.0, abs=1.0)
    assert len(np.unique(tables.low.group)) == 4


def test_invariant_inputs_stay_where_raw_ones_do_not(tables: Tables) -> None:
    bed = column_bed()
    present, warm = tables.tests.values()
    shifts = {}
    for way in ("raw", "invariant"):
        shown = Shown.of(bed, tables, way, INPUT_LIMIT)
        difference = shown.features(warm.inputs).mean(0) - shown.features(present.inputs).mean(0)
        # Temperature and humidity, or what stands for them, below 300 hPa.
        shifts[way] = float(difference[:120].reshape(2, 60)[:, 25:].abs().mean())
    assert shifts["invariant"] < 0.5 * shifts["raw"]


def test_targets_and_predictions_are_inverse(tables: Tables) -> None:
    bed = column_bed()
    shown = Shown.of(bed, tables, "raw", INPUT_LIMIT)
    for correction in (False, True):
        samples = shown.samples(tables.high, correction=correction)
        code = tables.high.code if correction else None
        back = shown.physical(samples.targets.double().numpy()[None], code)[0]
        scale = tables.high.outputs.std(axis=0).max()
        assert np.allclose(back, tables.high.outputs, atol=1e-6 * scale)


def test_what_is_done_is_not_done_again_but_with_other_settings(
    run: tuple[ExperimentResult, Path], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = run[1] / "trainings"
    job = Job("columns", by_name("hf"), 0)
    asked: list[str] = []
    monkeypatch.setattr(jobs, "_train_and_score", lambda job, *_: asked.append(job.name))
    work = partial(do, job, lambda _: None, bed=column_bed(), data=data, out=out)
    work(settings=SETTINGS)
    assert asked == []
    work(settings=replace(SETTINGS, n_epoch=7))
    assert asked == ["columns_hf_seed0"]


def test_network_comes_back_from_its_file(
    run: tuple[ExperimentResult, Path], tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run[1] / "trainings"
    job = Job("columns", by_name("mf"), 0)
    bed = column_bed()
    network = restored(job, bed, folder, SETTINGS)
    shown = jobs.shown(job, bed, tables)
    warm = tables.tests["p4k"]
    with torch.no_grad():
        mean = network(shown.features(warm.inputs)).double().numpy()
    error = ((shown.physical(mean, None) - warm.outputs) ** 2).mean(axis=0)
    found = Scored.read(folder / job.name).by_level["p4k"]
    factor = np.repeat([units[1] for units in bed.units.values()], 60)
    assert np.allclose(np.sqrt(error) * factor, found["rmse"], rtol=1e-4)


def test_candidates_have_names_of_their_own() -> None:
    assert len({each.name for each in CANDIDATES}) == len(CANDIDATES)
    assert len({each.label for each in CANDIDATES}) == len(CANDIDATES)


def test_table_of_unequal_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="arrays of one length"):
        Table(np.zeros((3, 2)), np.zeros((2, 2)), np.zeros(3, dtype=np.int64))


def test_archive_flags_more_columns_of_a_warmer_climate(
    run: tuple[ExperimentResult, Path],
) -> None:
    result, out = run
    (archive,) = result.archives
    assert archive == out / "multifidelity_columns.pt"
    confidence = hybrid.load(archive).spec.outputs[-1]
    assert confidence.role == "confidence"
    threshold = result.metrics["spread_threshold"]
    assert confidence.valid_min == pytest.approx(confidence_of(threshold))
    assert 0.0 < result.metrics["hosted_flagged_p4k"] < 1.0


@pytest.mark.fortran
def test_fortran_host_keeps_its_physics_where_the_closure_is_not_trusted(
    run: tuple[ExperimentResult, Path], tables: Tables
) -> None:
    (archive,) = run[0].archives
    bed = column_bed()
    table = tables.tests["p4k"]
    expected, flagged = run_closure(NativeClosure(archive), bed, table, "host")
    assert flagged.any()
    assert not flagged.all()
    assert table.code is not None
    assert np.array_equal(expected[flagged], table.code[flagged])
    host = ClimsimHost(archive, len(table), 60, policy="host")
    start = 0
    for field in bed.spec.inputs:
        values = table.inputs[:, start : start + field.size]
        start += field.size
        host.input(field.name)[...] = values if field.dims else values[:, 0]
    for name, part in (("ptend_t", slice(0, 60)), ("ptend_q0001", slice(60, 120))):
        host.output(name)[...] = table.code[:, part]
    host.advance(1)
    assert np.array_equal(host.mask(), flagged)
    for name, part in (("ptend_t", slice(0, 60)), ("ptend_q0001", slice(60, 120))):
        assert np.array_equal(host.output(name), expected[:, part])
