"""What an ETDRK4 step of Kuramoto-Sivashinsky costs beside plain numpy's, and its own transforms.

``python -m benchmarks.kuramoto_sivashinsky_step``. Plain numpy is the same scheme as one writes
it first: coefficients computed once, a fresh array for every result. Times are those of the
processor, because steps this short are otherwise lost in the pauses of a busy machine.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.interleaved import Seconds, interleave
from solvers.exponential_schemes import exponential_coefficients
from solvers.fft import (
    Addresses,
    aligned_zeros,
    backends_for,
    forward,
    inverse,
    spectral_shape,
)
from solvers.kuramoto_sivashinsky import KuramotoSivashinsky, KuramotoSivashinskyIntegration

SIZES = (64, 128, 256, 512, 1024)
"""Grid points."""

_N_TRANSFORM = 4
# About a twentieth of a second of plain numpy.
_STEPS_A_ROUND = 500


class NumpyKuramotoSivashinsky:
    """The model in plain numpy.

    Parameters
    ----------
    model
        Parameters.
    u
        State at time 0, shape ``(nx,)`` [1].
    """

    def __init__(self, model: KuramotoSivashinsky, u: NDArray[np.float64]) -> None:
        self.nx = model.nx
        self.v = np.fft.rfft(u)
        self.gradient = -0.5j * model.advection * model.derivative
        self.q = exponential_coefficients(model.linear, model.dt)

    def advance(self, n_step: int) -> None:
        """Advance the state."""
        q, gradient, nx = self.q, self.gradient, self.nx
        for _ in range(n_step):
            v = self.v
            n_0 = gradient * np.fft.rfft(np.fft.irfft(v, n=nx) ** 2)
            a = q.half * v + q.stage * n_0
            n_a = gradient * np.fft.rfft(np.fft.irfft(a, n=nx) ** 2)
            b = q.half * v + q.stage * n_a
            n_b = gradient * np.fft.rfft(np.fft.irfft(b, n=nx) ** 2)
            c = q.half * a + q.stage * (2.0 * n_b - n_0)
            n_c = gradient * np.fft.rfft(np.fft.irfft(c, n=nx) ** 2)
            self.v = q.full * v + q.first * n_0 + q.middle * (n_a + n_b) + q.last * n_c


@dataclass(frozen=True)
class Cost:
    """Median times of a step [s] and ratios, of one grid and FFT library."""

    nx: int
    fft: str
    step: float
    transforms: float
    numpy: float
    step_by_transforms: float
    speed_up: float


def measure(sizes: tuple[int, ...] = SIZES, n_step: int = _STEPS_A_ROUND) -> Iterator[Cost]:
    """Time both versions at all sizes, all FFT libraries of ours but SciPy, one thread."""
    libraries = [name for name in backends_for((64,)) if name != "scipy"]
    for nx in sizes:
        model = KuramotoSivashinsky(nx=nx)
        u = model.random_state(1, np.random.default_rng(0))
        plain = NumpyKuramotoSivashinsky(model, u[0])
        candidates: dict[str, Seconds] = {"numpy": _seconds(plain.advance, n_step)}
        for fft in libraries:
            running = KuramotoSivashinsky(nx=nx, fft=fft).start(u)
            assert isinstance(running, KuramotoSivashinskyIntegration)
            candidates[fft] = _seconds(running.advance, n_step)
            candidates[f"{fft} transforms"] = _transforms(running, n_step)
        timings = interleave(candidates)
        for fft in libraries:
            yield Cost(
                nx,
                fft,
                timings.median(fft),
                timings.median(f"{fft} transforms"),
                timings.median("numpy"),
                timings.ratio(fft, f"{fft} transforms"),
                timings.ratio("numpy", fft),
            )


def table(costs: list[Cost]) -> Table:
    """Return the measurements, one row a grid and FFT library."""
    result = Table(
        title="One ETDRK4 step of the Kuramoto-Sivashinsky equation: median microseconds",
        caption="transforms: the step's own eight; one thread",
    )
    result.add_column("points")
    for heading in (
        *("FFT", "compiled", "transforms", "step / transforms", "numpy", "numpy / compiled"),
        "step / (n log₂ n) [ns]",
    ):
        result.add_column(heading, justify="right")
    for cost in costs:
        result.add_row(
            str(cost.nx),
            cost.fft,
            f"{1e6 * cost.step:.2f}",
            f"{1e6 * cost.transforms:.2f}",
            f"{cost.step_by_transforms:.2f}",
            f"{1e6 * cost.numpy:.1f}",
            f"{cost.speed_up:.1f}",
            f"{1e9 * cost.step / (cost.nx * np.log2(cost.nx)):.2f}",
        )
    return result


def _seconds(advance: Callable[[int], None], n_step: int) -> Seconds:
    def seconds() -> float:
        began = time.thread_time()
        advance(n_step)
        return (time.thread_time() - began) / n_step

    return seconds


def _transforms(running: KuramotoSivashinskyIntegration, n_step: int) -> Seconds:
    transform = running.transform
    field = aligned_zeros(transform.shape, transform.dtype)
    spectrum = aligned_zeros(spectral_shape(transform.shape), np.complex128)

    def seconds() -> float:
        began = time.thread_time()
        _transform(transform.addresses, field, spectrum, n_step)
        return (time.thread_time() - began) / n_step

    return seconds


@njit(cache=True)
def _transform(
    addresses: Addresses,
    field: NDArray[np.float64],
    spectrum: NDArray[np.complex128],
    n_step: int,
) -> None:
    for _ in range(n_step * _N_TRANSFORM):
        inverse(addresses, spectrum, field)
        forward(addresses, field, spectrum)


if __name__ == "__main__":
    Console(width=120).print(table(list(measure())))
