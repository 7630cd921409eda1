"""What a step of barotropic turbulence costs beside plain numpy.

Plain numpy is what one writes first: five transforms, arrays of the grid made once, a fresh array
for every result. The second numpy version has the four transforms that the compiled step has, and
so shows what compiling alone is worth. Both do better here than in a process of their own: large
arrays were freed before them, after which the C library keeps memory that it would otherwise
return and fault in again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.interleaved import FULL, Session, on_processor
from benchmarks.step_cost import Case, StepCost, by_fft_library, compare
from solvers.barotropic import Barotropic
from solvers.integration import Integration

TITLE = "One step of barotropic turbulence (AB3-CN, dealiased)"
SIZES = (64, 128, 256, 512)
"""Grid points along a side."""

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


def measure(sizes: Sequence[int] = SIZES, session: Session = FULL) -> Iterator[StepCost]:
    """Time the model with each FFT library, and both numpy versions."""
    for nx in sizes:
        model = Barotropic(nx=nx, dt=0.02 / nx)
        start = 3.0 * model.random_state(1, np.random.default_rng(0))
        variants = by_fft_library(partial(_start, model, start), n_inverse=2, n_forward=2)
        peers = {
            "numpy": on_processor(NumpyBarotropic(model, start[0]).advance),
            "numpy, 4 transforms": on_processor(
                NumpyBarotropic(model, start[0], stress_form=True).advance
            ),
        }
        yield from compare(Case.of_transforms("barotropic", (nx, nx)), variants, peers, session)


def _start(model: Barotropic, vorticity: NDArray[np.float64], fft: str) -> Integration:
    return replace(model, fft=fft).start(vorticity)
