"""The closures that are compared: given, searched for, and learned."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from hybrid.environments import (
    PublishedReward,
    Reference,
    Reward,
    SpectrumAndMomentsReward,
    SpectrumReward,
)
from hybrid.learners.search import Free
from solvers.eddy_viscosity import (
    Backscatter,
    DynamicEddyViscosity,
    EddyViscosity,
    LinearPolicy,
    Viscosity,
)
from solvers.eddy_viscosity.settings import N_INVARIANT

Array = NDArray[np.float64]

BOUNDS2, BOUNDS4 = (-0.02, 0.06), (0.0, 0.02)
_NET_DISSIPATION = 0.1
# Coefficients of a policy are found in every tenth step, and held in between.
_UPDATE_INTERVAL = 10


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A closure, and how it comes to its coefficients.

    Parameters
    ----------
    label
        What tables call it.
    given
        The closure, of one that nothing is searched for in; None: no closure at all.
    learner
        Name of what finds its weights, ``"scan"``, ``"cma"``, ``"eki"`` or ``"ppo"``; empty for
        one that is given.
    constant
        Whether coefficients are the same everywhere.
    hyper
        Whether it has a hyperviscosity.
    on_top
        Whether a part of its budget is spent on the pair of constants that it then begins with.
    scale
        Of its viscosities, see `EddyViscosity`.
    reward
        What it is rewarded for.
    apart
        Whether it is shown apart, because of what it is rewarded for.
    """

    label: str
    given: Viscosity | None = None
    learner: str = ""
    constant: bool = False
    hyper: bool = False
    on_top: bool = False
    scale: str = "leith"
    reward: Callable[[Reference], Reward] = SpectrumAndMomentsReward
    apart: bool = False

    @property
    def learned(self) -> bool:
        """Whether its coefficients depend on the flow in a way that was learned."""
        return bool(self.learner) and not self.constant

    @property
    def policy(self) -> LinearPolicy:
        """The policy whose weights are searched for."""
        return LinearPolicy(
            scale=self.scale,
            bounds2=BOUNDS2,
            bounds4=BOUNDS4 if self.hyper else (0.0, 0.0),
            update_interval=1 if self.constant else _UPDATE_INTERVAL,
            net_dissipation=_NET_DISSIPATION,
        )

    @property
    def free(self) -> Free:
        """Its free weights, which begin as plain Leith, biharmonic where there is a c4."""
        start, which = np.zeros((2, N_INVARIANT)), np.zeros((2, N_INVARIANT), dtype=np.bool_)
        start[:, 0] = (0.0, 0.003) if self.hyper else (0.008, 0.0)
        which[: 1 + self.hyper, : 1 if self.constant else N_INVARIANT] = True
        return Free(start if self.learner != "scan" else 0.0 * start, which)

    def with_weights(self, weights: Array) -> Viscosity:
        """Return the closure that a search has found, as it would be used."""
        if self.constant:
            return EddyViscosity(
                scale=self.scale,
                c2=float(np.clip(weights[0, 0], *BOUNDS2)),
                c4=float(np.clip(weights[1, 0], *BOUNDS4)),
                net_dissipation=_NET_DISSIPATION if self.hyper else None,
            )
        return replace(
            self.policy,
            weights2=tuple(weights[0].tolist()),
            weights4=tuple(weights[1].tolist()),
        )


CANDIDATES: Mapping[str, Candidate] = MappingProxyType(
    {
        "none": Candidate(label="no closure"),
        "smagorinsky": Candidate(
            label="Smagorinsky, tuned", learner="scan", constant=True, scale="smagorinsky"
        ),
        "leith": Candidate(label="Leith, tuned", learner="scan", constant=True),
        "dynamic_smagorinsky": Candidate(
            label="dynamic Smagorinsky", given=DynamicEddyViscosity(scale="smagorinsky")
        ),
        "dynamic_leith": Candidate(label="dynamic Leith", given=DynamicEddyViscosity()),
        "dynamic_leith_clipped": Candidate(
            label="dynamic Leith, numerator clipped",
            given=DynamicEddyViscosity(clipping="numerator"),
        ),
        "backscatter": Candidate(label="biharmonic Leith with backscatter", given=Backscatter()),
        "leith_biharmonic": Candidate(
            label="Leith + biharmonic Leith, tuned", learner="cma", constant=True, hyper=True
        ),
        "cma": Candidate(label="CMA-ES on the pair", learner="cma", hyper=True, on_top=True),
        "cma_plain": Candidate(label="CMA-ES, c2 and c4 from plain", learner="cma", hyper=True),
        "cma_c2": Candidate(label="CMA-ES, c2 alone", learner="cma"),
        "eki": Candidate(label="EKI on the pair", learner="eki", hyper=True, on_top=True),
        "ppo": Candidate(label="PPO, c2 and c4 from plain", learner="ppo", hyper=True),
        "cma_spectrum": Candidate(
            label="CMA-ES, spectrum alone",
            learner="cma",
            hyper=True,
            on_top=True,
            reward=SpectrumReward,
            apart=True,
        ),
        "cma_published": Candidate(
            label="CMA-ES, published reward",
            learner="cma",
            hyper=True,
            on_top=True,
            reward=PublishedReward,
            apart=True,
        ),
    }
)
"""Closures by the names that metrics have; those that only saw a spectrum are shown apart."""
