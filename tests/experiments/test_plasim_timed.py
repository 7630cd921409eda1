"""Runs of PlaSim whose days are timed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid.experiments.plasim import timed
from hybrid.experiments.plasim.building import Host
from hybrid.experiments.plasim.jobs import Work
from hybrid.experiments.plasim.settings import PRESETS

SETTINGS = replace(PRESETS["full"], n_round=2)
ARCHIVES = {"longwave": Path("a.pt")}


def test_every_round_has_a_native_run_of_its_own() -> None:
    found = timed.timed_jobs(SETTINGS, Path("restart"), ARCHIVES, {"longwave": Path("b.pt")})
    names = [job.name for job in found]
    assert names == list(timed.timed_names(SETTINGS))
    assert names[: len(timed.KINDS)] == list(timed.KINDS)
    assert names[len(timed.KINDS)] == "native_round_1"
    assert [job.name for job in found if not job.may_end_early] == ["native", "native_round_1"]
    assert {job.run.n_day for job in found} == {SETTINGS.n_timing}
    assert found[names.index("linear_round_1")].run.schemes["longwave"]["archive"] == "b.pt"
    assert found[names.index("guarded")].run.schemes["longwave"]["policy"] == "host"


def test_only_the_closures_own_runs_count_as_lost() -> None:
    rivals = [name for name in timed.timed_names(SETTINGS) if timed.is_rival(name)]
    kinds = ("noop", "every_2", "every_3", "linear")
    assert rivals == [*kinds, *(f"{kind}_round_1" for kind in kinds)]


def test_columns_make_one_expect_days() -> None:
    a_day = 1e-6 * 2048 * 48
    costs = {
        "longwave": {"native": 4.0, "closure": 1.0, "noop": 0.5},
        "shortwave": {"native": 2.0, "closure": 1.5, "noop": 0.5},
    }
    found = timed.expected_ratios(costs, 20.0 * a_day)
    assert found == {
        "closure": pytest.approx(1.0 - 3.5 / 20.0),
        "noop": pytest.approx(1.0 - 5.0 / 20.0),
        "every_2": pytest.approx(1.0 - 2.5 / 20.0),
        "every_3": pytest.approx(1.0 - 2.0 / 3.0 * 5.0 / 20.0),
    }
    assert timed.expected_ratios({}, 1.0) == {}


def test_days_are_told_beside_the_native_ones_of_their_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = {"native": 1.0, "native_round_1": 2.0, "closure": 0.8, "closure_round_1": 1.2}
    monkeypatch.setattr(timed, "seconds_a_day_of", lambda folder: [seconds.get(folder.name, 0.5)])
    (tmp_path / "linear_round_1").mkdir()
    (tmp_path / "linear_round_1" / "ended_early.json").write_text(json.dumps("too cold"))
    work = Work({1: Host(tmp_path / "plasim.x", tmp_path, "key")}, tmp_path)
    days = timed.collect_days(work, SETTINGS)
    assert "linear" not in days
    assert days["native"].ratios == (1.0, 1.0)
    assert days["closure"].ratios == (0.8, 0.6)
    assert days["closure"].ratio == pytest.approx(0.7)
    assert days["closure"].second == pytest.approx(1.0)
    assert days["noop"].ratios == (0.5, 0.25)
