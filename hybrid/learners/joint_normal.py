"""Actions of all agents of a model, drawn together."""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Moments(NamedTuple):
    """All that the probability of actions needs of them and of what agents saw, in float64.

    Parameters
    ----------
    n_agent
        Agents of a model.
    squares
        Sums of squared actions, shape ``(model, coefficient)``.
    products
        Sums of actions times features, shape ``(model, coefficient, feature)``.
    gram
        Sums of features times features, shape ``(model, feature, feature)``.
    """

    n_agent: int
    squares: Tensor
    products: Tensor
    gram: Tensor

    @classmethod
    def of(cls, actions: Tensor, features: Tensor) -> "Moments":
        """Return the sums over agents.

        Parameters
        ----------
        actions
            Shape ``(model, coefficient, agent)``.
        features
            Shape ``(model, feature, agent)``.
        """
        a, x = actions.double(), features.double()
        return cls(x.shape[-1], (a * a).sum(-1), a @ x.mT, x @ x.mT)


class JointNormal:
    r"""A normal distribution of the actions of a model's agents, who share random weights.

    An agent that sees the features x does

    .. math:: a = (w + \epsilon) \cdot x + \eta,

    with one :math:`\epsilon \sim N(0, f \sigma^2 I)` for all agents of a model and an
    :math:`\eta` for each, of variance :math:`(1 - f) \sigma^2 \langle |x|^2 \rangle`: whatever the
    part f, their actions vary as much. For n agents with features :math:`\Phi`, the actions are
    normal with covariance :math:`s^2 I + f \sigma^2 \Phi^T \Phi`, of which Woodbury's identity
    inverts a matrix as small as there are features.

    Parameters
    ----------
    deviation
        The standard deviation :math:`\sigma` of weights, were all of it common [1].
    common
        The part f, at least 0 and less than 1.

    Raises
    ------
    ValueError
        If one of these is out of range.
    """

    def __init__(self, deviation: float, common: float) -> None:
        if not deviation > 0.0:
            raise ValueError(f"deviation: expected a positive number, got {deviation}")
        if not 0.0 <= common < 1.0:
            raise ValueError(
                f"common: expected a part from 0 to less than 1, got {common}; the rest is what "
                "agents do alone, without which actions have no density"
            )
        self.shared = common * deviation**2
        self.alone = (1.0 - common) * deviation**2

    def noise(self, n_model: int, n_coefficient: int, n_feature: int) -> Tensor:
        """Draw what is added to the weights of each model, of that shape."""
        return math.sqrt(self.shared) * torch.randn(n_model, n_coefficient, n_feature)

    def sample(self, weights: Tensor, noise: Tensor, features: Tensor) -> Tensor:
        """Draw actions, shape ``(model, coefficient, agent)``.

        Parameters
        ----------
        weights
            The weights w, shape ``(coefficient, feature)``.
        noise
            What is added to them, see `noise`.
        features
            What agents see, shape ``(model, feature, agent)``.
        """
        mean = (weights + noise) @ features
        variance = self.alone * (features * features).sum(1).mean(-1)
        return mean + variance.sqrt()[:, None, None] * torch.randn_like(mean)

    def log_prob(self, weights: Tensor, moments: Moments) -> Tensor:
        """Return the logarithm of the probability density of actions, shape ``(model,)``."""
        w, gram, n = weights.double(), moments.gram, moments.n_agent
        left = moments.products - w @ gram
        squares = moments.squares - (w * (moments.products + left)).sum(-1)
        variance, ratio, capacitance = self._parts(moments)
        solved = torch.linalg.solve(capacitance, left.mT).mT
        squares = squares - ratio * (left * solved).sum(-1)
        determinant = n * variance[:, 0].log() + torch.logdet(capacitance)
        density = squares / variance + determinant[:, None] + n * math.log(2.0 * math.pi)
        log_prob: Tensor = -0.5 * density.sum(-1)
        return log_prob

    def entropy(self, moments: Moments) -> Tensor:
        """Return the differential entropy of the actions of each model, shape ``(model,)``."""
        variance, _, capacitance = self._parts(moments)
        determinant = moments.n_agent * variance[:, 0].log() + torch.logdet(capacitance)
        constant = moments.n_agent * (1.0 + math.log(2.0 * math.pi))
        return 0.5 * moments.squares.shape[1] * (determinant + constant)

    def _parts(self, moments: Moments) -> tuple[Tensor, Tensor, Tensor]:
        """Return s^2, f sigma^2 / s^2 and the capacitance matrix of each model."""
        trace = moments.gram.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True)
        variance = self.alone * trace / moments.n_agent
        ratio = self.shared / variance
        one = torch.eye(moments.gram.shape[-1], dtype=torch.float64)
        return variance, ratio, one + ratio[:, :, None] * moments.gram
