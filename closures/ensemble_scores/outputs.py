"""What is scored: variables, the mass of their levels and the size of their values."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.ensemble_scores.errors import ScoreError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outputs:
    """Variables in the order of the outputs.

    Parameters
    ----------
    parts
        Outputs of each variable by its name, for example ``{"heating": slice(0, 26)}``: a level
        each, or one for a scalar. All outputs of a variable have the same units.
    mass
        Weight of each output in means over the levels of its variable ``(n_output,)``, for
        example the layers' mass ``dp / g`` [kg m-2]; only ratios within a variable matter.
    scale
        Typical size of each output ``(n_output,)``, for example its standard deviation in the
        climate of the training, in the units of the output. The spread is compared with it; an
        output of scale 0, a tendency that is always zero, is left out where that is done.

    Raises
    ------
    ScoreError
        If shapes do not fit, a weight or scale is negative or not finite, or all weights of a
        variable are zero.
    """

    parts: Mapping[str, slice]
    mass: Array
    scale: Array

    def __init__(self, parts: Mapping[str, slice], mass: ArrayLike, scale: ArrayLike) -> None:
        object.__setattr__(self, "parts", dict(parts))
        object.__setattr__(self, "mass", np.array(mass, dtype=np.float64))
        object.__setattr__(self, "scale", np.array(scale, dtype=np.float64))
        n = self.mass.size
        for name, values in (("mass", self.mass), ("scale", self.scale)):
            if values.shape != (n,):
                raise ScoreError(f"outputs: {name}: expected one axis of {n}, got {values.shape}")
            if not (np.isfinite(values).all() and (values >= 0.0).all()):
                raise ScoreError(f"outputs: {name}: expected finite values of 0 or more")
        for name, part in self.parts.items():
            if part.stop is None or not 0 <= (part.start or 0) < part.stop <= n:
                raise ScoreError(f"outputs: {name}: expected a range within {n}, got {part}")
            if self.mass[part].sum() <= 0.0:
                raise ScoreError(f"outputs: {name}: expected a level of some mass, got none")

    @property
    def n_output(self) -> int:
        """Number of outputs."""
        return self.mass.size

    def column_mean(self, values: Array, name: str) -> Array:
        """Return the mass-weighted mean over the levels of a variable.

        ``sum_k m_k a_k / sum_k m_k``; NaN if a level is.

        Parameters
        ----------
        values
            Anything by output, on the last axis.
        name
            Of the variable.
        """
        part = self.parts[name]
        mass = self.mass[part]
        mean: Array = values[..., part] @ mass / mass.sum()
        return mean

    def relative_spread(self, deviation: Array, name: str) -> Array:
        """Return the mass-weighted mean over levels of deviations in units of their scale.

        Levels of scale 0 are left out; NaN if no other has mass.

        Parameters
        ----------
        deviation
            Standard deviations ``(n_column, n_output)``.
        name
            Of the variable.
        """
        part = self.parts[name]
        scale = self.scale[part]
        mass = np.where(scale > 0.0, self.mass[part], 0.0)
        if mass.sum() == 0.0:
            return np.full(len(deviation), np.nan)
        share = np.divide(mass, scale, out=np.zeros_like(mass), where=scale > 0.0) / mass.sum()
        mean: Array = deviation[:, part] @ share
        return mean
