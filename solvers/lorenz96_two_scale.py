"""Two-scale Lorenz-96 in the two forms that the literature works with, which are incompatible."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from solvers import lorenz96_fast as rows
from solvers import lorenz96_two_scale_kernel as kernel
from solvers.integration import Integration
from solvers.lorenz96 import check_ring, fastest_rate, ring_coordinate, slow_sizes
from solvers.lorenz96_kernel import own, slow_memory
from solvers.model import Model
from solvers.saving_integration import Records, SavedField, SavingIntegration
from solvers.tendency_source import GridField
from solvers.time_stepping import RUNGE_KUTTA_4_ORDER, RUNGE_KUTTA_4_RADIUS


@dataclass(frozen=True, kw_only=True)
class _TwoScaleLorenz96(Model):
    """What both forms have in common: they differ in the coupling and in the sense of the ring."""

    time_units: ClassVar[str] = "1"
    mirrored: ClassVar[bool]

    n_k: int
    n_j: int
    forcing: float
    h: float
    c: float
    b: float
    dt: float = 0.001
    save_fast: bool = False
    dtype: str = "float64"

    def __post_init__(self) -> None:
        check_ring(self.n_k, self.dt, self.dtype)
        if self.n_j < 1:
            raise ValueError(
                f"n_j: expected at least 1 fast variable for each slow one, got {self.n_j}"
            )
        if not (self.b > 0.0 and self.c > 0.0):
            raise ValueError(f"b, c: expected positive ratios, got b={self.b}, c={self.c}")

    @property
    @abstractmethod
    def coupling(self) -> float:
        """Coefficient of the sum over j of Y in the equation of X, and of X in that of Y [1]."""

    @property
    def size(self) -> int:
        """Number of variables in the state, K + K J."""
        return self.n_k * (1 + self.n_j)

    @property
    def order(self) -> int:
        """Order of accuracy in time."""
        return RUNGE_KUTTA_4_ORDER

    @property
    def state_shape(self) -> tuple[int, ...]:
        """All variables in a row: X_k, then Y_jk with j fastest."""
        return (self.size,)

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return the numbers of the variables."""
        numbers = {"k": ring_coordinate("k", self.n_k)}
        if self.save_fast:
            label = {"long_name": "number of the fast variable of a slow one"}
            numbers["j"] = xr.Variable("j", np.arange(self.n_j), label)
        return numbers

    def random_state(self, n_member: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw states near rest, shape ``(n_member, n_k (1 + n_j))`` [1]."""
        state = 0.01 * rng.standard_normal((n_member, self.size))
        state[:, : self.n_k] += rng.standard_normal((n_member, self.n_k))
        return state

    def tendency(self, state: ArrayLike) -> NDArray[np.float64]:
        """Return d(state)/dt, in float64.

        Parameters
        ----------
        state
            All variables, shape ``(..., n_k (1 + n_j))`` [1].

        Returns
        -------
        ndarray
            Their tendencies, same shape [1].
        """
        values = np.asarray(state, dtype=np.float64)
        x, y = values[..., : self.n_k], values[..., self.n_k :]
        sense = 1 if self.mirrored else -1
        total = y.reshape(*x.shape, self.n_j).sum(axis=-1)
        dx = _advection(x, sense) - x + self.forcing - self.coupling * total
        dy = self.c * self.b * _advection(y, -sense) - self.c * y
        dy += self.coupling * np.repeat(x, self.n_j, axis=-1)
        return np.concatenate([dx, dy], axis=-1)

    def set_state(self, integration: Integration, state: NDArray[Any]) -> None:
        """Put all variables [1], shape ``(n_member, n_k (1 + n_j))``, into an integration."""
        assert isinstance(integration, TwoScaleLorenz96Integration)
        integration.slow.state[...] = state[:, : self.n_k]
        y = state[:, self.n_k :].reshape(len(state), self.n_k, self.n_j)
        rows.own_rows(integration.fast.state)[...] = rows.to_rows(y, mirrored=self.mirrored)

    def stability_limit(self, integration: Integration) -> float:
        """Return the time step that RK4 bears about a uniform state of the largest values."""
        return RUNGE_KUTTA_4_RADIUS * self.dt / integration.courant_number()

    def _integration(self, n_member: int, n_thread: int) -> "TwoScaleLorenz96Integration":
        return TwoScaleLorenz96Integration(self, n_member, n_thread)


@dataclass(frozen=True, kw_only=True)
class TwoScaleLorenz96Wilks(_TwoScaleLorenz96):
    r"""Lorenz-96 with two scales as Lorenz, Wilks and Arnold et al. write it.

    .. math::
        \frac{dX_k}{dt} &= - X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F
        - \frac{h c}{b} \sum_{j=1}^{J} Y_{j,k}, \\
        \frac{dY_{j,k}}{dt} &= - c b \, Y_{j+1,k} (Y_{j+2,k} - Y_{j-1,k}) - c \, Y_{j,k}
        + \frac{h c}{b} X_k,

    where the fast variables are one ring through all sectors, :math:`Y_{J+1,k} = Y_{1,k+1}`.
    Classical fourth-order Runge-Kutta. Everything has unit 1; a unit of time stands for five days.

    `run` returns ``x`` and ``x_tendency``, the tendency that the fast variables give X: what a
    closure is to learn. A closure given as `tendency` is added to that of X.

    Parameters
    ----------
    n_k
        Number of slow variables, K.
    n_j
        Number of fast variables for each slow one, J.
    forcing
        Forcing of the slow variables, F [1].
    h
        Coupling constant [1].
    c
        Ratio of the time scales, slow to fast [1]; the papers also use 4, where the fast
        variables are only a little faster than the slow.
    b
        Ratio of the amplitudes, slow to fast [1].
    dt
        Time step [1].
    save_fast
        Let `run` return the fast variables too, as ``y``.
    dtype
        ``"float64"`` or ``"float32"``.

    Raises
    ------
    ValueError
        If there are too few variables for the advection, or a parameter that must be positive
        is not.

    References
    ----------
    Lorenz (1996), Predictability: a problem partly solved. Wilks (2005), Q. J. R. Meteorol. Soc.
    131, 389-407, equations 1 and 2. Arnold, Moroz and Palmer (2013), Phil. Trans. R. Soc. A 371,
    20110479.

    Examples
    --------
    >>> run = TwoScaleLorenz96Wilks().run(time=1.0, n_member=2, save_every=0.25)
    >>> dict(run.x_tendency.sizes)
    {'time': 5, 'member': 2, 'k': 8}
    """

    title: ClassVar[str] = "two-scale Lorenz-96 of Wilks"
    mirrored: ClassVar[bool] = False

    n_k: int = 8
    n_j: int = 32
    forcing: float = 20.0
    h: float = 1.0
    c: float = 10.0
    b: float = 10.0

    @property
    def coupling(self) -> float:
        """``h c / b`` [1]."""
        return self.h * self.c / self.b


@dataclass(frozen=True, kw_only=True)
class TwoScaleLorenz96Rasp(_TwoScaleLorenz96):
    r"""Lorenz-96 with two scales as Schneider et al. and Rasp couple them: by the mean.

    .. math::
        \frac{dX_k}{dt} &= - X_{k+1} (X_{k+2} - X_{k-1}) - X_k + F
        - \frac{h c}{J} \sum_{j=1}^{J} Y_{j,k}, \\
        \frac{1}{c} \frac{dY_{j,k}}{dt} &= - b \, Y_{j-1,k} (Y_{j-2,k} - Y_{j+1,k}) - Y_{j,k}
        + \frac{h}{J} X_k,

    where the fast variables are one ring through all sectors. Both rings run against those of
    Lorenz and Wilks, as they do in Rasp's programs. Closures that are fitted to one form do not
    fit the other.

    Everything else is as in `TwoScaleLorenz96Wilks`. Rasp (2020) adds a closure once a step, after
    a Runge-Kutta step without it; here it is part of the tendency.

    Parameters
    ----------
    n_k, n_j, forcing, h, c, b, dt, save_fast, dtype
        As in `TwoScaleLorenz96Wilks`.

    Raises
    ------
    ValueError
        As in `TwoScaleLorenz96Wilks`.

    References
    ----------
    Schneider, Lan, Stuart and Teixeira (2017), Geophys. Res. Lett. 44, 12396-12417. Rasp (2020),
    Geosci. Model Dev. 13, 2185-2196.

    Examples
    --------
    >>> run = TwoScaleLorenz96Rasp(save_fast=True).run(time=1.0, save_every=0.25)
    >>> dict(run.y.sizes)
    {'time': 5, 'member': 1, 'k': 36, 'j': 10}
    """

    title: ClassVar[str] = "two-scale Lorenz-96 of Rasp"
    mirrored: ClassVar[bool] = True

    n_k: int = 36
    n_j: int = 10
    forcing: float = 10.0
    h: float = 1.0
    c: float = 10.0
    b: float = 10.0

    @property
    def coupling(self) -> float:
        """``h c / J`` [1]."""
        return self.h * self.c / self.n_j


class TwoScaleLorenz96Integration(SavingIntegration):
    """Ensemble of two-scale runs.

    Attributes
    ----------
    slow, fast
        Memory of the slow and the fast variables, see `solvers.lorenz96_kernel.SlowMemory` and
        `solvers.lorenz96_fast.FastMemory`.
    """

    model: _TwoScaleLorenz96

    def __init__(self, model: _TwoScaleLorenz96, n_member: int, n_thread: int = 1) -> None:
        super().__init__(model, n_member, n_thread)
        self.slow = slow_memory(n_member, model.n_k, model.dtype)
        self.fast = rows.fast_memory(n_member, model.n_k, model.n_j, model.dtype)
        self.coupling.sizes[:] = slow_sizes(model.n_k, model.dtype)
        self._parameters = rows.parameters(
            forcing=model.forcing,
            coupling=model.coupling,
            c=model.c,
            b=model.b,
            dt=model.dt,
            mirrored=model.mirrored,
            dtype=model.dtype,
        )

    @property
    def state(self) -> NDArray[Any]:
        """A copy of all variables [1], shape ``(n_member, n_k (1 + n_j))``, as `run` takes them."""
        y = rows.own_rows(self.fast.state)
        y = rows.from_rows(y, self.model.n_k, mirrored=self.model.mirrored)
        return np.concatenate([self.slow.state, y.reshape(self.n_member, -1)], axis=1)

    @property
    def prognostic(self) -> Mapping[str, NDArray[Any]]:
        """Slow and fast variables."""
        return {"x": self.slow.state, "y": rows.own_rows(self.fast.state)}

    @property
    def restart_arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Slow variables, and fast ones as they are kept."""
        return {
            "x": (("member", "k"), self.slow.state),
            "y": (("member", "block", "row", "lane"), rows.own_rows(self.fast.state)),
        }

    @property
    def dtype(self) -> str:
        """Precision."""
        return self.model.dtype

    @property
    def saved_fields(self) -> Mapping[str, SavedField]:
        """Slow variables and what the fast ones do to them; the fast ones where asked for."""
        n_k, n_j = self.model.n_k, self.model.n_j
        fields = {
            "x": SavedField(("k",), (n_k,), "1", "slow variable of Lorenz-96"),
            "x_tendency": SavedField(
                ("k",), (n_k,), "1", "tendency of x due to the fast variables"
            ),
        }
        if self.model.save_fast:
            fields["y"] = SavedField(("k", "j"), (n_k, n_j), "1", "fast variable of Lorenz-96")
        return fields

    def courant_number(self) -> float:
        """Return dt times the fastest rate of waves about a uniform state of the largest values.

        There is no length in Lorenz-96 that a velocity could be compared with.
        """
        c, b = self.model.c, self.model.b
        slow = fastest_rate(self.slow.state)
        return self.model.dt * max(slow, c * fastest_rate(b * self.fast.state))

    def closure_inputs(self, member: int) -> Sequence[GridField]:
        """Slow variables [1]."""
        return [GridField("x", "1", ("k",), own(self.slow.argument[member]))]

    def closure_outputs(self, member: int) -> Sequence[GridField]:
        """Tendency of the slow variables [1]."""
        return [GridField("x_tendency", "1", ("k",), self.slow.closure_tendency[member])]

    def _advance(self, n_step: int) -> None:
        kernel.advance_two_scale(
            self.n_thread,
            self.n_member,
            self.slow,
            self.fast,
            self._parameters,
            self.model.dt,
            self.step,
            n_step,
            self.save_every,
            *self._room(self.records),
            self.coupling,
        )

    def _save(self, records: Records) -> None:
        x, x_tendency, y = self._room(records)
        kernel.record_two_scale(self.slow, self.fast, self._parameters, x[0], x_tendency[0], y[0])

    def _room(self, records: Records) -> Records:
        """Return records of x, x_tendency and y, which has no elements where it is not saved."""
        if self.model.save_fast:
            return records
        return (*records, np.empty((*records[0].shape[:2], 0, 0), dtype=self.model.dtype))


def _advection(ring: NDArray[np.float64], sense: int) -> NDArray[np.float64]:
    """Return ``-r_{i+s} (r_{i+2s} - r_{i-s})``."""
    ahead, far_ahead, behind = (np.roll(ring, -n * sense, axis=-1) for n in (1, 2, -1))
    return -ahead * (far_ahead - behind)
