"""Two-dimensional turbulence: one layer of vorticity on a doubly periodic beta plane."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from solvers import barotropic_kernel as kernel
from solvers.barotropic_operators import operators_of
from solvers.eddy_viscosity.memory import allocate
from solvers.eddy_viscosity.settings import Viscosity
from solvers.exponential_schemes import IntegratingFactor
from solvers.fft.truncated import plan_truncated
from solvers.forcing import BandForcing, Forcing, KolmogorovForcing, Waves
from solvers.forcing_kernel import source
from solvers.integration import Integration
from solvers.model import Model
from solvers.spectral import SpectralGrid, empty_fields, to_grid, to_spectrum
from solvers.tendency_source import GridField, closure_sizes
from solvers.time_schemes import AdamsBashforthCrankNicolson
from solvers.time_stepping import SCHEMES

_DIMS = ("member", "y", "x")
_FIELDS = ("vorticity", "u", "v")

_STEPPERS = ("AB3-CN", "AB2-CN", "IF-RK4")
_VORTICES = KolmogorovForcing(wavenumber=4.0)
# AB2 lets every oscillation grow; growth by less than this part of its frequency is borne.
_BEARABLE_GROWTH = 1e-3
_LARGEST_AB2_FREQUENCY = 0.5
# Random numbers are drawn for as many steps at a time as keep them small.
_STEPS_A_DRAW = 1024


@dataclass(frozen=True, kw_only=True)
class Barotropic(Model):
    r"""Forced two-dimensional flow with viscosity and linear drag, on a plane or a beta plane.

    .. math::
        \partial_t \omega + J(\psi, \omega) + \beta v =
        \nu \nabla^2 \omega - \mu \omega - (-1)^p \nu_p \nabla^{2p} \omega + F, \\
        \omega = \nabla^2 \psi, \quad u = -\partial_y \psi, \quad v = \partial_x \psi.

    Pseudo-spectral. With dealiasing the waves beyond two thirds of the grid's are zero, and the
    Jacobian is the curl of the divergence of the momentum flux,

    .. math:: -J = (\partial_y^2 - \partial_x^2)(u v) + \partial_x \partial_y (u^2 - v^2),

    which takes four transforms instead of the five of the flux form
    :math:`-J = -\nabla \cdot (\mathbf{u} \omega)` and conserves energy and enstrophy as well: free
    of aliasing, the two are the same sum. Without dealiasing they are not, and the flux form is
    used. Viscosity, hyperviscosity and drag are implicit (Crank-Nicolson) or exact (integrating
    factor), everything else is explicit.

    The defaults are the physics of a benchmark of learned closures: Reynolds number 20 000 and
    forcing at wavenumber 4. Their truth takes ``nx=1024, dt=2.5e-4``; the default grid resolves
    them marginally, and coarser ones need a closure, or a larger `viscosity`.

    Parameters
    ----------
    nx, ny
        Grid points, even; default `ny`: as many as `nx`.
    length_x, length_y
        Size of the domain [1]; default `length_y`: square grid cells.
    dt
        Time step [1].
    viscosity
        Viscosity nu [1].
    drag
        Linear drag mu [1].
    beta
        Gradient of the Coriolis parameter [1].
    hyperviscosity, hyperviscosity_order
        Coefficient nu_p [1] and power p of the Laplacian, at least 2.
    forcing
        `KolmogorovForcing`, `BandForcing` or None.
    eddy_viscosity
        `EddyViscosity`, `DynamicEddyViscosity`, `Backscatter`, `LinearPolicy` or None; explicit in
        time. The flux form is used, and two transforms more for each gradient that it needs.
    stepper
        ``"AB3-CN"``: third-order Adams-Bashforth, begun with Euler and second order;
        ``"AB2-CN"``: second order, weakly unstable, for comparison with codes that use it;
        ``"IF-RK4"``: classical Runge-Kutta with an integrating factor; a closure is called in each
        of its four stages.
    dealias
        Keep the waves below two thirds of the largest only (Orszag's rule).
    dtype
        ``"float64"`` or ``"float32"``.
    fft
        FFT library, see `solvers.fft.plan_transform`.

    Raises
    ------
    ValueError
        If the grid is odd or tiny, a coefficient is negative, a name is unknown, or the forcing
        does not fit the domain or is not resolved.

    References
    ----------
    Boffetta and Ecke (2012), Annu. Rev. Fluid Mech. 44, 427. Orszag (1971), J. Atmos. Sci. 28,
    1074, for dealiasing. Canuto et al. (2006), Spectral Methods, for the steppers.
    Mojgani et al. (2023), arXiv:2312.00907, for the parameters.

    Examples
    --------
    >>> run = Barotropic(nx=32, dt=5e-3).run(time=0.1, save_every=0.05)
    >>> dict(run.vorticity.sizes)
    {'time': 3, 'member': 1, 'y': 32, 'x': 32}
    """

    title: ClassVar[str] = "barotropic vorticity"
    time_units: ClassVar[str] = "1"

    nx: int = 256
    ny: int | None = None
    length_x: float = 2.0 * np.pi
    length_y: float | None = None
    dt: float = 5e-4
    viscosity: float = 5e-5
    drag: float = 0.1
    beta: float = 0.0
    hyperviscosity: float = 0.0
    hyperviscosity_order: int = 4
    forcing: Forcing | None = _VORTICES
    eddy_viscosity: Viscosity | None = None
    stepper: str = "AB3-CN"
    dealias: bool = True
    dtype: str = "float64"
    fft: str = "auto"

    def __post_init__(self) -> None:
        if not self.dt > 0.0:
            raise ValueError(f"dt: expected a positive number, got {self.dt}")
        for name in ("viscosity", "drag", "hyperviscosity"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(
                    f"{name}: expected no negative number, got {getattr(self, name)}; "
                    "add energy with a forcing or a closure"
                )
        if self.hyperviscosity_order < 2:
            raise ValueError(
                "hyperviscosity_order: expected a power of the Laplacian of at least 2, "
                f"got {self.hyperviscosity_order}; the first power is the viscosity"
            )
        if self.stepper not in _STEPPERS:
            raise ValueError(f"stepper: expected one of {', '.join(_STEPPERS)}, got {self.stepper}")
        if self.dtype not in ("float64", "float32"):
            raise ValueError(f"dtype: expected float64 or float32, got {self.dtype}")
        if self.eddy_viscosity is not None and not self.dealias:
            raise ValueError(
                "eddy_viscosity: expected dealias=True, got False; its fluxes have waves that an "
                "aliased grid would fold back"
            )
        self._check_forcing()

    @property
    def order(self) -> int:
        """Order of accuracy in time."""
        return SCHEMES[self.stepper].order

    @cached_property
    def grid(self) -> SpectralGrid:
        """Grid and wavenumbers."""
        return SpectralGrid.of(self.nx, self.ny, self.length_x, self.length_y)

    @property
    def scheme(self) -> AdamsBashforthCrankNicolson | IntegratingFactor:
        """The time stepper."""
        scheme = SCHEMES[self.stepper]
        assert isinstance(scheme, AdamsBashforthCrankNicolson | IntegratingFactor)
        return scheme

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """Adams-Bashforth weights of the stepper, None for Runge-Kutta."""
        scheme = self.scheme
        return None if isinstance(scheme, IntegratingFactor) else scheme.explicit.weights

    @cached_property
    def kept(self) -> NDArray[np.bool_]:
        """Waves that are advanced, all others being zero; shape ``(l, k)``."""
        if self.dealias:
            return self.grid.two_thirds > 0.0
        return np.ones(self.grid.spectral_shape, dtype=np.bool_)

    @cached_property
    def damping(self) -> NDArray[np.float64]:
        """Damping rate ``nu K2 + mu + nu_p K2**p`` of each wave [1], shape ``(l, k)``."""
        k2 = self.grid.wavenumber_squared
        hyper = self.hyperviscosity * k2**self.hyperviscosity_order if self.hyperviscosity else 0.0
        return np.asarray(self.viscosity * k2 + self.drag + hyper)

    @cached_property
    def steady_forcing(self) -> NDArray[np.complex128]:
        """Spectrum of the steady part of the forcing [1], unnormalised, shape ``(l, k)``."""
        spectrum = np.zeros(self.grid.spectral_shape, dtype=np.complex128)
        if isinstance(self.forcing, KolmogorovForcing):
            waves = self.forcing.waves(self.grid)
            values = waves.amplitude * self.grid.n_x * self.grid.n_y
            spectrum[waves.l, waves.m] = values
            spectrum[-waves.l[waves.m == 0], 0] = values[waves.m == 0]
        return spectrum

    @property
    def state_shape(self) -> tuple[int, ...]:
        """The grid: y, x."""
        return self.grid.shape

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return positions."""
        return self.grid.coordinates("1")

    def attributes(self) -> dict[str, Any]:
        """Return parameters and versions, the defaults of the grid spelled out."""
        size = {"ny": self.grid.n_y, "length_y": self.grid.length_y}
        texts = {"forcing": str(self.forcing)}
        if self.eddy_viscosity is not None:
            texts["eddy_viscosity"] = str(self.eddy_viscosity)
        return {**super().attributes(), **size, **texts}

    def random_state(self, n_member: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw vorticity of a few large waves, standard deviation 1 [1]."""
        noise = rng.standard_normal((n_member, *self.state_shape))
        longest = 2.0 * np.pi / max(self.grid.length_x, self.grid.length_y)
        waves = np.sqrt(self.grid.wavenumber_squared) / longest
        spectrum = np.fft.rfft2(noise) * np.exp(-(((waves - 4.0) / 2.0) ** 2))
        spectrum[:, 0, 0] = 0.0
        smooth = to_grid(spectrum, self.grid.shape)
        return np.asarray(smooth / smooth.std(axis=(-2, -1), keepdims=True))

    def velocity(self, vorticity: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return u and v on the grid [1] of spectra of the vorticity, shape (..., l, k)."""
        grid, psi = self.grid, -self.grid.inverse_wavenumber_squared * vorticity
        u, v = -1j * grid.l[:, np.newaxis] * psi, 1j * grid.k * psi
        return to_grid(u, grid.shape), to_grid(v, grid.shape)

    def tendency(self, vorticity: ArrayLike) -> NDArray[np.float64]:
        """Return d omega / dt of the resolved flow, steady forcing included, in float64.

        Parameters
        ----------
        vorticity
            Vorticity, shape ``(..., ny, nx)`` [1]; with dealiasing, waves that the model does not
            keep are left out.

        Returns
        -------
        ndarray
            Its tendency, same shape [1]; random forcing has none, and that of an eddy viscosity is
            left to `BarotropicIntegration.eddy_tendency`.
        """
        grid = self.grid
        spectrum = self.kept * np.fft.rfft2(np.asarray(vorticity, dtype=np.float64))
        omega, (u, v) = to_grid(spectrum, grid.shape), self.velocity(spectrum)
        ik, il = 1j * grid.k, 1j * grid.l[:, np.newaxis]
        tendency = -ik * np.fft.rfft2(u * omega) - il * np.fft.rfft2(v * omega)
        tendency += self.beta * ik * grid.inverse_wavenumber_squared * spectrum
        tendency += self.steady_forcing - self.damping * spectrum
        return to_grid(self.kept * tendency, grid.shape)

    def set_state(self, integration: Integration, state: NDArray[Any]) -> None:
        """Put vorticity [1], shape ``(n_member, ny, nx)``, into an integration."""
        assert isinstance(integration, BarotropicIntegration)
        integration.vorticity_spectrum[...] = to_spectrum(state, self.dtype)
        integration.vorticity_spectrum[:, ~self.kept] = 0.0

    def stability_limit(self, integration: Integration) -> float:
        """Return the time step at which the shortest wave, carried by the flow, grows.

        Its frequency is at most ``max(k |u| + l |v|)`` plus that of the longest Rossby wave. AB2
        lets a wave of frequency f grow at the rate ``f**4 dt**3 / 4``, to leading order, however
        short the step; its limit is where that equals the damping of the shortest wave, or a
        thousandth of f where there is next to none.
        """
        assert isinstance(integration, BarotropicIntegration)
        grid = self.grid
        u, v = self.velocity(integration.vorticity_spectrum.astype(np.complex128))
        k, l = np.abs(grid.k[self.kept[0]]).max(), np.abs(grid.l[self.kept[:, 0]]).max()  # noqa: E741
        longest = 2.0 * np.pi / max(grid.length_x, grid.length_y)
        frequency = float((k * np.abs(u) + l * np.abs(v)).max()) + abs(self.beta) / longest
        if frequency == 0.0:
            return np.inf
        scheme = self.scheme
        explicit = scheme.tableau if isinstance(scheme, IntegratingFactor) else scheme.explicit
        if explicit.imaginary_limit > 0.0:
            return float(explicit.imaginary_limit / frequency)
        growth = max(float(self.damping[self.kept].max()) / frequency, _BEARABLE_GROWTH)
        return float(min((4.0 * growth) ** (1.0 / 3.0), _LARGEST_AB2_FREQUENCY) / frequency)

    def waves(self) -> Waves:
        """Return the waves of the forcing; none without one."""
        if self.forcing is None:
            nothing = np.zeros(0, dtype=np.int64)
            return Waves(nothing, nothing, np.zeros(0))
        return self.forcing.waves(self.grid)

    def _check_forcing(self) -> None:
        if not isinstance(self.forcing, KolmogorovForcing | BandForcing | None):
            raise TypeError(
                "forcing: expected a KolmogorovForcing, a BandForcing or None, "
                f"got {type(self.forcing).__name__}"
            )
        waves, grid = self.waves(), self.grid
        limits = (self.kept[0].sum(), self.kept[: grid.n_y // 2, 0].sum())
        # The shortest wave of an aliased grid has no sine: kicks could not turn its phase.
        most_x, most_y = (int(n) - 1 for n in np.minimum(limits, (grid.n_x // 2, grid.n_y // 2)))
        for name, count, most in (("x", waves.m, most_x), ("y", np.abs(waves.l), most_y)):
            if count.size and count.max() > most:
                raise ValueError(
                    f"forcing: expected at most {most} waves along {name}, which is what n{name} "
                    f"resolves, got {count.max()}; use more points or a longer forcing"
                )

    def _integration(self, n_member: int, n_thread: int) -> "BarotropicIntegration":
        return BarotropicIntegration(self, n_member, n_thread)


class BarotropicIntegration(Integration):
    """Ensemble of barotropic runs.

    Attributes
    ----------
    vorticity_spectrum : ndarray
        Shape ``(n_member, l, k)``, unnormalised transform [1].
    memory : ndarray
        Last tendencies, shape ``(n_member, order, l, k)``, that of step n in slot n mod order;
        work space of Runge-Kutta.
    grid_fields : ndarray
        Vorticity, u and v for the closure, shape ``(n_member, 3, y, x)``.
    closure_tendency : ndarray
        What the closure gives, shape ``(n_member, y, x)``.
    work : ndarray
        Spectra of a member on their way, shape ``(n_member, 3, l, k)``.
    eddy : Eddy
        Coefficients, gradients and viscosities of the eddy viscosity, empty without one.
    """

    model: Barotropic

    def __init__(self, model: Barotropic, n_member: int, n_thread: int = 1) -> None:
        super().__init__(model, n_member, n_thread)
        shape, dtype = model.grid.shape, model.dtype
        weights = model.weights
        n_slot, n_stage = (3, 4) if weights is None else (len(weights), 1)
        self.vorticity_spectrum = empty_fields((n_member,), shape, dtype)[1]
        self.memory = empty_fields((n_member, n_slot), shape, dtype)[1]
        self.grid_fields = empty_fields((n_member, len(_FIELDS)), shape, dtype)[0]
        self.closure_tendency = empty_fields((n_member,), shape, dtype)[0]
        self.work = empty_fields((n_member, 3), shape, dtype)[1]
        self.eddy = allocate(model.eddy_viscosity, model.grid, n_member, dtype)
        self.coupling.sizes[:] = closure_sizes(
            dtype, n_field=len(_FIELDS), shape=(1, *shape), n_stage=n_stage
        )
        self.transform = plan_truncated(shape, int(model.kept[0].sum()), dtype, model.fft)
        self._memory = kernel.Arrays(
            self.vorticity_spectrum,
            self.memory,
            self.grid_fields,
            self.closure_tendency,
            self.work,
            self.eddy,
        )
        self._operators = operators_of(model)
        kick_interval = model.dt if isinstance(model.forcing, BandForcing) else None
        self._force = source(model.waves(), model.grid, dtype, kick_interval=kick_interval)
        self._scheme = kernel.Scheme(model.dt, np.zeros((0, 0)) if weights is None else weights)

    @property
    def prognostic(self) -> Mapping[str, NDArray[Any]]:
        """Vorticity."""
        return {"vorticity": self.vorticity_spectrum}

    @property
    def restart_arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Vorticity, last tendencies of a multistep scheme, coefficients that a policy holds."""
        arrays: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {
            "vorticity": (("member", "l", "k"), self.vorticity_spectrum)
        }
        if self.model.weights is not None:
            arrays["vorticity_tendency"] = (("member", "history", "l", "k"), self.memory)
        if self.eddy.update_interval > 1:
            held = ("member", "coefficient", "y", "x")
            arrays["eddy_coefficients"] = (held, self.eddy.coefficients)
            arrays["eddy_found"] = (("member",), self.eddy.found)
        return arrays

    def fields(self) -> dict[str, xr.Variable]:
        """Return vorticity, velocity and streamfunction."""
        model, grid = self.model, self.model.grid
        vorticity = self.vorticity_spectrum.astype(np.complex128)
        u, v = model.velocity(vorticity)
        psi = to_grid(-grid.inverse_wavenumber_squared * vorticity, grid.shape)
        values = {
            "vorticity": (to_grid(vorticity, grid.shape), "relative vorticity"),
            "u": (u, "velocity along x"),
            "v": (v, "velocity along y"),
            "psi": (psi, "streamfunction"),
        }
        return {
            name: xr.Variable(_DIMS, array.astype(model.dtype), {"units": "1", "long_name": text})
            for name, (array, text) in values.items()
        }

    def courant_number(self) -> float:
        """Return the largest of ``dt (|u| / dx + |v| / dy)``."""
        grid = self.model.grid
        u, v = self.model.velocity(self.vorticity_spectrum.astype(np.complex128))
        return float(self.model.dt * (np.abs(u) / grid.dx + np.abs(v) / grid.dy).max())

    def advance_each(self, n_step: int) -> NDArray[np.int64]:
        """Advance members as far as they are finite; return how many steps each has taken.

        For ensembles in which those that blow up are replaced; `advance` raises instead.

        Raises
        ------
        ValueError
            If there are more steps than 1024.
        """
        if n_step > _STEPS_A_DRAW:
            raise ValueError(f"n_step: expected at most {_STEPS_A_DRAW}, got {n_step}")
        self._advance(n_step)
        self.step += n_step
        return self.coupling.n_finite.copy()

    def eddy_tendency(self, member: int = 0) -> NDArray[np.float64]:
        """Return what the eddy viscosity makes of the state of a member, shape ``(y, x)`` [1].

        Its viscosities are then in ``eddy.fields[member, 6:8]``.

        Raises
        ------
        ValueError
            If the model has no eddy viscosity.
        """
        if self.model.eddy_viscosity is None:
            raise ValueError("eddy_viscosity: expected a model that has one, got None")
        spectrum = np.zeros_like(self.vorticity_spectrum[0])
        kernel.eddy_tendency(
            self._memory, member, self.step, self.transform.addresses, self._operators, spectrum
        )
        return to_grid(spectrum, self.model.grid.shape)

    def closure_inputs(self, member: int) -> Sequence[GridField]:
        """Vorticity and velocity [1]."""
        return [
            GridField(name, "1", _DIMS[1:], self.grid_fields[member, i], self.model.grid.spacing)
            for i, name in enumerate(_FIELDS)
        ]

    def closure_outputs(self, member: int) -> Sequence[GridField]:
        """Tendency of vorticity [1]."""
        tendency, spacing = self.closure_tendency[member], self.model.grid.spacing
        return [GridField("vorticity_tendency", "1", _DIMS[1:], tendency, spacing)]

    def _advance(self, n_step: int) -> None:
        done = np.zeros(self.n_member, dtype=np.int64)
        for first in range(0, n_step, _STEPS_A_DRAW):
            part = min(_STEPS_A_DRAW, n_step - first)
            kernel.advance_members(
                self.n_thread,
                self.n_member,
                self._memory,
                self._scheme,
                self.transform.addresses,
                self._operators,
                self._force,
                self._phases(self.step + first, part),
                self.coupling,
                self.step + first,
                part,
            )
            done += self.coupling.n_finite
            if self.coupling.n_finite.min() < part:
                break
        self.coupling.n_finite[:] = done

    def _phases(self, first_step: int, n_step: int) -> NDArray[np.float64]:
        """Return the phases of random forcing for some steps, none for a steady one."""
        forcing = self.model.forcing
        if not isinstance(forcing, BandForcing):
            return np.zeros((self.n_member, n_step, 0))
        return forcing.phases(self.n_member, first_step, n_step, self._force.row.size)
