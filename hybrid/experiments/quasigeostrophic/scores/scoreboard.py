"""Similarities of all runs of a model, without each of them, and of each alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import xarray as xr

from hybrid.experiments.quasigeostrophic.candidates import NONE
from hybrid.experiments.quasigeostrophic.runs.climate import is_lost
from hybrid.experiments.quasigeostrophic.scores.similarity import similarities, thinned
from hybrid.experiments.quasigeostrophic.scores.subsets import Subset, subset_distances

Scores = Mapping[str, float]

N_SPLIT = 32
"""Times that the truth is split into halves."""


@dataclass(frozen=True)
class Scoreboard:
    """Scores of models in one configuration.

    All runs of a model are held together against those of the truth from the same initial states,
    on the points of the coarse grid.

    Parameters
    ----------
    truths
        Runs of the truth, seed by seed.
    climates
        Runs by model, seed by seed; of some models those of the first few seeds alone. `NONE` has
        all.
    """

    truths: Sequence[xr.Dataset]
    climates: Mapping[str, Sequence[xr.Dataset]]

    # By model and number of seeds: with all of them, then without each.
    _distances: dict[tuple[str, int], list[dict[str, float]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def cutoff(self) -> float:
        """The wavenumber below which spectra count, that of the coarse model [m-1]."""
        return float(self.climates[NONE][0].attrs["cutoff"])

    def scores(self, model: str, n: int | None = None) -> list[Scores]:
        """Return the scores of a model: of its seeds, then without each; none if one was lost.

        Parameters
        ----------
        model
            Name.
        n
            Number of the first seeds that count; None: all that it was run from.
        """
        n = len(self.climates[model]) if n is None else n
        if any(map(is_lost, self.climates[model][:n])):
            return []
        pairs = zip(self._jackknifed(model, n), self._jackknifed(NONE, n), strict=True)
        return [similarities(made, baseline) for made, baseline in pairs]

    def _jackknifed(self, model: str, n: int) -> list[dict[str, float]]:
        if (model, n) not in self._distances:
            subsets = [(kept, kept) for kept in _with_and_without(n)]
            made, truth = self.climates[model][:n], self._thinned[:n]
            self._distances[model, n] = subset_distances(made, truth, subsets, self.cutoff)
        return self._distances[model, n]

    @cached_property
    def single_scores(self) -> dict[str, list[Scores]]:
        """Scores of single runs against all runs of the truth, by model, without lost ones."""
        everything = range(len(self.truths))
        baseline = self._jackknifed(NONE, len(everything))[0]
        found: dict[str, list[Scores]] = {}
        for model, runs in self.climates.items():
            finite = [run for run in runs if not is_lost(run)]
            each = [([i], everything) for i in range(len(finite))]
            made = subset_distances(finite, self._thinned, each, self.cutoff) if finite else []
            found[model] = [similarities(distances, baseline) for distances in made]
        return found

    @cached_property
    def floors(self) -> list[Scores]:
        """Scores of one random half of the truth against the other, time and again.

        None of a single run.
        """
        n = len(self.truths)
        if n < 2:
            return []
        random = np.random.default_rng(0)
        orders = [random.permutation(n).tolist() for _ in range(N_SPLIT)]
        halves = [(order[: n // 2], order[n // 2 :]) for order in orders]
        found = subset_distances(self._thinned, self._thinned, halves, self.cutoff)
        return [similarities(distances, self._jackknifed(NONE, n)[0]) for distances in found]

    @cached_property
    def _thinned(self) -> list[xr.Dataset]:
        plain = self.climates[NONE]
        return [thinned(truth, plain[0].sizes["x"]) for truth in self.truths]


def _with_and_without(n: int) -> list[Subset]:
    """Return all numbers below one, then those without each; of a single one only this."""
    if n < 2:
        return [range(n)]
    return [range(n), *([j for j in range(n) if j != i] for i in range(n))]
