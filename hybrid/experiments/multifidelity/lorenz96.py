"""Test bed of Lorenz-96: a cheap polynomial at many forcings, true subgrid terms at a few."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from closures.field import Field
from closures.spec import ClosureSpec
from hybrid.experiments.lorenz96.settings import MODEL_STEP
from hybrid.experiments.lorenz96.spin_up import SPIN_UP_TIME, spun_up
from hybrid.experiments.multifidelity.bed import Bed, Inputs, Table, Tables
from hybrid.experiments.multifidelity.equilibrium import equilibrium_polynomial
from solvers.lorenz96 import Lorenz96
from solvers.lorenz96_two_scale import TwoScaleLorenz96Wilks

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

OFFSETS = (-2, -1, 0, 1, 2)
"""Neighbours that a closure of X_k sees: as far as the advection of X_k reaches, both ways.

The forcing is no input: the fast variables do not feel it, and a network that has seen five values
of it, all of the present, has nothing to say about a sixth."""

PRESENT = (16, 17, 18, 19, 20)
"""Forcings of the high-fidelity samples and of the tests called present."""

RANGE = (-15.0, 30.0)
"""Range of X over which the polynomial is fitted to the equilibrium of the fast variables.

The coarse model with it stays inside at a forcing of 30, but for a few values in a thousand."""

INTERVAL = 1.0
"""Time between moments of a member: five days, longer than any memory of the subgrid tendency."""

_LOW, _HIGH, _TEST = range(3)


@dataclass(frozen=True)
class LorenzSizes:
    """How many moments, of 8 samples each, one for each k.

    Parameters
    ----------
    low
        Of the coarse model with the polynomial, spread over its forcings.
    high
        Of the two-scale model, spread over `PRESENT`.
    test
        Of the two-scale model, in each tested climate; the present is spread over `PRESENT`.
    forcings
        Of the low fidelity [1].
    tested
        Of the tests [1].
    n_member
        Unrelated members of each run.
    """

    low: int
    high: int
    test: int
    forcings: tuple[int, ...] = tuple(range(8, 31, 2))
    tested: tuple[int, ...] = (24, 28)
    n_member: int = 16

    def __post_init__(self) -> None:
        if min(self.low, self.high, self.test, self.n_member) < 1:
            raise ValueError(f"sizes: expected at least one moment of each, got {self}")
        if set(self.tested) & set(PRESENT):
            raise ValueError(
                f"sizes: expected tested forcings other than {PRESENT}, got {self.tested}"
            )


class InvariantNeighbours(nn.Module):
    r"""``X (1 + X^2)^(-1/3)`` of each neighbour.

    The fast variables of one sector are Lorenz-96 with forcing h X. Their mean is about that
    forcing where it is weak and grows as about its cube root where it is strong: of X they show
    little more than this, and what a stronger forcing of the slow variables adds to its range is
    small. No number in it comes from a subgrid tendency.
    """

    n_feature = len(OFFSETS)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features of raw inputs, both ``(n, 5)``."""
        return inputs * (1.0 + inputs * inputs).pow(-1.0 / 3.0)


def lorenz_bed(tested: Sequence[int] = (24, 28)) -> Bed:
    """Return the contract and scores of the subgrid tendency of one slow variable."""
    spec = ClosureSpec(
        name="multifidelity_lorenz96",
        version="1.0",
        inputs=(Field("x", "1", ("neighbour",), (len(OFFSETS),)),),
        outputs=(Field("x_tendency", "1"),),
        description="Subgrid tendency of Lorenz-96, from a polynomial and from the fast variables",
        references=("Wilks (2005), doi:10.1256/qj.04.03",),
    )
    derived = InvariantNeighbours()
    return Bed(
        name="lorenz96",
        title="two-scale Lorenz-96",
        spec=spec,
        parts={"subgrid": slice(0, 1)},
        mass=np.ones(1),
        units={"subgrid": ("1", 1.0)},
        inputs={
            "raw": Inputs(len(OFFSETS)),
            "invariant": Inputs(derived.n_feature, derived),
        },
        shifted=tuple(climate_name(forcing) for forcing in tested),
        settings={
            "system": "K=8, J=32, h=1, b=10, c=10",
            "low_fidelity": "cubic through the equilibrium of the fast variables",
            "high_fidelity": f"subgrid tendency of both scales, F = {PRESENT[0]} to {PRESENT[-1]}",
            "equilibrium_range": f"{RANGE}",
        },
    )


def climate_name(forcing: int) -> str:
    """Return the name of the tested climate of a forcing."""
    return f"f{forcing}"


def two_scale(forcing: float) -> TwoScaleLorenz96Wilks:
    """Return the truth."""
    return TwoScaleLorenz96Wilks(forcing=float(forcing))


@cache
def cheap_physics() -> tuple[float, ...]:
    """Return the coefficients of the low-fidelity closure, lowest power first."""
    return equilibrium_polynomial(two_scale(PRESENT[-1]), *RANGE)


def coarse_model(forcing: float) -> Lorenz96:
    """Return the slow variables with the low-fidelity closure."""
    return Lorenz96(
        n_k=two_scale(forcing).n_k,
        forcing=float(forcing),
        coefficients=cheap_physics(),
        dt=MODEL_STEP,
    )


def code(inputs: Array) -> Array:
    """Return what the low-fidelity closure makes of inputs: ``(n, 5)`` to ``(n, 1)``."""
    centre = inputs[:, OFFSETS.index(0)]
    tendency = np.polynomial.polynomial.polyval(centre, cheap_physics())
    return np.asarray(tendency, dtype=np.float64)[:, None]


def neighbours(x: Array) -> Array:
    """Return X and its neighbours ``(..., n_k, 5)`` of the rings ``(..., n_k)``."""
    seen: Array = np.stack([np.roll(x, -offset, axis=-1) for offset in OFFSETS], axis=-1)
    return seen


def lorenz_tables(sizes: LorenzSizes, on_progress: OnProgress) -> Tables:
    """Run the models.

    Low fidelity, high fidelity and the tests of each climate are runs of their own, of fixed
    seeds, whatever the seed of the trainings is. At each moment all k are samples, as the ring is
    the same everywhere; they are one group.
    """
    total = len(sizes.forcings) + len(PRESENT) * 2 + len(sizes.tested)
    done = 0

    def some(role: int, forcings: Sequence[int], n_moment: int) -> Table:
        nonlocal done
        parts = []
        for forcing, n in zip(forcings, _shares(n_moment, len(forcings)), strict=True):
            if n > 0:
                parts.append(_moments(role, forcing, n, sizes.n_member))
            done += 1
            on_progress(done / total)
        x, u = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        inputs = neighbours(x).reshape(-1, len(OFFSETS))
        physics = code(inputs)
        outputs = physics if role == _LOW else u.reshape(-1, 1)
        return Table(inputs, outputs, np.repeat(np.arange(len(x)), x.shape[1]), physics)

    return Tables(
        some(_LOW, sizes.forcings, sizes.low),
        some(_HIGH, PRESENT, sizes.high),
        {"present": some(_TEST, PRESENT, sizes.test)}
        | {climate_name(f): some(_TEST, (f,), sizes.test) for f in sizes.tested},
    )


def _shares(total: int, n_part: int) -> list[int]:
    """Split a number into parts that differ by at most one."""
    return [total // n_part + (i < total % n_part) for i in range(n_part)]


def _moments(role: int, forcing: int, n_moment: int, n_member: int) -> tuple[Array, Array]:
    """Return X and the subgrid tendency of moments, both ``(n_moment, n_k)``."""
    rng = np.random.default_rng([role, forcing])
    n_member = min(n_member, n_moment)
    n_time = -(-n_moment // n_member)
    if role == _LOW:
        model = coarse_model(forcing)
        run = model.run(
            time=SPIN_UP_TIME + n_time * INTERVAL,
            save_every=INTERVAL,
            initial=model.random_state(n_member, rng),
            progress=False,
        ).isel(time=slice(-n_time, None))
        x = u = run["x"].to_numpy()
    else:
        truth = two_scale(forcing)
        run = truth.run(
            time=n_time * INTERVAL,
            save_every=INTERVAL,
            initial=spun_up(truth, n_member, rng),
            progress=False,
        ).isel(time=slice(1, None))
        x, u = run["x"].to_numpy(), run["x_tendency"].to_numpy()
    return x.reshape(-1, x.shape[-1])[:n_moment], u.reshape(-1, u.shape[-1])[:n_moment]
