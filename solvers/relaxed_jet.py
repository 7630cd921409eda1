"""A baroclinically unstable jet that two layers are relaxed to, in a channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from solvers import relaxed_jet_kernel as kernel
from solvers.fft import plan_transform
from solvers.integration import Integration
from solvers.model import Model
from solvers.product_grid import ProductGrid, without_nyquist
from solvers.relaxed_jet_background import gaussian_hills, sech_squared
from solvers.relaxed_jet_operators import operators, parameters
from solvers.spectral import SpectralGrid, empty_fields, to_grid, to_spectrum
from solvers.tendency_source import GridField, PythonTendency, TendencySource, closure_sizes

_DIMS = ("member", "layer", "y", "x")
# The first disturbances, relative to the potential vorticity of the jet.
_PERTURBATION = 0.01


@dataclass(frozen=True, kw_only=True)
class RelaxedJetQG(Model):
    r"""Two quasi-geostrophic layers of equal depth, relaxed to a zonal jet.

    .. math::
        \partial_t q_1 &= -c J(\psi_1, q_1) - \beta \partial_x \psi_1
        + \tau_{d1} (\psi_1 - \psi_2) - \tau_{d2} \psi_R - s (q_1 - \overline{q_1})
        - \nu (\partial_x^8 + \partial_y^8) q_1, \\
        \partial_t q_2 &= -c J(\psi_2, q_2 + R) - \beta \partial_x \psi_2
        - \tau_{d1} (\psi_1 - \psi_2) + \tau_{d2} \psi_R - \tau_f \nabla^2 \psi_2
        - s (q_2 - \overline{q_2}) - \nu (\partial_x^8 + \partial_y^8) q_2, \\
        q_1 &= \nabla^2 \psi_1 - (\psi_1 - \psi_2), \quad
        q_2 = \nabla^2 \psi_2 + (\psi_1 - \psi_2), \\
        -\partial_y \psi_R &= \mathrm{sech}^2(y / \sigma) - \mathrm{sech}^2(y_e / \sigma), \quad
        s = s_0 \, \mathrm{sech}^2(y_e / \sigma),

    where y is 0 at the jet, :math:`y_e` the distance to the end of the domain, and an overbar the
    mean along x. The jet has a return flow at the ends, so that the domain is periodic; the
    sponge s keeps eddies from crossing them. Dimensionless: lengths in deformation radii.

    Pseudo-spectral; products are taken on a grid 3/2 as fine, so they are not aliased and the
    Jacobian conserves energy and enstrophy. Leapfrog with a Robert-Asselin filter, the first step
    by Euler's method, hyperviscosity implicit. Nyquist wavenumbers stay 0.

    The defaults are those of the truth of Mojgani et al. (2024); the errors of their models are
    other values of `tau_d1`, `tau_d2`, `tau_f`, `beta` and `jacobian`.

    Parameters
    ----------
    nx, ny
        Grid points along and across the channel, even.
    length_x, length_y
        Size of the domain [1].
    dt
        Time step [1].
    beta
        Gradient of the Coriolis parameter [1].
    sigma
        Width of the jet [1].
    tau_d1, tau_d2
        Rates of the relaxation, of the shear and of the jet it is relaxed to [1]; the same in
        nature.
    tau_f
        Rate of the friction at the bottom [1].
    jacobian
        Factor c of the advection [1]; 1 in nature.
    sponge
        Largest rate of the sponge s_0 [1].
    viscosity
        Hyperviscosity nu [1].
    time_filter
        Coefficient g of the Robert-Asselin filter, ``q^n += g (q^(n+1) - 2 q^n + q^(n-1))`` [1].
    hills
        Topography below the lower layer, as any number of Gaussian hills
        ``(x, y, radius)`` [1]; R is the potential vorticity that it gives.
    hill_height
        R on top of each hill [1].
    dtype
        ``"float64"`` or ``"float32"``.
    fft
        FFT library, see `solvers.fft.plan_transform`.

    Raises
    ------
    ValueError
        If the grid is odd or tiny, or a parameter has a sign that it must not have.

    References
    ----------
    Mojgani, Chattopadhyay and Hassanzadeh (2024), J. Adv. Model. Earth Syst.,
    doi:10.1029/2023MS004033. Lutsko, Held and Zurita-Gotor (2015), J. Atmos. Sci. 72, 3161.
    Asselin (1972), Mon. Wea. Rev. 100, 487.

    Examples
    --------
    >>> run = RelaxedJetQG(nx=16, ny=32).run(time=1.0, save_every=0.5)
    >>> dict(run.q.sizes)
    {'time': 3, 'member': 1, 'layer': 2, 'y': 32, 'x': 16}
    """

    title: ClassVar[str] = "relaxed two-layer jet"
    time_units: ClassVar[str] = "1"

    nx: int = 96
    ny: int = 192
    length_x: float = 46.0
    length_y: float = 68.0
    dt: float = 0.025
    beta: float = 0.196
    sigma: float = 3.5
    tau_d1: float = 0.01
    tau_d2: float = 0.01
    tau_f: float = 0.07
    jacobian: float = 1.0
    sponge: float = 1.0
    viscosity: float = 1e-6
    time_filter: float = 0.04
    hills: tuple[tuple[float, float, float], ...] = ()
    hill_height: float = 20.0
    dtype: str = "float64"
    fft: str = "auto"

    def __post_init__(self) -> None:
        for name in ("dt", "sigma"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")
        for name in ("tau_d1", "tau_d2", "tau_f", "sponge", "viscosity"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name}: expected no negative number, got {getattr(self, name)}")
        if not 0.0 <= self.time_filter < 1.0:
            raise ValueError(f"time_filter: expected 0 to below 1, got {self.time_filter}")
        if any(len(hill) != 3 or not hill[2] > 0.0 for hill in self.hills):
            raise ValueError(f"hills: expected (x, y, positive radius) each, got {self.hills}")
        if self.dtype not in ("float64", "float32"):
            raise ValueError(f"dtype: expected float64 or float32, got {self.dtype}")
        self.grid.k  # noqa: B018 -- a wrong grid is refused here, not at the first run

    @property
    def order(self) -> int:
        """Order of accuracy in time: that of leapfrog, less one where the time filter acts."""
        return 1 if self.time_filter > 0.0 else 2

    @cached_property
    def grid(self) -> SpectralGrid:
        """Grid and wavenumbers."""
        return SpectralGrid(self.nx, self.ny, self.length_x, self.length_y)

    @cached_property
    def products(self) -> ProductGrid:
        """Grid that products are taken on."""
        return ProductGrid(self.grid)

    @property
    def fine_shape(self) -> tuple[int, int]:
        """Shape of the grid that products are taken on."""
        return self.products.shape

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Layer, y, x."""
        return 2, *self.grid.shape

    @property
    def y(self) -> NDArray[np.float64]:
        """Positions across the channel, symmetric about the jet, shape ``(ny,)`` [1]."""
        return np.asarray((np.arange(self.ny) + 0.5) * self.grid.dy - 0.5 * self.length_y)

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return positions and layers."""
        positions = self.grid.coordinates("1")
        layer = xr.Variable("layer", np.arange(2), {"long_name": "layer, 0 is the upper one"})
        across = xr.Variable("y", self.y, positions["y"].attrs)
        return {"layer": layer, **positions, "y": across}

    def attributes(self) -> dict[str, Any]:
        """Return parameters and versions as attributes; the hills one after the other."""
        return {**super().attributes(), "hills": [number for hill in self.hills for number in hill]}

    @property
    def _y_end(self) -> NDArray[np.float64]:
        """Distances to the end of the domain y_e, shape ``(ny,)`` [1]."""
        return np.asarray(0.5 * self.length_y - np.abs(self.y))

    @cached_property
    def sponge_rate(self) -> NDArray[np.float64]:
        """Rate s at which eddies are damped, shape ``(ny,)`` [1]."""
        return self.sponge * sech_squared(self._y_end, self.sigma)

    @cached_property
    def jet(self) -> NDArray[np.float64]:
        """Velocity of the jet that the shear is relaxed to, with its return flow, shape (ny,)."""
        return sech_squared(self.y, self.sigma) - sech_squared(self._y_end, self.sigma)

    @cached_property
    def jet_spectrum(self) -> NDArray[np.complex128]:
        """Spectrum of the streamfunction of the jet psi_R, shape (l, k)."""
        l = self.grid.l.copy()  # noqa: E741 -- as in the literature
        l[[0, self.ny // 2]] = np.inf
        spectrum = np.zeros(self.grid.spectral_shape, dtype=np.complex128)
        spectrum[:, 0] = self.nx * 1j / l * np.fft.fft(self.jet)
        return spectrum

    @cached_property
    def topography(self) -> NDArray[np.float64]:
        """Potential vorticity R that the hills give to the lower layer, shape (ny, nx) [1]."""
        x, lengths = np.arange(self.nx) * self.grid.dx, (self.length_x, self.length_y)
        return gaussian_hills(x, self.y, self.hills, self.hill_height, lengths)

    @cached_property
    def inverse_determinant(self) -> NDArray[np.float64]:
        """``1 / (K2 (K2 + 2))`` of the inversion, 0 for the mean."""
        return self.grid.inverse_wavenumber_squared / (self.grid.wavenumber_squared + 2.0)

    @cached_property
    def hyperviscosity(self) -> NDArray[np.float64]:
        """Rate ``nu (k^8 + l^8)``, shape (l, k) [1]."""
        return np.asarray(self.viscosity * (self.grid.k**8 + self.grid.l[:, None] ** 8))

    @cached_property
    def topography_fine(self) -> NDArray[np.float64]:
        """R on the grid of the products."""
        return self.products.to_grid(np.fft.rfft2(self.topography))

    @cached_property
    def sponge_rate_fine(self) -> NDArray[np.float64]:
        """Rate s in the rows of the grid of the products."""
        rows = np.broadcast_to(self.sponge_rate[:, None], self.grid.shape)
        return self.products.to_grid(np.fft.rfft2(rows))[:, 0]

    def invert(self, q: NDArray[Any]) -> NDArray[Any]:
        """Return spectra of the streamfunction of spectra of q, shape (..., 2, l, k)."""
        k2, factor = self.grid.wavenumber_squared, self.inverse_determinant
        upper, lower = q[..., 0, :, :], q[..., 1, :, :]
        psi1 = -((k2 + 1.0) * upper + lower) * factor
        psi2 = -(upper + (k2 + 1.0) * lower) * factor
        return np.stack([psi1, psi2], axis=-3)

    def energy(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return the mean energy of potential vorticity q, kinetic and potential.

        Parameters
        ----------
        q
            Potential vorticity, shape ``(..., 2, ny, nx)`` [1].

        Returns
        -------
        ndarray
            Mean of ``-(psi_1 q_1 + psi_2 q_2) / 2`` over the domain, shape ``(...)`` [1].
        """
        values = np.asarray(q, dtype=np.float64)
        psi = to_grid(self.invert(np.fft.rfft2(values)), self.grid.shape)
        return np.asarray(-0.5 * (psi * values).mean(axis=(-2, -1)).sum(axis=-1))

    def relaxed_state(self) -> NDArray[np.float64]:
        """Return potential vorticity of the jet above a lower layer at rest: a steady state.

        Steady but for hyperviscosity; unstable, and where runs begin by default.
        """
        psi = self.jet_spectrum
        upper = to_grid(-(self.grid.wavenumber_squared + 1.0) * psi, self.grid.shape)
        return np.stack([upper, to_grid(psi, self.grid.shape)])

    def random_state(self, n_member: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw potential vorticity of the jet with a few large waves."""
        noise = rng.standard_normal((n_member, *self.state_shape))
        k2 = self.grid.wavenumber_squared
        smooth = to_grid(np.fft.rfft2(noise) * np.exp(-0.5 * k2), self.grid.shape)
        smooth -= smooth.mean(axis=(-2, -1), keepdims=True)
        jet = self.relaxed_state()
        scale = _PERTURBATION * jet.std() / smooth.std(axis=(-3, -2, -1), keepdims=True)
        return np.asarray(jet + scale * smooth)

    def tendency(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return dq/dt, hyperviscosity included, in float64.

        Parameters
        ----------
        q
            Potential vorticity, shape ``(..., 2, ny, nx)`` [1].

        Returns
        -------
        ndarray
            Its tendency, same shape [1].
        """
        grid, spectrum = self.grid, without_nyquist(np.fft.rfft2(np.asarray(q, np.float64)))
        psi, ik, il = self.invert(spectrum), 1j * grid.k, 1j * grid.l[:, None]
        to_fine, from_fine = self.products.to_grid, self.products.to_spectrum
        u, v = to_fine(-il * psi), to_fine(ik * psi)
        eddies = spectrum.copy()
        eddies[..., 0] = 0.0
        carried = to_fine(spectrum)
        carried[..., 1, :, :] += self.topography_fine
        flux = ik * from_fine(u * carried) + il * from_fine(v * carried)
        damped = from_fine(self.sponge_rate_fine[:, None] * to_fine(eddies))
        relaxation = self.tau_d1 * (psi[..., 0, :, :] - psi[..., 1, :, :])
        relaxation = relaxation - self.tau_d2 * self.jet_spectrum
        tendency = -self.jacobian * flux - self.beta * ik * psi - damped
        tendency[..., 0, :, :] += relaxation
        tendency[..., 1, :, :] -= relaxation
        tendency[..., 1, :, :] += self.tau_f * grid.wavenumber_squared * psi[..., 1, :, :]
        tendency -= self.hyperviscosity * spectrum
        return to_grid(without_nyquist(tendency), grid.shape)

    def one_step(
        self,
        state: ArrayLike,
        previous: ArrayLike | None = None,
        *,
        tendency: PythonTendency | TendencySource | None = None,
        n_thread: int = 1,
    ) -> NDArray[Any]:
        """Return the states one step after given ones: the map that model error is found in.

        Parameters
        ----------
        state
            Independent states, shape ``(n_sample, 2, ny, nx)`` or ``(2, ny, nx)`` [1].
        previous
            The states one step earlier, same shape: the step is a leap from them over `state`,
            without them one of Euler's method [1].
        tendency, n_thread
            As in `start`.

        Returns
        -------
        ndarray
            Potential vorticity after the step, shape ``(n_sample, 2, ny, nx)`` [1].

        Raises
        ------
        SolverBlewUp
            If a state is not finite after the step.
        ValueError
            If a state has another shape or is not finite.
        """
        current = self._initial_state(state, None, seed=0)
        integration = self._integration(len(current), n_thread)
        if tendency is not None:
            integration.couple(tendency)
        if previous is not None:
            self.set_state(integration, self._initial_state(previous, len(current), seed=0))
            integration.q_before[...] = integration.q_spectrum
            integration.step = 1
        self.set_state(integration, current)
        integration.advance(1)
        return to_grid(integration.q_spectrum, self.grid.shape).astype(self.dtype)

    def set_state(self, integration: Integration, state: NDArray[Any]) -> None:
        """Put potential vorticity, shape ``(n_member, 2, ny, nx)``, into an integration."""
        assert isinstance(integration, RelaxedJetIntegration)
        integration.q_spectrum[...] = without_nyquist(to_spectrum(state, self.dtype))

    def stability_limit(self, integration: Integration) -> float:
        """Return the time step at which leapfrog no longer bears some wave, carried by the flow.

        With the time filter g and the implicit damping h, a wave of frequency f is stable up to
        ``(f - h) dt = sqrt((1 - g) / (1 + g))``.
        """
        assert isinstance(integration, RelaxedJetIntegration)
        grid = self.grid
        speeds = [abs(self.jacobian) * np.abs(speed) for speed in integration.velocity()]
        # In between the Rossby term falls with the wavenumber and the carrying grows.
        shortest = sum(
            self._excess(speed, (1.0 - 2.0 / n) * np.pi / spacing)
            for speed, n, spacing in zip(
                speeds, (grid.n_x, grid.n_y), (grid.dx, grid.dy), strict=True
            )
        )
        rossby = abs(self.beta) / grid.k[1]
        longest = speeds[0].max() * grid.k[1] + speeds[1].max() * grid.l[1]
        rate = max(np.max(shortest) + rossby / (grid.n_x / 2 - 1), longest + rossby)
        bearable = np.sqrt((1.0 - self.time_filter) / (1.0 + self.time_filter))
        return float(bearable / rate) if rate > 0.0 else np.inf

    def _excess(self, speed: NDArray[Any], largest: float) -> NDArray[Any]:
        """Return the largest of ``k speed - nu k^8`` over the wavenumbers up to `largest`."""
        k = np.full_like(speed, largest)
        if self.viscosity > 0.0:
            np.minimum(k, (speed / (8.0 * self.viscosity)) ** (1.0 / 7.0), out=k)
        return np.asarray(k * speed - self.viscosity * k**8)

    def _integration(self, n_member: int, n_thread: int) -> "RelaxedJetIntegration":
        return RelaxedJetIntegration(self, n_member, n_thread)


class RelaxedJetIntegration(Integration):
    """Ensemble of runs of the relaxed jet.

    Attributes
    ----------
    q_spectrum : ndarray
        Potential vorticity, shape ``(n_member, 2, l, k)``, unnormalised transform [1].
    q_before : ndarray
        That of the step before, filtered.
    """

    model: RelaxedJetQG

    def __init__(self, model: RelaxedJetQG, n_member: int, n_thread: int = 1) -> None:
        super().__init__(model, n_member, n_thread)
        shape, fine, dtype = model.grid.shape, model.fine_shape, model.dtype
        self.q_spectrum, self.q_before, self._tendency = (
            empty_fields((n_member, 2), shape, dtype)[1] for _ in range(3)
        )
        # Potential vorticity and velocities on the grid of the products; with psi for a closure.
        self._fine_fields, self._fine_spectra = empty_fields((n_member, 3, 2), fine, dtype)
        self._grid_fields, self._grid_spectra = empty_fields((n_member, 4, 2), shape, dtype)
        self._jet = to_grid(model.jet_spectrum, shape).astype(dtype)
        self._closure_tendency = empty_fields((n_member, 2), shape, dtype)[0]
        self.coupling.sizes[:] = closure_sizes(dtype, n_field=4, shape=(2, *shape))
        self.fine_transform = plan_transform(fine, dtype, model.fft)
        self.transform = plan_transform(shape, dtype, model.fft)
        self._operators, self._parameters = operators(model), parameters(model)

    @property
    def prognostic(self) -> Mapping[str, NDArray[Any]]:
        """Potential vorticity."""
        return {"q": self.q_spectrum}

    @property
    def restart_arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Potential vorticity, now and a step before."""
        dims = ("member", "layer", "l", "k")
        return {"q": (dims, self.q_spectrum), "q_before": (dims, self.q_before)}

    def fields(self) -> dict[str, xr.Variable]:
        """Return potential vorticity without that of rotation and hills, velocity, psi."""
        spectra = self._spectra()
        texts = {
            "q": "potential vorticity, without that of rotation and hills",
            "u": "velocity along x",
            "v": "velocity along y",
            "psi": "streamfunction",
        }
        return {
            name: xr.Variable(
                _DIMS,
                to_grid(spectra[name], self.model.grid.shape).astype(self.model.dtype),
                {"units": "1", "long_name": text},
            )
            for name, text in texts.items()
        }

    def _spectra(self) -> dict[str, NDArray[np.complex128]]:
        grid, q = self.model.grid, self.q_spectrum.astype(np.complex128)
        psi = self.model.invert(q)
        return {"q": q, "u": -1j * grid.l[:, None] * psi, "v": 1j * grid.k * psi, "psi": psi}

    def velocity(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return u and v on the grid, shape ``(n_member, 2, ny, nx)`` [1]."""
        spectra = self._spectra()
        u, v = (to_grid(spectra[name], self.model.grid.shape) for name in ("u", "v"))
        return u, v

    def courant_number(self) -> float:
        """Return the largest of ``dt (|u| / dx + |v| / dy)``."""
        (u, v), grid = self.velocity(), self.model.grid
        return float(self.model.dt * (np.abs(u) / grid.dx + np.abs(v) / grid.dy).max())

    def closure_inputs(self, member: int) -> Sequence[GridField]:
        """Potential vorticity, without that of rotation and hills, velocity, psi and psi_R [1]."""
        # The last, which does not change, is not in the block of memory of a compiled closure.
        arrays = (*self._grid_fields[member], self._jet)
        return list(map(self._grid_field, ("q", "u", "v", "psi", "psi_r"), arrays))

    def closure_outputs(self, member: int) -> Sequence[GridField]:
        """Tendency of potential vorticity [1]."""
        return [self._grid_field("q_tendency", self._closure_tendency[member])]

    def _grid_field(self, name: str, array: NDArray[Any]) -> GridField:
        return GridField(name, "1", _DIMS[-array.ndim :], array, self.model.grid.spacing)

    def _advance(self, n_step: int) -> None:
        kernel.advance_members(
            self.n_thread,
            self.n_member,
            self.q_spectrum,
            self.q_before,
            self._tendency,
            self._fine_fields,
            self._fine_spectra,
            self.fine_transform.addresses,
            self._grid_fields,
            self._closure_tendency,
            self._grid_spectra,
            self.transform.addresses,
            self._operators,
            self._parameters,
            self.step,
            n_step,
            self.coupling,
        )
