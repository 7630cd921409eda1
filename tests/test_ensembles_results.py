"""The tables of the page on ensembles, and the bars that its committed results must meet."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import ensemble_tables
import pytest
import tables

from benchmarks.ensemble_training import FULL_TRAININGS, IN_TURN, TOGETHER, TrainingCost
from benchmarks.ensembles import ALIKE, APART, CASCADE, ONE_ARCHIVE, PAIRS, STUDENT, EnsembleCost
from benchmarks.fidelity_closures import FULL_SETUP
from benchmarks.fidelity_scores import FidelityScores

FILE = Path(__file__).parents[1] / "docs" / "results" / "ensembles.json"

SCORES = FidelityScores(
    0.3, 0.992, 0.995, 0.985, {"present": 0.2, "p4k": 0.31}, {"present": 0.9, "p4k": 0.8}
)
COST = EnsembleCost(
    ONE_ARCHIVE, APART, 32, 384, True, 128, 384, 0.0384, 1.2, 1.1, 1.3, SCORES
)  # fmt: skip
TRAINING = TrainingCost(TOGETHER, IN_TURN, 32, (512, 512), 64, 500, 0.5, 0.7, 0.6, 0.8, 2e-6)


@pytest.fixture
def results() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def test_tables_show_what_was_measured() -> None:
    same = replace(COST, beside=ALIKE, reproducible=False, block_beside=128)
    made = json.loads(json.dumps({"records": [asdict(c) for c in (COST, same, TRAINING)]}))
    first, second = ensemble_tables.ensemble_costs_table(made).splitlines()[2:]
    shown = "on | 128 beside 384 | 100 | 1.200 (1.300) | 99.2 % | 99.5 % | 98.5 % | 0.2000 | 0.3100"
    assert f"{shown} | 90 % | 80 % |" in first
    assert "off | 128 | 100 |" in second
    (row,) = ensemble_tables.ensemble_training_table(made).splitlines()[2:]
    assert row == "| 32 | 512 x 512 | 64 | 1000 | 0.700 (0.800) | 2e-06 |"


def test_page_holds_the_committed_results() -> None:
    text = tables.ENSEMBLES.read_text()
    assert tables.with_tables(text) == text


def test_committed_results_are_those_of_a_whole_run(results: dict[str, Any]) -> None:
    assert results["threads"] == 1
    assert results["machine"]
    runs = ensemble_tables.runs(results)
    assert {(r["closure"], r["beside"]) for r in runs} == set(PAIRS)
    assert {r["reproducible"] for r in runs} == {True, False}
    assert {(r["n_member"], r["n_column"]) for r in runs} == {(FULL_SETUP.n_member, 384)}
    trainings = [
        (r["n_member"], tuple(r["widths"]), r["batch_size"])
        for r in ensemble_tables.trainings(results)
    ]
    assert trainings == [(t.n_member, t.widths, t.batch_size) for t in FULL_TRAININGS]


@pytest.mark.parametrize("reproducible", [True, False])
def test_members_in_one_archive_cost_no_more_than_alone(
    results: dict[str, Any], reproducible: bool
) -> None:
    found = [
        r
        for r in ensemble_tables.runs(results)
        if r["closure"] == ONE_ARCHIVE
        and r["reproducible"] == reproducible
        and r["block"] == r["block_beside"]
    ]
    assert found
    assert max(r["high"] for r in found) <= 1.02


def test_cascade_costs_a_third_and_decides_alike(results: dict[str, Any]) -> None:
    found = [r for r in ensemble_tables.runs(results) if r["closure"] == CASCADE]
    for record in found:
        assert record["high"] <= 0.35
        scores = record["scores"]
        assert scores["agreement"] >= 0.99
        assert min(scores["agreement_trusted"], scores["agreement_flagged"]) >= 0.97
        assert 0.2 <= scores["flagged"] <= 0.5


def test_student_costs_next_to_nothing_and_is_as_good(results: dict[str, Any]) -> None:
    runs = ensemble_tables.runs(results)
    full = next(r for r in runs if r["closure"] == ONE_ARCHIVE)["scores"]
    for record in (r for r in runs if r["closure"] == STUDENT):
        assert record["high"] <= 0.06
        for climate, crps in full["crps"].items():
            assert record["scores"]["crps"][climate] <= 1.05 * crps, climate


def test_members_trained_together_are_those_trained_alone(results: dict[str, Any]) -> None:
    for record in ensemble_tables.trainings(results):
        assert record["low"] <= record["ratio"] <= record["high"]
        # Rounding, of products of another shape, after a few steps.
        assert record["difference"] < 1e-3
