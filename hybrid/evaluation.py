"""Scores of coupled runs: distances between climates, and ensemble forecasts."""

from dataclasses import dataclass

import numpy as np
import scoringrules
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Array = NDArray[np.float64]


def hellinger_distance(truth: ArrayLike, sample: ArrayLike, n_bin: int = 60) -> float:
    """Return the Hellinger distance ``sqrt(1 - BC)`` of two samples.

    ``BC = sum_i sqrt(p_i q_i)`` over equal bins that cover the range of `truth`. Values of
    `sample` outside that range are in no bin but count in its total, as if they lay in bins
    where the truth has no mass: a run cannot gain by leaving the truth's range.

    Parameters
    ----------
    truth, sample
        Values, any shape [same units].
    n_bin
        Number of bins.

    Returns
    -------
    float
        0 (same histogram) to 1 (no common bin).

    Raises
    ------
    ValueError
        If a sample is empty or not finite, or all values of `truth` are the same.

    References
    ----------
    Arnold, Moroz and Palmer (2013), section 4, uses the same distance between climates of X.
    """
    reference, other = _finite("truth", truth), _finite("sample", sample)
    low, high = float(reference.min()), float(reference.max())
    if not low < high:
        raise ValueError(f"truth: expected values that differ, got only {low}")
    p = np.histogram(reference, bins=n_bin, range=(low, high))[0] / reference.size
    q = np.histogram(other, bins=n_bin, range=(low, high))[0] / other.size
    return float(np.sqrt(max(0.0, 1.0 - float(np.sqrt(p * q).sum()))))


def wasserstein_distance(truth: ArrayLike, sample: ArrayLike) -> float:
    """Return the first Wasserstein distance of two samples [units of the values].

    Parameters
    ----------
    truth, sample
        Values, any shape [same units].

    Raises
    ------
    ValueError
        If a sample is empty or not finite.
    """
    return float(stats.wasserstein_distance(_finite("truth", truth), _finite("sample", sample)))


@dataclass(frozen=True)
class EnsembleScores:
    """Scores of ensemble forecasts, one number a lead time [units of the forecast].

    Parameters
    ----------
    rmse
        Root-mean-square error of the ensemble mean, shape ``(lead,)``.
    spread
        Ensemble standard deviation, scaled by ``sqrt((m + 1) / m)`` so that it equals `rmse` for
        an ensemble of m members that the truth cannot be told from; 0 for one member.
    crps
        Fair continuous ranked probability score; the mean absolute error for one member.
    """

    rmse: Array
    spread: Array
    crps: Array


def ensemble_scores(truth: ArrayLike, forecast: ArrayLike) -> EnsembleScores:
    """Score ensemble forecasts by lead time.

    Parameters
    ----------
    truth
        What happened, shape ``(lead, ...)``.
    forecast
        The ensembles, shape ``(lead, ..., member)``: the shape of `truth` and the members last.

    Returns
    -------
    EnsembleScores
        Averages over everything but the lead time.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    Ferro (2014), doi:10.1002/qj.2270 (fair scores); Fortin et al. (2014),
    doi:10.1175/JHM-D-14-0008.1 (spread).
    """
    observed = np.asarray(truth, dtype=np.float64)
    members = np.asarray(forecast, dtype=np.float64)
    if members.ndim != observed.ndim + 1 or members.shape[:-1] != observed.shape:
        raise ValueError(
            f"forecast: expected shape {(*observed.shape, 'member')}, got {members.shape}"
        )
    n_lead, n_member = members.shape[0], members.shape[-1]
    error = members.mean(axis=-1) - observed
    rmse = np.sqrt((error**2).reshape(n_lead, -1).mean(axis=1))
    if n_member == 1:
        mean_absolute = np.abs(error).reshape(n_lead, -1).mean(axis=1)
        return EnsembleScores(rmse, np.zeros(n_lead), mean_absolute)
    variance = members.var(axis=-1, ddof=1).reshape(n_lead, -1).mean(axis=1)
    crps = scoringrules.crps_ensemble(observed, members, estimator="fair")
    return EnsembleScores(
        rmse,
        np.sqrt(variance * (n_member + 1) / n_member),
        np.asarray(crps).reshape(n_lead, -1).mean(axis=1),
    )


def _finite(name: str, values: ArrayLike) -> Array:
    array = np.asarray(values, dtype=np.float64).ravel()
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite values, got {array.size} with gaps or none")
    return array
