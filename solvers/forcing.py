"""What keeps two-dimensional turbulence going: a steady pattern, or kicks at random."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.spectral import SpectralGrid

# A wavenumber is taken as a whole number of waves when it misses one by rounding alone.
_ROUNDING = 1e-9
# The second word of the key: closures with noise of their own use 0.
_KEY_OF_KICKS = 1


class Waves(NamedTuple):
    r"""A real field as a sum of a few waves.

    .. math:: f = \sum_n 2 a_n \cos(2 \pi (m_n x / L_x + l_n y / L_y) + \theta_n)

    Parameters
    ----------
    m
        Waves along x over the length of the domain, shape ``(n,)``; not negative.
    l
        Waves along y, shape ``(n,)``; positive where `m` is 0.
    amplitude
        The amplitudes a, shape ``(n,)`` [field].
    """

    m: NDArray[np.int64]
    l: NDArray[np.int64]  # noqa: E741 -- the name of the literature
    amplitude: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class KolmogorovForcing:
    r"""A steady pattern of vortices.

    .. math:: F = A (\cos(k_f x) + \cos(k_f y))

    The opposite sign is the same pattern seen from half a wavelength aside, along x and y.

    Parameters
    ----------
    wavenumber
        Wavenumber k_f of the pattern [rad / length]; both sides of the domain are multiples of
        its wavelength.
    amplitude
        Amplitude A of the vorticity tendency [1 / time2]; default: the value of k_f, so that the
        force itself, whose curl this is, has amplitude 1.

    Raises
    ------
    ValueError
        If the wavenumber is not positive.

    References
    ----------
    Chandler and Kerswell (2013), J. Fluid Mech. 722, 554, for the flow that a force along x alone
    drives.

    Examples
    --------
    >>> KolmogorovForcing(wavenumber=4.0).strength
    4.0
    """

    wavenumber: float = 4.0
    amplitude: float | None = None

    def __post_init__(self) -> None:
        if not self.wavenumber > 0.0:
            raise ValueError(
                f"forcing: wavenumber: expected a positive number, got {self.wavenumber}"
            )

    @property
    def strength(self) -> float:
        """The amplitude A [1 / time2]."""
        return self.wavenumber if self.amplitude is None else self.amplitude

    def waves(self, grid: SpectralGrid) -> Waves:
        """Return the pattern as waves, all phases 0 [1 / time2].

        Raises
        ------
        ValueError
            If the pattern does not fit into the domain.
        """
        counts = []
        for name, length in (("x", grid.length_x), ("y", grid.length_y)):
            count = self.wavenumber * length / (2.0 * np.pi)
            if abs(count - round(count)) > _ROUNDING * count or round(count) < 1:
                raise ValueError(
                    f"forcing: wavenumber: expected a whole number of waves over the length "
                    f"{length:g} along {name}, got {count:g} from wavenumber {self.wavenumber:g}"
                )
            counts.append(round(count))
        half = 0.5 * self.strength
        return Waves(np.array([counts[0], 0]), np.array([0, counts[1]]), np.array([half, half]))


@dataclass(frozen=True, kw_only=True)
class BandForcing:
    r"""Random kicks to all waves of a ring, white in time, at a given mean energy input.

    .. math::
        \mathrm{d}\omega = \sum_n 2 |k_n| \sqrt{\varepsilon / N} \, \cos(k_n \cdot x + \theta_n)
        \, \sqrt{\mathrm{d}t}, \qquad k_{\min} \le |k_n| \le k_{\max}

    over the N waves of the ring, a wave and its conjugate counted once. After every step each
    wave is kicked with a fresh phase, uniform and independent of the flow: the mean input of
    energy is then :math:`\varepsilon` for every time step, and each wave has the same share.

    The phases come from numpy's counter-based generator Philox with key ``(seed, 1)``; the step
    and the member decide its counter. So they depend neither on the grid (a coarse and a fine run
    feel the same kicks), nor on how a run is cut, nor on the number of members or threads.

    Parameters
    ----------
    energy_rate
        Mean energy input epsilon per unit mass [length2 / time3].
    k_min, k_max
        Radii of the ring, both included [rad / length].
    seed
        Seed of the phases, not negative.
    first_member
        Number of the first member of a run: a part of an ensemble, run apart, feels the kicks
        that it felt in the whole.

    Raises
    ------
    ValueError
        If the rate or the seed is negative or the ring is none.

    References
    ----------
    Lilly (1969), Phys. Fluids 12, II-240. Salmon et al. (2011), doi:10.1145/2063384.2063405.

    Examples
    --------
    >>> from solvers.spectral import SpectralGrid
    >>> grid = SpectralGrid(32, 32, 2.0 * np.pi, 2.0 * np.pi)
    >>> len(BandForcing(k_min=3.0, k_max=5.0).waves(grid).m)
    28
    """

    energy_rate: float = 0.1
    k_min: float = 3.0
    k_max: float = 5.0
    seed: int = 0
    first_member: int = 0

    def __post_init__(self) -> None:
        if not self.energy_rate >= 0.0:
            raise ValueError(
                f"forcing: energy_rate: expected no negative rate, got {self.energy_rate}"
            )
        if not 0.0 < self.k_min <= self.k_max:
            raise ValueError(
                "forcing: k_min, k_max: expected 0 < k_min <= k_max, "
                f"got {self.k_min} and {self.k_max}"
            )
        for name in ("seed", "first_member"):
            if not 0 <= getattr(self, name) < 2**63:
                raise ValueError(
                    f"forcing: {name}: expected a number of 0 to 2**63 - 1, "
                    f"got {getattr(self, name)}"
                )

    def waves(self, grid: SpectralGrid) -> Waves:
        """Return the kicks of one unit of time, the phases left open [1 / time1.5].

        Raises
        ------
        ValueError
            If no wave of the domain lies in the ring.
        """
        first_x, first_y = 2.0 * np.pi / grid.length_x, 2.0 * np.pi / grid.length_y
        reach = int(self.k_max / first_y) + 1
        m = np.arange(int(self.k_max / first_x) + 2)[:, np.newaxis]
        l = np.arange(-reach, reach + 1)  # noqa: E741 -- the name of the literature
        k = np.hypot(first_x * m, first_y * l)
        tolerance = _ROUNDING * self.k_max
        ring = (k >= self.k_min - tolerance) & (k <= self.k_max + tolerance)
        ring &= (m > 0) | (l > 0)
        if not ring.any():
            raise ValueError(
                f"forcing: expected waves with wavenumbers of {self.k_min:g} to {self.k_max:g}, "
                f"got none: those of the domain are multiples of {first_x:g} along x and of "
                f"{first_y:g} along y"
            )
        amplitude = k[ring] * np.sqrt(self.energy_rate / ring.sum())
        return Waves(
            np.broadcast_to(m, k.shape)[ring], np.broadcast_to(l, k.shape)[ring], amplitude
        )

    def phases(self, n_member: int, first_step: int, n_step: int, n_wave: int) -> NDArray[Any]:
        """Draw the phases of some steps, shape ``(n_member, n_step, n_wave)`` [rad]."""
        # One count of the generator gives four numbers: a step takes whole counts.
        counts = -(-n_wave // 4)
        phases = np.empty((n_member, n_step, n_wave))
        for member in range(n_member):
            counter = np.array([first_step * counts, 0, self.first_member + member, 0], np.uint64)
            key = np.array([self.seed, _KEY_OF_KICKS], np.uint64)
            generator = np.random.Generator(np.random.Philox(counter=counter, key=key))
            phases[member] = generator.random((n_step, 4 * counts))[:, :n_wave]
        phases *= 2.0 * np.pi
        return phases


Forcing = KolmogorovForcing | BandForcing
