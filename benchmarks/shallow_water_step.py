"""What a shallow-water step costs beside plain numpy.

Plain numpy is what one writes first: the same scheme in whole fields, neighbours by `numpy.roll`,
a fresh array for every result.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.interleaved import FULL, Session, on_processor
from benchmarks.step_cost import Case, StepCost, Variant, compare
from solvers.shallow_water import ShallowWater
from solvers.time_stepping import RUNGE_KUTTA_4

TITLE = "One step of rotating shallow water (RK4)"
SIZES = (64, 128, 256, 512)
"""Cells along a side."""

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


def measure(sizes: Sequence[int] = SIZES, session: Session = FULL) -> Iterator[StepCost]:
    """Time the model in both precisions, and plain numpy in double precision."""
    for nx in sizes:
        dt = 60.0 * 64 / nx
        model = ShallowWater(nx=nx, ny=nx, length_x=1e6, walls=False, beta=0.0, dt=dt)
        start = model.random_state(1, np.random.default_rng(0))
        variants = {
            dtype: Variant(
                on_processor(replace(model, dtype=dtype).start(start).advance),
                default=dtype == model.dtype,
            )
            for dtype in ("float64", "float32")
        }
        peers = {"numpy": on_processor(NumpyShallowWater(model, start[0]).advance)}
        yield from compare(Case.of_points("shallow water", (nx, nx)), variants, peers, session)


def _west(a: Array) -> Array:
    return np.roll(a, 1, axis=1)


def _east(a: Array) -> Array:
    return np.roll(a, -1, axis=1)


def _south(a: Array) -> Array:
    return np.roll(a, 1, axis=0)


def _north(a: Array) -> Array:
    return np.roll(a, -1, axis=0)
