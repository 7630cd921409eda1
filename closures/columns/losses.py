"""Losses of column networks, on normalised predictions and targets ``(n, n_output)``."""

import torch
from torch import Tensor
from torch.nn import functional

from closures.columns.layout import ColumnLayout


def weighted_absolute_error(prediction: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Return the mean absolute error with one weight an output.

    ``sum_j w_j mean_i |p_ij - t_ij| / sum_j w_j``: equal weights give the plain mean.

    Parameters
    ----------
    prediction, target
        ``(n, n_output)``.
    weights
        ``(n_output,)``, not negative.
    """
    return ((prediction - target).abs().mean(dim=0) * weights).sum() / weights.sum()


def huber(prediction: Tensor, target: Tensor, delta: float = 1.0) -> Tensor:
    """Return the mean of e^2 / 2 up to `delta`, and of delta (|e| - delta / 2) beyond.

    References
    ----------
    .. [1] Huber 1964, Robust estimation of a location parameter, Ann. Math. Stat. 35.
    """
    return functional.huber_loss(prediction, target, delta=delta)


def vertical_difference(
    prediction: Tensor, target: Tensor, layout: ColumnLayout, delta: float = 1.0
) -> Tensor:
    """Return the Huber loss of the differences between neighbouring levels of each profile.

    It asks for profiles of the right shape, not of the right mean alone; scalars do not count.

    Raises
    ------
    ValueError
        If no output is a profile of two levels or more.

    References
    ----------
    .. [1] Heuer et al. 2025, Beyond the training data: confidence-guided mixing of
       parameterizations in a hybrid AI-climate model, arXiv 2510.08107.
    """
    numbers = torch.tensor(layout.features("outputs", "profile"), device=prediction.device)
    if numbers.numel() == 0 or layout.n_level < 2:
        raise ValueError(
            "vertical difference: expected output profiles of two levels or more, got "
            f"{layout.count('outputs', 'profile')} of {layout.n_level}; leave this loss out"
        )

    def differences(values: Tensor) -> Tensor:
        profiles = values.index_select(1, numbers).reshape(len(values), -1, layout.n_level)
        return torch.diff(profiles, dim=2)

    return huber(differences(prediction), differences(target), delta)


def confidence(
    prediction: Tensor, predicted_loss: Tensor, target: Tensor, delta: float = 1.0
) -> Tensor:
    """Return the loss of a network that predicts its own: Huber + Huber(head, its Huber loss).

    The gradient of the second term reaches the prediction too, as published [1].

    Parameters
    ----------
    prediction, predicted_loss
        Both results of `Confident.with_loss`, ``(n, n_output)``.
    target
        ``(n, n_output)``.
    delta
        Threshold of both Huber losses.

    References
    ----------
    .. [1] Heuer et al. 2025, Beyond the training data: confidence-guided mixing of
       parameterizations in a hybrid AI-climate model, arXiv 2510.08107.
    """
    own = functional.huber_loss(prediction, target, delta=delta, reduction="none")
    return own.mean() + functional.huber_loss(predicted_loss, own, delta=delta)


def triggered(prediction: Tensor, log_odds: Tensor, target: Tensor, active: Tensor) -> Tensor:
    """Return the loss of a network with a trigger: cross-entropy + error where it is on.

    Parameters
    ----------
    prediction, log_odds
        Both results of `Triggered.with_trigger`, ``(n, n_output)`` and ``(n,)``.
    target
        ``(n, n_output)``.
    active
        Whether the scheme was active in a column, bool ``(n,)``. The squared error is the mean
        over active columns, 0 if there are none.
    """
    decision = functional.binary_cross_entropy_with_logits(log_odds, active.to(log_odds.dtype))
    squared = (prediction - target).square().mean(dim=1) * active
    return decision + squared.sum() / active.sum().clamp(min=1)
