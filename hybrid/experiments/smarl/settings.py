"""Sizes of the experiment, by preset."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from hybrid.experiments.result import Preset
from hybrid.experiments.smarl.candidates import CANDIDATES
from hybrid.experiments.smarl.regimes import REGIMES, Regime

TRAINED = "vortices"
"""The regime that closures are searched for and learned in; in the others nothing is tuned."""


FEW = "cma"
"""The learned closure that is also searched for with few states of the truth."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Number and length of runs.

    Parameters
    ----------
    n_run
        Runs of a closure.
    time, spin_up
        Length that counts, and that is left out before [1].
    """

    n_run: int
    time: float
    spin_up: float


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a preset runs.

    Parameters
    ----------
    regimes
        Flows by name, the one that is trained in first.
    truth_time
        Lengths of the trajectories for training, validation and test [1].
    spin_up
        Time before each [1].
    candidates
        Names of the closures.
    n_seed
        Searches and trainings of each closure.
    budget
        Steps of coarse models that each may spend.
    training, validation, test
        Runs by which policies are rewarded, chosen and scored.
    n_episode
        Episodes of the validation in which what was learned is held against its start.
    few
        Numbers of states of the truth that `FEW` is also searched for with.
    n_round
        Turns in which steps are timed.
    """

    regimes: Mapping[str, Regime]
    truth_time: tuple[float, float, float]
    spin_up: float
    candidates: tuple[str, ...]
    n_seed: int
    budget: int
    training: Runs
    validation: Runs
    test: Runs
    n_episode: int
    few: tuple[int, ...]
    n_round: int


_ALL = tuple(CANDIDATES)
_TINY = replace(REGIMES[TRAINED], n_truth=64, dt_truth=2.5e-3, n_coarse=32)
_QUICK = ("none", "smagorinsky", "leith", "dynamic_smagorinsky", "dynamic_leith",
          "leith_biharmonic", "backscatter", "cma")  # fmt: skip

PRESETS: Mapping[Preset, Settings] = MappingProxyType(
    {
        "test": Settings(
            regimes={TRAINED: _TINY},
            truth_time=(16.0, 8.0, 16.0),
            spin_up=8.0,
            candidates=("none", "leith", "dynamic_leith", "leith_biharmonic", "cma", "eki", "ppo"),
            n_seed=1,
            budget=8_000,
            training=Runs(n_run=2, time=1.0, spin_up=0.0),
            validation=Runs(n_run=2, time=2.0, spin_up=1.0),
            test=Runs(n_run=2, time=2.0, spin_up=1.0),
            n_episode=4,
            few=(4,),
            n_round=3,
        ),
        "quick": Settings(
            regimes={TRAINED: replace(REGIMES[TRAINED], n_truth=144, dt_truth=1 / 600)},
            truth_time=(80.0, 60.0, 80.0),
            spin_up=40.0,
            candidates=_QUICK,
            n_seed=1,
            budget=500_000,
            training=Runs(n_run=2, time=8.0, spin_up=0.0),
            validation=Runs(n_run=4, time=20.0, spin_up=5.0),
            test=Runs(n_run=8, time=30.0, spin_up=10.0),
            n_episode=24,
            few=(),
            n_round=15,
        ),
        "full": Settings(
            regimes=dict(REGIMES),  # processes hand settings on, and a proxy cannot be
            truth_time=(200.0, 100.0, 300.0),
            spin_up=40.0,
            candidates=_ALL,
            n_seed=5,
            budget=3_000_000,
            training=Runs(n_run=2, time=16.0, spin_up=0.0),
            validation=Runs(n_run=8, time=30.0, spin_up=10.0),
            test=Runs(n_run=20, time=30.0, spin_up=10.0),
            n_episode=24,
            few=(4, 16, 64),
            n_round=31,
        ),
    }
)
