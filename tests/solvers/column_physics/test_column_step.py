"""Whole steps: budgets, what stays untouched, threads."""

import numpy as np
import pytest
from column_case import Case
from numpy.typing import NDArray

from solvers.column_physics import Columns, ColumnSettings, Grid
from solvers.column_physics.step import (
    FLUXES,
    HIGH,
    LOW,
    radiate,
    step_column,
    step_columns,
)

Array = NDArray[np.float64]

CP, LV, LF, DT = 1004.64, 2.501e6, 3.337e5, 1200.0
SCHEMES = pytest.mark.parametrize("scheme", [LOW, HIGH], ids=["low", "high"])


def advance(scheme: int, case: Case, grid: Grid) -> dict[str, float]:
    fluxes = np.empty(8)
    step_column(
        scheme,
        grid.hyai,
        grid.hybi,
        case.highest,
        DT,
        case.surface,
        case.ozone,
        case.state,
        fluxes,
    )
    return dict(zip(FLUXES, fluxes.tolist(), strict=True))


@SCHEMES
def test_column_loses_the_water_that_falls(cases: list[Case], grid: Grid, scheme: int) -> None:
    for case in cases:
        water = case.water
        fluxes = advance(scheme, case, grid)
        fallen = 1000.0 * DT * fluxes["precipitation"]
        assert water - case.water == pytest.approx(fallen, abs=2e-13 * water)
        assert 0.0 <= fluxes["snowfall"] <= fluxes["precipitation"]


@SCHEMES
def test_enthalpy_changes_by_radiation_and_snow_alone(
    cases: list[Case], grid: Grid, scheme: int
) -> None:
    for case in cases:
        by_radiation = case.state.copy()
        radiate(
            scheme,
            case.interface,
            case.mass,
            by_radiation,
            case.ozone,
            case.surface,
            np.empty(8),
            DT,
        )
        radiative = CP * ((by_radiation[0] - case.state[0]) @ case.mass)
        before = case.state.copy()
        fluxes = advance(scheme, case, grid)
        heat = CP * ((case.state[0] - before[0]) @ case.mass)
        heat += LV * ((case.state[1] - before[1]) @ case.mass)
        if scheme == HIGH:
            # Scheme low knows no latent heat of fusion.
            heat -= LF * ((case.state[3] - before[3]) @ case.mass)
            heat -= LF * 1000.0 * DT * fluxes["snowfall"]
        assert heat == pytest.approx(radiative, abs=1e-3)


@SCHEMES
def test_uppermost_levels_change_in_temperature_alone(
    cases: list[Case], grid: Grid, scheme: int
) -> None:
    for case in cases:
        before = case.state.copy()
        advance(scheme, case, grid)
        np.testing.assert_array_equal(case.state[1:, :12], before[1:, :12])
        assert (case.state[0, :12] != before[0, :12]).all()


@SCHEMES
def test_states_stay_physical(cases: list[Case], grid: Grid, scheme: int) -> None:
    for case in cases:
        for _ in range(20):
            fluxes = advance(scheme, case, grid)
        assert np.isfinite(case.state).all()
        assert (case.state[1:4] >= 0.0).all()
        assert 140.0 < case.state[0].min() < case.state[0].max() < 340.0
        dark = case.surface[2] == 0.0
        assert (fluxes["net_sunlight"] == 0.0) == dark
        assert fluxes["downward_longwave"] > 10.0


@SCHEMES
def test_threads_give_the_same_bits(
    recorded: tuple[Array, Array, Array], grid: Grid, scheme: int
) -> None:
    results = []
    for n_thread in (1, 3):
        state, fluxes = recorded[0].copy(), np.empty((384, 8))
        arguments = (scheme, grid.hyai, grid.hybi, 12, DT, *recorded[1:], state, fluxes)
        step_columns(n_thread, 384, *arguments)
        results.append((state, fluxes))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_column_does_not_depend_on_its_neighbours(grid: Grid) -> None:
    columns = Columns(ColumnSettings(seed=1), grid)
    (step,) = columns.run(0.0, 1)
    whole = columns.physics(step.before, "high")
    part = columns.physics(step.before.isel(column=slice(100, 107)), "high")
    for name in whole:
        np.testing.assert_array_equal(part[name], whole[name].isel(column=slice(100, 107)))
