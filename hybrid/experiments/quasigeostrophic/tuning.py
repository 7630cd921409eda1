"""Coefficients of closures with which the climate of the coarse model is most like the truth.

The search knows one configuration, and runs and truths of seeds that no score is made with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import cma
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures import Closure, quasigeostrophic
from hybrid.experiments.quasigeostrophic.climate import ENVELOPE, climate, is_lost
from hybrid.experiments.quasigeostrophic.configurations import Configuration, Duration
from hybrid.experiments.quasigeostrophic.similarity import (
    distances,
    pooled,
    similarities,
    summary,
    thinned,
    worth,
)
from hybrid.experiments.quasigeostrophic.truth import PlainRun
from solvers.deconvolution import Deconvolution
from solvers.leith_e import LeithE
from solvers.quasigeostrophic import TwoLayerQG
from solvers.spectral import FILTER_CUTOFF

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

LARGEST_FACTOR = 0.1
"""Largest coefficient of anti-diffusion of the upper layer [1], about ten times what runs have."""

LOST = -10.0
"""What coefficients with which a run does not stay finite are worth."""

# Where a search begins: more energy returned than taken, as the model's filter takes some too, a
# coefficient as of Fox-Kemper and Menemenlis (2008) by order of magnitude, and some of the filter
# undone. One step of the search is the factor and the steps below.
_C4, _RETURNED, _CUTOFF = 0.002, 1.23, 0.72
_FACTOR, _STEP_RETURNED, _STEP_CUTOFF = 1.4, 0.06, 0.03
_SPREAD = 0.8
N_COEFFICIENT = 3
"""Dimensions of the search space."""


@dataclass(frozen=True)
class Coefficients:
    """Of `LeithE` in momentum form with an energy budget, and of `Deconvolution` beside it.

    Diffusion has one coefficient, and the anti-diffusion of the
    lower layer is to that of the upper one as speeds are where both have the same energy, which is
    sqrt(H1 / H2).

    Parameters
    ----------
    c4
        Biharmonic coefficient of both layers [1].
    returned
        Part of the energy that is put back [1].
    cutoff
        Where the filter begins that deconvolution leaves, as a part of pi over the grid spacing
        [1]; that of the model: no deconvolution.
    """

    c4: float
    returned: float
    cutoff: float = FILTER_CUTOFF

    @classmethod
    def at(cls, place: Sequence[float] | Array) -> "Coefficients":
        """Return the coefficients at a place of the search space, shape ``(N_COEFFICIENT,)``."""
        c4, returned, cutoff = (float(x) for x in place)
        return cls(
            _C4 * _FACTOR**c4,
            max(0.0, _RETURNED + _STEP_RETURNED * returned),
            float(np.clip(_CUTOFF + _STEP_CUTOFF * cutoff, FILTER_CUTOFF, 1.0)),
        )

    def arguments(self, model: TwoLayerQG) -> dict[str, Any]:
        """Return the arguments by keyword of `LeithE`, in `solvers` and in `closures` alike."""
        return {
            "c2": (-1.0, -sqrt(model.delta)),
            "c4": (self.c4, self.c4),
            "returned": self.returned,
            "largest_factor": LARGEST_FACTOR,
            "delta": model.delta,
            "fields": ("laplacian", "vorticity"),
        }

    def closure(self, model: TwoLayerQG) -> Closure:
        """Return the closure that archives are made of."""
        spacing = model.grid.dy, model.grid.dx
        leith = quasigeostrophic.LeithE(spacing, **self.arguments(model), largest=ENVELOPE)
        if not self.deconvolves:
            return leith
        return leith + quasigeostrophic.Deconvolution(
            spacing, dt=model.dt, cutoff=self.cutoff, largest={"q": ENVELOPE["q"]}
        )

    def in_loop(self, model: TwoLayerQG) -> LeithE | Deconvolution:
        """Return the closure that a time loop calls."""
        leith = LeithE(**self.arguments(model))
        if not self.deconvolves:
            return leith
        return Deconvolution(dt=model.dt, cutoff=self.cutoff, closure=leith)

    @property
    def deconvolves(self) -> bool:
        """Whether a part of the filter is undone."""
        return self.cutoff > FILTER_CUTOFF


CHOSEN = Coefficients(c4=0.0027, returned=1.26)
"""Without deconvolution: chosen among some twenty on eddy, with truths that no score is made with.

Fixed, so that closure and scores do not wait for a search; what a search finds is beside them.
"""

CHOSEN_DECONVOLVED = Coefficients(c4=0.0018, returned=1.22, cutoff=0.725)
"""With it: chosen among some twenty, likewise."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """How long coefficients are searched for.

    Parameters
    ----------
    n_search
        Searches, each from random numbers of its own; the best of what they find is taken.
    n_generation, population
        Generations of the search, and coefficients in each.
    n_run
        Runs with each of them.
    n_truth
        Runs of the truth, and of the model without closure, that they are held against.
    """

    n_search: int = 2
    n_generation: int = 8
    population: int = 6
    n_run: int = 2
    n_truth: int = 6


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Parameters
    ----------
    place
        Of the best coefficients in the search space.
    value
        What they are worth, see `worth`.
    medians
        Of the values of each generation.
    """

    place: tuple[float, ...]
    value: float
    medians: tuple[float, ...]


def search(
    flow: Configuration,
    duration: Duration,
    settings: Search,
    first_seed: int,
    random: np.random.Generator,
    on_progress: OnProgress,
) -> Found:
    """Look for coefficients by covariance matrix adaptation.

    Parameters
    ----------
    flow
        The configuration.
    duration
        Length of runs, as of those that are scored.
    settings
        Length of the search.
    first_seed
        Of the runs' initial states; no others may share them.
    random
        Where the search's own random numbers come from.
    on_progress
        Called with the fraction done.

    Returns
    -------
    Found
        The best coefficients that were tried.

    References
    ----------
    Hansen (2016), arXiv:1604.00772.
    """
    seeds = range(first_seed, first_seed + settings.n_truth)
    value_of = _Worth.of(flow, duration, seeds, settings.n_run)
    options = {
        "seed": int(random.integers(1, 2**31)),
        "popsize": settings.population,
        "verbose": -9,
    }
    strategy = cma.CMAEvolutionStrategy(np.zeros(N_COEFFICIENT), _SPREAD, options)
    best, medians = (LOST, np.zeros(N_COEFFICIENT)), []
    for n in range(settings.n_generation):
        places, values = strategy.ask(), []
        for i, place in enumerate(places):
            values.append(value_of(Coefficients.at(place)))
            on_progress((n + (i + 1) / len(places)) / settings.n_generation)
        strategy.tell(places, [-value for value in values])
        medians.append(float(np.median(values)))
        if max(values) > best[0]:
            best = max(values), places[int(np.argmax(values))]
    return Found(tuple(map(float, best[1])), float(best[0]), tuple(medians))


@dataclass(frozen=True)
class _Worth:
    """What coefficients are worth, as a function of them."""

    flow: Configuration
    duration: Duration
    seeds: range
    truth: xr.Dataset
    baseline: dict[str, float]
    cutoff: float

    @classmethod
    def of(cls, flow: Configuration, duration: Duration, seeds: range, n_run: int) -> "_Worth":
        truth, plain = (
            pooled([PlainRun(flow, nx, duration, seed).climate() for seed in seeds])
            for nx in (flow.n_truth, flow.n_coarse)
        )
        truth, cutoff = thinned(truth, flow.n_coarse), float(plain.attrs["cutoff"])
        unit = distances(plain, truth, cutoff)
        return cls(flow, duration, seeds[:n_run], truth, unit, cutoff)

    def __call__(self, coefficients: Coefficients) -> float:
        model, runs = self.flow.coarse, []
        for seed in self.seeds:
            initial = self.flow.initial(self.flow.n_coarse, seed)
            closure = coefficients.in_loop(model)
            runs.append(climate(model, initial, self.duration, tendency=closure))
            if is_lost(runs[-1]):
                return LOST
        made = distances(pooled(runs), self.truth, self.cutoff)
        found = summary(similarities(made, self.baseline))
        return worth(found["mean"], found["min"])
