"""Datasets and offline scores of two-layer closures, and the closures that are compared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from closures.quasigeostrophic import Hyperviscosity
from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES, NONE
from hybrid.experiments.quasigeostrophic.learning import pairs as pairs_module
from hybrid.experiments.quasigeostrophic.learning.exchange import (
    energy_exchange,
    exchange_scores,
    rates,
    target_exchange,
)
from hybrid.experiments.quasigeostrophic.learning.offline import (
    Offline,
    offline_scores,
    predicted,
)
from hybrid.experiments.quasigeostrophic.learning.pairs import TARGETS, PairsRun
from hybrid.experiments.quasigeostrophic.runs.configurations import CONFIGURATIONS, HOUR, YEAR
from hybrid.experiments.quasigeostrophic.settings import PRESETS
from solvers.coarse_graining import OPERATORS, truncate_exponential

EDDY = CONFIGURATIONS["eddy"]
SMALL = replace(EDDY, n_truth=48, n_coarse=24)
EVERY = 200.0 * HOUR


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYBRID_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        run = PairsRun(SMALL, seed=2, years=3.0 * EVERY / YEAR, every=EVERY)
        made = run.pairs()
        # Once made, nothing is run again.
        patch.setattr(pairs_module, "tendency_pairs", None)
        assert run.pairs().identical(made)
    return made


def test_pairs_say_what_a_coarse_step_misses(pairs: xr.Dataset) -> None:
    assert dict(pairs.sizes) == {"time": 3, "operator": 3, "layer": 2, "y": 24, "x": 24}
    assert pairs.operator.to_numpy().tolist() == [*OPERATORS]
    fine, coarse = SMALL.truth, SMALL.coarse
    run = fine.run(
        time=3.0 * EVERY, save_every=EVERY, initial=SMALL.initial(48, seed=2), progress=False
    ).isel(member=0)
    state = run.q.isel(time=3)
    filtered = truncate_exponential(state, 24)
    rate = truncate_exponential(state.copy(data=fine.tendency(state.to_numpy())), 24)
    missing = rate - coarse.tendency(filtered.to_numpy())
    found = pairs.isel(time=2).sel(operator=1)
    # The state is in single precision, and what is missed is a small difference.
    np.testing.assert_allclose(found.q, filtered, atol=1e-5 * float(abs(filtered).max()))
    np.testing.assert_allclose(
        found.q_tendency_total, missing, atol=1e-3 * float(abs(missing).max())
    )


def test_all_that_truncation_misses_is_advection(pairs: xr.Dataset) -> None:
    for number in (1, 2):
        one = pairs.sel(operator=number)
        total, advection = (
            # Waves at the coarse Nyquist wavenumber lose a half.
            np.delete(np.fft.rfft2(one[f"q_tendency_{name}"]), 12, axis=-2)[..., :12]
            for name in TARGETS
        )
        assert np.abs(total - advection).max() < 1e-5 * np.abs(total).max()


def test_pairs_have_units_and_the_parameters_of_both_models(pairs: xr.Dataset) -> None:
    units = {str(name): variable.attrs["units"] for name, variable in pairs.data_vars.items()}
    tendencies = {f"q_tendency_{name}": "s-2" for name in TARGETS}
    assert units == {"q": "s-1", "u": "m s-1", "v": "m s-1"} | tendencies
    assert (pairs.attrs["nx"], pairs.attrs["fine_nx"]) == (24, 48)
    np.testing.assert_allclose(pairs.time, EVERY * np.arange(1, 4))


def test_a_prediction_is_scored_by_correlation_and_skill() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 2, 8, 8))
    truth = xr.DataArray(values, dims=("time", "layer", "y", "x"))
    exact = offline_scores(values, truth)
    assert exact == pytest.approx(dict.fromkeys(exact, 1.0))
    half = offline_scores(0.5 * values, truth)
    assert half["corr_upper"] == pytest.approx(1.0)
    square = (values[:, 0] ** 2).mean()
    assert half["r2_upper"] == pytest.approx(1.0 - 0.25 * square / values[:, 0].var())
    opposite = offline_scores(np.stack([-values[:, 0], values[:, 1]], axis=1), truth)
    assert (opposite["corr_upper"], opposite["corr_lower"]) == pytest.approx((-1.0, 1.0))
    nothing = offline_scores(np.zeros_like(values), truth)
    assert np.isnan(nothing["corr_lower"])
    assert nothing["r2_lower"] == pytest.approx(
        1.0 - (values[:, 1] ** 2).mean() / values[:, 1].var()
    )


def test_a_closure_predicts_batch_by_batch(pairs: xr.Dataset) -> None:
    many = xr.concat([pairs.sel(operator=1)] * 7, "time")
    closure = Hyperviscosity((SMALL.coarse.grid.dy, SMALL.coarse.grid.dx), 1e10)
    found = predicted(closure, many)
    assert found.shape == (21, 2, 24, 24)
    (whole,) = closure(torch.from_numpy(many.q.to_numpy().astype(np.float64)))
    np.testing.assert_allclose(found, whole.numpy(), rtol=1e-12, atol=1e-30)


def test_states_of_several_runs_are_scored_together(pairs: xr.Dataset) -> None:
    one = pairs.sel(operator=1)
    runs = xr.concat([one, 2.0 * one], "run")
    closure = Hyperviscosity((SMALL.coarse.grid.dy, SMALL.coarse.grid.dx), 1e10)
    found = predicted(closure, runs)
    assert found.shape == (2, 3, 2, 24, 24)
    np.testing.assert_allclose(found[1], 2.0 * predicted(closure, one), rtol=1e-12, atol=1e-30)
    together = xr.concat([one, 2.0 * one], "time")
    expected = offline_scores(predicted(closure, together), together.q_tendency_total)
    assert offline_scores(found, runs.q_tendency_total) == pytest.approx(expected)
    with pytest.raises(ValueError, match="wanted: expected the shape of the prediction"):
        offline_scores(found, one.q_tendency_total)


@pytest.mark.parametrize("name", [n for n, c in CANDIDATES.items() if c.closure is not None])
@pytest.mark.parametrize("where", CONFIGURATIONS)
def test_closures_are_made_for_the_model_and_bounded(name: str, where: str) -> None:
    model = CONFIGURATIONS[where].coarse
    make = CANDIDATES[name].closure
    assert make is not None
    closure = make(model)
    assert closure.spec.grid is not None
    assert closure.spec.grid.spacing == (model.grid.dy, model.grid.dx)
    # Without bounds an archive cannot be compared where the flow is.
    assert all(field.valid_max is not None for field in closure.spec.inputs)


def test_presets_name_what_there_is() -> None:
    for settings in PRESETS.values():
        assert set(settings.candidates) <= set(CANDIDATES)
        assert settings.candidates[0] == NONE
        assert next(iter(settings.configurations)) == "eddy"
    assert set(PRESETS["full"].candidates) == set(CANDIDATES)
    assert [*PRESETS["full"].configurations] == [*CONFIGURATIONS]


def test_a_file_of_pairs_is_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path))

    def interrupt(_fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PairsRun(SMALL, seed=1, years=EVERY / YEAR, every=EVERY).pairs(interrupt)
    assert not list(tmp_path.glob("*.nc"))


def test_damping_takes_the_energy_of_each_wave(pairs: xr.Dataset) -> None:
    one = pairs.sel(operator=1)
    model, rate = SMALL.coarse, 1e-7
    # Alike in both layers, so that all energy is kinetic.
    k = 2.0 * np.pi * np.array([2.0, 5.0]) / model.length_x
    amplitudes = np.array([3e-6, 1e-6])
    wave = (amplitudes * np.cos(k * one.x.to_numpy()[:, np.newaxis])).sum(axis=-1)
    q = one.q.copy(data=np.broadcast_to(wave, one.q.shape))
    work = energy_exchange(-rate * q.to_numpy(), one.assign(q=q))
    assert work.dims == ("wavenumber",)
    # Mean squares of the velocity are a half of the amplitude of q over k, squared.
    expected = -rate * 0.5 * (amplitudes / k) ** 2
    width = float(work.wavenumber[1] - work.wavenumber[0])
    found = [float(work.sel(wavenumber=each, method="nearest")) * width for each in k]
    assert found == pytest.approx(expected, rel=1e-9)
    assert float(work.sum()) * width == pytest.approx(expected.sum(), rel=1e-9)


def test_energy_is_counted_where_the_target_gives_and_where_it_takes() -> None:
    wavenumber = {"wavenumber": np.arange(4.0)}
    wanted = xr.DataArray([1.0, 3.0, -2.0, -6.0], wavenumber, "wavenumber")
    made = xr.DataArray([-1.0, 2.0, 1.0, -5.0], wavenumber, "wavenumber")
    found = exchange_scores(made, wanted)
    assert found == pytest.approx({"energy_given": 1.0 / 4.0, "energy_taken": 4.0 / 8.0})
    assert np.isnan(exchange_scores(made, wanted.clip(max=-1.0))["energy_given"])


def test_the_target_scores_1_in_all_that_is_said_of_predictions(pairs: xr.Dataset) -> None:
    one = pairs.sel(operator=1)
    target = one.q_tendency_total.to_numpy().astype(np.float64)
    found = Offline.of(target, one, target_exchange(one)).scores
    assert found == pytest.approx(dict.fromkeys(found, 1.0))
    assert {"corr_upper", "energy_given", "energy_taken"} < set(found)
    with pytest.raises(ValueError, match="wanted: expected the shape of the prediction"):
        Offline.of(target[:1], one, target_exchange(one))


def test_a_prediction_that_is_not_finite_has_no_scores(pairs: xr.Dataset) -> None:
    one = pairs.sel(operator=1)
    target = one.q_tendency_total.to_numpy().astype(np.float64)
    target[1, 0, 3, 4] = np.nan
    found = Offline.of(target, one, target_exchange(one)).scores
    assert np.isnan([found[name] for name in ("energy_given", "energy_taken", "r2_upper")]).all()


def test_rates_are_areas_under_the_spectrum() -> None:
    work = xr.DataArray([1.0, 3.0, -2.0, -6.0], {"wavenumber": 0.5 * np.arange(4.0)}, "wavenumber")
    assert rates(work) == pytest.approx({"given": 2.0, "taken": 4.0})
