"""Columns of the generator for tests of each process."""

import numpy as np
import pytest
from column_case import Case
from numpy.typing import NDArray

from solvers.column_physics import Columns, ColumnSettings, Grid, generated_grid
from solvers.column_physics.boundary_layer import heights
from solvers.column_physics.step import PROFILES, SURFACE

Array = NDArray[np.float64]


@pytest.fixture(scope="session")
def grid() -> Grid:
    return generated_grid()


@pytest.fixture(scope="session")
def recorded(grid: Grid) -> tuple[Array, Array, Array]:
    """State, surface and ozone of all columns after a few steps, at noon in July."""
    (step,) = Columns(ColumnSettings(seed=3), grid).run(200 * 86400.0, 1, 6)
    state = np.stack([step.before[name].values for name in PROFILES], axis=1)
    surface = np.stack([step.before[name].values for name in SURFACE], axis=1)
    return state, surface, step.before["ozone"].values


@pytest.fixture
def cases(grid: Grid, recorded: tuple[Array, Array, Array]) -> list[Case]:
    """Every eighth column: tropics and poles, day and night, land and sea."""
    state, surface, ozone = recorded
    pressure = surface[:, 0]
    result = []
    for i in range(0, grid.n_column, 8):
        middle = np.empty(grid.n_level)
        interface = grid.interface_pressure(pressure[i : i + 1])[0]
        heights(interface, state[i, 0], state[i, 1], middle)
        result.append(
            Case(
                state[i].copy(),
                surface[i],
                ozone[i],
                interface,
                grid.midpoint_pressure(pressure[i : i + 1])[0],
                grid.layer_mass(pressure[i : i + 1])[0],
                middle,
                grid.n_inert,
            )
        )
    return result
