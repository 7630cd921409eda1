"""Closures of every kind that the native engine takes, beside the same archives on TorchScript.

A step of a host reads and writes double precision through the bridge; `benchmarks.engines` has
larger nets beside other peers. TorchScript need not give the same bits for any number of columns
here, which makes it faster. Weights are untrained: what a step costs does not depend on them.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np

import hybrid
from benchmarks.comparison import Compared, Comparison
from benchmarks.engines import NATIVE
from benchmarks.interleaved import FULL, Session, interleave
from benchmarks.interval import FEWEST
from benchmarks.loading import TORCHSCRIPT
from benchmarks.networks import registered_network
from benchmarks.overhead_native import bridge_step
from closures.base import Closure
from closures.climsim.emulator import column_emulator
from closures.climsim.variables import variable_set
from closures.columns.layout import ColumnLayout
from closures.columns.registry import build
from closures.constraints import FieldRanges, HybridLevels, PhysicsConfig, physics_layers
from closures.constraints.ranges import ranges_of
from closures.lorenz96 import CubicClosure
from closures.normalization import Normalization
from closures.spec import ClosureSpec
from fortran_bridge.binding import Binding

TITLE = "One step of a host with each closure, natively and by TorchScript"
SIZES = (1, 16, 128, 384)
"""Columns of a step."""

SECONDS_A_TURN = 0.02

_RANGES = {
    "state_t": (200.0, 300.0),
    "state_q0001": (1e-6, 0.02),
    "state_q0002": (0.0, 1e-4),
    "state_q0003": (0.0, 1e-4),
    "state_ps": (9.0e4, 1.0e5),
}
_OTHERS = (0.0, 1.0)


def cubic_in_float64() -> Closure:
    """Return a cubic polynomial of one number a column, in double precision."""
    return CubicClosure([0.341, 1.3, -0.0136, -0.00235], -8.0, 12.0, dtype="float64")


def limited_network() -> Closure:
    """Return a perceptron with layers that sum over the column in double precision.

    Positive humidity, and precipitation that is the water lost.
    """
    variables = variable_set("V2")
    inputs = tuple(
        replace(field, valid_min=low, valid_max=high)
        for field in (variable.field for variable in variables.inputs)
        for low, high in (_RANGES.get(field.name, _OTHERS),)
    )
    outputs = tuple(variable.field for variable in variables.outputs)
    layout = ColumnLayout.of_fields(inputs, outputs)
    ends = np.array([(f.valid_min, f.valid_max) for f in inputs for _ in range(f.size)])
    spread = np.array(
        [1e-5 if f.units == "K s-1" else 1e-8 for f in outputs for _ in range(f.size)]
    )
    s = np.linspace(0.0, 1.0, 61)
    a, b = s - s**2 + 1e-4 * (1.0 - s), s**2
    layers = physics_layers(
        PhysicsConfig(("positivity", "moisture")),
        FieldRanges(ranges_of(inputs), ranges_of(outputs)),
        HybridLevels(a, b, (a[1:] + a[:-1]) / 2, (b[1:] + b[:-1]) / 2),
    )
    return column_emulator(
        ClosureSpec(name="limited", version="0", inputs=inputs, outputs=outputs),
        build("mlp", layout, "small", seed=0),
        Normalization(ends.mean(axis=1), 0.5 * (ends[:, 1] - ends[:, 0])),
        Normalization(np.zeros(layout.n_output), spread),
        physics=layers,
    ).eval()


CLOSURES: Mapping[str, Callable[[], Closure]] = MappingProxyType(
    {
        "cubic polynomial, float64": cubic_in_float64,
        **{
            f"{name}, {preset}": partial(registered_network, name, preset, "V1")
            for name, preset in (
                *(("mlp", "small"), ("ed", "small"), ("hsr", "small"), ("rpn", "small")),
                *(("cnn", "tiny"), ("cnn", "small"), ("convnext", "small")),
            )
        },
        "mlp, small, with positivity and moisture": limited_network,
    }
)
"""What is timed, by what tables call it."""


@dataclass(frozen=True)
class ClosureCost(Compared):
    """A step with a closure.

    Parameters
    ----------
    closure, n_column
        What was evaluated.
    seconds
        Median time of a step by the native engine [s].
    speed_up, low, high
        Median of the times by TorchScript by these, turn by turn, and its 95 % interval [1].
    """

    closure: str
    n_column: int
    seconds: float
    speed_up: float
    low: float
    high: float

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        return {
            "closure": self.closure,
            "columns": str(self.n_column),
            "native [us]": f"{1e6 * self.seconds:.3g}",
            f"{TORCHSCRIPT} / {NATIVE}": f"{self.speed_up:.2f}",
            "95 % interval": f"{self.low:.2f} to {self.high:.2f}",
        }


def measure(
    sizes: Sequence[int] = SIZES,
    session: Session = FULL,
    closures: Mapping[str, Callable[[], Closure]] = CLOSURES,
) -> Iterator[ClosureCost]:
    """Time steps with every closure by numbers of columns."""
    session = replace(
        session,
        rounds=max(session.rounds, FEWEST),
        seconds_a_turn=min(session.seconds_a_turn, SECONDS_A_TURN),
    )
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, make) in enumerate(closures.items()):
            session.progress(f"compiling {name}", 0.0)
            closure, path = make(), Path(folder) / f"{number}.pt"
            hybrid.export(closure, path)
            for n_column in sizes:
                what = f"{name}, {n_column} columns"
                steps = {
                    engine: bridge_step(_bound(closure, path, engine, n_column))
                    for engine in (TORCHSCRIPT, NATIVE)
                }
                timings = interleave(steps, session, what)
                found = Comparison.of(timings, NATIVE, TORCHSCRIPT, what=what)
                yield ClosureCost(
                    name,
                    n_column,
                    timings.median(NATIVE),
                    *found.times_faster,
                    comparisons=(found,),
                )


def _bound(closure: Closure, path: Path, engine: str, n_column: int) -> Binding:
    binding = hybrid.load(path, engine).create(
        n_column, reproducible=engine == NATIVE, policy="host"
    )
    random = np.random.default_rng(0)
    spec = closure.spec
    for field in (*spec.inputs, *spec.outputs):
        low, high = field.valid_min, field.valid_max
        ends = (low, high) if isinstance(low, float) and isinstance(high, float) else (0.0, 0.0)
        values = np.asfortranarray(random.uniform(*ends, (n_column, *field.sizes)))
        dims = ",".join(("column", *field.dims))
        binding.bind(field.name, values, dims=dims, units=field.units)
    return binding
