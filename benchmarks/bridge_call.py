"""What one call through the bridge costs beside the bare PyTorch call it stands for.

Both run in one process with one thread, turn by turn, so that a busy machine slows both. The
bare call gets float32 tensors that lie ready, noise included. The bridge does what a host model
needs done: it reads float64 arrays, checks that they are finite, draws the noise, runs the
columns in blocks that round alike (`reproducible`), and writes float64 arrays.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch.utils.benchmark import Timer

import hybrid
from closures.base import Closure
from closures.sampling import random_inputs

N_COLUMN = (1, 16, 384)
"""Sizes of a call [columns]: a single one, a chunk of a climate model, a whole coarse grid."""

ROUNDS = 5
SECONDS_A_ROUND = 0.2


@dataclass(frozen=True)
class Cost:
    """Median time of one call [s]."""

    closure: str
    n_column: int
    eager: float
    bridge: float
    bridge_not_reproducible: float


def measure(closure: Closure, folder: Path) -> Iterator[Cost]:
    """Compile `closure` into `folder` and time it for each number of columns."""
    archive = folder / f"{closure.spec.name}.pt"
    hybrid.export(closure, archive)
    for n_column in N_COLUMN:
        calls = (
            _eager(closure, n_column),
            _bridge(archive, closure, n_column, reproducible=True),
            _bridge(archive, closure, n_column, reproducible=False),
        )
        rounds = [[_seconds(call) for call in calls] for _ in range(ROUNDS)]
        yield Cost(
            closure.spec.name, n_column, *(median(times) for times in zip(*rounds, strict=True))
        )


def _seconds(call: Callable[[], object]) -> float:
    timer = Timer("call()", globals={"call": call}, num_threads=1)
    return float(timer.blocked_autorange(min_run_time=SECONDS_A_ROUND).median)


def _eager(closure: Closure, n_column: int) -> Callable[[], object]:
    tensors = random_inputs(closure.spec, n_column, torch.Generator().manual_seed(0))

    @torch.inference_mode()
    def call() -> object:
        return closure(*tensors)

    return call


def _bridge(
    archive: Path, closure: Closure, n_column: int, *, reproducible: bool
) -> Callable[[], object]:
    spec = closure.spec
    binding = hybrid.load(archive).create(n_column, seed=0, reproducible=reproducible)
    tensors = random_inputs(spec, n_column, torch.Generator().manual_seed(0))
    inputs = [tensor.double().numpy() for tensor in tensors[: len(spec.inputs)]]
    outputs = [np.zeros((n_column, *f.sizes)) for f in spec.outputs]
    for field, array in zip((*spec.inputs, *spec.outputs), (*inputs, *outputs), strict=True):
        dims = ",".join(("column", *field.dims))
        binding.bind(field.name, array, dims=dims, units=field.units)
    step = 0

    def call() -> None:
        nonlocal step
        binding.run(step)
        binding.commit()
        step += 1

    return call
