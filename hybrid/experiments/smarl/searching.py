"""How the weights of a candidate are found."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid.environments import Episodes, Reference, TurbulenceEnvironment
from hybrid.experiments.smarl.candidates import CANDIDATES, Candidate
from hybrid.learners.inversion import invert
from hybrid.learners.learned import Learned
from hybrid.learners.ppo import PpoSettings, learn_ppo
from hybrid.learners.rollouts import Rollouts
from hybrid.learners.search import Free, evolve, scan
from solvers.eddy_viscosity import EddyViscosity

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

PAIR = "leith_biharmonic"
"""The candidate that learners on top of two constants begin with."""

# Steps that agents hold an action, and models that learn together.
_HELD = 25
_N_MODEL = 8
# Bad runs that go on to their end have rewards of -200.
_BLOW_UP = -400.0

# Part of the budget that goes to the two constants, and the spread around them in `UNITS`.
_FIRST = 0.25
_AROUND = 0.3


@dataclass(frozen=True)
class Search:
    """A search with a budget.

    Parameters
    ----------
    candidate
        What is searched for, and by what.
    rollouts
        How policies are run.
    known
        Statistics of the truth of the training.
    budget
        Steps of coarse models that may be spent.
    seed
        Of every random choice.
    log_folder
        Folder for TensorBoard, where a learner writes for it; None: nothing is written.
    """

    candidate: Candidate
    rollouts: Rollouts
    known: Reference
    budget: int
    seed: int
    log_folder: Path | None = None

    def run(self, on_progress: OnProgress) -> Learned:
        """Return what is found."""
        if self.candidate.on_top:
            return self._on_top(on_progress)
        return self._found(self.candidate.free, self.budget, 1.0, on_progress)

    def _on_top(self, on_progress: OnProgress) -> Learned:
        """Spend a part of the budget on two constants, and the rest on all weights around them."""
        pair = replace(self, candidate=CANDIDATES[PAIR], budget=round(_FIRST * self.budget))
        first = pair.run(lambda part: on_progress(_FIRST * part))
        then = self._found(
            replace(self.candidate.free, start=first.weights),
            self.budget - int(first.steps[-1]),
            _AROUND,
            lambda part: on_progress(_FIRST + (1.0 - _FIRST) * part),
        )
        return Learned(
            then.weights,
            np.concatenate([first.steps, first.steps[-1] + then.steps]),
            np.concatenate([first.rewards, then.rewards]),
        )

    def _found(self, free: Free, budget: int, spread: float, on_progress: OnProgress) -> Learned:
        if self.candidate.learner == "ppo":
            return self._reinforced(free, budget, on_progress)
        rest = (free, budget, self.seed, on_progress)
        if self.candidate.learner == "eki":
            return invert(self.rollouts, self.known, *rest, spread=spread)
        reward = self.candidate.reward(self.known)
        if self.candidate.learner == "scan":
            return scan(self.rollouts, reward, *rest)
        return evolve(self.rollouts, reward, *rest, sigma=spread)

    def _reinforced(self, free: Free, budget: int, on_progress: OnProgress) -> Learned:
        """Learn by PPO, in episodes that are as long as the runs of the other searches."""
        model, policy = self.rollouts.model, self.candidate.policy
        start = EddyViscosity(
            scale=policy.scale,
            c2=float(free.start[0, 0]),
            c4=float(free.start[1, 0]),
            net_dissipation=policy.net_dissipation,
        )
        n_action = max(1, round(self.rollouts.time / (_HELD * model.dt)))
        environment = TurbulenceEnvironment(
            replace(model, eddy_viscosity=start),
            self.known,
            self.candidate.reward(self.known),
            self.rollouts.initial,
            n_model=_N_MODEL,
            episodes=Episodes(
                bounds2=policy.bounds2,
                bounds4=policy.bounds4 if self.candidate.hyper else None,
                action_interval=_HELD,
                n_action=n_action,
                blow_up_reward=_BLOW_UP,
            ),
        )
        settings = PpoSettings(n_batch=gcd(_N_MODEL * n_action, PpoSettings().n_batch))
        return learn_ppo(
            environment, free.start, settings, budget, self.seed,
            log_folder=self.log_folder, on_progress=on_progress,
        )  # fmt: skip
