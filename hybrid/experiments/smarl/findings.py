"""Everything that the tables and figures are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from hybrid.experiments.smarl.candidates import CANDIDATES
from hybrid.experiments.smarl.climates import Target, scores
from hybrid.experiments.smarl.regimes import Regime
from hybrid.experiments.smarl.settings import FEW, TRAINED

Scores = Mapping[str, float]

DYNAMIC = "dynamic_leith"
"""The closure that the learned ones are held against."""

CONSTANT = "smagorinsky"
"""The tuned constant that what was learned is held against in single episodes."""

FEW_SCORES = ("lse", "w1")
"""Scores that are followed by the number of states of the truth."""

MOST_LSE, MOST_W1, MOST_TAIL = 0.65, 1.4, {"t3": 0.15, "t4": 0.30}
"""Bars: of the spectrum and of the distribution beside dynamic Leith, and of the tails."""


@dataclass(frozen=True)
class Findings:
    """What was found, and its scores.

    Parameters
    ----------
    regimes
        Flows by name.
    truths
        Their truths.
    trained
        What searches have found, by closure, seed by seed.
    climates
        Runs by regime and closure, seed by seed; of what is given, one.
    n_state
        States of the truth that everything else is trained with.
    few
        Runs in the regime of the training of what was found with few states of the truth, by their
        number, seed by seed.
    costs
        Of a step beside constant Leith, by closure [1].
    """

    regimes: Mapping[str, Regime]
    truths: Mapping[str, Target]
    trained: Mapping[str, list[xr.Dataset]]
    climates: Mapping[str, Mapping[str, list[xr.Dataset]]]
    n_state: int
    few: Mapping[int, list[xr.Dataset]]
    costs: Mapping[str, float]

    @cached_property
    def scores(self) -> dict[str, dict[str, list[dict[str, float]]]]:
        """Scores by regime and closure, seed by seed."""
        return {
            regime: {
                name: [scores(made, self.truths[regime]) for made in runs]
                for name, runs in climates.items()
            }
            for regime, climates in self.climates.items()
        }

    @cached_property
    def scores_of_few(self) -> dict[int, dict[str, list[float]]]:
        """Scores of `FEW` by number of states of the truth, seed by seed; with all of them too."""
        found = {
            n: [scores(made, self.truths[TRAINED]) for made in runs] for n, runs in self.few.items()
        }
        found[self.n_state] = self.scores[TRAINED][FEW]
        return {
            n: {name: [e[name] for e in each] for name in FEW_SCORES} for n, each in found.items()
        }

    @cached_property
    def floors(self) -> dict[str, dict[str, float]]:
        """Scores of one half of the truth beside the other, by regime."""
        return {regime: truth.floor() for regime, truth in self.truths.items()}

    def middle(self, regime: str, name: str, metric: str) -> float:
        """Return the median over seeds of a metric; that of blow-ups is their sum."""
        values = [found[metric] for found in self.scores[regime][name]]
        if metric == "blowups":
            return float(sum(values))
        return float(np.median(values)) if np.isfinite(values).all() else float("nan")

    @cached_property
    def best(self) -> tuple[str, int]:
        """The learned closure, and its seed, that did best in the validation."""
        return max(
            (
                (name, seed)
                for name, found in self.trained.items()
                if CANDIDATES[name].learned and not CANDIDATES[name].apart
                for seed in range(len(found))
            ),
            key=lambda each: float(self.trained[each[0]][each[1]].validation),
        )

    @cached_property
    def best_scores(self) -> dict[str, dict[str, float]]:
        """Scores of the best learned closure, by regime."""
        name, seed = self.best
        return {regime: self.scores[regime][name][seed] for regime in self.regimes}

    def gains(self, name: str, seed: int) -> dict[str, tuple[float, float]]:
        """Return by how much a found closure is ahead in single episodes, paired by their states.

        Returns
        -------
        dict
            Mean difference of rewards and its standard error [1]: to ``start``, where the search
            began, and to ``constant``, the best of the tuned constant Smagorinsky closures.
        """
        run = self.trained[name][seed]
        rivals = {"start": run.start}
        if CONSTANT in self.trained:
            rivals["constant"] = max(
                (each.found for each in self.trained[CONSTANT]), key=lambda each: float(each.mean())
            )
        gains = {which: (run.found - rival).to_numpy() for which, rival in rivals.items()}
        return {
            which: (float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(len(gain))))
            for which, gain in gains.items()
        }

    def n_learned(self, name: str) -> int:
        """Return how many seeds are ahead of both by more than two standard errors."""
        return sum(
            all(gain > 2.0 * error for gain, error in self.gains(name, seed).values())
            for seed in range(len(self.trained[name]))
        )

    def passes(self, found: Scores) -> bool:
        """Whether scores in the trained regime reach every bar beside dynamic Leith."""
        other, floor = self.scores[TRAINED][DYNAMIC][0], self.floors[TRAINED]
        most_w1 = max(MOST_W1 * other["w1"], 2.0 * floor["w1"])
        tails = (abs(found[name]) <= most for name, most in MOST_TAIL.items())
        return (
            found["blowups"] == 0.0
            and found["lse"] <= MOST_LSE * other["lse"]
            and found["w1"] <= most_w1
            and all(tails)
        )

    def n_pass(self, name: str) -> int:
        """Return how many seeds of a closure pass."""
        return sum(self.passes(found) for found in self.scores[TRAINED][name])
