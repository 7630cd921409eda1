"""From the members' disagreement to one number a column that a host can compare."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from closures.ensemble_scores import Outputs

Array = NDArray[np.float64]


def confidence_of(spread: float) -> float:
    """Return the confidence that belongs to a relative spread: ``1 / (1 + spread)``.

    It turns a threshold in units of the spread into one for the bridge's guard, which flags what
    lies below: ``binding.set_threshold(confidence_of(0.5))``.

    Examples
    --------
    >>> confidence_of(0.0), confidence_of(0.25)
    (1.0, 0.8)
    """
    return 1.0 / (1.0 + spread)


def spread_of(confidence: float) -> float:
    """Return the relative spread that belongs to a confidence in (0, 1].

    Examples
    --------
    >>> spread_of(0.8)
    0.25
    """
    return 1.0 / confidence - 1.0


class RelativeSpread(nn.Module):
    """Mass-weighted mean of standard deviations in units of what they are to be compared with.

    ``r = sum_j w_j s_j`` with ``w_j = m_j u_j / (c_j n_v sum_k m_k)``: m is the mass of a level, c
    the scale of an output (its standard deviation in the climate of the training), u what a
    normalised output is multiplied by, the sum over the levels of the same variable, and n_v the
    number of variables. A mean, not a maximum: the largest of a hundred noisy estimates says more
    of the noise than of the column. Outputs of scale 0 are left out.

    Parameters
    ----------
    weights
        The w ``(n_output,)``, 0 or more.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or none is above 0.
    """

    weights: Tensor

    def __init__(self, weights: ArrayLike) -> None:
        super().__init__()
        values = np.asarray(weights, dtype=np.float32)
        if values.ndim != 1 or not (np.isfinite(values).all() and (values >= 0.0).all()):
            raise ValueError("relative spread: expected finite weights of 0 or more, one an output")
        if not values.any():
            raise ValueError("relative spread: expected at least one weight above 0, got none")
        self.register_buffer("weights", torch.from_numpy(values.copy()))

    @classmethod
    def of_outputs(cls, outputs: Outputs, unit: ArrayLike) -> "RelativeSpread":
        """Return the mean over variables of `Outputs.relative_spread`.

        Parameters
        ----------
        outputs
            Variables, masses and scales; at least one level of each has mass and scale.
        unit
            What normalised outputs are multiplied by: ``Normalization.spread``, ``(n_output,)``.
        """
        weights = np.zeros(outputs.n_output)
        for part in outputs.parts.values():
            mass = np.where(outputs.scale[part] > 0.0, outputs.mass[part], 0.0)
            share = mass / (mass.sum() * len(outputs.parts))
            scale = np.where(mass > 0.0, outputs.scale[part], 1.0)
            weights[part] += share * np.asarray(unit, dtype=np.float64)[part] / scale
        return cls(weights)

    def forward(self, deviation: Tensor) -> Tensor:
        """Return r ``(n,)`` of normalised standard deviations ``(n, n_output)``."""
        # No matrix product: its bits would depend on the number of columns.
        return (deviation * self.weights).sum(dim=1)
