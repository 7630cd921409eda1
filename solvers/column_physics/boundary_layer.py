"""Turbulent mixing in the boundary layer: diffusivity by a bulk Richardson number, implicit step.

References
----------
Troen, Mahrt 1986, A simple model of the atmospheric boundary layer, Bound.-Layer Meteor. 37,
129-148, eqs. 9-11.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.column_physics.constants import GAS_CONSTANT, GRAVITY, HEAT_CAPACITY, KAPPA, VIRTUAL

Array = NDArray[np.float64]

VON_KARMAN = 0.4
"""Von Karman constant [1]."""
CRITICAL_RICHARDSON = 0.5
"""Bulk Richardson number at the top of the boundary layer [1]."""
DRAG = 1.5e-3
"""Drag coefficient from which the friction velocity is taken [1]."""
FREE_DIFFUSIVITY = 0.1
"""Diffusivity above the boundary layer [m2 s-1]."""


@njit(cache=True)
def heights(interface: Array, temperature: Array, vapour: Array, middle: Array) -> None:
    """Set the heights of the layer midpoints above ground [m], hydrostatic."""
    below = 0.0
    for k in range(temperature.size - 1, -1, -1):
        scale = GAS_CONSTANT / GRAVITY * temperature[k] * (1.0 + VIRTUAL * vapour[k])
        # log(p_below / p_above), by a fraction that is exact to third order for thin layers.
        ratio = (interface[k + 1] - interface[k]) / (interface[k + 1] + interface[k])
        thickness = scale * 2.0 * ratio * (1.0 + ratio * ratio / 3.0)
        middle[k] = below + 0.5 * thickness
        below += thickness


@njit(cache=True)
def layer_depth(
    ground: float,
    pressure: Array,
    temperature: Array,
    vapour: Array,
    u: Array,
    v: Array,
    middle: Array,
) -> float:
    """Return the depth of the boundary layer [m].

    Parameters
    ----------
    ground
        Surface pressure [Pa].
    pressure, temperature, vapour, u, v, middle
        Profiles of pressure [Pa], T [K], humidity [kg kg-1], wind [m s-1] and height [m].

    Notes
    -----
    The height where (g / thv_s) (thv - thv_s) z / |v|^2 reaches its critical value.
    """
    last = temperature.size - 1
    surface = temperature[last] * (1.0 + VIRTUAL * vapour[last])
    surface *= (ground / pressure[last]) ** KAPPA
    number_below = 0.0
    for k in range(last - 1, 0, -1):
        theta = temperature[k] * (1.0 + VIRTUAL * vapour[k]) * (ground / pressure[k]) ** KAPPA
        shear = u[k] * u[k] + v[k] * v[k] + 1.0
        number = GRAVITY / surface * (theta - surface) * middle[k] / shear
        if number > CRITICAL_RICHARDSON:
            share = (CRITICAL_RICHARDSON - number_below) / (number - number_below)
            return float(middle[k + 1] + share * (middle[k] - middle[k + 1]))
        number_below = number
    return float(middle[1])


@njit(cache=True)
def mixing_diffusivity(
    middle: Array, depth: float, wind: float, highest: int, diffusivity: Array
) -> None:
    """Set the diffusivity at the interfaces [m2 s-1], zero at the ground and above `highest`.

    Parameters
    ----------
    middle
        Heights of the layer midpoints [m].
    depth
        Depth of the boundary layer [m].
    wind
        Wind speed of the lowest layer [m s-1].
    highest
        Layer above which nothing is mixed.
    diffusivity
        Result ``(n_level + 1,)``.

    Notes
    -----
    K = k u* z (1 - z / h)^2 below h, a small constant above.
    """
    n = middle.size
    friction = VON_KARMAN * np.sqrt(DRAG * (wind * wind + 1.0))
    diffusivity[: highest + 1] = 0.0
    for j in range(highest + 1, n):
        z = 0.5 * (middle[j - 1] + middle[j])
        diffusivity[j] = FREE_DIFFUSIVITY
        if z < depth:
            share = 1.0 - z / depth
            diffusivity[j] = max(friction * z * share * share, FREE_DIFFUSIVITY)
    diffusivity[n] = 0.0


@njit(cache=True)
def exchange_mass(
    interface: Array,
    temperature: Array,
    middle: Array,
    diffusivity: Array,
    timestep: float,
    exchange: Array,
) -> int:
    """Set the mass exchanged through each interface in a step [kg m-2]; return the first layer.

    Notes
    -----
    rho K dt / dz; layers above the returned one exchange nothing.
    """
    n = temperature.size
    first = n
    exchange[0] = 0.0
    exchange[n] = 0.0
    for j in range(1, n):
        exchange[j] = 0.0
        if diffusivity[j] > 0.0:
            first = min(first, j - 1)
            mean = 0.5 * (temperature[j - 1] + temperature[j])
            density = interface[j] / (GAS_CONSTANT * mean)
            exchange[j] = density * diffusivity[j] * timestep / (middle[j - 1] - middle[j])
    return first


@njit(cache=True)
def factorise(mass: Array, exchange: Array, first: int, upper: Array, pivot: Array) -> None:
    """Eliminate the lower diagonal of the implicit step's matrix (Thomas algorithm).

    Notes
    -----
    m_k x_k - e_k (x_{k-1} - x_k) + e_{k+1} (x_k - x_{k+1}) = m_k x_k(old)
    """
    above = 0.0
    for k in range(first, mass.size):
        diagonal = mass[k] + exchange[k] + exchange[k + 1]
        pivot[k] = 1.0 / (diagonal - exchange[k] * above)
        upper[k] = exchange[k + 1] * pivot[k]
        above = upper[k]


@njit(cache=True)
def mix(mass: Array, exchange: Array, first: int, upper: Array, pivot: Array, x: Array) -> None:
    """Mix `x` implicitly, after `factorise`; the sum of mass times x keeps its value."""
    n = mass.size
    if first >= n:
        return
    below = 0.0
    for k in range(first, n):
        below = (mass[k] * x[k] + exchange[k] * below) * pivot[k]
        x[k] = below
    for k in range(n - 2, first - 1, -1):
        x[k] += upper[k] * x[k + 1]


@njit(cache=True)
def mix_heat(
    mass: Array, exchange: Array, first: int, solver: Array, middle: Array, temperature: Array
) -> None:
    """Mix dry static energy cp T + g z by `mix`, with `solver` holding upper and pivot."""
    n = mass.size
    energy = np.empty(n)
    for k in range(first, n):
        energy[k] = temperature[k] + GRAVITY / HEAT_CAPACITY * middle[k]
    mix(mass, exchange, first, solver[0], solver[1], energy)
    for k in range(first, n):
        temperature[k] = energy[k] - GRAVITY / HEAT_CAPACITY * middle[k]
