"""Scores of runs against their definitions, and the climate of the truth over a month."""

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from solvers.column_physics import Columns, ColumnSettings, Scheme, generated_grid
from solvers.column_physics.replacement import NoPhysics, Physics, SchemePhysics
from solvers.column_physics.rollout import TRUTH, JointStep, Rollout
from solvers.column_physics.rollout_scores import RAIN_EDGES, RolloutScores

Array = NDArray[np.float64]
DAY = 86400.0
RUNS = (TRUTH, "rich", "none")
N_INTERVAL = 4


@pytest.fixture(scope="module")
def made() -> tuple[Columns, list[JointStep], xr.Dataset]:
    columns = Columns(ColumnSettings("low", seed=4), generated_grid(60, 2))
    physics: dict[str, Physics] = {"rich": SchemePhysics(columns, "high"), "none": NoPhysics()}
    steps = list(Rollout(columns, physics, np.inf).run(30 * DAY, 3 * N_INTERVAL, 4))
    scores = RolloutScores(columns.grid, RUNS, 1200.0, False, N_INTERVAL)
    for step in steps:
        scores.add(step)
    return columns, steps, scores.dataset()


def test_errors_are_weighted_by_area_and_mass(
    made: tuple[Columns, list[JointStep], xr.Dataset],
) -> None:
    columns, steps, scores = made
    area, last = columns.grid.area, steps[-1]
    mass = columns.grid.layer_mass(last.surface_pressure)
    error = last.runs["rich"].after_flow - last.runs[TRUTH].after_flow
    end = scores.isel(time=-1).sel(run="rich")
    assert float(scores["time"][-1]) == pytest.approx(12 * 1200.0 / DAY)
    for i, profile in enumerate(scores["profile"].values):
        chosen = end.sel(profile=profile)
        level = np.average(error[:, i] ** 2, axis=0, weights=area) ** 0.5
        np.testing.assert_allclose(chosen["rmse"], level, rtol=1e-10)
        bias = np.average(error[:, i], axis=0, weights=area)
        np.testing.assert_allclose(chosen["bias"], bias, rtol=1e-8, atol=1e-16)
        both = area[:, None] * mass
        column = np.average(error[:, i] ** 2, weights=both) ** 0.5
        assert float(chosen["rmse_column"]) == pytest.approx(column, rel=1e-10)
        mean = np.average(last.runs["rich"].after_flow[:, i], weights=both)
        assert float(chosen["mean"]) == pytest.approx(mean, rel=1e-10)
    assert not scores["rmse"].sel(run=TRUTH).any()


def test_spread_is_that_of_each_column_over_time(
    made: tuple[Columns, list[JointStep], xr.Dataset],
) -> None:
    columns, steps, scores = made
    states = np.array([step.runs[TRUTH].after_flow for step in steps[N_INTERVAL - 1 :: N_INTERVAL]])
    variance = np.average(states.var(axis=0), axis=0, weights=columns.grid.area)
    # Squares about the first state lose digits where a profile hardly changes.
    np.testing.assert_allclose(scores["spread"], np.sqrt(variance), rtol=1e-6, atol=1e-12)


def test_physics_of_the_columns_loses_no_water_and_the_budgets_close(
    made: tuple[Columns, list[JointStep], xr.Dataset],
) -> None:
    columns, steps, scores = made
    assert np.abs(scores["water_residual_rms"].sel(run=[TRUTH, "rich"])).max() < 1e-9
    assert not scores["energy_residual_rms"].sel(run=TRUTH).any()
    assert float(scores["energy_residual_rms"].sel(run="rich").min()) > 1.0
    area = columns.grid.area
    mass = columns.grid.layer_mass(steps[0].surface_pressure)
    for name in RUNS:
        water = scores["water_budget"].sel(run=name)
        rain = float(scores["precipitation"].sel(run=name).mean())
        assert float(water.sel(term="physics")) == pytest.approx(-rain, abs=1e-9)
        given = np.mean([np.average(s.runs[name].evaporation, weights=area) for s in steps])
        assert float(water.sel(term="surface")) == pytest.approx(given / 1200.0 * DAY, rel=1e-10)
        heat = np.mean([np.average(s.runs[name].heat, weights=area) for s in steps])
        energy = scores["energy_budget"].sel(run=name)
        # The latent heat of the fluxes goes into vapour.
        assert float(energy.sel(term="surface")) == pytest.approx(heat / 1200.0, rel=1e-6)
    first, last = steps[0].runs["none"], steps[-1].runs["none"]
    total = (mass * (last.after_flow - first.before)[:, 1:4].sum(axis=1)).sum(axis=1)
    # Surface pressure changes a little over the steps, and with it the mass of the layers.
    stored = np.average(total, weights=area) / (len(steps) * 1200.0) * DAY
    assert float(scores["water_budget"].sel(run="none").sum()) == pytest.approx(stored, rel=0.05)


def test_tendencies_are_compared_on_the_same_states(
    made: tuple[Columns, list[JointStep], xr.Dataset],
) -> None:
    columns, steps, scores = made
    np.testing.assert_allclose(scores["tendency_r2"].sel(run=TRUTH), 1.0)
    weight = (columns.grid.area / columns.grid.area.sum())[:, None]
    error = total = 0.0
    for step in steps[:N_INTERVAL]:
        mass = columns.grid.layer_mass(step.surface_pressure)
        run = step.runs["rich"]
        own = run.reference - run.before
        difference = (run.after_physics - run.reference)[:, 0]
        error += (weight * mass * difference**2).sum()
        middle = (weight * own[:, 0]).sum(axis=0)
        total += (weight * mass * (own[:, 0] - middle) ** 2).sum()
    found = scores["tendency_r2"].sel(run="rich", tendency="temperature")[0]
    assert float(found) == pytest.approx(1.0 - error / total, rel=1e-9)


def test_rain_is_shared_out_over_bins(made: tuple[Columns, list[JointStep], xr.Dataset]) -> None:
    columns, steps, scores = made
    shares = scores["rain_share"].sel(run=TRUTH).values
    assert shares.sum() == pytest.approx(1.0)
    area = columns.grid.area / columns.grid.area.sum()
    rain = [s.runs[TRUTH].fluxes["precipitation"] * 1000.0 * DAY for s in steps]
    dry = np.mean([area @ (fall < RAIN_EDGES[0]) for fall in rain])
    assert shares[0] == pytest.approx(dry)
    assert scores["rain_share"].sel(run="none").values[0] == pytest.approx(1.0)


def test_an_interval_must_be_whole() -> None:
    grid = generated_grid(60, 1)
    with pytest.raises(ValueError, match="expected at least 9 steps, an interval, got 0"):
        RolloutScores(grid, RUNS, 1200.0, True, 9).dataset()


@pytest.mark.parametrize("scheme", ["low", pytest.param("high", marks=pytest.mark.slow)])
def test_truth_keeps_its_climate_for_thirty_days(scheme: Scheme) -> None:
    """No drift beyond season and weather, and a stated, balanced budget of energy and water."""
    columns = Columns(ColumnSettings(scheme, seed=1), generated_grid(60, 1))
    scores = RolloutScores(columns.grid, (TRUTH,), 1200.0, scheme == "high", 72)
    for step in Rollout(columns, {}).run(100 * DAY, 30 * 72, 72):
        scores.add(step)
    made = scores.dataset().sel(run=TRUTH)
    assert not made["lost"].any()
    assert np.isnan(made["blow_up"])
    daily = made["mean"].sel(profile=["temperature", "vapour"])
    temperature, vapour = daily.coarsen(time=10).mean().values.T
    assert np.ptp(temperature) < 1.0
    assert np.ptp(vapour) < 0.1 * vapour.mean()
    # Means over thirds of the time differ by less than single days do.
    assert np.ptp(temperature) < np.ptp(daily.sel(profile="temperature").values)
    energy, water = made["energy_budget"], made["water_budget"]
    # Radiation cools, the surface heats, the flow does the rest; hardly anything is stored.
    assert -200.0 < float(energy.sel(term="physics")) < -50.0
    assert 50.0 < float(energy.sel(term="surface")) < 200.0
    assert abs(float(energy.sum())) < 5.0
    assert 1.0 < -float(water.sel(term="physics")) < 6.0
    assert abs(float(water.sum())) < 0.2
