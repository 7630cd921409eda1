"""What a step of the two-layer model costs beside pyqg's, and beside its own transforms."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from numba import njit

from benchmarks.interleaved import Seconds, interleave
from benchmarks.pyqg_peer import Pyqg
from solvers import TwoLayerQG
from solvers.fft import Addresses, aligned_zeros, available_backends, forward, inverse
from solvers.fft import spectral_shape as spectral
from solvers.integration import Integration
from solvers.quasigeostrophic import TwoLayerQGIntegration

SIZES = (64, 128, 256, 512)
_N_INVERSE, _N_FORWARD = 6, 4
# About a twentieth of a second of pyqg.
_POINTS_A_ROUND = 2**20


@dataclass(frozen=True)
class TwoLayerCost:
    """Median times [s] and ratios of one grid size and FFT library."""

    nx: int
    fft: str
    step: float
    transforms: float
    pyqg: float
    step_by_transforms: float
    speed_up: float


def measure() -> Iterator[TwoLayerCost]:
    """Time both models at all sizes, all FFT libraries of ours but SciPy, one thread."""
    libraries = [name for name in available_backends() if name != "scipy"]
    with Pyqg() as pyqg:
        for nx in SIZES:
            yield from _measure(pyqg, nx, libraries)


def _measure(pyqg: Pyqg, nx: int, libraries: list[str]) -> Iterator[TwoLayerCost]:
    dt, n_step = 7200.0 * 64 / nx, max(2, _POINTS_A_ROUND // (2 * nx**2))
    candidates: dict[str, Seconds] = {"pyqg": lambda: pyqg.seconds_a_step(nx, dt, n_step)}
    for fft in libraries:
        running = TwoLayerQG(nx=nx, dt=dt, fft=fft).start()
        assert isinstance(running, TwoLayerQGIntegration)
        candidates[fft] = _steps(running, n_step)
        candidates[f"{fft} transforms"] = _transforms(running, n_step)
    timings = interleave(candidates)
    for fft in libraries:
        yield TwoLayerCost(
            nx,
            fft,
            timings.median(fft),
            timings.median(f"{fft} transforms"),
            timings.median("pyqg"),
            timings.ratio(fft, f"{fft} transforms"),
            timings.ratio("pyqg", fft),
        )


def _steps(running: Integration, n_step: int) -> Seconds:
    def seconds() -> float:
        began = time.perf_counter()
        running.advance(n_step)
        return (time.perf_counter() - began) / n_step

    return seconds


def _transforms(running: TwoLayerQGIntegration, n_step: int) -> Seconds:
    shape, addresses = running.model.grid.shape, running.transform.addresses
    fields = aligned_zeros((_N_INVERSE, *shape), running.model.dtype)
    spectra = aligned_zeros((_N_INVERSE, *spectral(shape)), complex)

    def seconds() -> float:
        began = time.perf_counter()
        _transform(addresses, fields, spectra, n_step)
        return (time.perf_counter() - began) / n_step

    return seconds


@njit(cache=True)
def _transform(addresses: Addresses, fields: object, spectra: object, n_step: int) -> None:
    for _ in range(n_step):
        for i in range(_N_INVERSE):
            inverse(addresses, spectra[i], fields[i])  # type: ignore[index]
        for i in range(_N_FORWARD):
            forward(addresses, fields[i], spectra[i])  # type: ignore[index]
