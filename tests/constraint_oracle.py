"""What each physics layer has to give, in NumPy float64, from the equations alone.

Columns are dicts of fields: profiles ``(n, n_level)``, scalars ``(n,)``.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from closures.constraints import HybridLevels

Array = NDArray[np.float64]
Fields = Mapping[str, Array]

# Powers of T - 273.16 K from the lowest [hPa], as Flatau et al. print them.
_LIQUID = (
    6.11239921, 0.443987641, 0.142986287e-1, 0.264847430e-3, 0.302950461e-5,
    0.206739458e-7, 0.640689451e-10, -0.952447341e-13, -0.976195544e-15,
)  # fmt: skip
_ICE = (
    6.11147274, 0.503160820, 0.188439774e-1, 0.420895665e-3, 0.615021634e-5,
    0.602588177e-7, 0.385852041e-9, 0.146898966e-11, 0.252751365e-14,
)  # fmt: skip

STEP = 1200.0
G, CP, RD, LV, LF = 9.80616, 1004.64, 287.042, 2.501e6, 3.337e5


def net_sunlight(x: Fields, y: Fields) -> Array:
    """NETSW [W m-2]."""
    visible = y["cam_out_sols"] * (1 - x["cam_in_asdir"]) + y["cam_out_solsd"] * (
        1 - x["cam_in_asdif"]
    )
    infrared = y["cam_out_soll"] * (1 - x["cam_in_aldir"]) + y["cam_out_solld"] * (
        1 - x["cam_in_aldif"]
    )
    return np.asarray(visible + infrared)


def layer_mass(x: Fields, levels: HybridLevels) -> Array:
    """dp / g [kg m-2]."""
    edges = levels.p0 * levels.hyai + x["state_ps"][:, None] * levels.hybi
    return np.asarray((edges[:, 1:] - edges[:, :-1]) / G)


def pressure(x: Fields, levels: HybridLevels) -> Array:
    """Pressure at midpoints [Pa]."""
    return np.asarray(levels.p0 * levels.hyam + x["state_ps"][:, None] * levels.hybm)


def liquid_fraction(t: Array) -> Array:
    """1 from 273.16 K up, 0 from 253.16 K down."""
    return np.asarray(np.interp(t, [253.16, 273.16], [0.0, 1.0]))


def saturation(t: Array, p: Array) -> Array:
    """Specific humidity at saturation [kg kg-1], from the polynomials of Flatau et al."""
    c = t - 273.16
    liquid = np.polynomial.Polynomial(_LIQUID)(np.maximum(c, -80.0))
    ice = np.polynomial.Polynomial(_ICE)(c)
    d = np.maximum(c, -100.0)
    ice = np.select(
        [t <= 185.0, t <= 273.15], [0.00763685 + d * (0.000151069 + d * 7.48215e-7), ice], liquid
    )
    w = liquid_fraction(t)
    return np.asarray(287.0 * 100.0 * (w * liquid + (1 - w) * ice) / (461.0 * p))


def vapour(x: Fields, levels: HybridLevels) -> Array:
    """Specific humidity [kg kg-1], from whichever input has it."""
    if "state_q0001" in x:
        return x["state_q0001"]
    return np.asarray(x["state_rh"] * saturation(x["state_t"], pressure(x, levels)))


def above_tropopause(x: Fields, levels: HybridLevels) -> NDArray[np.bool_]:
    """Levels at or above the lowest one that is stable, column by column, from below."""
    p, t = pressure(x, levels), x["state_t"]
    above = np.zeros(t.shape, dtype=bool)
    for i in range(len(t)):
        for k in range(t.shape[1] - 2, -1, -1):
            theta = [t[i, j] * (1e5 / p[i, j]) ** (RD / CP) for j in (k, k + 1)]
            depth = RD / G * (t[i, k] + t[i, k + 1]) / 2 * np.log(p[i, k + 1] / p[i, k])
            if p[i, k] <= 4e4 and (theta[0] - theta[1]) / (depth / 1000.0) > 10.0:
                above[i, : k + 1] = True
                break
    return above


def moisture_gap(x: Fields, y: Fields, levels: HybridLevels) -> Array:
    """Residual of the water budget over the turnover of water [1], ``(n,)``."""
    mass = layer_mass(x, levels)
    names = [f"ptend_{n}" for n in ("q0001", "q0002", "q0003", "qn") if f"ptend_{n}" in y]
    rain = 1000.0 * y["cam_out_precc"]
    gap = sum((mass * y[name]).sum(axis=1) for name in names) + rain
    turnover = sum((mass * np.abs(y[name])).sum(axis=1) for name in names) + np.abs(rain)
    return np.asarray(gap / turnover)


def closable(x: Fields, y: Fields, levels: HybridLevels) -> NDArray[np.bool_]:
    """Columns with more vapour than falls out and turns into cloud in a step, ``(n,)``."""
    mass = layer_mass(x, levels)
    names = [f"ptend_{n}" for n in ("q0002", "q0003", "qn") if f"ptend_{n}" in y]
    lost = sum((mass * y[name]).sum(axis=1) for name in names) + 1000.0 * y["cam_out_precc"]
    return np.asarray((mass * vapour(x, levels)).sum(axis=1) > STEP * lost)


def energy_terms(x: Fields, y: Fields, levels: HybridLevels) -> tuple[Array, Array]:
    """Heating that the outputs imply [W m-2] and the sum of all terms' magnitudes, ``(n,)``."""
    mass = layer_mass(x, levels)
    terms = [CP * y["ptend_t"], LV * y["ptend_q0001"], -LF * y["ptend_q0003"]]
    snow = LF * 1000.0 * y["cam_out_precsc"]
    heating = sum((mass * term).sum(axis=1) for term in terms) - snow
    return heating, sum((mass * np.abs(term)).sum(axis=1) for term in terms) + np.abs(snow)


def closed(
    method: str,
    before: Array,
    after: Array,
    weight: Array,
    total: Array,
    bounds: tuple[float, float],
) -> Array:
    """One profile whose weighted sum is `total`, element by element."""
    n = after.size
    found = sum(weight[k] * after[k] for k in range(n))
    mass = sum(weight[k] for k in range(n))
    result = after.copy()
    if method == "residual":
        others = sum(weight[k] * after[k] for k in range(n - 1))
        result[-1] = (total - others) / weight[-1]
    elif method == "additive":
        for k in range(n):
            result[k] = after[k] + (total - found) / mass
    elif method == "multiplicative":
        for k in range(n):
            result[k] = after[k] * total / found
    elif method == "softmax":
        power = [before[k] * np.exp(after[k] / before[k] - 1.0) for k in range(n)]
        norm = sum(weight[k] * power[k] for k in range(n))
        for k in range(n):
            result[k] = total * power[k] / norm
    else:
        # Harder et al. for values scaled to -1 .. 1.
        low, high = bounds
        y = 2.0 * (after - low) / (high - low) - 1.0
        t = 2.0 * (total / mass - low) / (high - low) - 1.0
        m = 2.0 * (found / mass - low) / (high - low) - 1.0
        s = -np.sign(t - m)
        for k in range(n):
            scaled = y[k] + (t - m) * (s + y[k]) / (s + m)
            result[k] = low + (scaled + 1.0) / 2.0 * (high - low)
    return result
