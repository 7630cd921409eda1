"""Ways to correct a profile so that its weighted sum is a given number.

Harder et al. constrain the mean of a patch of pixels; here the mean over a patch is a sum over
levels weighted with the mass of each, ``sum_k w_k y_k = b``. Profiles are positive quantities
after a step (humidity, temperature), not tendencies, so that a factor keeps their sign.

References
----------
Beucler et al. 2021, Enforcing analytic constraints in neural networks emulating physical
systems, Phys. Rev. Lett. 126, 098302.
Harder et al. 2023, Hard-constrained deep learning for climate downscaling, J. Mach. Learn.
Res. 24, 365.
"""

from typing import Literal

import torch
from torch import Tensor, nn

Method = Literal["residual", "additive", "multiplicative", "softmax", "scaled_additive"]

LEAST = 1e-12
"""Least value in the logarithm of `Softmax`; the vapour [kg kg-1] of the driest real level."""


def added(profile: Tensor, weight: Tensor, total: Tensor) -> Tensor:
    """Return ``y_k + (b - sum w y) / sum w``: the same amount at every level."""
    gap = total - (weight * profile).sum(dim=1, keepdim=True)
    return profile + gap / weight.sum(dim=1, keepdim=True)


class Residual(nn.Module):
    """The lowest level takes what is missing (Beucler et al.): the others stay."""

    def forward(self, _before: Tensor, after: Tensor, weight: Tensor, total: Tensor) -> Tensor:
        """Return the closed profile; arguments as those of `closing`'s modules."""
        gap = total - (weight * after).sum(dim=1, keepdim=True)
        lowest = after[:, -1:] + gap / weight[:, -1:]
        return torch.cat([after[:, :-1], lowest], dim=1)


class Additive(nn.Module):
    """All levels take the same (Harder et al., AddCL): the least mass-weighted square change."""

    def forward(self, _before: Tensor, after: Tensor, weight: Tensor, total: Tensor) -> Tensor:
        """Return the closed profile; arguments as those of `closing`'s modules."""
        return added(after, weight, total)


class Multiplicative(nn.Module):
    """All levels are multiplied by one factor (MultCL), which keeps them positive.

    Where profile or target sums to nothing or less, no factor helps, and the gap is added.
    """

    def forward(self, _before: Tensor, after: Tensor, weight: Tensor, total: Tensor) -> Tensor:
        """Return the closed profile; arguments as those of `closing`'s modules."""
        found = (weight * after).sum(dim=1, keepdim=True)
        possible = (found > 0.0) & (total > 0.0)
        factor = total / torch.where(possible, found, torch.ones_like(found))
        return torch.where(possible, after * factor, added(after, weight, total))


class Softmax(nn.Module):
    """A positive total is shared out by a softmax (SmCL): every level is positive.

    ``y_k = b exp(z_k) / sum_j w_j exp(z_j)`` with ``z_k = log y0_k + (y_k - y0_k) / y0_k``, y0
    being the profile before the step: to first order what the network asked for, never
    negative whatever it asked for. A relative change of more than a few tenths is distorted, so
    train through it. Where the total is not positive the gap is added instead.
    """

    def __init__(self) -> None:
        super().__init__()
        self.least = LEAST

    def forward(self, before: Tensor, after: Tensor, weight: Tensor, total: Tensor) -> Tensor:
        """Return the closed profile; arguments as those of `closing`'s modules."""
        reference = before.clamp_min(self.least)
        logits = torch.log(reference * weight) + (after - before) / reference
        shares = torch.softmax(logits, dim=1) * total / weight
        return torch.where(total > 0.0, shares, added(after, weight, total))


class ScaledAdditive(nn.Module):
    """Levels take more the further they are from a bound (ScAddCL), and stay within both.

    With ``m = sum w y / sum w``, ``t = b / sum w``: ``y + (t - m) (high - y) / (high - m)`` if t
    is the larger, else ``y + (t - m) (y - low) / (m - low)``. Harder et al. scale to bounds of -1
    and 1, for which this is their equation. Where m is not between the bounds the gap is added.

    Parameters
    ----------
    low, high
        Bounds of the profile, in its units.
    """

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.low, self.high = low, high

    def forward(self, _before: Tensor, after: Tensor, weight: Tensor, total: Tensor) -> Tensor:
        """Return the closed profile; arguments as those of `closing`'s modules."""
        mass = weight.sum(dim=1, keepdim=True)
        mean = (weight * after).sum(dim=1, keepdim=True) / mass
        gap = total / mass - mean
        possible = (mean > self.low) & (mean < self.high)
        inside = torch.where(possible, mean, torch.full_like(mean, 0.5 * (self.low + self.high)))
        up = (self.high - after) / (self.high - inside)
        down = (after - self.low) / (inside - self.low)
        scaled = after + gap * torch.where(gap > 0.0, up, down)
        return torch.where(possible, scaled, added(after, weight, total))


def closing(method: Method, low: float, high: float) -> nn.Module:
    """Return the module ``(before, after, weight, total) -> closed`` of a method.

    It takes the profile before the step and the one asked for, the weight of each level, all
    ``(n, n_level)`` float64, and the weighted sum ``(n, 1)`` that the result has.

    Parameters
    ----------
    method
        Name of the method.
    low, high
        Bounds of the profile for "scaled_additive", in its units.

    Raises
    ------
    ValueError
        If there is no such method, or no room between the bounds.
    """
    simple: dict[str, type[nn.Module]] = {
        "residual": Residual,
        "additive": Additive,
        "multiplicative": Multiplicative,
        "softmax": Softmax,
    }
    if method in simple:
        return simple[method]()
    if method != "scaled_additive":
        raise ValueError(
            f"closing: expected one of {', '.join(simple)}, scaled_additive, got {method!r}"
        )
    if low >= high:
        raise ValueError(f"closing: expected bounds in ascending order, got {low} and {high}")
    return ScaledAdditive(low, high)
