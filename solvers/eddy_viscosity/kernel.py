"""The eddy viscosity in a compiled time loop: from a state to the flux of vorticity."""

from typing import Any, Protocol

from numba import njit
from numpy.typing import NDArray

from solvers import barotropic_loops as loops
from solvers.coupling_point import Integers
from solvers.eddy_viscosity.dynamic import (
    FLUXES,
    HAT_FLOW,
    HAT_GRADIENTS,
    filter_field,
    resolved_fluxes,
    set_coefficient,
)
from solvers.eddy_viscosity.features import set_coefficients
from solvers.eddy_viscosity.gradients import filtered, gradient, strains
from solvers.eddy_viscosity.memory import (
    BACKSCATTER,
    DYNAMIC_GLOBAL,
    DYNAMIC_LOCAL,
    POLICY,
    PX,
    SMAGORINSKY,
    SN,
    WX,
    Eddy,
)
from solvers.eddy_viscosity.rules import (
    limit_net_dissipation,
    return_energy,
    set_viscosities,
)
from solvers.fft import Addresses, inverse

Field = NDArray[Any]


class Waves(Protocol):
    """What is read of the operators of the model."""

    @property
    def k(self) -> Field:
        """Wavenumbers along x."""

    @property
    def l(self) -> Field:  # noqa: E743 -- the name of the literature
        """Wavenumbers along y."""

    @property
    def inverse_laplacian(self) -> Field:
        """From vorticity to streamfunction, wave by wave."""

    @property
    def rows(self) -> Integers:
        """Rows of spectra that are advanced."""

    @property
    def n_column(self) -> int:
        """Columns of spectra that are advanced."""

    @property
    def scale(self) -> Any:
        """Factor of inverse transforms."""


@njit(cache=True)
def _to_grid(transform: Addresses, x: Field, y: Field, fields: Field, first: int) -> None:
    inverse(transform, x, fields[first])
    inverse(transform, y, fields[first + 1])


@njit(cache=True)
def _set_hat(
    w: Field, test: Field, work: Field, eddy: Eddy, transform: Addresses, op: Waves
) -> None:
    """Set the fields of the hat: its gradients, vorticity and velocity."""
    x, y, hat = work[0], work[1], work[2]
    filtered(w, eddy.test_filter, 1.0, op.rows, op.n_column, hat)
    gradient(hat, op.k, op.l, op.scale, op.rows, op.n_column, False, x, y)
    _to_grid(transform, x, y, test, HAT_GRADIENTS)
    if eddy.scale == SMAGORINSKY:
        strains(hat, op.inverse_laplacian, op.k, op.l, op.scale, op.rows, op.n_column, x, y)
        _to_grid(transform, x, y, test, HAT_GRADIENTS + 2)
    loops.velocity(hat, op.inverse_laplacian, op.k, op.l, op.scale, op.rows, op.n_column, x, y)
    _to_grid(transform, x, y, test, HAT_FLOW + 1)
    loops.scaled(hat, op.scale, op.rows, op.n_column, x)
    inverse(transform, x, test[HAT_FLOW])


@njit(cache=True)
def _finds_coefficients(eddy: Eddy, member: int, step: int, stage: int) -> bool:
    """Tell whether a policy looks at the flow now; else its last coefficients are held."""
    if eddy.rule != POLICY:
        return False
    if eddy.update_interval == 1 or eddy.found[member] == 0:
        return True
    return stage == 0 and step % eddy.update_interval == 0


@njit(cache=True)
def set_eddy_viscosity(
    w: Field, flow: Field, member: int, step: int, stage: int, eddy: Eddy, work: Field,
    transform: Addresses, op: Waves,
) -> None:  # fmt: skip
    """Set gradients and viscosities of a member.

    `flow` are vorticity, u and v on the grid, `w` is the spectrum, `work` has three spectra.
    """
    x, y, f = work[0], work[1], eddy.fields[member]
    finds = _finds_coefficients(eddy, member, step, stage)
    dynamic = eddy.rule in (DYNAMIC_GLOBAL, DYNAMIC_LOCAL)
    gradient(w, op.k, op.l, op.scale, op.rows, op.n_column, False, x, y)
    _to_grid(transform, x, y, f, WX)
    # Without hyperviscosity its gradients stay zero, and two transforms are saved.
    if eddy.hyper:
        gradient(w, op.k, op.l, op.scale, op.rows, op.n_column, True, x, y)
        _to_grid(transform, x, y, f, PX)
    if eddy.scale == SMAGORINSKY or finds:
        strains(w, op.inverse_laplacian, op.k, op.l, op.scale, op.rows, op.n_column, x, y)
        _to_grid(transform, x, y, f, SN)
    if dynamic:
        test = eddy.test[member]
        _set_hat(w, test, work, eddy, transform, op)
        resolved_fluxes(f, test, flow[0], flow[1], flow[2], eddy.scale)
        for part in range(4):
            filter_field(
                test[FLUXES + part], eddy.test_filter, op.scale, transform, op.rows, op.n_column,
                x,
            )  # fmt: skip
        set_coefficient(member, eddy, transform, op.scale, op.rows, op.n_column, x)
    if finds:
        set_coefficients(
            f, flow[0], eddy.weights[member], eddy.bounds, eddy.hyper, eddy.coefficients[member]
        )
        eddy.found[member] = 1
    set_viscosities(f, eddy.coefficients[member], eddy.scale, eddy.unit2, eddy.unit4)
    if eddy.rule == BACKSCATTER:
        return_energy(f, flow[0], flow[1], flow[2], eddy.returned)
    if eddy.margin >= 0.0:
        limit_net_dissipation(f, eddy.margin)
