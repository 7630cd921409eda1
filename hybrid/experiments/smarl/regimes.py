"""Flows that closures are trained in and carried over to."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from solvers.barotropic import Barotropic
from solvers.eddy_viscosity.settings import Viscosity
from solvers.forcing import KolmogorovForcing


@dataclass(frozen=True, kw_only=True)
class Regime:
    """A forced flow on a square of side 2 pi, its truth, and its coarse model.

    Parameters
    ----------
    label
        What figures call it.
    wavenumber
        Of the forcing [1], whose strength is the same number.
    beta
        Gradient of the Coriolis parameter [1].
    viscosity
        Of truth and coarse model [1].
    n_truth, dt_truth
        Grid points along a side, and time step, of the truth [1].
    n_coarse, dt_coarse
        The same of the coarse model [1].
    """

    label: str
    wavenumber: float = 4.0
    beta: float = 0.0
    viscosity: float = 1e-3
    n_truth: int = 192
    dt_truth: float = 1.25e-3
    n_coarse: int = 48
    dt_coarse: float = 5e-3

    def truth(self) -> Barotropic:
        """Return the model of the truth."""
        return self._model(nx=self.n_truth, dt=self.dt_truth)

    def first(self) -> Barotropic:
        """Return a model with half as many points, to begin the truth with."""
        return self._model(nx=max(self.n_truth // 2, self.n_coarse), dt=2.0 * self.dt_truth)

    def coarse(self, eddy_viscosity: Viscosity | None = None) -> Barotropic:
        """Return the coarse model with an eddy viscosity."""
        return self._model(nx=self.n_coarse, dt=self.dt_coarse, eddy_viscosity=eddy_viscosity)

    def _model(self, **how: Any) -> Barotropic:
        return Barotropic(
            viscosity=self.viscosity,
            drag=0.1,
            beta=self.beta,
            forcing=KolmogorovForcing(wavenumber=self.wavenumber),
            **how,
        )


REGIMES: Mapping[str, Regime] = MappingProxyType(
    {
        "vortices": Regime(label="k_f = 4"),
        "jets": Regime(label="k_f = 4, beta = 20", beta=20.0),
        "small": Regime(label="k_f = 8", wavenumber=8.0),
        "turbulent": Regime(
            label="k_f = 4, half the viscosity", viscosity=5e-4, n_truth=256, dt_truth=1 / 1200
        ),
    }
)
"""Regimes by the names that metrics have."""
