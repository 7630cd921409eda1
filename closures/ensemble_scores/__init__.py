"""Scores of ensembles with and without noise: accuracy, calibration, detection, comparison."""

from closures.ensemble_scores.crps import fair_crps, half_weighted_crps
from closures.ensemble_scores.detection import detection_auroc
from closures.ensemble_scores.errors import ScoreError
from closures.ensemble_scores.mixture import mixture_cdf, mixture_crps, mixture_quantile
from closures.ensemble_scores.outputs import Outputs
from closures.ensemble_scores.paired import PairedDifference, paired_difference
from closures.ensemble_scores.ranks import coverage, interval_width, rank_weights
from closures.ensemble_scores.scorer import EnsembleScorer
from closures.ensemble_scores.scores import Scores
from closures.ensemble_scores.spread_sums import SPREAD_EDGES

__all__ = [
    "SPREAD_EDGES",
    "EnsembleScorer",
    "Outputs",
    "PairedDifference",
    "ScoreError",
    "Scores",
    "coverage",
    "detection_auroc",
    "fair_crps",
    "half_weighted_crps",
    "interval_width",
    "mixture_cdf",
    "mixture_crps",
    "mixture_quantile",
    "paired_difference",
    "rank_weights",
]
