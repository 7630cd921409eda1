"""Losses of networks that predict distributions, on normalised ``(n, n_output)``."""

import math

import torch
from torch import Tensor


def heteroskedastic(mean: Tensor, log_precision: Tensor, target: Tensor, *, stage: int) -> Tensor:
    """Return the loss of heteroskedastic regression.

    Stage 1, the first third of training: the squared error, so that the mean is found before the
    precision can excuse what it misses. Stage 2: ``mean(p (t - m)^2 - log p)``, twice the
    negative log-likelihood of N(m, 1 / p) without its constant.

    Parameters
    ----------
    mean, log_precision, target
        ``(n, n_output)``.
    stage
        1 or 2.

    Raises
    ------
    ValueError
        If there is no such stage.

    References
    ----------
    .. [1] Wong-Toi et al. 2024, Understanding pathologies of deep heteroskedastic regression, UAI.
    """
    squared = (target - mean).square()
    if stage == 1:
        return squared.mean()
    if stage == 2:
        return (log_precision.exp() * squared - log_precision).mean()
    raise ValueError(f"heteroskedastic regression: expected stage 1 or 2, got {stage}")


def weight_decays(gamma: float, rho: float | None = None) -> tuple[float, float]:
    """Return the weight decays of the mean and of the precision network.

    ``(1 - rho) / rho * gamma`` and ``(1 - rho) / rho * (1 - gamma)``: rho weighs fit against
    regularisation, gamma shares the regularisation between the two networks.

    Parameters
    ----------
    gamma, rho
        Between 0 and 1, both excluded; rho = 1 - gamma if not given.

    Raises
    ------
    ValueError
        If one is not.

    References
    ----------
    .. [1] Wong-Toi et al. 2024, Understanding pathologies of deep heteroskedastic regression, UAI.

    Examples
    --------
    >>> alpha, beta = weight_decays(0.022)
    >>> round(alpha, 7), round(beta, 7)
    (0.0004949, 0.022)
    """
    rho = 1.0 - gamma if rho is None else rho
    if not (0.0 < gamma < 1.0 and 0.0 < rho < 1.0):
        raise ValueError(f"weight decays: expected 0 < gamma, rho < 1, got {gamma} and {rho}")
    share = (1.0 - rho) / rho
    return share * gamma, share * (1.0 - gamma)


def natural_gaussian(eta_1: Tensor, eta_2: Tensor, target: Tensor) -> Tensor:
    """Return the negative log-likelihood of a Gaussian by its natural parameters.

    ``eta_1 = m / s^2`` and ``eta_2 = -1 / (2 s^2) < 0``. The likelihood is concave in them, which
    it is not in mean and precision, so the two are learned together in one stage.

    Parameters
    ----------
    eta_1, eta_2, target
        ``(n, n_output)``; `eta_2` negative, for example ``-softplus(raw)``.

    References
    ----------
    .. [1] Immer et al. 2023, Effective Bayesian heteroscedastic regression with deep neural
       networks, NeurIPS.
    """
    exponent = eta_1 * target + eta_2 * target.square()
    log_partition = -eta_1.square() / (4.0 * eta_2) - 0.5 * torch.log(-2.0 * eta_2)
    return (log_partition - exponent + 0.5 * math.log(2.0 * math.pi)).mean()


def negative_elbo(
    likelihood: tuple[Tensor, Tensor],
    posterior: tuple[Tensor, Tensor],
    target: Tensor,
    beta: float = 0.5,
) -> Tensor:
    """Return the loss of the conditional variational autoencoder, a mean over columns.

    ``-log N(t; m, s^2) + beta KL(N(mu, v) || N(0, 1))``, both divided by the number of outputs,
    without the constant of the first.

    Parameters
    ----------
    likelihood
        Mean and log(standard deviation) of the outputs, ``(n, n_output)``, for one draw of z.
    posterior
        Mean and log(variance) of z, ``(n, n_latent)``.
    target
        ``(n, n_output)``.
    beta
        Weight of the divergence.

    References
    ----------
    .. [1] Kingma & Welling 2014, Auto-encoding variational Bayes, ICLR.
    .. [2] Higgins et al. 2017, beta-VAE, ICLR.
    """
    mean, log_deviation = likelihood
    centre, log_variance = posterior
    error = (target - mean) * torch.exp(-log_deviation)
    fit = (0.5 * error.square() + log_deviation).mean()
    divergence = 0.5 * (centre.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=1)
    return fit + beta * divergence.mean() / target.shape[1]


def reparameterized(
    posterior: tuple[Tensor, Tensor], generator: torch.Generator | None = None
) -> Tensor:
    """Return a draw of z from its posterior, through which gradients pass.

    Parameters
    ----------
    posterior
        Mean and log(variance), ``(n, n_latent)``.
    generator
        Source of randomness, on the device of the tensors; None: that of the device.
    """
    centre, log_variance = posterior
    noise = torch.randn(centre.shape, generator=generator, device=centre.device)
    return centre + torch.exp(0.5 * log_variance) * noise


def member_squared_error(members: Tensor, target: Tensor, membership: Tensor) -> Tensor:
    """Return the mean squared error of each member on its own samples, averaged over members.

    Parameters
    ----------
    members
        ``(n_member, n, n_output)``.
    target
        ``(n, n_output)``.
    membership
        Which samples a member learns from, bool ``(n_member, n)``.
    """
    squared = (members - target).square().mean(dim=2)
    counts = membership.sum(dim=1).clamp(min=1)
    return ((squared * membership).sum(dim=1) / counts).mean()


def random_membership(n_member: int, n_sample: int, fraction: float, seed: int) -> Tensor:
    """Draw which samples each member learns from: bool ``(n_member, n_sample)``.

    Every member gets the same number, ``round(fraction * n_sample)``, without repetition.

    Raises
    ------
    ValueError
        If the fraction is not in (0, 1].
    """
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"membership: expected a fraction in (0, 1], got {fraction}")
    generator = torch.Generator().manual_seed(seed)
    membership = torch.zeros(n_member, n_sample, dtype=torch.bool)
    for row in membership:
        row[torch.randperm(n_sample, generator=generator)[: round(fraction * n_sample)]] = True
    return membership


def almost_fair_crps(members: Tensor, target: Tensor, alpha: float = 0.95) -> Tensor:
    """Return the almost fair CRPS of an ensemble, averaged.

    With ``epsilon = (1 - alpha) / m``, ``mean_k |x_k - t| - (1 - epsilon) / (2 m (m - 1))
    sum_jk |x_j - x_k|``. For alpha = 1 it is the fair CRPS, whose minimum is the true
    distribution for any number of members, but which two coinciding members can exploit; a little
    less is robust in low precision.

    Parameters
    ----------
    members
        ``(m, n, n_output)``, m >= 2.
    target
        ``(n, n_output)``.
    alpha
        Fairness: 1 fair, 0 the CRPS of the empirical distribution.

    Raises
    ------
    ValueError
        If there is one member alone.

    References
    ----------
    .. [1] Lang et al. 2024, AIFS-CRPS: ensemble forecasting using a model trained with a loss
       function based on the continuous ranked probability score, arXiv 2412.15832.
    """
    m = members.shape[0]
    if m < 2:
        raise ValueError(f"almost fair CRPS: expected at least 2 members, got {m}")
    error = (members - target).abs().mean(dim=0)
    # Sorted, each value counts by its rank: sum_jk |x_j - x_k| = 2 sum_i (2 i - m + 1) x_(i).
    ranks = torch.arange(m, dtype=members.dtype, device=members.device)
    weights = (2.0 * ranks - (m - 1.0)).view(-1, 1, 1)
    spread = 2.0 * (weights * members.sort(dim=0).values).sum(dim=0)
    epsilon = (1.0 - alpha) / m
    return (error - (1.0 - epsilon) * spread / (2.0 * m * (m - 1.0))).mean()


def gaussian_crps(mean: Tensor, deviation: Tensor, target: Tensor) -> Tensor:
    """Return the CRPS of normal distributions, averaged.

    ``s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))``, z = (t - m) / s.

    References
    ----------
    .. [1] Gneiting et al. 2005, Calibrated probabilistic forecasting using ensemble model output
       statistics and minimum CRPS estimation, Mon. Weather Rev. 133.
    """
    z = (target - mean) / deviation
    cumulative: Tensor = torch.special.ndtr(z)
    density = torch.exp(-0.5 * z.square()) / math.sqrt(2.0 * math.pi)
    score = z * (2.0 * cumulative - 1.0) + 2.0 * density - 1.0 / math.sqrt(math.pi)
    return (deviation * score).mean()
