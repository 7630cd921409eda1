"""The experiment ``smarl``: truths, scores by formulas, and a run of preset test."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from two_dimensional_flow import turbulence

import hybrid
from hybrid.experiments import run_experiment
from hybrid.experiments.result import ExperimentResult
from hybrid.experiments.smarl.candidates import BOUNDS2, CANDIDATES
from hybrid.experiments.smarl.climates import EDGES, Target, climate, distribution, scores
from hybrid.experiments.smarl.regimes import REGIMES
from hybrid.experiments.smarl.settings import PRESETS, TRAINED
from hybrid.experiments.smarl.truth import Truth, filtered
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


def test_a_truth_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path))
    truth = Truth(TINY, "validation", time=0.5, spin_up=1.0)
    first = truth.states(1)
    assert first.shape == (2, TINY.n_coarse, TINY.n_coarse)
    (file,) = tmp_path.glob("turbulence-*.npy")
    written = file.stat().st_mtime_ns
    assert np.array_equal(truth.states(1), first)
    assert file.stat().st_mtime_ns == written
    other = replace(truth, part="test").states(1)
    assert np.abs(other - first).max() > 0.1


def test_the_truth_has_no_error_and_others_have_theirs() -> None:
    states = turbulence(24, seed=1, n_member=40)
    grid = replace(TINY, n_coarse=24).coarse().grid
    truth = Target(states, grid)
    own = scores(truth.statistics, truth)
    assert own == {"lse": 0.0, "w1": 0.0, "t3": 0.0, "t4": 0.0, "blowups": 0.0}
    twice = Target(2.0 * states, grid)
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
    truth = Target(Truth(TINY, "training", time=1.0, spin_up=4.0).states(0), TINY.coarse().grid)
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
    tendencies = [
        TINY.coarse(viscosity).start(state).eddy_tendency() for viscosity in (found, as_run)
    ]
    np.testing.assert_allclose(*tendencies, rtol=1e-10, atol=1e-12)


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


def test_a_run_reports_every_closure_in_flat_names(run: tuple[ExperimentResult, Path]) -> None:
    _, out = run
    results = json.loads((out / "results.json").read_text())
    for name in (*PRESETS["test"].candidates, "best_learned"):
        for metric in ("lse", "w1", "t3", "blowups", "cost"):
            assert np.isfinite(results[f"{metric}_{name}"]), (metric, name)
    assert results["lse_floor"] > 0.0
    assert results["cost_leith"] == 1.0


def test_a_run_exports_the_best_policy(run: tuple[ExperimentResult, Path]) -> None:
    result, out = run
    assert {path.name for path in result.archives} == {"best_learned.pt", "leith_biharmonic.pt"}
    spec = hybrid.load(out / "best_learned.pt").spec
    assert spec.locality == "grid"
    assert len(result.figures) == 5
    assert len(result.tables) == 2
