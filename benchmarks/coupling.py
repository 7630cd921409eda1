"""What a closure costs a step of two-layer flow, by the way it is called.

``python -m benchmarks.coupling``. The closure is linear drag, next to no arithmetic, so that what
is timed is the crossing: from the compiled time loop through the C function pointer, the bridge
and TorchScript and back, beside a Python function and a compiled one. The floor is a compiled
function that does nothing, because a step with a closure also transforms its tendency.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from numba import cfunc
from rich.console import Console
from rich.table import Table
from torch import Tensor

import hybrid
from benchmarks.interleaved import ROUNDS, Seconds, clock, interleave
from closures import Closure, ClosureSpec, Field, Grid
from hybrid.coupling import couple
from solvers import TwoLayerQG
from solvers.tendency_source import CTendency

RATE = 1e-8
MODEL = TwoLayerQG(nx=64)
N_STEP = 100
FLOOR = "C, does nothing"

_NUMBERS = "CPointer(float64)"
_SIGNATURE = f"int32(voidptr, int64, int64, {_NUMBERS}, {_NUMBERS}, CPointer(int64))"


@dataclass(frozen=True)
class Cost:
    """Median time of a step [s], beside that without a closure and beyond the floor [s]."""

    closure: str
    step: float
    ratio: float
    crossing: float


class Drag(Closure):
    """Linear drag on potential vorticity: at each point, or on the whole grid at once."""

    def __init__(self, dtype: Any, shape: tuple[int, ...] = ()) -> None:
        dims = ("layer", "y", "x") if shape else ()
        spec = ClosureSpec(
            "drag",
            "1.0",
            (Field("q", "s-1", dims, shape, dtype),),
            (Field("q_tendency", "s-2", dims, shape, dtype),),
        )
        grid = Grid((MODEL.grid.dy, MODEL.grid.dx), ("periodic", "periodic"))
        super().__init__(replace(spec, locality="grid", grid=grid) if shape else spec)
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


def measure(rounds: int = ROUNDS, n_step: int = N_STEP) -> Iterator[Cost]:
    """Time a step with each closure, one thread, turn by turn."""
    with tempfile.TemporaryDirectory() as folder:
        candidates = {
            name: _steps(tendency, n_step) for name, tendency in _closures(Path(folder)).items()
        }
        timings = interleave(candidates, rounds)
    for name in candidates:
        step = timings.median(name)
        yield Cost(name, step, timings.ratio(name, "none"), step - timings.median(FLOOR))


def _closures(folder: Path) -> dict[str, Any]:
    closures: dict[str, Any] = {
        "none": None,
        FLOOR: CTendency(_nothing.ctypes),
        "C": CTendency(_drag.ctypes),
        "Python": _python_drag,
    }
    shape = MODEL.state_shape
    for dtype in ("float64", "float32"):
        points, whole = folder / f"points_{dtype}.pt", folder / f"whole_{dtype}.pt"
        hybrid.export(Drag(dtype), points)
        hybrid.export(Drag(dtype, shape), whole)
        closures |= {
            f"archive, by point, {dtype}": couple(points),
            f"archive, by point, {dtype}, not reproducible": couple(points, reproducible=False),
            f"archive, whole grid, {dtype}": couple(whole),
        }
    return closures


def _steps(tendency: Any, n_step: int) -> Seconds:
    running = MODEL.start(tendency=tendency)
    seconds = clock(lambda: running.advance(n_step))
    return lambda: seconds() / n_step


def table(costs: list[Cost]) -> Table:
    """Return the measurements, one row a closure."""
    result = Table(
        title=f"A step of two-layer flow, {MODEL.nx} x {MODEL.ny}, with linear drag as closure",
        caption="ratio: to the step without closure; crossing: beyond a function that does nothing",
    )
    result.add_column("closure")
    for heading in ("step [us]", "ratio", "crossing [us]"):
        result.add_column(heading, justify="right")
    for cost in costs:
        numbers = f"{1e6 * cost.step:.1f}", f"{cost.ratio:.2f}", f"{1e6 * cost.crossing:.1f}"
        result.add_row(cost.closure, *numbers)
    return result


def main() -> None:
    """Measure and print the table."""
    torch.set_num_threads(1)
    Console().print(table(list(measure())))


if __name__ == "__main__":
    main()
