"""Coarse models of turbulence as environments in which closures learn (needs the extra ``rl``)."""

from hybrid.environments.reference import Reference
from hybrid.environments.rewards import (
    PublishedReward,
    Reward,
    SpectrumAndMomentsReward,
    SpectrumReward,
)
from hybrid.environments.turbulence import Episodes, TurbulenceEnvironment

__all__ = [
    "Episodes",
    "PublishedReward",
    "Reference",
    "Reward",
    "SpectrumAndMomentsReward",
    "SpectrumReward",
    "TurbulenceEnvironment",
]
