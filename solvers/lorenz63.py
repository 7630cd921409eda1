"""The convection model of Lorenz (1963)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from solvers import lorenz63_kernel as kernel
from solvers.integration import Integration
from solvers.model import Model
from solvers.saving_integration import Records, SavedField, SavingIntegration
from solvers.tendency_source import GridField, closure_sizes
from solvers.time_stepping import RUNGE_KUTTA_4_ORDER, RUNGE_KUTTA_4_RADIUS

_VARIABLES = {
    "x": "speed of the convection",
    "y": "temperature difference of rising and sinking fluid",
    "z": "departure of the vertical temperature profile from a linear one",
}


@dataclass(frozen=True, kw_only=True)
class Lorenz63(Model):
    r"""Convection between two plates, cut down to three variables.

    .. math::
        \dot x = \sigma (y - x), \quad \dot y = x (\rho - z) - y, \quad \dot z = x y - \beta z.

    Classical fourth-order Runge-Kutta. Everything has unit 1.

    Parameters
    ----------
    sigma
        Prandtl number [1].
    rho
        Rayleigh number over its value at the onset of convection [1].
    beta
        Aspect ratio of the rolls, 4 / (1 + a^2) [1].
    dt
        Time step [1].
    dtype
        ``"float64"`` or ``"float32"``.

    Raises
    ------
    ValueError
        If dt is not positive.

    References
    ----------
    Lorenz (1963), J. Atmos. Sci. 20, 130-141, equations 25-27.

    Examples
    --------
    >>> run = Lorenz63().run(time=20.0, save_every=0.1)
    >>> dict(run.z.sizes)
    {'time': 201, 'member': 1}
    """

    title: ClassVar[str] = "Lorenz-63"
    time_units: ClassVar[str] = "1"

    sigma: float = 10.0
    rho: float = 28.0
    beta: float = 8.0 / 3.0
    dt: float = 0.01
    dtype: str = "float64"

    def __post_init__(self) -> None:
        if not self.dt > 0.0:
            raise ValueError(f"dt: expected a positive number, got {self.dt}")
        if self.dtype not in ("float64", "float32"):
            raise ValueError(f"dtype: expected float64 or float32, got {self.dtype}")

    @property
    def order(self) -> int:
        """Order of accuracy in time."""
        return RUNGE_KUTTA_4_ORDER

    @property
    def state_shape(self) -> tuple[int, ...]:
        """x, y, z."""
        return (3,)

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return nothing: the variables have no place."""
        return {}

    def random_state(self, n_member: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw states between the two rolls, shape ``(n_member, 3)`` [1]."""
        return np.array([0.0, 0.0, self.rho - 1.0]) + rng.standard_normal((n_member, 3))

    def tendency(self, state: ArrayLike) -> NDArray[np.float64]:
        """Return d(x, y, z)/dt, in float64.

        Parameters
        ----------
        state
            x, y, z, shape ``(..., 3)`` [1].

        Returns
        -------
        ndarray
            Their tendencies, same shape [1].
        """
        x, y, z = np.moveaxis(np.asarray(state, dtype=np.float64), -1, 0)
        rates = (self.sigma * (y - x), x * (self.rho - z) - y, x * y - self.beta * z)
        return np.stack(rates, axis=-1)

    def rates(self, state: ArrayLike) -> NDArray[np.complex128]:
        """Return the eigenvalues of the Jacobian at states of shape ``(..., 3)``, same shape."""
        x, y, z = np.moveaxis(np.asarray(state, dtype=np.float64), -1, 0)
        one, zero = np.ones_like(x), np.zeros_like(x)
        rows = (
            (-self.sigma * one, self.sigma * one, zero),
            (self.rho - z, -one, -x),
            (y, x, -self.beta * one),
        )
        jacobian = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
        return np.asarray(np.linalg.eigvals(jacobian), dtype=np.complex128)

    def set_state(self, integration: Integration, state: NDArray[Any]) -> None:
        """Put x, y, z [1], shape ``(n_member, 3)``, into an integration."""
        assert isinstance(integration, Lorenz63Integration)
        integration.state[...] = state

    def stability_limit(self, integration: Integration) -> float:
        """Return the time step that RK4 bears near the state."""
        return RUNGE_KUTTA_4_RADIUS * self.dt / integration.courant_number()

    def _integration(self, n_member: int, n_thread: int) -> "Lorenz63Integration":
        return Lorenz63Integration(self, n_member, n_thread)


class Lorenz63Integration(SavingIntegration):
    """Ensemble of runs.

    Attributes
    ----------
    state : ndarray
        x, y, z, shape ``(n_member, 3)`` [1].
    """

    model: Lorenz63

    def __init__(self, model: Lorenz63, n_member: int, n_thread: int = 1) -> None:
        super().__init__(model, n_member, n_thread)
        self.state, self._fields, self._closure_tendency = (
            np.zeros((n_member, 3), dtype=model.dtype) for _ in range(3)
        )
        self.coupling.sizes[:] = closure_sizes(
            model.dtype, n_field=3, n_tendency=3, shape=(1, 1, 1), n_stage=kernel.N_STAGE
        )
        self._parameters = _parameters(model)

    @property
    def prognostic(self) -> Mapping[str, NDArray[Any]]:
        """x, y and z."""
        return {name: self.state[:, i] for i, name in enumerate(_VARIABLES)}

    @property
    def restart_arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """The state."""
        return {"state": (("member", "variable"), self.state)}

    @property
    def dtype(self) -> str:
        """Precision."""
        return self.model.dtype

    @property
    def saved_fields(self) -> Mapping[str, SavedField]:
        """x, y and z."""
        return {name: SavedField((), (), "1", text) for name, text in _VARIABLES.items()}

    def courant_number(self) -> float:
        """Return dt times the fastest rate near the state; there is no length to compare with."""
        return self.model.dt * float(np.abs(self.model.rates(self.state)).max())

    def closure_inputs(self, member: int) -> Sequence[GridField]:
        """x, y and z [1], a number each."""
        fields = self._fields[member]
        return [GridField(name, "1", (), fields[i, ...]) for i, name in enumerate(_VARIABLES)]

    def closure_outputs(self, member: int) -> Sequence[GridField]:
        """Their tendencies [1]."""
        tendency = self._closure_tendency[member]
        return [
            GridField(f"{name}_tendency", "1", (), tendency[i, ...])
            for i, name in enumerate(_VARIABLES)
        ]

    def _advance(self, n_step: int) -> None:
        kernel.advance(
            self.n_thread,
            self.n_member,
            self.state,
            self._fields,
            self._closure_tendency,
            self._parameters,
            self.step,
            n_step,
            self.save_every,
            *self.records,
            self.coupling,
        )

    def _save(self, records: Records) -> None:
        for i, values in enumerate(records):
            values[0] = self.state[:, i]


def _parameters(model: Lorenz63) -> kernel.Parameters:
    """Return the numbers that the time loop reads."""
    steps = (0.5 * model.dt, model.dt, model.dt / 6.0, model.dt / 3.0)
    numbers = (model.sigma, model.rho, model.beta, *steps)
    return kernel.Parameters(*(np.dtype(model.dtype).type(number) for number in numbers))
