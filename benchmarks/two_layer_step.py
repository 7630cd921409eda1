"""What a step of the two-layer model costs beside pyqg's.

pyqg runs in a process of its own, see `benchmarks.pyqg_peer`, and takes its turns like the others.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from benchmarks.interleaved import FULL, Session, Work
from benchmarks.pyqg_peer import VERSION, Pyqg, PyqgMissingError, pyqg_python
from benchmarks.step_cost import Case, StepCost, by_fft_library, compare
from solvers import TwoLayerQG
from solvers.integration import Integration

TITLE = "One step of two-layer quasi-geostrophic flow (AB3, exponential filter)"
SIZES = (64, 128, 256, 512)
"""Grid points along a side."""


def measure(sizes: Sequence[int] = SIZES, session: Session = FULL) -> Iterator[StepCost]:
    """Time the model with each FFT library, and pyqg if it is there or may be downloaded."""
    with ExitStack() as stack:
        pyqg: Pyqg | None = None
        try:
            pyqg = stack.enter_context(Pyqg(pyqg_python(download=session.download)))
        except PyqgMissingError as error:
            session.note(f"{error}; the two-layer model is timed alone")
        for nx in sizes:
            model = TwoLayerQG(nx=nx, dt=7200.0 * 64 / nx)
            variants = by_fft_library(partial(_start, model), n_inverse=6, n_forward=4)
            peers = {f"pyqg {VERSION}": _steps(pyqg, model)} if pyqg else {}
            case = Case.of_transforms("two-layer QG", (nx, nx))
            yield from compare(case, variants, peers, session)


def _start(model: TwoLayerQG, fft: str) -> Integration:
    return replace(model, fft=fft).start()


def _steps(pyqg: Pyqg, model: TwoLayerQG) -> Work:
    return lambda n_step: pyqg.seconds(model.nx, model.dt, n_step)
