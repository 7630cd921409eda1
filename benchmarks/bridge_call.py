"""What one call through the bridge costs beside the bare PyTorch call it stands for.

The bare call gets float32 tensors that lie ready, noise included. The bridge does what a host
model needs done: it reads float64 arrays, checks that they are finite, draws the noise, runs the
columns by TorchScript in blocks that round alike (`reproducible`), and writes float64 arrays.
`benchmarks.engines` has the engines side by side.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import hybrid
from benchmarks.comparison import Compared, Comparison
from benchmarks.interleaved import FULL, Session, interleave, often, on_all_threads
from benchmarks.networks import networks
from closures.base import Closure
from closures.sampling import random_inputs

TITLE = "One call through the bridge beside the bare PyTorch call"
SIZES = (1, 16, 384)
"""Columns of a call: a single one, a chunk of a climate model, a whole coarse grid."""


@dataclass(frozen=True)
class CallCost(Compared):
    """Median time of a call [s], and how many times longer than PyTorch's (median of ratios)."""

    closure: str
    n_column: int
    pytorch: float
    bridge: float
    bridge_by_pytorch: float
    not_reproducible: float
    not_reproducible_by_pytorch: float

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        return {
            "closure": self.closure,
            "columns": str(self.n_column),
            "PyTorch [us]": f"{1e6 * self.pytorch:.1f}",
            "bridge [us]": f"{1e6 * self.bridge:.1f}",
            "bridge / PyTorch": f"{self.bridge_by_pytorch:.2f}",
            "not reproducible [us]": f"{1e6 * self.not_reproducible:.1f}",
            "not reproducible / PyTorch": f"{self.not_reproducible_by_pytorch:.2f}",
        }


def measure(sizes: Sequence[int] = SIZES, session: Session = FULL) -> Iterator[CallCost]:
    """Time every network of the experiments for each number of columns."""
    with tempfile.TemporaryDirectory() as folder:
        for closure in networks():
            archive = Path(folder) / f"{closure.spec.name}.pt"
            hybrid.export(closure, archive)
            for n_column in sizes:
                yield _compare(closure, archive, n_column, session)


def _compare(closure: Closure, archive: Path, n_column: int, session: Session) -> CallCost:
    bridge, loose = "bridge", "bridge, not reproducible"
    candidates = {
        "PyTorch": on_all_threads(often(_eager(closure, n_column))),
        bridge: on_all_threads(often(_bridge(archive, closure, n_column, reproducible=True))),
        loose: on_all_threads(often(_bridge(archive, closure, n_column, reproducible=False))),
    }
    case = f"{closure.spec.name}, {n_column} columns"
    timings = interleave(candidates, session, case)
    return CallCost(
        closure=closure.spec.name,
        n_column=n_column,
        pytorch=timings.median("PyTorch"),
        bridge=timings.median(bridge),
        bridge_by_pytorch=timings.ratio(bridge, "PyTorch"),
        not_reproducible=timings.median(loose),
        not_reproducible_by_pytorch=timings.ratio(loose, "PyTorch"),
        comparisons=tuple(
            Comparison.of(timings, name, "PyTorch", what=f"{case}, {name}")
            for name in (bridge, loose)
        ),
    )


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
    binding = hybrid.load(archive, "torchscript").create(
        n_column, seed=0, reproducible=reproducible
    )
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
