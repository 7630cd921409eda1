"""Two-layer quasi-geostrophic turbulence on a doubly periodic beta plane."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from solvers import quasigeostrophic_kernel as kernel
from solvers.fft import plan_transform
from solvers.integration import Integration
from solvers.model import Model
from solvers.spectral import SpectralGrid, empty_fields, to_grid, to_spectrum
from solvers.tendency_source import GridField, closure_sizes
from solvers.time_stepping import ADAMS_BASHFORTH_3

_DIMS = ("member", "layer", "y", "x")


@dataclass(frozen=True, kw_only=True)
class TwoLayerQG(Model):
    r"""Two-layer quasi-geostrophic flow with a mean shear, bottom drag and a small-scale filter.

    .. math::
        \partial_t q_z + J(\psi_z, q_z) + U_z \partial_x q_z + \partial_y Q_z \partial_x \psi_z
        = - \delta_{z2} r \nabla^2 \psi_2, \\
        q_1 = \nabla^2 \psi_1 + F_1 (\psi_2 - \psi_1), \quad
        q_2 = \nabla^2 \psi_2 + F_2 (\psi_1 - \psi_2),

    with :math:`F_1 = r_d^{-2} / (1 + \delta)`, :math:`F_2 = \delta F_1`,
    :math:`\partial_y Q_1 = \beta + F_1 (U_1 - U_2)`, :math:`\partial_y Q_2 = \beta - F_2 (U_1 -
    U_2)`. Pseudo-spectral in flux form, third-order Adams-Bashforth (Euler and second order for
    the first two steps), then the exponential filter: the numerics of pyqg, whose defaults these
    are.

    Parameters
    ----------
    nx, ny
        Grid points, even; default `ny`: as many as `nx`.
    length_x, length_y
        Size of the domain [m]; default `length_y`: square grid cells.
    dt
        Time step [s].
    beta
        Gradient of the Coriolis parameter [m-1 s-1].
    deformation_radius
        First baroclinic deformation radius r_d [m].
    delta
        Ratio of the layer depths H1 / H2 [1].
    h1
        Depth of the upper layer [m].
    u1, u2
        Mean flow of the upper and the lower layer [m s-1].
    bottom_drag
        Linear drag on the lower layer r [s-1].
    filter
        Apply the exponential filter once a step.
    dtype
        ``"float64"`` or ``"float32"``.
    fft
        FFT library, see `solvers.fft.plan_transform`.

    Raises
    ------
    ValueError
        If the grid is odd or tiny, or a parameter that must be positive is not.

    References
    ----------
    Abernathey et al., pyqg, doi:10.5281/zenodo.6563667. Vallis (2017), Atmospheric and Oceanic
    Fluid Dynamics, section 5.3.

    Examples
    --------
    >>> run = TwoLayerQG(nx=32).run(days=1, save_every=0.5)
    >>> dict(run.q.sizes)
    {'time': 3, 'member': 1, 'layer': 2, 'y': 32, 'x': 32}
    """

    title: ClassVar[str] = "two-layer quasi-geostrophic"
    time_units: ClassVar[str] = "s"
    order: ClassVar[int] = ADAMS_BASHFORTH_3.order

    nx: int = 64
    ny: int | None = None
    length_x: float = 1e6
    length_y: float | None = None
    dt: float = 7200.0
    beta: float = 1.5e-11
    deformation_radius: float = 15000.0
    delta: float = 0.25
    h1: float = 500.0
    u1: float = 0.025
    u2: float = 0.0
    bottom_drag: float = 5.787e-7
    filter: bool = True
    dtype: str = "float64"
    fft: str = "auto"

    def __post_init__(self) -> None:
        for name in ("dt", "deformation_radius", "delta", "h1"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")
        if self.bottom_drag < 0.0:
            raise ValueError(f"bottom_drag: expected no negative drag, got {self.bottom_drag}")
        if self.dtype not in ("float64", "float32"):
            raise ValueError(f"dtype: expected float64 or float32, got {self.dtype}")
        self.grid.k  # noqa: B018 -- a wrong grid is refused here, not at the first run

    @cached_property
    def grid(self) -> SpectralGrid:
        """Grid and wavenumbers."""
        return SpectralGrid.of(self.nx, self.ny, self.length_x, self.length_y)

    @property
    def stretching(self) -> tuple[float, float]:
        """Coupling of the layers F1, F2 [m-2]."""
        f1 = self.deformation_radius**-2 / (1.0 + self.delta)
        return f1, self.delta * f1

    @property
    def pv_gradient(self) -> tuple[float, float]:
        """Mean potential vorticity gradient of both layers [m-1 s-1]."""
        f1, f2 = self.stretching
        shear = self.u1 - self.u2
        return self.beta + f1 * shear, self.beta - f2 * shear

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Layer, y, x."""
        return 2, *self.grid.shape

    def attributes(self) -> dict[str, Any]:
        """Return parameters and versions, the defaults of the grid spelled out."""
        size = {"ny": self.grid.n_y, "length_y": self.grid.length_y}
        return {**super().attributes(), **size}

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return positions and layers."""
        layer = xr.Variable("layer", np.arange(2), {"long_name": "layer, 0 is the upper one"})
        return {"layer": layer, **self.grid.coordinates("m")}

    def random_state(self, n_member: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw potential vorticity of a few large waves [s-1]."""
        noise = rng.standard_normal((n_member, *self.state_shape))
        waves = np.sqrt(self.grid.wavenumber_squared) * self.deformation_radius
        smooth = to_grid(np.fft.rfft2(noise) * np.exp(-((2.0 * waves) ** 2)), self.grid.shape)
        smooth -= smooth.mean(axis=(-2, -1), keepdims=True)
        # A hundredth of the shear across the deformation radius: the instability does the rest.
        scale = 0.01 * max(abs(self.u1 - self.u2), 1e-3) / self.deformation_radius
        return np.asarray(scale * smooth / smooth.std(axis=(-3, -2, -1), keepdims=True))

    def invert(self, q: NDArray[Any]) -> NDArray[Any]:
        """Return spectra of the streamfunction [m2 s-1] of spectra of q, shape (..., 2, l, k)."""
        f1, f2 = self.stretching
        k2, factor = self.grid.wavenumber_squared, self.inverse_determinant
        upper, lower = q[..., 0, :, :], q[..., 1, :, :]
        return np.stack(
            [
                -((k2 + f2) * upper + f1 * lower) * factor,
                -(f2 * upper + (k2 + f1) * lower) * factor,
            ],
            axis=-3,
        )

    @cached_property
    def inverse_determinant(self) -> NDArray[np.float64]:
        """``1 / (K2 (K2 + F1 + F2))`` of the inversion [m4], 0 for the mean."""
        f1, f2 = self.stretching
        k2 = self.grid.wavenumber_squared
        return self.grid.inverse_wavenumber_squared / (k2 + f1 + f2)

    def tendency(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return dq/dt of the resolved flow, without the filter, in float64.

        Parameters
        ----------
        q
            Potential vorticity, shape ``(..., 2, ny, nx)`` [s-1].

        Returns
        -------
        ndarray
            Its tendency, same shape [s-2].
        """
        grid, values = self.grid, np.asarray(q, dtype=np.float64)
        spectrum = np.fft.rfft2(values)
        psi = self.invert(spectrum)
        mean_flow = np.array([self.u1, self.u2])[:, None, None]
        gradient = np.array(self.pv_gradient)[:, None, None]
        ik, il = 1j * grid.k, 1j * grid.l[:, None]
        u, v = to_grid(-il * psi, grid.shape) + mean_flow, to_grid(ik * psi, grid.shape)
        tendency = -ik * np.fft.rfft2(u * values) - il * np.fft.rfft2(v * values)
        tendency -= ik * gradient * psi
        tendency[..., 1, :, :] += self.bottom_drag * grid.wavenumber_squared * psi[..., 1, :, :]
        return to_grid(tendency, grid.shape)

    def set_state(self, integration: Integration, state: NDArray[Any]) -> None:
        """Put potential vorticity [s-1], shape ``(n_member, 2, ny, nx)``, into an integration."""
        assert isinstance(integration, TwoLayerQGIntegration)
        integration.q_spectrum[...] = to_spectrum(state, self.dtype)

    def stability_limit(self, integration: Integration) -> float:
        """Return the time step at which AB3 no longer bears advection, waves or drag [s]."""
        # Waves above the filter's cutoff die faster than they could grow.
        shortest = (0.65 if self.filter else 1.0) * np.pi
        advection = shortest * integration.courant_number() / self.dt
        oscillation, decay = self._linear_rates
        limits = ADAMS_BASHFORTH_3.imaginary_limit, ADAMS_BASHFORTH_3.real_limit
        rates = max(advection, oscillation), decay
        return min(
            limit / rate if rate > 0.0 else np.inf
            for limit, rate in zip(limits, rates, strict=True)
        )

    @cached_property
    def _linear_rates(self) -> tuple[float, float]:
        """Fastest oscillation and decay of small waves on the mean flow [s-1]."""
        identity = np.eye(2)[:, :, None, None]
        psi = np.stack([self.invert(unit * np.ones(self.grid.spectral_shape)) for unit in identity])
        k, k2 = self.grid.k, self.grid.wavenumber_squared
        gradient, flow = np.array(self.pv_gradient), np.array([self.u1, self.u2])
        drag = np.array([0.0, self.bottom_drag])
        # Row: layer of the tendency; column: layer of q.
        operator = np.moveaxis(psi, (0, 1), (-1, -2)).astype(np.complex128)
        operator *= -1j * (k[:, None] * gradient)[:, :, None] + (k2[..., None] * drag)[..., None]
        operator -= 1j * k[:, None, None] * np.diag(flow)
        kept = self.grid.exponential_filter == 1.0 if self.filter else np.ones_like(k2, bool)
        rates = np.linalg.eigvals(operator[kept])
        return float(np.abs(rates.imag).max()), float(max(0.0, -rates.real.min()))

    def _integration(self, n_member: int, n_thread: int) -> "TwoLayerQGIntegration":
        return TwoLayerQGIntegration(self, n_member, n_thread)


class TwoLayerQGIntegration(Integration):
    """Ensemble of two-layer runs.

    Attributes
    ----------
    q_spectrum : ndarray
        Potential vorticity, shape ``(n_member, 2, l, k)``, unnormalised transform [s-1].
    history : ndarray
        Its last tendencies, shape ``(n_member, 3, 2, l, k)``; that of step n is in slot n mod 3.
    """

    model: TwoLayerQG

    def __init__(self, model: TwoLayerQG, n_member: int, n_thread: int = 1) -> None:
        super().__init__(model, n_member, n_thread)
        shape, dtype = model.grid.shape, model.dtype
        self.q_spectrum = empty_fields((n_member, 2), shape, dtype)[1]
        self.history = empty_fields((n_member, 3, 2), shape, dtype)[1]
        # Fields q, u, v on the grid, and the tendency that a closure gives.
        self._grid_fields = empty_fields((n_member, 3, 2), shape, dtype)[0]
        self._closure_tendency = empty_fields((n_member, 2), shape, dtype)[0]
        self._work = empty_fields((n_member, 5), shape, dtype)[1]
        self.coupling.sizes[:] = closure_sizes(dtype, n_field=3, shape=(2, *shape))
        self.transform = plan_transform(shape, dtype, model.fft)
        self._operators = _operators(model)
        self._parameters = _parameters(model)

    @property
    def prognostic(self) -> Mapping[str, NDArray[Any]]:
        """Potential vorticity."""
        return {"q": self.q_spectrum}

    @property
    def restart_arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Potential vorticity and its last tendencies."""
        dims = ("layer", "l", "k")
        return {
            "q": (("member", *dims), self.q_spectrum),
            "q_tendency": (("member", "history", *dims), self.history),
        }

    def fields(self) -> dict[str, xr.Variable]:
        """Return potential vorticity, velocity and streamfunction, without the mean flow."""
        grid, q = self.model.grid, self.q_spectrum.astype(np.complex128)
        psi = self.model.invert(q)
        spectra = {
            "q": (q, "s-1", "potential vorticity"),
            "u": (-1j * grid.l[:, None] * psi, "m s-1", "velocity along x"),
            "v": (1j * grid.k * psi, "m s-1", "velocity along y"),
            "psi": (psi, "m2 s-1", "streamfunction"),
        }
        return {
            name: xr.Variable(
                _DIMS,
                to_grid(spectrum, grid.shape).astype(self.model.dtype),
                {"units": units, "long_name": f"{text}, departure from the mean flow"},
            )
            for name, (spectrum, units, text) in spectra.items()
        }

    def courant_number(self) -> float:
        """Return the largest of ``dt (|u + U| / dx + |v| / dy)``."""
        grid, psi = self.model.grid, self.model.invert(self.q_spectrum.astype(np.complex128))
        mean_flow = np.array([self.model.u1, self.model.u2])[:, None, None]
        u = to_grid(-1j * grid.l[:, None] * psi, grid.shape) + mean_flow
        v = to_grid(1j * grid.k * psi, grid.shape)
        return float(self.model.dt * (np.abs(u) / grid.dx + np.abs(v) / grid.dy).max())

    def closure_inputs(self, member: int) -> Sequence[GridField]:
        """Potential vorticity and velocity [s-1, m s-1], without the mean flow."""
        return [
            GridField(name, units, _DIMS[1:], self._grid_fields[member, i], self.model.grid.spacing)
            for i, (name, units) in enumerate((("q", "s-1"), ("u", "m s-1"), ("v", "m s-1")))
        ]

    def closure_outputs(self, member: int) -> Sequence[GridField]:
        """Tendency of potential vorticity [s-2]."""
        tendency, spacing = self._closure_tendency[member], self.model.grid.spacing
        return [GridField("q_tendency", "s-2", _DIMS[1:], tendency, spacing)]

    def _advance(self, n_step: int) -> None:
        arrays = (
            *(self.q_spectrum, self.history),
            *(self._grid_fields, self._closure_tendency, self._work),
        )
        kernel.advance_members(
            self.n_thread,
            self.n_member,
            # The time loop sees the points of a field, or its waves, as one axis.
            *(array.reshape(*array.shape[:-2], -1) for array in arrays),
            self.transform.addresses,
            self._operators,
            self._parameters,
            ADAMS_BASHFORTH_3.weights,
            self.model.dt,
            self.step,
            n_step,
            self.coupling,
        )


def _operators(model: TwoLayerQG) -> kernel.Operators:
    """Return the arrays that the time loop reads."""
    grid = model.grid
    smooth = grid.exponential_filter if model.filter else np.ones(grid.spectral_shape)
    k, l = np.broadcast_arrays(grid.k, grid.l[:, None])  # noqa: E741
    arrays = (k, l, model.inverse_determinant, smooth)
    return kernel.Operators(*(np.array(array, dtype=model.dtype).ravel() for array in arrays))


def _parameters(model: TwoLayerQG) -> kernel.Parameters:
    """Return the numbers that the time loop reads."""
    numbers = (
        *model.stretching,
        *(model.u1, model.u2),
        *model.pv_gradient,
        *(model.bottom_drag, 1.0 / (model.grid.n_x * model.grid.n_y)),
    )
    return kernel.Parameters(*(np.dtype(model.dtype).type(number) for number in numbers))
