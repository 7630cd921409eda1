"""One-scale Lorenz-96: slow variables on a ring, alone or with a closure for the fast ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from solvers import lorenz96_kernel as kernel
from solvers.integration import Integration
from solvers.model import Model
from solvers.saving_integration import Records, SavedField, SavingIntegration
from solvers.tendency_source import GridField, closure_sizes
from solvers.time_stepping import RUNGE_KUTTA_4_ORDER, RUNGE_KUTTA_4_RADIUS

# The advection of a variable needs three others.
_SMALLEST_RING = 4


@dataclass(frozen=True, kw_only=True)
class Lorenz96(Model):
    r"""Lorenz-96 with one scale.

    .. math::
        \frac{dX_k}{dt} = - X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F + \sum_i b_i X_k^i,

    with k on a ring. Classical fourth-order Runge-Kutta. Everything has unit 1; a unit of time
    stands for five days.

    Parameters
    ----------
    n_k
        Number of variables, K.
    forcing
        F [1].
    coefficients
        Coefficients b of a polynomial closure, lowest power first [1]; default: none. Any other
        closure is given to `run` as `tendency`.
    dt
        Time step [1]; the default stands for six hours.
    dtype
        ``"float64"`` or ``"float32"``.

    Raises
    ------
    ValueError
        If there are too few variables for the advection, or dt is not positive.

    References
    ----------
    Lorenz (1996), Predictability: a problem partly solved. Lorenz and Emanuel (1998), J. Atmos.
    Sci. 55, 399-414. Polynomial closures: Wilks (2005), Q. J. R. Meteorol. Soc. 131, 389-407,
    equation 4.

    Examples
    --------
    >>> run = Lorenz96().run(time=5.0, n_member=3, save_every=0.5)
    >>> dict(run.x.sizes)
    {'time': 11, 'member': 3, 'k': 40}
    """

    title: ClassVar[str] = "one-scale Lorenz-96"
    time_units: ClassVar[str] = "1"

    n_k: int = 40
    forcing: float = 8.0
    coefficients: tuple[float, ...] | None = None
    dt: float = 0.05
    dtype: str = "float64"

    def __post_init__(self) -> None:
        check_ring(self.n_k, self.dt, self.dtype)
        if self.coefficients is not None:
            numbers = tuple(float(number) for number in self.coefficients)
            object.__setattr__(self, "coefficients", numbers or None)

    @property
    def order(self) -> int:
        """Order of accuracy in time."""
        return RUNGE_KUTTA_4_ORDER

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Numbers of the variables."""
        return (self.n_k,)

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return the numbers of the variables."""
        return {"k": ring_coordinate("k", self.n_k)}

    def random_state(self, n_member: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw states near rest, shape ``(n_member, n_k)`` [1]."""
        return rng.standard_normal((n_member, self.n_k))

    def tendency(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return dx/dt, the polynomial closure included, in float64.

        Parameters
        ----------
        x
            State, shape ``(..., n_k)`` [1].

        Returns
        -------
        ndarray
            Its tendency, same shape [1].
        """
        values = np.asarray(x, dtype=np.float64)
        west, far_west, east = (np.roll(values, n, axis=-1) for n in (1, 2, -1))
        closure = np.polynomial.polynomial.polyval(values, self.coefficients or (0.0,))
        return np.asarray(-west * (far_west - east) - values + self.forcing + closure)

    def set_state(self, integration: Integration, state: NDArray[Any]) -> None:
        """Put x [1], shape ``(n_member, n_k)``, into an integration."""
        assert isinstance(integration, Lorenz96Integration)
        integration.memory.state[...] = state

    def stability_limit(self, integration: Integration) -> float:
        """Return the time step that RK4 bears about a uniform state of the largest value."""
        return RUNGE_KUTTA_4_RADIUS * self.dt / integration.courant_number()

    def _integration(self, n_member: int, n_thread: int) -> "Lorenz96Integration":
        return Lorenz96Integration(self, n_member, n_thread)


class Lorenz96Integration(SavingIntegration):
    """Ensemble of one-scale runs.

    Attributes
    ----------
    memory : SlowMemory
        State and work space.
    """

    model: Lorenz96

    def __init__(self, model: Lorenz96, n_member: int, n_thread: int = 1) -> None:
        super().__init__(model, n_member, n_thread)
        self.memory = kernel.slow_memory(n_member, model.n_k, model.dtype)
        self.coupling.sizes[:] = slow_sizes(model.n_k, model.dtype)
        self._forcing = np.dtype(model.dtype).type(model.forcing)
        self._coefficients = np.array(model.coefficients or (), dtype=model.dtype)

    @property
    def prognostic(self) -> Mapping[str, NDArray[Any]]:
        """The variables."""
        return {"x": self.memory.state}

    @property
    def restart_arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """The variables."""
        return {"x": (("member", "k"), self.memory.state)}

    @property
    def dtype(self) -> str:
        """Precision."""
        return self.model.dtype

    @property
    def saved_fields(self) -> Mapping[str, SavedField]:
        """The variables."""
        return {"x": SavedField(("k",), (self.model.n_k,), "1", "slow variable of Lorenz-96")}

    def courant_number(self) -> float:
        """Return dt times the fastest rate of waves about a uniform state of the largest value.

        There is no length in Lorenz-96 that a velocity could be compared with.
        """
        return self.model.dt * fastest_rate(self.memory.state)

    def closure_inputs(self, member: int) -> Sequence[GridField]:
        """Slow variables [1]."""
        return [GridField("x", "1", ("k",), kernel.own(self.memory.argument[member]))]

    def closure_outputs(self, member: int) -> Sequence[GridField]:
        """Tendency of the slow variables [1]."""
        return [GridField("x_tendency", "1", ("k",), self.memory.closure_tendency[member])]

    def _advance(self, n_step: int) -> None:
        kernel.advance_one_scale(
            self.n_thread,
            self.n_member,
            self.memory,
            self._forcing,
            self._coefficients,
            self.model.dt,
            self.step,
            n_step,
            self.save_every,
            self.records[0],
            self.coupling,
        )

    def _save(self, records: Records) -> None:
        records[0][0] = self.memory.state


def check_ring(n_k: int, dt: float, dtype: str) -> None:
    """Check what all forms of Lorenz-96 have.

    Raises
    ------
    ValueError
        If there are too few variables, dt is not positive, or the precision is unknown.
    """
    if n_k < _SMALLEST_RING:
        raise ValueError(
            f"n_k: expected at least {_SMALLEST_RING} variables, which the advection connects, "
            f"got {n_k}"
        )
    if not dt > 0.0:
        raise ValueError(f"dt: expected a positive number, got {dt}")
    if dtype not in ("float64", "float32"):
        raise ValueError(f"dtype: expected float64 or float32, got {dtype}")


def ring_coordinate(dim: str, n: int) -> xr.Variable:
    """Return the numbers of the slow variables."""
    return xr.Variable(dim, np.arange(n), {"long_name": "number of the slow variable"})


def slow_sizes(n_k: int, dtype: str) -> NDArray[np.int64]:
    """Return the sizes that a closure of the slow variables is called with."""
    return closure_sizes(dtype, n_field=1, shape=(1, 1, n_k), n_stage=kernel.N_STAGE)


def fastest_rate(x: NDArray[Any]) -> float:
    """Return the modulus of the fastest rate about a uniform state of the largest value of x [1].

    Waves ``exp(i k a)`` on a uniform X have the rate ``X (exp(i a) - exp(-2 i a)) - 1``.
    """
    return 2.0 * float(np.abs(x).max()) + 1.0
