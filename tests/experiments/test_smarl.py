"""The experiment ``smarl``: truths, scores by formulas, and a run of preset test."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from two_dimensional_flow import turbulence

import hybrid
from hybrid.errors import TrainError
from hybrid.experiments import run_experiment
from hybrid.experiments.result import ExperimentResult, Preset
from hybrid.experiments.smarl.budgets import budget
from hybrid.experiments.smarl.candidates import BOUNDS2, CANDIDATES
from hybrid.experiments.smarl.climates import EDGES, Target, climate, distribution, scores
from hybrid.experiments.smarl.regimes import REGIMES
from hybrid.experiments.smarl.settings import PRESETS, TRAINED
from hybrid.experiments.smarl.truth import SAVED, Truth, filtered, subgrid_term
from solvers.barotropic import BarotropicIntegration
from solvers.eddy_viscosity import EddyViscosity, LinearPolicy

TINY = PRESETS["test"].regimes[TRAINED]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentResult, Path]:
    out = tmp_path_factory.mktemp("smarl")
    return run_experiment("smarl", "test", out), out


def test_filtered_fields_have_the_waves_that_both_grids_keep() -> None:
    fine, coarse = TINY.truth(), TINY.coarse()
    y, x = np.meshgrid(*(np.arange(fine.nx) * fine.grid.dx for _ in range(2)), indexing="ij")
    kept, lost = np.cos(3 * x - 7 * y) + 2.0 * np.sin(10 * y), np.cos(15 * x)
    spectrum = np.fft.rfft2((kept + lost)[None])
    found = filtered(spectrum, fine, coarse)[0]
    step = fine.nx // coarse.nx
    np.testing.assert_allclose(found, kept[::step, ::step], atol=1e-12)
    back = filtered(np.fft.rfft2(found[None]), coarse, fine)[0]
    np.testing.assert_allclose(back, kept, atol=1e-12)


def test_the_subgrid_term_is_what_the_coarse_model_lacks() -> None:
    fine, coarse = TINY.truth(), TINY.coarse()
    y, x = np.meshgrid(*(np.arange(fine.nx) * fine.grid.dx for _ in range(2)), indexing="ij")
    # Waves that the coarse grid keeps, but for one: that one's products are what it lacks.
    long, short = np.cos(2 * x) + np.sin(3 * y), np.cos(14 * x)
    nothing = subgrid_term(np.fft.rfft2(long[None]), fine, coarse)
    np.testing.assert_allclose(nothing, 0.0, atol=1e-11)
    found = subgrid_term(np.fft.rfft2((long + short)[None]), fine, coarse)[0]
    # J(psi, w) of cos(14 x) and sin(3 y): waves (14, 3) are lost again, so nothing is missing.
    np.testing.assert_allclose(found, 0.0, atol=1e-11)
    shorter = np.cos(14 * x) + np.sin(14 * x + 3 * y)
    term = subgrid_term(np.fft.rfft2(shorter[None]), fine, coarse)[0]
    # Both are not kept; their difference (0, 3) is: psi = -w / k2, J = psi_x w_y - psi_y w_x.
    a, b = 14.0**2, 14.0**2 + 9.0
    step = fine.nx // coarse.nx
    ya = y[::step, ::step]
    # J = 42 (1 / a - 1 / b) sin(14 x) cos(14 x + 3 y), whose long part is -sin(3 y) / 2.
    expected = -42.0 * (1.0 / a - 1.0 / b) * -0.5 * np.sin(3 * ya)
    np.testing.assert_allclose(term, np.broadcast_to(expected, term.shape), atol=1e-11)


def test_a_truth_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path))
    truth = Truth(TINY, "validation", time=0.5, spin_up=1.0)
    first, transfer = truth.trajectory(1)
    assert first.shape == (2, TINY.n_coarse, TINY.n_coarse)
    (file,) = tmp_path.glob("turbulence-*.npz")
    written = file.stat().st_mtime_ns
    again = truth.trajectory(1)
    assert np.array_equal(again.states, first)
    assert np.array_equal(again.transfer, transfer)
    assert file.stat().st_mtime_ns == written
    other, _ = replace(truth, part="test").trajectory(1)
    assert np.abs(other - first).max() > 0.1


def test_the_truth_has_no_error_and_others_have_theirs() -> None:
    states = turbulence(24, seed=1, n_member=40)
    grid = replace(TINY, n_coarse=24).coarse().grid
    truth = Target(states, np.zeros(7), grid)
    own = scores(truth.statistics, truth)
    assert own == {"lse": 0.0, "w1": 0.0, "t3": 0.0, "t4": 0.0, "blowups": 0.0}
    twice = Target(2.0 * states, np.zeros(7), grid)
    found = scores(
        xr.Dataset(
            {
                "enstrophy": twice.statistics.enstrophy,
                "distribution": ("bin", distribution(twice.states, truth.deviation)),
            }
        ),
        truth,
    )
    assert found["lse"] == pytest.approx(np.log10(4.0))
    # Twice the values are as far away as the values are from zero, but for the width of bins.
    assert found["w1"] == pytest.approx(np.abs(states).mean() / states.std(), abs=0.1)
    beyond = [(np.abs(s * states) > 3 * states.std()).mean() for s in (2.0, 1.0)]
    assert found["t3"] == pytest.approx(np.log10(beyond[0] / beyond[1]), abs=1e-9)


def test_bins_count_every_value_once() -> None:
    values = np.array([-50.0, -0.05, 0.05, 3.05, 4.05, 99.0])
    counts = distribution(values, deviation=1.0)
    assert counts.sum() == len(values)
    assert counts[0] == counts[-1] == 1
    assert {3.0, 4.0} <= set(np.round(EDGES, 12))


def test_runs_that_blow_up_are_counted_and_have_no_scores() -> None:
    trajectory = Truth(TINY, "training", time=1.0, spin_up=4.0).trajectory(0)
    truth = Target(*trajectory, TINY.coarse().grid)
    wild = TINY.coarse(EddyViscosity(c2=-0.5))
    made = climate(wild, truth, n_run=2, time=2.0, spin_up=0.0)
    found = scores(made, truth)
    assert found["blowups"] == 2.0
    assert np.isnan(found["lse"])


@pytest.mark.parametrize("name", [n for n, c in CANDIDATES.items() if c.learner])
def test_a_search_ends_as_the_closure_that_it_ran(name: str) -> None:
    candidate = CANDIDATES[name]
    weights = candidate.free.weights(np.full(candidate.free.n, 0.4))
    found = candidate.with_weights(weights)
    as_run = replace(candidate.policy, weights2=tuple(weights[0]), weights4=tuple(weights[1]))
    assert isinstance(found, EddyViscosity if candidate.constant else LinearPolicy)
    state = turbulence(TINY.n_coarse, seed=2)
    tendencies = []
    for viscosity in (found, as_run):
        integration = TINY.coarse(viscosity).start(state)
        assert isinstance(integration, BarotropicIntegration)
        tendencies.append(integration.eddy_tendency())
    np.testing.assert_allclose(tendencies[0], tendencies[1], rtol=1e-10, atol=1e-12)


def test_constants_stay_within_the_bounds_of_the_search() -> None:
    candidate = CANDIDATES["leith_biharmonic"]
    weights = np.zeros((2, 6))
    weights[:, 0] = -1.0, -1.0
    found = candidate.with_weights(weights)
    assert isinstance(found, EddyViscosity)
    assert (found.c2, found.c4) == (BOUNDS2[0], 0.0)


def test_regimes_are_resolved_by_the_coarse_grid() -> None:
    for regime in REGIMES.values():
        coarse = regime.coarse()
        assert regime.wavenumber < coarse.grid.k[coarse.kept[0]].max() / 1.5


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybrid.experiments.smarl.find_spec", lambda _name: None)
    with pytest.raises(TrainError, match=r"found no cma, no gymnasium, .*install .*\[rl\]"):
        run_experiment("smarl", "test", tmp_path)


@pytest.mark.parametrize("preset", PRESETS)
def test_states_are_saved_at_steps_of_truth_and_coarse_model(preset: Preset) -> None:
    for regime in PRESETS[preset].regimes.values():
        for dt in (regime.dt_truth, regime.dt_coarse):
            assert SAVED / dt == pytest.approx(round(SAVED / dt), abs=1e-9)


def test_a_run_reports_every_closure_in_flat_names(run: tuple[ExperimentResult, Path]) -> None:
    _, out = run
    results = json.loads((out / "results.json").read_text())
    for name in (*PRESETS["test"].candidates, "best_learned"):
        for metric in ("lse", "w1", "t3", "blowups", "cost"):
            assert np.isfinite(results[f"{metric}_{name}"]), (metric, name)
    assert results["lse_floor"] > 0.0
    trained = {path.name for path in (out / "tensorboard").iterdir()}
    learners = {name for name in PRESETS["test"].candidates if CANDIDATES[name].learner}
    assert trained == {*(f"{name}_0" for name in learners), "cma_0_from_4"}
    assert results["cost_leith"] == 1.0


def test_a_run_exports_the_best_policy(run: tuple[ExperimentResult, Path]) -> None:
    result, out = run
    assert {path.name for path in result.archives} == {"best_learned.pt", "leith_biharmonic.pt"}
    spec = hybrid.load(out / "best_learned.pt").spec
    assert spec.locality == "grid"
    assert len(result.figures) == 6
    assert len(result.tables) == 5


def test_gains_are_paired_by_the_states_that_episodes_begin_with(
    run: tuple[ExperimentResult, Path],
) -> None:
    table = next(table for table in run[0].tables if "single episodes" in table.title)
    _, gain, error, *rest = table.rows["CMA-ES on the pair, seed 0"]
    assert gain is not None
    assert error is not None
    assert error > 0.0
    assert run[0].metrics["gain_start_cma"] == gain
    # Preset test tunes no constant Smagorinsky to hold it against.
    assert rest == [None, None]
    assert run[0].metrics["learned_cma"] == float(gain > 2.0 * error)


@pytest.mark.parametrize("preset", PRESETS)
def test_settings_go_to_other_processes(preset: Preset) -> None:
    assert pickle.loads(pickle.dumps(PRESETS[preset])) == PRESETS[preset]


def test_budgets_have_what_is_taken_and_what_is_given_back() -> None:
    assert budget(np.array([2.0, -4.0, -9.0])) == (13.0, 2.0, 2.0, 2.0)


def test_the_budget_of_the_truth_is_that_of_its_subgrid_term(
    run: tuple[ExperimentResult, Path],
) -> None:
    table = next(table for table in run[0].tables if "Budgets" in table.title)
    taken, given, *_ = table.rows["truth, subgrid term"]
    trajectory = Truth(TINY, "test", time=16.0, spin_up=8.0).trajectory(0)
    assert taken is not None
    assert given is not None
    assert given - taken == pytest.approx(trajectory.transfer.sum())
    assert len(table.rows) == len(PRESETS["test"].candidates)


def test_searches_with_few_states_stand_beside_those_with_all(
    run: tuple[ExperimentResult, Path],
) -> None:
    result, _ = run
    table = next(table for table in result.tables if "few states" in table.title)
    assert list(table.rows) == ["4 states", "64 states"]
    assert result.metrics["lse_cma_from_64"] == result.metrics["lse_cma"]
    assert result.metrics["lse_cma_from_4"] == table.rows["4 states"][0]
    assert table.rows["4 states"] != table.rows["64 states"]
