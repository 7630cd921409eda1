"""Everything that the tables and figures are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
import xarray as xr
from scipy import stats

from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES, NONE
from hybrid.experiments.quasigeostrophic.climate import is_lost
from hybrid.experiments.quasigeostrophic.learner import Trained
from hybrid.experiments.quasigeostrophic.settings import CHOSEN_IN
from hybrid.experiments.quasigeostrophic.similarity import (
    distances,
    pooled,
    similarities,
    summary,
    thinned,
    worth,
)
from hybrid.experiments.quasigeostrophic.tuning import Found

KINDS = ("mean", "min", "distributional", "spectral")
"""Summaries of the 18 similarities of a run."""

Scores = Mapping[str, float]
Part = TypeVar("Part")


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


class _Target(NamedTuple):
    """The truth, and the distances from it of the coarse model without closure."""

    truth: xr.Dataset
    baseline: Scores


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
    offline
        Offline scores by configuration and closure.
    costs
        Time of a step [s], and beside that without closure [1], by model.
    searches
        What was found for coefficients, search by search.
    trained
        What trainings took, by network.
    ceilings
        What the coarse grid can hold of the truth, by configuration, see `ceilings`.
    """

    truths: Mapping[str, list[xr.Dataset]]
    climates: Mapping[str, Mapping[str, list[xr.Dataset]]]
    offline: Mapping[str, Mapping[str, Scores]]
    costs: Mapping[str, tuple[float, float]]
    searches: Sequence[Found] = ()
    trained: Mapping[str, Trained] = field(default_factory=dict)
    ceilings: Mapping[str, Mapping[str, Scores]] = field(default_factory=dict)

    @property
    def configurations(self) -> tuple[str, ...]:
        """Names of the configurations."""
        return tuple(self.truths)

    def cutoff(self, configuration: str) -> float:
        """Return the wavenumber below which spectra count, that of the coarse model [m-1]."""
        return float(self.climates[configuration][NONE][0].attrs["cutoff"])

    @cached_property
    def whole_truths(self) -> dict[str, xr.Dataset]:
        """All runs of the truth as one, by configuration."""
        return {name: pooled(runs) for name, runs in self.truths.items()}

    @cached_property
    def _targets(self) -> dict[str, dict[int, list[_Target]]]:
        """What is compared with by configuration and number of the first seeds.

        Of all these seeds, then without each of them.
        """
        return {
            name: {
                n: [self._target(name, runs) for runs in _with_and_without(truths[:n])]
                for n in {len(truths), *map(len, self.climates[name].values())}
            }
            for name, truths in self._thinned.items()
        }

    @cached_property
    def _thinned(self) -> dict[str, list[tuple[xr.Dataset, xr.Dataset]]]:
        """Runs of the truth on the points of the coarse grid, and of the model without closure."""
        return {
            name: [
                (thinned(truth, plain.sizes["x"]), plain)
                for truth, plain in zip(runs, self.climates[name][NONE], strict=True)
            ]
            for name, runs in self.truths.items()
        }

    def _target(self, name: str, runs: list[tuple[xr.Dataset, xr.Dataset]]) -> _Target:
        truth, plain = (pooled(part) for part in zip(*runs, strict=True))
        return _Target(truth, distances(plain, truth, self.cutoff(name)))

    def _scores(self, name: str, run: xr.Dataset, target: _Target) -> Scores:
        return similarities(distances(run, target.truth, self.cutoff(name)), target.baseline)

    @cached_property
    def scores(self) -> dict[str, dict[str, list[Scores]]]:
        """Similarities by configuration and model: of its seeds, then without each of them.

        All runs of a model are one, as all runs of the truth are. Where a run was lost there are
        none.
        """
        return {
            name: {model: self._scores_of(name, runs) for model, runs in models.items()}
            for name, models in self.climates.items()
        }

    def _scores_of(self, name: str, runs: list[xr.Dataset]) -> list[Scores]:
        """Return the similarities of the runs from the first seeds, then without each of them."""
        if any(map(is_lost, runs)):
            return []
        targets = self._targets[name][len(runs)]
        parts = zip(_with_and_without(runs), targets, strict=True)
        return [self._scores(name, pooled(part), target) for part, target in parts]

    @cached_property
    def single_scores(self) -> dict[str, dict[str, list[Scores]]]:
        """Similarities of single runs to all runs of the truth, by configuration and model."""
        return {
            name: {
                model: [
                    self._scores(name, run, self._targets[name][len(self.truths[name])][0])
                    for run in runs
                    if not is_lost(run)
                ]
                for model, runs in models.items()
            }
            for name, models in self.climates.items()
        }

    @cached_property
    def floors(self) -> dict[str, Scores]:
        """Similarities of one half of the runs of the truth to the other, by configuration."""
        return {
            name: similarities(
                distances(pooled(runs[::2]), pooled(runs[1::2]), self.cutoff(name)),
                self._targets[name][len(runs)][0].baseline,
            )
            for name, runs in self.truths.items()
            if len(runs) > 1
        }

    def n_lost(self, configuration: str, model: str) -> int:
        """Return how many runs of a model did not stay finite."""
        return sum(map(is_lost, self.climates[configuration][model]))

    def each(self, configuration: str, model: str, kind: str) -> list[float]:
        """Return a summary of the scores of all seeds, then without each; empty if one was lost."""
        return [summary(one)[kind] for one in self.scores[configuration][model]]

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
        found = [summary(one)[kind] for one in self.single_scores[configuration][model]]
        return float(np.mean(found))

    def floor(self, configuration: str, kind: str) -> float:
        """Return a summary of what one half of the truth gets beside the other; NaN for one run."""
        found = self.floors.get(configuration)
        return summary(found)[kind] if found else float("nan")

    def ahead(self, configuration: str, model: str, other: str, kind: str) -> Interval:
        """Return by how much a model is ahead of another, with the same seeds left out of both.

        Seeds that one of them was not run with count for neither. NaN if a run was lost.
        """
        both = [self.climates[configuration][name] for name in (model, other)]
        n = min(map(len, both))
        if self.n_lost(configuration, model) or self.n_lost(configuration, other):
            return Interval(float("nan"), float("nan"))
        found = [
            self.scores[configuration][name]
            if len(runs) == n
            else self._scores_of(configuration, runs[:n])
            for name, runs in zip((model, other), both, strict=True)
        ]
        whole, *without = [summary(a)[kind] - summary(b)[kind] for a, b in zip(*found, strict=True)]
        return Interval.jackknife(whole, without)

    def front(self, configuration: str) -> tuple[str, ...]:
        """Return the models whose mean score no other reaches at their cost, the cheapest first."""
        means = {
            model: self.interval(configuration, model, "mean").value
            for model in self.climates[configuration]
        }
        best, found = -np.inf, []
        for model in sorted(means, key=lambda name: (self.costs[name][1], -means[name])):
            # NaN, of a model that lost a run, is ahead of nothing.
            if means[model] > best:
                best = means[model]
                found.append(model)
        return tuple(found)

    def by_metric(self, configuration: str, model: str) -> Scores:
        """Return every similarity of all seeds; empty if a run was lost."""
        return next(iter(self.scores[configuration][model]), {})

    @cached_property
    def closures(self) -> tuple[str, ...]:
        """Names of the models with a closure that have been run."""
        models = self.climates[CHOSEN_IN]
        return tuple(name for name in models if CANDIDATES[name].has_closure)

    @cached_property
    def best(self) -> str:
        """The closure worth most in the configuration that it is chosen in, see `worth`.

        Closures that lost a run in any configuration, or have none there, are left out, unless all
        did.
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
        return max(stable or everywhere or self.closures, key=self._worth)

    def _worth(self, model: str) -> float:
        mean, worst = (self.interval(CHOSEN_IN, model, kind).value for kind in ("mean", "min"))
        return float(np.nan_to_num(worth(mean, worst), nan=-np.inf))


def _with_and_without(runs: list[Part]) -> list[list[Part]]:
    """Return all runs, then those without each of them; of one run only this."""
    if len(runs) < 2:
        return [runs]
    return [runs, *(runs[:i] + runs[i + 1 :] for i in range(len(runs)))]
