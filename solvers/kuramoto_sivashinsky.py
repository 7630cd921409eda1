"""The Kuramoto-Sivashinsky equation: the simplest partial differential equation with chaos."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from solvers import kuramoto_sivashinsky_kernel as kernel
from solvers.fft import aligned_zeros, complex_dtype, plan_transform
from solvers.integration import Integration
from solvers.model import Model
from solvers.tendency_source import GridField, PythonTendency, TendencySource, closure_sizes
from solvers.time_schemes import Scheme
from solvers.time_stepping import AB2_CRANK_NICOLSON, ETDRK4, amplification

_SCHEMES: dict[str, Scheme] = {"ETDRK4": ETDRK4, "CNAB2": AB2_CRANK_NICOLSON}
_SMALLEST = 4
# The search for the stability limit: waves it looks at, enough to meet the one that sets the limit;
# halvings of the longest step, down to a billionth; bisections, to three digits.
_N_WAVE = 96
_LONGEST = 1e3
_N_HALVING = 30
_N_BISECTION = 10


@dataclass(frozen=True, kw_only=True)
class KuramotoSivashinsky(Model):
    r"""The Kuramoto-Sivashinsky equation on a periodic line, with a coefficient for each term.

    .. math::
        \partial_t u + a\, u\, \partial_x u + b\, \partial_x^2 u + c\, \partial_x^3 u
        + d\, \partial_x^4 u = 0

    Everything is dimensionless. Pseudo-spectral, with the advection in flux form. By default a =
    b = d = 1, c = 0, on the domain and with the step of the model-error studies of MEDIDA, and
    ETDRK4, which takes the linear terms exactly. Its fourth order shows with steps below 0.01;
    with longer ones, where some wave has ``k^4 dt`` near 1, the error falls more slowly, with about
    the third power of the step.

    Parameters
    ----------
    nx
        Grid points, even.
    length
        Length of the domain [1].
    dt
        Time step [1].
    advection
        a, coefficient of ``u u_x`` [1].
    antidiffusion
        b, coefficient of ``u_xx`` [1]; where it is positive, long waves grow.
    dispersion
        c, coefficient of ``u_xxx`` [1]; not 0 in the Benney (or Kawahara) equation.
    hyperdiffusion
        d, coefficient of ``u_xxxx`` [1].
    scheme
        ``"ETDRK4"`` or ``"CNAB2"``: Adams-Bashforth for the advection and Crank-Nicolson for all
        linear terms, `solvers.time_stepping.AB2_CRANK_NICOLSON`, the model of MEDIDA.
    dealias
        Keep only waves below 2/3 of the shortest, whose products are not aliased (Orszag 1971).
        Off by default, as published: the energy falls exponentially with the wavenumber, and
        what is aliased is below round-off at the default resolution.
    dtype
        ``"float64"`` or ``"float32"``.
    fft
        FFT library, see `solvers.fft.plan_transform`.

    Raises
    ------
    ValueError
        If the grid is odd or tiny, a length or step is not positive, or a name is unknown.

    References
    ----------
    Kuramoto and Tsuzuki (1976), Prog. Theor. Phys. 55, 356. Sivashinsky (1977), Acta Astronaut.
    4, 1177. Kassam and Trefethen (2005), SIAM J. Sci. Comput. 26, 1214. Mojgani, Chattopadhyay
    and Hassanzadeh (2022), Chaos 32, 061105 (MEDIDA). Orszag (1971), J. Atmos. Sci. 28, 1074.

    Examples
    --------
    >>> run = KuramotoSivashinsky(nx=64, length=22.0, dt=0.25).run(time=100, save_every=25)
    >>> dict(run.u.sizes)
    {'time': 5, 'member': 1, 'x': 64}
    """

    title: ClassVar[str] = "Kuramoto-Sivashinsky"
    time_units: ClassVar[str] = "1"

    nx: int = 1024
    length: float = 100.0
    dt: float = 1e-3
    advection: float = 1.0
    antidiffusion: float = 1.0
    dispersion: float = 0.0
    hyperdiffusion: float = 1.0
    scheme: str = "ETDRK4"
    dealias: bool = False
    dtype: str = "float64"
    fft: str = "auto"

    def __post_init__(self) -> None:
        if self.nx < _SMALLEST or self.nx % 2:
            raise ValueError(
                f"nx: expected an even number of at least {_SMALLEST} points, got {self.nx}"
            )
        for name in ("length", "dt"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")
        if self.hyperdiffusion < 0.0:
            raise ValueError(
                f"hyperdiffusion: expected no negative coefficient, got {self.hyperdiffusion}; "
                "short waves would grow without bound"
            )
        for name, known in (("scheme", tuple(_SCHEMES)), ("dtype", ("float64", "float32"))):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name}: expected {' or '.join(known)}, got {getattr(self, name)}"
                )

    @property
    def order(self) -> int:
        """Order of accuracy of the time step."""
        return _SCHEMES[self.scheme].order

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Points."""
        return (self.nx,)

    @cached_property
    def k(self) -> NDArray[np.float64]:
        """Wavenumbers, shape ``(nx // 2 + 1,)`` [1]."""
        return 2.0 * np.pi / self.length * np.arange(self.nx // 2 + 1, dtype=np.float64)

    @cached_property
    def resolved(self) -> NDArray[np.float64]:
        """Mask of the waves that are kept, shape ``(nx // 2 + 1,)`` [1]."""
        kept = np.fft.rfftfreq(self.nx) < 1.0 / 3.0
        return np.where(kept, 1.0, 0.0) if self.dealias else np.ones(self.nx // 2 + 1)

    @cached_property
    def derivative(self) -> NDArray[np.float64]:
        """Wavenumbers of odd derivatives, ``u_x -> i k u``; 0 for waves that have none [1]."""
        k = self.k * self.resolved
        # On the grid, the shortest wave is a cosine whose slope is 0 at every point.
        k[-1] = 0.0
        return k

    @cached_property
    def linear(self) -> NDArray[Any]:
        """Rates of the linear terms, ``b k^2 + i c k^3 - d k^4``; real where c = 0 [1]."""
        rate = self.antidiffusion * self.k**2 - self.hyperdiffusion * self.k**4
        if self.dispersion == 0.0:
            return np.asarray(rate)
        return np.asarray(rate + 1j * self.dispersion * self.derivative**3)

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return the positions of the grid points, x_i = i length / nx."""
        positions = np.arange(self.nx) * (self.length / self.nx)
        attributes = {"units": "1", "long_name": "x coordinate", "axis": "X"}
        return {"x": xr.Variable("x", positions, attributes)}

    def random_state(self, n_member: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw u of a few long waves, with mean 0 and standard deviation 1 [1]."""
        spectrum = np.fft.rfft(rng.standard_normal((n_member, self.nx)))
        spectrum *= np.exp(-4.0 * self.k**2) * self.resolved
        # The longest wave is always there, in domains too short for any other as well.
        spectrum[:, 1] += 1e-3
        spectrum[:, 0] = 0.0
        u = np.fft.irfft(spectrum, n=self.nx)
        return np.asarray(u / u.std(axis=-1, keepdims=True))

    def tendency(self, u: ArrayLike) -> NDArray[np.float64]:
        """Return du/dt, in float64.

        Parameters
        ----------
        u
            State, shape ``(..., nx)`` [1].

        Returns
        -------
        ndarray
            Its tendency, same shape [1].
        """
        values = np.asarray(u, dtype=np.float64)
        spectrum = self.linear * np.fft.rfft(values)
        spectrum -= 0.5j * self.advection * self.derivative * np.fft.rfft(values * values)
        return np.fft.irfft(spectrum * self.resolved, n=self.nx)

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
            Independent states, shape ``(n_sample, nx)`` or ``(nx,)`` [1].
        previous
            The states one step earlier, same shape, for ``"CNAB2"``, which begins with Euler's
            method without them [1].
        tendency, n_thread
            As in `start`.

        Returns
        -------
        ndarray
            States after the step, shape ``(n_sample, nx)`` [1].

        Raises
        ------
        SolverBlewUp
            If a state is not finite after the step.
        ValueError
            If a state has another shape or is not finite, or the scheme has no use for
            `previous`.
        """
        current = self._initial_state(state, None, seed=0)
        integration = self._integration(len(current), n_thread)
        if tendency is not None:
            integration.couple(tendency)
        if previous is not None:
            if not _SCHEMES[self.scheme].n_past:
                raise ValueError(f"previous: expected none for {self.scheme}, a one-step scheme")
            # A step from the earlier states leaves their tendencies in the history.
            self.set_state(integration, self._initial_state(previous, len(current), seed=0))
            integration.advance(1)
        self.set_state(integration, current)
        integration.advance(1)
        return np.fft.irfft(integration.u_spectrum, n=self.nx).astype(self.dtype)

    def set_state(self, integration: Integration, state: NDArray[Any]) -> None:
        """Put u [1], shape ``(n_member, nx)``, into an integration."""
        assert isinstance(integration, KuramotoSivashinskyIntegration)
        spectrum = np.fft.rfft(np.asarray(state, dtype=np.float64)) * self.resolved
        integration.u_spectrum[...] = spectrum

    def stability_limit(self, integration: Integration) -> float:
        """Return the time step above which waves grow that the equation does not let grow.

        Around a uniform flow of the largest ``|u|``, no wave may grow more than twice as fast
        as the fastest wave of the equation.
        """
        speed = integration.courant_number() * self.length / self.nx / self.dt
        waves = np.unique(np.rint(np.geomspace(1, self.nx // 2 - 1, _N_WAVE)).astype(int))
        linear = self.linear[waves] * np.ones((2, 1))
        rate = 1j * speed * self.derivative[waves] * np.array([[1.0], [-1.0]])
        fastest = max(float(self.linear.real.max()), 0.0)

        def stable(dt: float) -> bool:
            growth = amplification(_SCHEMES[self.scheme], dt * rate, dt * linear)
            return bool(np.log(growth.max()) <= 2.0 * fastest * dt + 1e-9)

        # A longer step follows no growth of the equation itself.
        return _largest_step(stable, 1.0 / fastest if fastest else _LONGEST * self.dt)

    def _integration(self, n_member: int, n_thread: int) -> "KuramotoSivashinskyIntegration":
        return KuramotoSivashinskyIntegration(self, n_member, n_thread)


def _largest_step(stable: Callable[[float], bool], longest: float) -> float:
    """Return where, on the way up to `longest`, steps cease to be stable; infinity if nowhere."""
    steps = [longest * 2.0**-i for i in range(_N_HALVING, -1, -1)]
    unstable = next((dt for dt in steps if not stable(dt)), None)
    if unstable is None:
        return np.inf
    lower, upper = 0.5 * unstable, unstable
    for _ in range(_N_BISECTION):
        middle = 0.5 * (lower + upper)
        lower, upper = (middle, upper) if stable(middle) else (lower, middle)
    return lower


class KuramotoSivashinskyIntegration(Integration):
    """Ensemble of runs of the Kuramoto-Sivashinsky equation.

    Attributes
    ----------
    u_spectrum : ndarray
        u, shape ``(n_member, nx // 2 + 1)``, unnormalised transform [1].
    tendencies : ndarray
        Nonlinear tendencies, shape ``(n_member, n, nx // 2 + 1)``: of the 4 stages of ETDRK4, or
        of the last 2 steps of CNAB2, where that of step i is in slot i mod 2.
    """

    model: KuramotoSivashinsky

    def __init__(self, model: KuramotoSivashinsky, n_member: int, n_thread: int = 1) -> None:
        super().__init__(model, n_member, n_thread)
        dtype, kind = model.dtype, complex_dtype(model.dtype)
        exponential, n_k = model.scheme == "ETDRK4", model.nx // 2 + 1
        rows, waves = kernel.padded_length(model.nx, dtype), kernel.padded_length(n_k, kind)
        self._u = aligned_zeros((n_member, waves), kind)
        self._tendencies = aligned_zeros((n_member, 4 if exponential else 2, waves), kind)
        self.u_spectrum, self.tendencies = self._u[:, :n_k], self._tendencies[..., :n_k]
        # On the grid: u, the tendency that a closure gives, the square of u.
        self._grid_fields = aligned_zeros((n_member, 3, rows), dtype)
        self._work = aligned_zeros((n_member, 2, waves), kind)
        self.coupling.sizes[:] = closure_sizes(
            dtype, n_field=1, shape=(1, 1, model.nx), n_stage=4 if exponential else 1
        )
        self.transform = plan_transform((model.nx,), dtype, model.fft)
        self._loop = kernel.advance_etdrk4 if exponential else kernel.advance_cnab2
        coefficients = kernel.etdrk4_coefficients if exponential else kernel.cnab2_coefficients
        self._coefficients = coefficients(model.linear, model.dt, dtype)
        gradient = 0.5 * model.advection * model.derivative
        self._term = kernel.nonlinear_term(gradient, model.resolved, model.nx, dtype)

    @property
    def prognostic(self) -> Mapping[str, NDArray[Any]]:
        """The array of u."""
        return {"u": self.u_spectrum}

    @property
    def restart_arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Those of u and, for CNAB2, of its last tendencies."""
        u = {"u": (("member", "k"), self.u_spectrum)}
        if self.model.scheme == "ETDRK4":
            return u
        return {**u, "u_tendency": (("member", "history", "k"), self.tendencies)}

    def fields(self) -> dict[str, xr.Variable]:
        """Return u."""
        attributes = {"units": "1", "long_name": "velocity"}
        return {
            "u": xr.Variable(("member", "x"), self._on_grid().astype(self.model.dtype), attributes)
        }

    def courant_number(self) -> float:
        """Return the largest of ``dt |a u| / dx``."""
        dx = self.model.length / self.model.nx
        return float(self.model.dt / dx * np.abs(self.model.advection * self._on_grid()).max())

    def closure_inputs(self, member: int) -> Sequence[GridField]:
        """Return u [1]."""
        return [self._grid_field("u", self._grid_fields[member, 0])]

    def closure_outputs(self, member: int) -> Sequence[GridField]:
        """Return the tendency of u [1]."""
        return [self._grid_field("u_tendency", self._grid_fields[member, 1])]

    def _grid_field(self, name: str, row: NDArray[Any]) -> GridField:
        model = self.model
        return GridField(name, "1", ("x",), row[: model.nx], {"x": model.length / model.nx})

    def _on_grid(self) -> NDArray[Any]:
        return np.fft.irfft(self.u_spectrum.astype(np.complex128), n=self.model.nx)

    def _advance(self, n_step: int) -> None:
        self._loop(
            self.n_thread,
            self.n_member,
            self._u,
            self._tendencies,
            self._work,
            self._grid_fields,
            self.transform.addresses,
            self._coefficients,
            self._term,
            self.step,
            n_step,
            self.coupling,
        )
