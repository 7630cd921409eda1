"""Running columns: repeatable, consecutive, warmer on demand, with a plausible climate."""

from itertools import pairwise

import cf_units
import numpy as np
import pytest

from solvers.column_physics import ColumnError, Columns, ColumnSettings, Grid, generated_grid
from solvers.column_physics.forcing import LargeScale
from solvers.column_physics.grid import cubed_sphere, hybrid_levels
from solvers.column_physics.reference import ReferenceClimate, land_and_pressure
from solvers.column_physics.saturation import saturation_humidities
from solvers.column_physics.surface import Moment
from solvers.column_physics.warming import warmed
from solvers.column_physics.weather import Waves

DAY = 86400.0


def test_same_seed_same_columns_and_other_seed_others(grid: Grid) -> None:
    runs = [
        next(Columns(ColumnSettings("low", seed=seed), grid).run(50 * DAY, 1, 2)).after
        for seed in (1, 1, 2)
    ]
    assert runs[0].identical(runs[1])
    assert not runs[0].equals(runs[2])


def test_several_threads_give_the_same_run(grid: Grid) -> None:
    one, several = (
        next(Columns(ColumnSettings(n_thread=n), grid).run(10 * DAY, 1, 1)).after for n in (1, 2)
    )
    assert one.identical(several)


def test_steps_follow_one_another(grid: Grid) -> None:
    """What is between two steps is the flow and the surface: less than a spin-up from scratch."""
    steps = list(Columns(ColumnSettings(seed=5), grid).run(30 * DAY, 4, 6))
    assert [step.time for step in steps] == [30 * DAY + 1200.0 * i for i in range(4)]
    for first, second in pairwise(steps):
        for name in ("liquid", "ice"):
            # The flow carries no cloud: the next state's is what the physics left.
            np.testing.assert_array_equal(second.before[name], first.after[name])
        change = second.before["temperature"] - first.after["temperature"]
        drift = np.abs(change.values)
        assert 0.0 < np.median(drift) < 0.5
        assert drift.max() < 8.0


def test_every_variable_has_units_that_udunits_knows(grid: Grid) -> None:
    step = next(Columns(ColumnSettings("low"), grid).run(0.0, 1))
    for data in (step.before, step.after):
        for name, variable in data.items():
            assert not cf_units.Unit(variable.attrs["units"]).is_unknown(), name
            assert variable.dims in (("column",), ("column", "level"))
    assert step.after["precipitation"].attrs["units"] == "m s-1"


def test_warming_is_that_asked_for_at_the_ground_and_keeps_relative_humidity(grid: Grid) -> None:
    present, warm = (LargeScale(grid, 0, warming) for warming in (0.0, 4.0))
    pressure = grid.midpoint_pressure(present.surface_pressure(0.0))
    moment = Moment(100, 0.0)
    cold, hot = (scale.target(moment, 0.0, pressure) for scale in (present, warm))
    np.testing.assert_allclose(hot[:, 0, -1] - cold[:, 0, -1], 4.0, rtol=1e-12)
    tropics = np.abs(grid.lat) < 15.0
    poles = np.abs(grid.lat) > 70.0
    upper = np.argmin(np.abs(grid.reference_pressure - 3e4))
    change = hot[:, 0, upper] - cold[:, 0, upper]
    assert 6.0 < change[tropics].mean() < 10.0
    assert change[poles].mean() < 4.0
    np.testing.assert_array_equal(hot[:, 0, :12], cold[:, 0, :12])
    moist = slice(30, 60)
    humidity = [
        state[:, 1, moist] / saturation_humidities(state[:, 0, moist], pressure[:, moist])
        for state in (cold, hot)
    ]
    np.testing.assert_allclose(humidity[1], humidity[0], rtol=1e-9)


def test_no_warming_changes_nothing() -> None:
    t, p = np.linspace(200.0, 300.0, 60)[None], np.linspace(1e3, 1e5, 60)[None]
    np.testing.assert_allclose(warmed(t, p, 0.0), t, rtol=1e-14)


def test_warm_columns_rain_more_and_stay_finite(grid: Grid) -> None:
    rain = {}
    for warming in (0.0, 8.0):
        columns = Columns(ColumnSettings("high", warming=warming), grid)
        steps = list(columns.run(180 * DAY, 12, 6))
        rain[warming] = np.mean([step.after["precipitation"].mean() for step in steps])
        assert np.isfinite(steps[-1].after["temperature"]).all()
    assert 1.05 < rain[8.0] / rain[0.0] < 3.0


def test_day_of_rollout_keeps_the_climate(grid: Grid) -> None:
    steps = list(Columns(ColumnSettings("low"), grid).run(90 * DAY, 72))
    start, end = steps[0].before["temperature"], steps[-1].after["temperature"]
    assert abs(float(end.mean() - start.mean())) < 2.0
    assert np.isfinite(end).all()


def test_waves_have_unit_variance(grid: Grid) -> None:
    waves = Waves(grid, 30, np.random.default_rng(0))
    values = np.concatenate([waves.at(time) for time in np.arange(40) * 3 * DAY], axis=1)
    assert values.var() == pytest.approx(1.0, abs=0.06)
    assert values.mean() == pytest.approx(0.0, abs=0.02)


def test_grid_is_symmetric_and_covers_the_sphere() -> None:
    area, lat, lon = cubed_sphere(2)
    assert area.sum() == pytest.approx(4 * np.pi, rel=1e-14)
    a, b = np.radians(lat), np.radians(lon)
    parts = np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)
    moments = [float(np.sum(area * part**2)) for part in parts]
    np.testing.assert_allclose(moments, moments[0], rtol=1e-12)
    assert len({tuple(np.round(point, 9)) for point in zip(*parts, strict=True)}) == 96


def test_levels_of_another_number() -> None:
    hyai, hybi = hybrid_levels(30)
    assert (np.diff(hyai + hybi) > 0.0).all()
    assert (hyai[-1], hybi[0], hybi[-1]) == (0.0, 0.0, 1.0)
    np.testing.assert_allclose((hyai + hybi)[::3], np.add(*hybrid_levels())[::6], rtol=1e-12)
    columns = Columns(ColumnSettings("high"), generated_grid(30, 2))
    step = next(columns.run(0.0, 1, 1))
    assert step.after["temperature"].shape == (96, 30)


def test_reference_climate_has_seasons_and_a_tropopause(grid: Grid) -> None:
    climate = ReferenceClimate(grid)
    january, july = climate.mean("t", 15), climate.mean("t", 200)
    north = grid.lat > 50.0
    assert (july - january)[north, -1].mean() > 15.0
    tropics = january[np.abs(grid.lat) < 10.0].mean(axis=0)
    assert 7e3 < grid.reference_pressure[10:40][np.argmin(tropics[10:40])] < 1.4e4
    assert (climate.gas("ozone") > 0.0).all()
    land, pressure = land_and_pressure(grid)
    assert np.average(land, weights=grid.area) == pytest.approx(0.29, abs=0.03)
    assert 7e4 < pressure.min() < 9e4


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"scheme": "medium"}, "expected low or high, got 'medium'"),
        ({"warming": 40.0}, "expected -10 to 12 K, got 40"),
        ({"seed": -1}, "expected 0 or more, got -1"),
        ({"timestep": 0.0}, "expected up to 3600 s, got 0"),
        ({"n_thread": 0}, "n_thread: expected 1 or more"),
    ],
)
def test_bad_settings(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ColumnError, match=message):
        ColumnSettings(**wrong)  # type: ignore[arg-type]


def test_bad_columns(grid: Grid) -> None:
    columns = Columns(ColumnSettings("low"), grid)
    before = next(columns.run(0.0, 1)).before
    with pytest.raises(ColumnError, match=r"missing \['ozone'\]"):
        columns.physics(before.drop_vars("ozone"), "low")
    with pytest.raises(ColumnError, match="expected 60 levels last"):
        columns.physics(before.isel(level=slice(0, 50)), "low")
    with pytest.raises(ValueError, match="expected at least 10, got 5"):
        hybrid_levels(5)
