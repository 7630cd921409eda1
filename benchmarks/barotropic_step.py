"""What a step of barotropic turbulence costs beside plain numpy: ``-m benchmarks.barotropic_step``.

All run in one process with one thread, turn by turn, from the same state and for the same number
of steps, so that a busy machine slows all alike. Plain numpy is what one writes first: five
transforms, arrays of the grid made once, a fresh array for every result. The second numpy version
has the four transforms that the compiled step has, and so shows what compiling alone is worth.
Both numpy versions do better here than in a process of their own: large arrays were freed before
them, after which the C library keeps memory that it would otherwise return and fault in again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np
from numba import njit
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.fft import Addresses, aligned_zeros, forward, inverse, spectral_shape

SIZES = (32, 64, 128, 256, 512)
"""Grid points along a side."""

ROUNDS = 9
SECONDS_A_TURN = 0.1

Spectrum = NDArray[np.complex128]


class NumpyBarotropic:
    """The model in plain numpy: AB3-CN, dealiased, steady forcing.

    Parameters
    ----------
    model
        Parameters.
    vorticity
        State at time 0, shape ``(ny, nx)`` [1].
    stress_form
        Take the Jacobian from u v and v v - u u, with four transforms, not five.
    """

    def __init__(
        self, model: Barotropic, vorticity: NDArray[np.float64], *, stress_form: bool = False
    ) -> None:
        grid = model.grid
        self.shape, self.dt, self.stress_form = grid.shape, model.dt, stress_form
        k, l = grid.k[np.newaxis, :], grid.l[:, np.newaxis]  # noqa: E741
        self.kept = model.kept.astype(np.float64)
        self.ik, self.il = 1j * k * self.kept, 1j * l * self.kept
        self.u_of = 1j * l * grid.inverse_wavenumber_squared
        self.v_of = -1j * k * grid.inverse_wavenumber_squared
        self.normal_stress, self.shear_stress = k * l * self.kept, (k**2 - l**2) * self.kept
        self.rossby = 1j * model.beta * k * grid.inverse_wavenumber_squared
        half = 0.5 * model.dt * model.damping
        self.decay, self.gain = (1.0 - half) / (1.0 + half), 1.0 / (1.0 + half)
        self.forcing = model.steady_forcing
        self.w: Spectrum = self.kept * np.fft.rfft2(vorticity)
        self.history: list[Spectrum] = []

    def tendency(self) -> Spectrum:
        """Return the explicit part of the tendency."""
        u = np.fft.irfft2(self.u_of * self.w, s=self.shape)
        v = np.fft.irfft2(self.v_of * self.w, s=self.shape)
        if self.stress_form:
            advection = self.shear_stress * np.fft.rfft2(u * v)
            advection += self.normal_stress * np.fft.rfft2(v**2 - u**2)
        else:
            omega = np.fft.irfft2(self.w, s=self.shape)
            advection = -self.ik * np.fft.rfft2(u * omega) - self.il * np.fft.rfft2(v * omega)
        return advection + self.rossby * self.w + self.forcing

    def advance(self, n_step: int) -> None:
        """Advance the state."""
        for _ in range(n_step):
            self.history = [self.tendency(), *self.history[:2]]
            weights = ((1.0,), (1.5, -0.5), (23 / 12, -16 / 12, 5 / 12))[len(self.history) - 1]
            change = weights[0] * self.history[0]
            for weight, tendency in zip(weights[1:], self.history[1:], strict=True):
                change += weight * tendency
            self.w = self.decay * self.w + self.gain * self.dt * change


@dataclass(frozen=True)
class Cost:
    """Median time of one step [s]."""

    nx: int
    backend: str
    compiled: float
    transforms: float
    numpy: float
    numpy_stress_form: float


def measure(nx: int) -> Cost:
    """Time a step on an ``nx`` by ``nx`` grid."""
    model = Barotropic(nx=nx, dt=0.02 / nx)
    start = 3.0 * model.random_state(1, np.random.default_rng(0))
    integration = model.start(start)
    assert isinstance(integration, BarotropicIntegration)
    plain = NumpyBarotropic(model, start[0])
    stress_form = NumpyBarotropic(model, start[0], stress_form=True)
    transform = integration.transform
    field = aligned_zeros(transform.shape, transform.dtype)
    spectrum = aligned_zeros(spectral_shape(transform.shape), np.complex128)

    def transforms(n_step: int) -> None:
        _transform(transform.addresses, field, spectrum, n_step)

    calls = (integration.advance, transforms, plain.advance, stress_form.advance)
    n_step = [_steps_a_turn(call) for call in calls]
    rounds = [
        [_seconds(call, n) for call, n in zip(calls, n_step, strict=True)] for _ in range(ROUNDS)
    ]
    return Cost(nx, transform.backend, *(median(times) for times in zip(*rounds, strict=True)))


def table(costs: list[Cost]) -> Table:
    """Return the measurements, one row a grid."""
    result = Table(
        title="One step of barotropic turbulence: median microseconds",
        caption="ratios: to the compiled step; transforms: the step's own four; one thread",
    )
    result.add_column("grid")
    for heading in (
        *("FFT", "compiled", "transforms", "step / transforms"),
        *("numpy", "ratio", "numpy, 4 transforms", "ratio", "step / (n² log₂ n) [ns]"),
    ):
        result.add_column(heading, justify="right")
    for cost in costs:
        result.add_row(
            f"{cost.nx}²",
            cost.backend,
            f"{1e6 * cost.compiled:.1f}",
            f"{1e6 * cost.transforms:.1f}",
            f"{cost.compiled / cost.transforms:.2f}",
            f"{1e6 * cost.numpy:.0f}",
            f"{cost.numpy / cost.compiled:.1f}",
            f"{1e6 * cost.numpy_stress_form:.0f}",
            f"{cost.numpy_stress_form / cost.compiled:.1f}",
            f"{1e9 * cost.compiled / (cost.nx**2 * np.log2(cost.nx)):.2f}",
        )
    return result


@njit(cache=True)
def _transform(
    addresses: Addresses, field: NDArray[np.float64], spectrum: Spectrum, n_step: int
) -> None:
    for _ in range(n_step):
        for _ in range(2):
            inverse(addresses, spectrum, field)
        for _ in range(2):
            forward(addresses, field, spectrum)


def _steps_a_turn(call: Callable[[int], None]) -> int:
    # The first steps compile, plan, and begin the multistep scheme.
    call(3)
    return max(1, round(SECONDS_A_TURN / _seconds(call, 3)))


def _seconds(call: Callable[[int], None], n_step: int) -> float:
    began = perf_counter()
    call(n_step)
    return (perf_counter() - began) / n_step


if __name__ == "__main__":
    Console(width=140).print(table([measure(nx) for nx in SIZES]))
