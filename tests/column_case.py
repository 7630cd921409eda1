"""One column for tests of the columns' physics."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass
class Case:
    """One column and its geometry, free to be changed."""

    state: Array
    surface: Array
    ozone: Array
    interface: Array
    pressure: Array
    mass: Array
    middle: Array
    highest: int

    @property
    def enthalpy(self) -> float:
        """Sum of m (cp T + Lv qv - Lf qi) [J m-2]."""
        t, vapour, _, ice = self.state[:4]
        return float((self.mass * (1004.64 * t + 2.501e6 * vapour - 3.337e5 * ice)).sum())

    @property
    def water(self) -> float:
        """Sum of m (qv + ql + qi) [kg m-2]."""
        return float((self.mass * self.state[1:4].sum(axis=0)).sum())
