"""The Lorenz-96 host in this process, one step at a time."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fortran_bridge.hosts.extension import extension
from fortran_bridge.hosts.fortran_object import check_host, live_array


class Lorenz96Host:
    """An ensemble of the Fortran model that ``hybrid-lorenz96-host`` runs.

    dX_k/dt = -X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F + U_k, with U from a closure or, where there
    is none, from the host's own scheme b0 + b1 X + b2 X**2 + b3 X**3. Every quantity is
    dimensionless.

    Parameters
    ----------
    x
        Initial states, shape ``(member, k)``, at least 4 values of k.
    forcing
        F.
    dt
        Time step.
    coefficients
        b0 to b3.
    step
        Steps done before.

    Raises
    ------
    HostError
        From every method, with the text of ``errmsg``.
    BuildError
        If the Fortran part cannot be built, for example without f90wrap.
    """

    def __init__(
        self,
        x: ArrayLike,
        *,
        forcing: float = 20.0,
        dt: float = 0.005,
        coefficients: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
        step: int = 0,
    ) -> None:
        start = np.atleast_2d(np.asarray(x, dtype=np.float64))
        n_member, n_k = start.shape
        self._fortran = extension().lorenz96_integration.integration_t()
        settings = (step, forcing, dt, coefficients)
        check_host("lorenz96", self._fortran.create(n_k, n_member, start.ravel(), *settings))

    def couple(
        self,
        archive: Path | str,
        *,
        engine: str = "auto",
        policy: str = "error",
        seed: int = 0,
        reproducible: bool = True,
    ) -> None:
        """Let the closure of an archive act; the options are those of a closure and a binding."""
        check_host(
            "lorenz96", self._fortran.couple(str(archive), engine, policy, seed, reproducible)
        )

    @property
    def x(self) -> NDArray[np.float64]:
        """The Fortran array X itself, shape ``(member, k)``: it changes with every step.

        What is written to it, the next step begins with.
        """
        return self._live("x")

    @property
    def subgrid(self) -> NDArray[np.float64]:
        """The Fortran array U itself, at the last Runge-Kutta stage, shape ``(member, k)``."""
        return self._live("subgrid")

    @property
    def reasons(self) -> NDArray[np.int32]:
        """The Fortran array of the guard's reasons itself, shape ``(member, k)``."""
        return self._live("reasons")

    @property
    def step(self) -> int:
        """Steps done."""
        return int(self._fortran.step)

    @property
    def summary(self) -> str:
        """What the guard counted, in one line; empty without a closure."""
        return str(self._fortran.summary().decode().rstrip())

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of the closure's state fields."""
        numbers = range(1, self._fortran.state_count() + 1)
        return tuple(self._fortran.state_name(i).decode().rstrip() for i in numbers)

    def advance(self, n_step: int = 1) -> None:
        """Make `n_step` steps; an error leaves X as the last whole step left it."""
        for _ in range(n_step):
            check_host("lorenz96", self._fortran.advance())

    def state_get(self, name: str) -> NDArray[np.float64]:
        """Return the committed state of a field, shape ``(member, k, element)``."""
        values = np.empty((*self.x.shape, max(0, self._fortran.state_size(name))))
        check_host("lorenz96", self._fortran.state_get(name, values.reshape(self.x.size, -1).T))
        return values

    def state_set(self, name: str, values: NDArray[np.float64]) -> None:
        """Replace the committed state of a field, shape ``(member, k, element)``."""
        flat = np.asarray(values, dtype=np.float64).reshape(self.x.size, -1)
        check_host("lorenz96", self._fortran.state_set(name, flat.T))

    def _live(self, name: str) -> NDArray[Any]:
        n_member, n_k = int(self._fortran.n_member), int(self._fortran.n_k)
        return live_array(self._fortran, name).reshape(n_member, n_k)
