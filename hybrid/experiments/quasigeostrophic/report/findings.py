"""Everything that the tables and figures are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import stats

from closures.quasigeostrophic import SparseSymbolic
from hybrid.experiments.quasigeostrophic.calibration.fit import Fitted
from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES, NONE
from hybrid.experiments.quasigeostrophic.job import TRUTH
from hybrid.experiments.quasigeostrophic.learning.learner import Trained
from hybrid.experiments.quasigeostrophic.learning.offline import Offline
from hybrid.experiments.quasigeostrophic.runs.climate import is_lost
from hybrid.experiments.quasigeostrophic.scores.energy import run_rates
from hybrid.experiments.quasigeostrophic.scores.scoreboard import Scoreboard, Scores
from hybrid.experiments.quasigeostrophic.scores.similarity import pooled, summary, worth
from hybrid.experiments.quasigeostrophic.settings import CHOSEN_IN

KINDS = ("mean", "min", "distributional", "spectral")
"""Summaries of the 18 similarities of a run."""

# What a scoreboard calls the runs of a model in Fortran, beside the model's own.
_HOSTED = "hosted"


class Interval(NamedTuple):
    """A score, and half the width of its 95 % interval; NaN for one seed."""

    value: float
    half: float

    @classmethod
    def jackknife(cls, whole: float, without: list[float]) -> "Interval":
        """Return Student's interval of a score from what it is without each of the seeds."""
        n = len(without)
        if n < 2:
            return cls(whole, float("nan"))
        error = np.sqrt((n - 1) / n * np.sum((np.array(without) - np.mean(without)) ** 2))
        return cls(whole, float(stats.t.ppf(0.975, n - 1) * error))


@dataclass(frozen=True)
class Findings:
    """What was found, and its scores.

    Parameters
    ----------
    truths
        Runs of the truth by configuration, seed by seed.
    climates
        Runs by configuration and model, seed by seed; of some models those of the first few seeds
        alone. Each is scored with the truth and the coarse model of its own seeds.
    targets
        What the subgrid tendency of given states does to their energy, by configuration, see
        `energy_exchange`.
    late_targets
        The same of the second half of these states, when flow has grown as in the years that runs
        are averaged over.
    offline
        What closures make of these states, by configuration and closure.
    costs
        Time of a step [s], and beside that without closure [1], by model.
    fits
        What was found for coefficients, round by round.
    trained
        What trainings took, by network.
    symbolic
        The closure that sparse regression found; None: not yet.
    ceilings
        What the coarse grid can hold of the truth, by configuration, see `ceilings`.
    hosted
        Runs in Fortran, in the configuration that the best is chosen in, by model, seed by seed.
    """

    truths: Mapping[str, list[xr.Dataset]]
    climates: Mapping[str, Mapping[str, list[xr.Dataset]]]
    targets: Mapping[str, xr.DataArray]
    late_targets: Mapping[str, xr.DataArray]
    offline: Mapping[str, Mapping[str, Offline]]
    costs: Mapping[str, tuple[float, float]]
    fits: Sequence[Fitted] = ()
    trained: Mapping[str, Trained] = field(default_factory=dict)
    symbolic: SparseSymbolic | None = None
    ceilings: Mapping[str, Mapping[str, Scores]] = field(default_factory=dict)
    hosted: Mapping[str, list[xr.Dataset]] = field(default_factory=dict)

    @property
    def has_learned(self) -> bool:
        """Whether something was learned from states."""
        return bool(self.trained) or self.symbolic is not None

    @property
    def configurations(self) -> tuple[str, ...]:
        """Names of the configurations."""
        return tuple(self.truths)

    def cutoff(self, configuration: str) -> float:
        """Return the wavenumber below which spectra count, that of the coarse model [m-1]."""
        return self.scoreboards[configuration].cutoff

    @cached_property
    def whole_truths(self) -> dict[str, xr.Dataset]:
        """All runs of the truth as one, by configuration."""
        return {name: pooled(runs) for name, runs in self.truths.items()}

    @cached_property
    def scoreboards(self) -> dict[str, Scoreboard]:
        """Similarities by configuration."""
        return {
            name: Scoreboard(truths, self.climates[name]) for name, truths in self.truths.items()
        }

    @cached_property
    def energies(self) -> dict[str, dict[str, dict[str, float]]]:
        """`run_rates` of the truth, and of models that lost no run, by configuration and name."""
        found = {}
        for where, models in self.climates.items():
            kept = {name: runs for name, runs in models.items() if not self.n_lost(where, name)}
            runs_of = {TRUTH: self.truths[where], **kept}
            found[where] = {name: run_rates(runs) for name, runs in runs_of.items()}
        return found

    def n_lost(self, configuration: str, model: str) -> int:
        """Return how many runs of a model did not stay finite."""
        return sum(map(is_lost, self.climates[configuration][model]))

    def each(self, configuration: str, model: str, kind: str) -> list[float]:
        """Return a summary of the scores of all seeds, then without each; empty if one was lost."""
        return [summary(one)[kind] for one in self.scoreboards[configuration].scores(model)]

    def interval(self, configuration: str, model: str, kind: str) -> Interval:
        """Return a summary of all seeds; NaN if a run was lost."""
        if self.n_lost(configuration, model):
            return Interval(float("nan"), float("nan"))
        whole, *without = self.each(configuration, model, kind)
        return Interval.jackknife(whole, without)

    def single(self, configuration: str, model: str, kind: str) -> float:
        """Return the mean over single runs of a summary; NaN if one was lost."""
        if self.n_lost(configuration, model):
            return float("nan")
        return _mean_summary(self.scoreboards[configuration].single_scores[model], kind)

    def floor(self, configuration: str, kind: str) -> float:
        """Return a summary of what one half of the truth gets beside the other.

        The mean over random halves; NaN for one run.
        """
        return _mean_summary(self.scoreboards[configuration].floors, kind)

    def ahead(self, configuration: str, model: str, other: str, kind: str) -> Interval:
        """Return by how much a model is ahead of another, with the same seeds left out of both.

        Seeds that one of them was not run with count for neither. NaN if a run was lost.
        """
        n = min(len(self.climates[configuration][name]) for name in (model, other))
        if self.n_lost(configuration, model) or self.n_lost(configuration, other):
            return Interval(float("nan"), float("nan"))
        board = self.scoreboards[configuration]
        return _difference(board.scores(model, n), board.scores(other, n), kind)

    def in_fortran(self, model: str) -> dict[str, tuple[float, float, Interval]]:
        """Return the scores of a model's own runs and of those in Fortran, and their difference.

        By `KINDS`, of the seeds that both have. Nothing, if a run was lost.
        """
        if self.n_lost(CHOSEN_IN, model) or any(map(is_lost, self.hosted[model])):
            return {}
        board = self._with_hosted[model]
        here, hosted = (board.scores(name) for name in (model, _HOSTED))
        return {
            kind: (
                summary(here[0])[kind],
                summary(hosted[0])[kind],
                _difference(hosted, here, kind),
            )
            for kind in KINDS
        }

    def hosted_floor(self, model: str, kind: str) -> float:
        """Return what one half of the truth gets beside the other, of the seeds run in Fortran."""
        return _mean_summary(self._with_hosted[model].floors, kind)

    @cached_property
    def _with_hosted(self) -> dict[str, Scoreboard]:
        """Scores of the own runs of models and of those in Fortran, by model."""
        truths, climates = self.truths[CHOSEN_IN], self.climates[CHOSEN_IN]
        found = {}
        for model, runs in self.hosted.items():
            n = min(len(runs), len(climates[model]))
            kept = {NONE: climates[NONE][:n], model: climates[model][:n], _HOSTED: runs[:n]}
            found[model] = Scoreboard(truths[:n], kept)
        return found

    @cached_property
    def second_half(self) -> "Findings":
        """Truths and runs of the second half of the initial states that the best was run from.

        Of models that were run from all of these, and lost none; all else is the same.
        """
        truths, climates = {}, {}
        for where, models in self.climates.items():
            n = len(models.get(self.best, models[NONE]))
            half = slice(n // 2, n)
            truths[where] = self.truths[where][half]
            climates[where] = {
                name: runs[half]
                for name, runs in models.items()
                if len(runs) >= n and not self.n_lost(where, name)
            }
        return replace(self, truths=truths, climates=climates)

    def front(self, configuration: str) -> tuple[str, ...]:
        """Return the models whose mean score no other reaches at their cost, the cheapest first.

        Two models are compared by the seeds that both have.
        """

        def is_beaten(model: str, other: str) -> bool:
            mean, others = self._shared(configuration, (model, other), "mean")
            cost, cost_of_other = self.costs[model][1], self.costs[other][1]
            return (cost_of_other, -others) < (cost, -mean) and others >= mean

        models = [
            model for model in self.climates[configuration] if not self.n_lost(configuration, model)
        ]
        kept = [model for model in models if not any(is_beaten(model, other) for other in models)]
        return tuple(sorted(kept, key=lambda model: self.costs[model][1]))

    def _shared(self, configuration: str, models: Sequence[str], kind: str) -> list[float]:
        """Return a summary of models, of the seeds that all have; none may have lost a run.

        Scores rise with the number of seeds, the truth's chance being less: those of unlike
        numbers do not compare.
        """
        n = min(len(self.climates[configuration][model]) for model in models)
        board = self.scoreboards[configuration]
        return [summary(board.scores(model, n)[0])[kind] for model in models]

    def by_metric(self, configuration: str, model: str) -> Scores:
        """Return every similarity of all seeds; empty if a run was lost."""
        return next(iter(self.scoreboards[configuration].scores(model)), {})

    @cached_property
    def closures(self) -> tuple[str, ...]:
        """Names of the models with a closure that have been run."""
        models = self.climates[CHOSEN_IN]
        return tuple(name for name in models if CANDIDATES[name].has_closure)

    @cached_property
    def best(self) -> str:
        """The closure worth most in the configuration that it is chosen in, see `worth`.

        Those with most seeds come first; each of the others must be worth more by the seeds that it
        shares with the best so far. Closures that lost a run in any configuration, or have none
        there, are left out, unless all did.
        """
        everywhere = [
            name
            for name in self.closures
            if all(name in self.climates[where] for where in self.configurations)
        ]
        stable = [
            name
            for name in everywhere
            if not any(self.n_lost(where, name) for where in self.configurations)
        ]
        if not stable:
            return (everywhere or self.closures)[0]
        return reduce(
            self._better, sorted(stable, key=lambda name: -len(self.climates[CHOSEN_IN][name]))
        )

    def _better(self, model: str, other: str) -> str:
        means, worst = (self._shared(CHOSEN_IN, (model, other), kind) for kind in ("mean", "min"))
        own, others = map(worth, means, worst)
        return other if others > own else model


def _difference(scores: Sequence[Scores], others: Sequence[Scores], kind: str) -> Interval:
    """Return by how much a summary is larger, of all seeds, then without each of them in both."""
    pairs = zip(scores, others, strict=True)
    whole, *without = [summary(one)[kind] - summary(other)[kind] for one, other in pairs]
    return Interval.jackknife(whole, without)


def shown(*intervals: Interval) -> tuple[float | None, ...]:
    """Return values and half widths for a table, None where there is no number."""
    values = (number for interval in intervals for number in interval)
    return tuple(float(value) if np.isfinite(value) else None for value in values)


def _mean_summary(scores: Sequence[Scores], kind: str) -> float:
    """Return the mean of a summary of several scores; NaN if there are none."""
    return float(np.mean([summary(one)[kind] for one in scores])) if scores else float("nan")
