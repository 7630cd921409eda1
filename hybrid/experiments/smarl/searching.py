"""How the weights of a candidate are found."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hybrid.environments import Reference
from hybrid.experiments.smarl.candidates import CANDIDATES, Candidate
from hybrid.learners.inversion import invert
from hybrid.learners.learned import Learned
from hybrid.learners.rollouts import Rollouts
from hybrid.learners.search import Free, evolve, scan

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

PAIR = "leith_biharmonic"
"""The candidate that learners on top of two constants begin with."""

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
    """

    candidate: Candidate
    rollouts: Rollouts
    known: Reference
    budget: int
    seed: int

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
        rest = (free, budget, self.seed, on_progress)
        if self.candidate.learner == "eki":
            return invert(self.rollouts, self.known, *rest, spread=spread)
        reward = self.candidate.reward(self.known)
        if self.candidate.learner == "scan":
            return scan(self.rollouts, reward, *rest)
        return evolve(self.rollouts, reward, *rest, sigma=spread)
