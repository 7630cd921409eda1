"""What a closure costs a step of two-layer flow, by the way it is called.

The closure is linear drag, next to no arithmetic, so that what is timed is the crossing: from the
compiled time loop through the C function pointer, the bridge and TorchScript and back, beside a
Python function and a compiled one. The floor is a compiled function that does nothing, because a
step with a closure also transforms its tendency.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numba import cfunc
from torch import Tensor

import hybrid
from benchmarks.comparison import Compared, Comparison
from benchmarks.interleaved import FULL, Session, interleave, on_all_threads
from closures import Closure, ClosureSpec, Field, Grid
from hybrid.coupling import couple
from solvers import TwoLayerQG
from solvers.tendency_source import CTendency

TITLE = "One step of two-layer flow with linear drag as closure"
SIZES = (64,)
"""Grid points along a side."""

RATE = 1e-8
NONE, FLOOR = "none", "C, does nothing"

_NUMBERS = "CPointer(float64)"
_SIGNATURE = f"int32(voidptr, int64, int64, {_NUMBERS}, {_NUMBERS}, CPointer(int64))"


@dataclass(frozen=True)
class ClosureCost(Compared):
    """Median time of a step [s], beside that without a closure and beyond the floor [s]."""

    size: str
    closure: str
    step: float
    step_by_bare_step: float
    crossing: float

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        return {
            "size": self.size,
            "closure": self.closure,
            "step [us]": f"{1e6 * self.step:.1f}",
            "step / step without": f"{self.step_by_bare_step:.2f}",
            "crossing [us]": f"{1e6 * self.crossing:.1f}",
        }


class Drag(Closure):
    """Linear drag on potential vorticity: at each point, or on the whole grid at once.

    Parameters
    ----------
    model
        The flow.
    dtype
        Precision of the closure.
    whole
        On the whole grid.
    """

    def __init__(self, model: TwoLayerQG, dtype: Any, *, whole: bool) -> None:
        dims, shape = (("layer", "y", "x"), model.state_shape) if whole else ((), ())
        spec = ClosureSpec(
            "drag",
            "1.0",
            (Field("q", "s-1", dims, shape, dtype),),
            (Field("q_tendency", "s-2", dims, shape, dtype),),
        )
        grid = Grid((model.grid.dy, model.grid.dx), ("periodic", "periodic"))
        super().__init__(replace(spec, locality="grid", grid=grid) if whole else spec)
        self.rate = RATE

    def forward(self, q: Tensor) -> tuple[Tensor]:
        """Return the tendency."""
        return (-self.rate * q,)


@cfunc(_SIGNATURE)
def _nothing(context: Any, step: int, stage: int, fields: Any, tendency: Any, sizes: Any) -> int:  # noqa: ARG001
    return 0


@cfunc(_SIGNATURE)
def _drag(context: Any, step: int, stage: int, fields: Any, tendency: Any, sizes: Any) -> int:  # noqa: ARG001
    for i in range(sizes[4] * sizes[5] * sizes[6]):
        tendency[i] = -RATE * fields[i]
    return 0


def _python_drag(fields: Any, step: int) -> Any:  # noqa: ARG001
    return -RATE * fields["q"]


def measure(sizes: Sequence[int] = SIZES, session: Session = FULL) -> Iterator[ClosureCost]:
    """Time a step with each closure."""
    for nx in sizes:
        model, size = TwoLayerQG(nx=nx), f"{nx} x {nx}"
        with tempfile.TemporaryDirectory() as folder:
            candidates = {
                # All threads: what runs a closure may have some of its own.
                name: on_all_threads(model.start(tendency=closure).advance)
                for name, closure in _closures(model, Path(folder)).items()
            }
            timings = interleave(candidates, session, f"closures, {size}")
        for name in candidates:
            step = timings.median(name)
            ratio, crossing = timings.ratio(name, NONE), step - timings.median(FLOOR)
            beside = (
                ()
                if name == NONE
                else (Comparison.of(timings, name, NONE, what=f"{size}, {name}"),)
            )
            yield ClosureCost(size, name, step, ratio, crossing, comparisons=beside)


def _closures(model: TwoLayerQG, folder: Path) -> dict[str, Any]:
    closures: dict[str, Any] = {
        NONE: None,
        FLOOR: CTendency(_nothing.ctypes),
        "C": CTendency(_drag.ctypes),
        "Python": _python_drag,
    }
    for dtype in ("float64", "float32"):
        points, whole = folder / f"points_{dtype}.pt", folder / f"whole_{dtype}.pt"
        hybrid.export(Drag(model, dtype, whole=False), points)
        hybrid.export(Drag(model, dtype, whole=True), whole)
        by_point, at_once = (hybrid.load(path, "torchscript") for path in (points, whole))
        closures |= {
            f"archive, by point, {dtype}": couple(by_point),
            f"archive, by point, {dtype}, not reproducible": couple(by_point, reproducible=False),
            f"archive, whole grid, {dtype}": couple(at_once),
        }
    return closures
