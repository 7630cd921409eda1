"""What an ETDRK4 step of Kuramoto-Sivashinsky costs beside plain numpy's.

Plain numpy is the same scheme as one writes it first: coefficients computed once, a fresh array
for every result.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.interleaved import FULL, Session, on_processor
from benchmarks.step_cost import Case, StepCost, by_fft_library, compare
from solvers.exponential_schemes import exponential_coefficients
from solvers.integration import Integration
from solvers.kuramoto_sivashinsky import KuramotoSivashinsky

TITLE = "One step of the Kuramoto-Sivashinsky equation (ETDRK4)"
SIZES = (64, 128, 256, 512, 1024)
"""Grid points."""


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


def measure(sizes: Sequence[int] = SIZES, session: Session = FULL) -> Iterator[StepCost]:
    """Time the model with each FFT library, and plain numpy."""
    for nx in sizes:
        model = KuramotoSivashinsky(nx=nx)
        u = model.random_state(1, np.random.default_rng(0))
        variants = by_fft_library(partial(_start, model, u), n_inverse=1, n_forward=1, repeat=4)
        peers = {"numpy": on_processor(NumpyKuramotoSivashinsky(model, u[0]).advance)}
        case = Case.of_transforms("Kuramoto-Sivashinsky", (nx,))
        yield from compare(case, variants, peers, session)


def _start(model: KuramotoSivashinsky, u: NDArray[np.float64], fft: str) -> Integration:
    return replace(model, fft=fft).start(u)
