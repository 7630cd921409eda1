"""The imperfect models of MEDIDA's Kuramoto-Sivashinsky study, and how wrong a model is."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import KuramotoSivashinsky
from solvers.steady_forcing import SteadyForcing
from solvers.tendency_source import PythonTendency

Array = NDArray[Any]


@dataclass(frozen=True)
class Coefficients:
    r"""Coefficients of an equation; those of nature are the defaults.

    .. math:: u_t + a u u_x + b u_{xx} + c u_{xxx} + d u_{xxxx} + e u^2 u_x = 0

    Parameters
    ----------
    advection, antidiffusion, dispersion, hyperdiffusion, cubic_advection
        a, b, c, d, e [1].
    """

    advection: float = 1.0
    antidiffusion: float = 1.0
    dispersion: float = 0.0
    hyperdiffusion: float = 1.0
    cubic_advection: float = 0.0

    def vector(self) -> Array:
        """Return them in this order."""
        return np.array([getattr(self, field.name) for field in fields(self)])

    @property
    def well_posed(self) -> bool:
        """Whether short waves are damped.

        Where they are not, they grow ever faster the finer the grid, or steepen to shocks.
        """
        return self.hyperdiffusion > 0.0


NATURE = Coefficients()

TERMS = ("u u_x", "u_xx", "u_xxx", "u_xxxx", "u^2 u_x")
"""Names of the terms of `Coefficients`, in order."""


CASES: Mapping[str, Coefficients] = MappingProxyType(
    {
        "no_advection": Coefficients(advection=0.0),
        "no_antidiffusion": Coefficients(antidiffusion=0.0),
        "no_hyperdiffusion": Coefficients(hyperdiffusion=0.0),
        "only_hyperdiffusion": Coefficients(advection=0.0, antidiffusion=0.0),
        "only_antidiffusion": Coefficients(advection=0.0, hyperdiffusion=0.0),
        "only_advection": Coefficients(antidiffusion=0.0, hyperdiffusion=0.0),
        "half_advection": Coefficients(advection=0.5),
        "half_antidiffusion": Coefficients(antidiffusion=0.5),
        "half_hyperdiffusion": Coefficients(hyperdiffusion=0.5),
        "doubled": Coefficients(advection=2.0, antidiffusion=2.0, hyperdiffusion=2.0),
        "mixed": Coefficients(advection=0.0, antidiffusion=0.5, hyperdiffusion=2.0),
        "mixed_halves": Coefficients(advection=0.5, antidiffusion=0.0),
        "dispersion_0p1": Coefficients(dispersion=0.1),
        "dispersion_0p5": Coefficients(dispersion=0.5),
        "dispersion_1": Coefficients(dispersion=1.0),
        "dispersion_no_advection": Coefficients(dispersion=0.5, advection=0.0),
        "dispersion_no_antidiffusion": Coefficients(dispersion=0.5, antidiffusion=0.0),
        "dispersion_no_hyperdiffusion": Coefficients(dispersion=0.5, hyperdiffusion=0.0),
        "cubic_1p5": Coefficients(cubic_advection=1.5),
        "cubic_0p15": Coefficients(cubic_advection=0.15),
        "cubic_0p015": Coefficients(cubic_advection=0.015),
    }
)
"""Every model error of the study: terms missing, halved, doubled, spurious, and together."""


@dataclass(frozen=True)
class ImperfectModel:
    """One step of a Kuramoto-Sivashinsky model with wrong coefficients.

    Adams-Bashforth for what is not linear, Crank-Nicolson for the rest.

    Parameters
    ----------
    coefficients
        Of its equation.
    nx, length
        Grid points and length of the domain [1].
    dt
        Time step [1].
    """

    coefficients: Coefficients
    nx: int = 1024
    length: float = 100.0
    dt: float = 5e-3

    @cached_property
    def solver(self) -> KuramotoSivashinsky:
        """The solver, without the cubic advection."""
        wrong = self.coefficients
        return KuramotoSivashinsky(
            nx=self.nx,
            length=self.length,
            dt=self.dt,
            scheme="CNAB2",
            advection=wrong.advection,
            antidiffusion=wrong.antidiffusion,
            dispersion=wrong.dispersion,
            hyperdiffusion=wrong.hyperdiffusion,
        )

    @property
    def explicit_tendency(self) -> PythonTendency | None:
        """What the solver lacks of the equation: the cubic advection, None where it is 0."""
        return self._cubic_advection if self.coefficients.cubic_advection else None

    def step(self, previous: Array, current: Array, forcing: Array | None = None) -> Array:
        """Return the states one step after `current`, shape ``(n_sample, nx)``.

        Parameters
        ----------
        previous, current
            States, same shape.
        forcing
            A tendency to add, same shape.
        """
        cubic = self.explicit_tendency
        if forcing is None:
            return self.solver.one_step(current, previous, tendency=cubic)
        return self.solver.one_step(current, previous, tendency=SteadyForcing(forcing, cubic))

    def implicit(self, columns: Array) -> Array:
        r"""Apply the implicit operator of the step, :math:`(1 - \Delta t L / 2)^{-1}`.

        Parameters
        ----------
        columns
            Fields, shape ``(..., nx)``.
        """
        spectrum = np.fft.rfft(columns) / (1.0 - 0.5 * self.dt * self.solver.linear)
        return np.fft.irfft(spectrum, n=self.nx)

    def _cubic_advection(self, given: Mapping[str, Array], _step: int) -> Array:
        u = given["u"]
        # In flux form, as the advection of the solver.
        slope = np.fft.irfft(1j * self.solver.derivative * np.fft.rfft(u**3), n=self.nx)
        return np.asarray(-self.coefficients.cubic_advection / 3.0 * slope)


def percent_error(model: Coefficients, correction: Mapping[str, float] | None = None) -> float:
    r"""Return how far coefficients are from those of nature, in percent.

    .. math:: 100 \, \frac{\| c_{nature} - c_{model} \|}{\| c_{nature} \|},

    over all terms that either has, or the correction brings.

    Parameters
    ----------
    model
        Coefficients of the model.
    correction
        Coefficients of terms that are added to its tendency, by name.

    References
    ----------
    Mojgani, Chattopadhyay and Hassanzadeh (2022), Chaos 32, 061105.
    """
    wrong = dict(zip(TERMS, model.vector() - NATURE.vector(), strict=True))
    for name, coefficient in (correction or {}).items():
        # The equation has its terms on the left, a tendency on the right.
        wrong[name] = wrong.get(name, 0.0) - coefficient
    return 100.0 * float(np.linalg.norm(list(wrong.values())) / np.linalg.norm(NATURE.vector()))


def missing_terms(model: Coefficients) -> dict[str, float]:
    """Return the tendency that a model lacks: coefficients by the names of the terms."""
    differences = zip(TERMS, model.vector() - NATURE.vector(), strict=True)
    return {name: float(value) for name, value in differences if value}
