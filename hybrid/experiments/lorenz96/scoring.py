"""Scores of the climates and forecasts for one value of c."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hybrid.evaluation import (
    EnsembleScores,
    ensemble_scores,
    hellinger_distance,
    wasserstein_distance,
)
from hybrid.experiments.lorenz96.settings import CLOSURES, FITTED, N_BIN, SAVE_STEP
from hybrid.experiments.lorenz96.truth import Truth
from solvers.diagnostics import autocorrelation, neighbour_correlation, wave_variance

Array = NDArray[np.float64]

LAG_TIME = 2.0
"""Longest lag of the autocorrelation."""

_N_LAG = round(LAG_TIME / SAVE_STEP)
# Neighbouring samples are nearly the same, and the distance sorts all of them.
_THINNING = 4

CLIMATE_SCORES = ("hellinger", "wasserstein", "autocorrelation", "wave_variance", "neighbour")
FORECAST_SCORES = ("crps", "rmse", "spread")

Criterion = Literal["hellinger", "crps"]
"""Scores that closures are ranked by."""


@dataclass(frozen=True)
class Climate:
    """Statistics of one climate.

    Parameters
    ----------
    density
        Probability density of X in `N_BIN` bins over the range of the truth; what lies outside
        is missing from its integral.
    autocorrelation
        Autocorrelation of X at lags up to `LAG_TIME`, every `SAVE_STEP`.
    wave_variance
        Variance of X about its mean in wavenumbers 0 to K / 2.
    neighbour_correlation
        Correlation of X_k and X_{k+d}, d = 0 to K / 2.
    """

    density: Array
    autocorrelation: Array
    wave_variance: Array
    neighbour_correlation: Array

    @classmethod
    def of(cls, x: Array, edges: Array) -> "Climate":
        """Compute the statistics of X, shape ``(time, member, k)``, with these bin edges."""
        n_lag = min(_N_LAG, x.shape[0] - 1)
        return cls(
            np.histogram(x, edges)[0] / (x.size * np.diff(edges)),
            autocorrelation(x, n_lag),
            wave_variance(x),
            neighbour_correlation(x, x.shape[-1] // 2),
        )


@dataclass(frozen=True)
class Scores:
    """All scores for one value of c.

    Parameters
    ----------
    climate
        Score of each seed, by score and run; runs are `CLOSURES` and ``"floor"``.
    edges
        Edges of the bins of X.
    statistics
        Statistics of the climates by run (first seed), and of ``"truth"``.
    forecast
        Forecast scores by run; ``"floor"`` is the perfect-model ensemble.
    score_index
        Index of the lead time that stands for the forecasts.
    """

    climate: Mapping[str, Mapping[str, Array]]
    edges: Array
    statistics: Mapping[str, Climate]
    forecast: Mapping[str, EnsembleScores]
    score_index: int

    def metrics(self, suffix: str) -> dict[str, float]:
        """Return all scores under flat names that end in `suffix`."""
        found = {}
        for score, runs in self.climate.items():
            for name, seeds in runs.items():
                found[f"{score}_{name}{suffix}"] = float(seeds.mean())
                if score == "hellinger" and name != "floor":
                    found[f"hellinger_{name}_seed_std{suffix}"] = float(seeds.std(ddof=1))
        for name, scores in self.forecast.items():
            for score in FORECAST_SCORES:
                values: Array = getattr(scores, score)
                found[f"{score}_{name}{suffix}"] = float(values[self.score_index])
        return found

    def ranking(self, score: Criterion) -> list[str]:
        """Return the closures by mean Hellinger distance or CRPS at the lead, best first."""
        if score == "hellinger":
            values = {name: float(self.climate["hellinger"][name].mean()) for name in FITTED}
        else:
            values = {name: float(self.forecast[name].crps[self.score_index]) for name in FITTED}
        return sorted(FITTED, key=values.__getitem__)

    def margin(self) -> tuple[float, float]:
        """Return by how much the best Hellinger distance beats the second best, and the scatter.

        The scatter is the larger of the two standard deviations over seeds; a smaller margin
        is a tie.
        """
        first, second = (self.climate["hellinger"][name] for name in self.ranking("hellinger")[:2])
        scatter = max(float(seeds.std(ddof=1)) for seeds in (first, second))
        return float(second.mean() - first.mean()), scatter


def score(
    truth: Truth,
    climates: Mapping[str, Array],
    forecasts: Mapping[str, Array],
    score_lead: float,
) -> Scores:
    """Score climates, shape ``(seed, time, member, k)``, and forecasts.

    Parameters
    ----------
    truth
        Reference, floor and forecast cases.
    climates, forecasts
        X by closure, as `coupled` returns it.
    score_lead
        Lead time that stands for the forecasts.
    """
    edges = np.linspace(truth.reference.min(), truth.reference.max(), N_BIN + 1)
    reference = Climate.of(truth.reference, edges)
    samples = {"floor": truth.floor[None], **climates}
    climate: dict[str, dict[str, Array]] = {name: {} for name in CLIMATE_SCORES}
    statistics = {"truth": reference}
    for name, seeds in samples.items():
        found = [_climate_scores(truth.reference, reference, edges, x) for x in seeds]
        for column, label in enumerate(CLIMATE_SCORES):
            climate[label][name] = np.array([scores[column] for scores, _ in found])
        statistics[name] = found[0][1]
    ensembles = {"floor": truth.cases.perfect, **{name: forecasts[name] for name in CLOSURES}}
    forecast = {name: ensemble_scores(truth.cases.truth, x) for name, x in ensembles.items()}
    return Scores(climate, edges, statistics, forecast, round(score_lead / SAVE_STEP) - 1)


def _climate_scores(
    truth: Array, reference: Climate, edges: Array, x: Array
) -> tuple[tuple[float, ...], Climate]:
    own = Climate.of(x, edges)
    n_lag = min(own.autocorrelation.size, reference.autocorrelation.size)
    memory = own.autocorrelation[:n_lag] - reference.autocorrelation[:n_lag]
    waves = own.wave_variance / reference.wave_variance - 1.0
    neighbours = own.neighbour_correlation - reference.neighbour_correlation
    scores = (
        hellinger_distance(truth, x, N_BIN),
        wasserstein_distance(truth[::_THINNING], x[::_THINNING]),
        *(float(np.sqrt(np.mean(error**2))) for error in (memory, waves, neighbours)),
    )
    return scores, own
