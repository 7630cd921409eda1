"""What a step of barotropic turbulence costs with each eddy viscosity, beside constant Leith."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from benchmarks.comparison import Compared, Comparison
from benchmarks.interleaved import FULL, Session, interleave, on_processor
from benchmarks.interval import FEWEST
from solvers.barotropic import Barotropic
from solvers.eddy_viscosity import (
    Backscatter,
    DynamicEddyViscosity,
    EddyViscosity,
    LinearPolicy,
    Viscosity,
)

TITLE = "One step of barotropic turbulence with an eddy viscosity (AB3-CN, float64)"
SIZES = (48,)
"""Grid points along a side."""

LEITH = "Leith"
"""What the others are compared with."""

# Weights like those that a search finds; which they are does not change what a step costs.
_C2 = LinearPolicy(weights2=(-0.008, 0.004, 0.017, -0.003, 0.02, 0.005))
_C2_AND_C4 = replace(_C2, weights4=(0.004, 0.001, 0.0, 0.0, 0.001, 0.0), bounds4=(0.002, 0.006))

VISCOSITIES: Mapping[str, Viscosity | None] = MappingProxyType(
    {
        "none": None,
        "Smagorinsky": EddyViscosity(scale="smagorinsky", c2=0.018),
        LEITH: EddyViscosity(c2=0.01),
        "Leith and biharmonic Leith": EddyViscosity(c2=-0.007, c4=0.004),
        "dynamic Smagorinsky": DynamicEddyViscosity(scale="smagorinsky"),
        "dynamic Leith": DynamicEddyViscosity(),
        "backscatter": Backscatter(),
        "linear policy, c2": _C2,
        "linear policy, c2, every 10 steps": replace(_C2, update_interval=10),
        "linear policy, c2 and c4": _C2_AND_C4,
        "linear policy, c2 and c4, every 10 steps": replace(_C2_AND_C4, update_interval=10),
    }
)
"""The closures by what tables call them."""


@dataclass(frozen=True)
class EddyViscosityCost(Compared):
    """Times of a step.

    Parameters
    ----------
    size
        The grid.
    closure
        Key of `VISCOSITIES`.
    step
        Median time of a step [s].
    ratio, low, high
        Median of the times by those with constant Leith, turn by turn, and its 95 % interval [1].
    """

    size: str
    closure: str
    step: float
    ratio: float
    low: float
    high: float

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        return {
            "size": self.size,
            "closure": self.closure,
            "step [us]": f"{1e6 * self.step:.1f}",
            f"step / {LEITH}": f"{self.ratio:.2f}",
            "95 % interval": f"{self.low:.2f} to {self.high:.2f}",
        }


def measure(sizes: Sequence[int] = SIZES, session: Session = FULL) -> Iterator[EddyViscosityCost]:
    """Time the model with each closure."""
    session = replace(session, rounds=max(2 * session.rounds + 1, FEWEST))
    for nx in sizes:
        model = Barotropic(nx=nx, dt=0.24 / nx, viscosity=1e-3)
        start = 5.0 * model.random_state(1, np.random.default_rng(0))
        running = {
            name: replace(model, eddy_viscosity=viscosity).start(start)
            for name, viscosity in VISCOSITIES.items()
        }
        candidates = {name: on_processor(run.advance) for name, run in running.items()}
        timings = interleave(candidates, session, f"eddy viscosities, {nx} x {nx}")
        for name in VISCOSITIES:
            size = f"{nx} x {nx}"
            found = Comparison.of(timings, name, LEITH, what=f"{size}, {name}")
            yield EddyViscosityCost(
                size,
                name,
                timings.median(name),
                found.ratio,
                found.low,
                found.high,
                comparisons=() if name == LEITH else (found,),
            )
