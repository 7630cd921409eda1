"""Everything that the tables and figures are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import stats

from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES, NONE
from hybrid.experiments.quasigeostrophic.climate import is_lost
from hybrid.experiments.quasigeostrophic.settings import CHOSEN_IN
from hybrid.experiments.quasigeostrophic.similarity import (
    distances,
    floors,
    pooled,
    similarities,
    summary,
)

KINDS = ("mean", "min", "distributional", "spectral")
"""Summaries of the 18 similarities of a run."""

Scores = Mapping[str, float]


class Interval(NamedTuple):
    """A mean over seeds, and half the width of its 95 % interval; NaN for one seed."""

    mean: float
    half: float

    @classmethod
    def of(cls, values: list[float]) -> "Interval":
        """Return mean and Student's interval."""
        n = len(values)
        if n < 2:
            return cls(float(np.mean(values)), float("nan"))
        error = float(np.std(values, ddof=1)) / np.sqrt(n)
        return cls(float(np.mean(values)), float(stats.t.ppf(0.975, n - 1) * error))


@dataclass(frozen=True)
class Findings:
    """What was found, and its scores.

    Parameters
    ----------
    truths
        Runs of the truth by configuration, seed by seed.
    climates
        Runs by configuration and model, seed by seed.
    offline
        Offline scores by configuration and closure.
    costs
        Time of a step [s], and beside that without closure [1], by model.
    """

    truths: Mapping[str, list[xr.Dataset]]
    climates: Mapping[str, Mapping[str, list[xr.Dataset]]]
    offline: Mapping[str, Mapping[str, Scores]]
    costs: Mapping[str, tuple[float, float]]

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
    def baselines(self) -> dict[str, Scores]:
        """Distances of the coarse model without closure, all its runs as one."""
        return {
            name: distances(
                pooled(self.climates[name][NONE]), self.whole_truths[name], self.cutoff(name)
            )
            for name in self.configurations
        }

    @cached_property
    def scores(self) -> dict[str, dict[str, list[Scores | None]]]:
        """All similarities by configuration and model, seed by seed; None of a run that is lost."""
        return {
            name: {
                model: [None if is_lost(run) else self._scores(name, run) for run in runs]
                for model, runs in self.climates[name].items()
            }
            for name in self.configurations
        }

    def _scores(self, configuration: str, run: xr.Dataset) -> Scores:
        truth = self.whole_truths[configuration]
        found = distances(run, truth, self.cutoff(configuration))
        return similarities(found, self.baselines[configuration])

    @cached_property
    def floor_scores(self) -> dict[str, list[Scores]]:
        """Similarities of each run of the truth to the others."""
        return {
            name: [*floors(runs, self.baselines[name], self.cutoff(name))]
            for name, runs in self.truths.items()
        }

    def n_lost(self, configuration: str, model: str) -> int:
        """Return how many runs of a model did not stay finite."""
        return sum(one is None for one in self.scores[configuration][model])

    def each(self, configuration: str, model: str, kind: str) -> list[float]:
        """Return a summary of the scores of every run; empty if one was lost."""
        scores = self.scores[configuration][model]
        found = [summary(one)[kind] for one in scores if one is not None]
        return found if len(found) == len(scores) else []

    def interval(self, configuration: str, model: str, kind: str) -> Interval:
        """Return a summary over seeds; NaN if a run was lost."""
        values = self.each(configuration, model, kind)
        return Interval.of(values) if values else Interval(float("nan"), float("nan"))

    def floor(self, configuration: str, kind: str) -> Interval:
        """Return a summary of what a perfect closure would get."""
        found = Interval.of([summary(one)[kind] for one in self.floor_scores[configuration]])
        # Of two runs each is beside the other: that is one number.
        few = len(self.truths[configuration]) < 3
        return Interval(found.mean, float("nan")) if few else found

    def ahead(self, configuration: str, model: str, other: str, kind: str) -> Interval:
        """Return by how much a model is ahead of another from the same initial states."""
        pairs = zip(
            self.each(configuration, model, kind),
            self.each(configuration, other, kind),
            strict=True,
        )
        return Interval.of([a - b for a, b in pairs])

    def by_metric(self, configuration: str, model: str) -> dict[str, float]:
        """Return the mean over seeds of every similarity; empty if a run was lost."""
        scores = [one for one in self.scores[configuration][model] if one is not None]
        if not scores or self.n_lost(configuration, model):
            return {}
        return {name: float(np.mean([one[name] for one in scores])) for name in scores[0]}

    @cached_property
    def closures(self) -> tuple[str, ...]:
        """Names of the models with a closure."""
        models = self.climates[CHOSEN_IN]
        return tuple(name for name in models if CANDIDATES[name].closure is not None)

    @cached_property
    def best(self) -> str:
        """The closure with the highest mean in the configuration that it is chosen in.

        Closures that lost a run in any configuration are left out, unless all did.
        """
        stable = [
            name
            for name in self.closures
            if not any(self.n_lost(where, name) for where in self.configurations)
        ]
        return max(
            stable or self.closures,
            key=lambda name: np.nan_to_num(
                self.interval(CHOSEN_IN, name, "mean").mean, nan=-np.inf
            ),
        )
