"""What a shallow-water step costs beside plain numpy: ``python -m benchmarks.shallow_water_step``.

Both take the same number of steps with the same scheme from the same state, in one process with
one thread, turn by turn, so that a busy machine slows both alike. Plain numpy is what one writes
first: the scheme in whole fields, neighbours by `numpy.roll`, a fresh array for every result.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.interleaved import clock, interleave
from solvers.shallow_water import ShallowWater
from solvers.time_stepping import RUNGE_KUTTA_4

SIZES = (64, 128, 256, 512)
"""Cells along a side."""

_WORK_A_TURN = 100_000
"""Cells times steps that plain numpy does at a turn, roughly."""

Array = NDArray[np.float64]


class NumpyShallowWater:
    """The model in plain numpy: conserving energy and enstrophy, without walls.

    Parameters
    ----------
    model
        Parameters.
    state
        State at time 0, shape ``(3, ny, nx)``.
    """

    def __init__(self, model: ShallowWater, state: Array) -> None:
        self.model, self.state = model, state.copy()

    def advance(self, n_step: int) -> None:
        """Advance the state."""
        for _ in range(n_step):
            argument, total = self.state, np.zeros_like(self.state)
            reaches = np.append(RUNGE_KUTTA_4.matrix.diagonal(-1), 0.0)
            for weight, reach in zip(RUNGE_KUTTA_4.weights, reaches, strict=True):
                tendency = self.tendency(argument)
                total += weight * tendency
                argument = self.state + reach * self.model.dt * tendency
            self.state = self.state + self.model.dt * total

    def tendency(self, state: Array) -> Array:
        """Return d(h, u, v)/dt."""
        m, (h, u, v) = self.model, state
        h_x = h + _west(h)
        west, south = 0.5 * h_x * u, 0.5 * (h + _south(h)) * v
        relative = (v - _west(v)) / m.dx - (u - _south(u)) / m.dy
        q = (m.coriolis + relative) / (0.25 * (h_x + _south(h_x)))
        kinetic = 0.25 * (u**2 + _east(u**2) + v**2 + _north(v**2))
        head = m.gravity * (h + m.bottom) + kinetic

        q_east, q_north, q_far = _east(q), _north(q), _north(_east(q))
        alpha = (2.0 * (q + q_far) + q_east + q_north) / 24.0
        delta = (2.0 * (q_east + q_north) + q + q_far) / 24.0
        epsilon = (q_north + q_far - q - q_east) * (m.dy / m.dx / 24.0)
        phi = (q + q_north - q_east - q_far) * (m.dx / m.dy / 24.0)
        east, north = _east(west), _north(south)
        to_west = alpha * north + delta * south - epsilon * east
        to_east = delta * north + alpha * south + epsilon * west
        to_south = -alpha * east - delta * west - phi * north
        to_north = -alpha * west - delta * east + phi * south

        wind = m.wind_acceleration[:, np.newaxis]
        du = to_west + _west(to_east) - (head - _west(head)) / m.dx
        dv = to_south + _south(to_north) - (head - _south(head)) / m.dy
        return np.stack(
            [
                -(east - west) / m.dx - (north - south) / m.dy,
                du - m.drag * u + m.viscosity * self._laplacian(u) + wind,
                dv - m.drag * v + m.viscosity * self._laplacian(v),
            ]
        )

    def _laplacian(self, a: Array) -> Array:
        along_x = (_east(a) - 2.0 * a + _west(a)) / self.model.dx**2
        return along_x + (_north(a) - 2.0 * a + _south(a)) / self.model.dy**2


@dataclass(frozen=True)
class Cost:
    """Median times of a step [s] and how many times longer plain numpy takes, of one grid."""

    nx: int
    double: float
    single: float
    numpy: float
    speed_up: float
    speed_up_single: float


def measure(sizes: tuple[int, ...] = SIZES) -> Iterator[Cost]:
    """Time both versions, and ours in single precision, at all sizes."""
    for nx in sizes:
        dt = 60.0 * 64 / nx
        model = ShallowWater(nx=nx, ny=nx, length_x=1e6, walls=False, beta=0.0, dt=dt)
        double, single = model.start(), replace(model, dtype="float32").start()
        plain = NumpyShallowWater(model, model.random_state(1, np.random.default_rng(0))[0])
        few = max(1, _WORK_A_TURN // nx**2)
        many = 8 * few
        timings = interleave(
            {
                "double": clock(lambda run=double, n=many: run.advance(n)),  # type: ignore[misc]
                "single": clock(lambda run=single, n=many: run.advance(n)),  # type: ignore[misc]
                "numpy": clock(lambda run=plain, n=few: run.advance(n)),  # type: ignore[misc]
            }
        )
        yield Cost(
            nx,
            timings.median("double") / many,
            timings.median("single") / many,
            timings.median("numpy") / few,
            timings.ratio("numpy", "double") * many / few,
            timings.ratio("numpy", "single") * many / few,
        )


def table(costs: list[Cost]) -> Table:
    """Return the measurements, one row a grid."""
    result = Table(
        title="One shallow-water step (RK4): median microseconds",
        caption="one thread; ratio: numpy / compiled",
    )
    result.add_column("cells")
    for heading in ("float64", "ratio", "float32", "ratio", "numpy", "float64 a cell [ns]"):
        result.add_column(heading, justify="right")
    for cost in costs:
        result.add_row(
            f"{cost.nx}²",
            f"{1e6 * cost.double:.0f}",
            f"{cost.speed_up:.1f}",
            f"{1e6 * cost.single:.0f}",
            f"{cost.speed_up_single:.1f}",
            f"{1e6 * cost.numpy:.0f}",
            f"{1e9 * cost.double / cost.nx**2:.1f}",
        )
    return result


def _west(a: Array) -> Array:
    return np.roll(a, 1, axis=1)


def _east(a: Array) -> Array:
    return np.roll(a, -1, axis=1)


def _south(a: Array) -> Array:
    return np.roll(a, 1, axis=0)


def _north(a: Array) -> Array:
    return np.roll(a, -1, axis=0)


if __name__ == "__main__":
    Console().print(table(list(measure())))
