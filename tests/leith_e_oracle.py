"""QG Leith with an energy budget, written from its equations with the spacing in them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[Any]

FORMS: dict[str, tuple[Any, Any]] = {
    "of q": ("q", "q"),
    "scaled by the Laplacian": ("laplacian", "q"),
    "of vorticity": ("q", "vorticity"),
    "both": ("laplacian", "vorticity"),
    "scaled by the strain": ("strain", "vorticity"),
}
"""Fields of the forms of the closure, by name."""

ORDERS: dict[str, tuple[float, float]] = {
    "fourth order": (0.0, 0.0),
    "sixth order": (0.003, 0.01),
    "sixth order in the lower layer": (0.0, 0.01),
}
"""Coefficients of sixth order that it is tried with, by name."""


@dataclass(frozen=True)
class Found:
    """What the equations give: tendency, factor, and energies per depth of the column.

    `put_in` and `taken` are those of the two parts, with a factor of 1.
    """

    tendency: Field
    factor: float
    put_in: float
    taken: float


def leith_e(
    q: Field, u: Field, v: Field, d: float, c2: tuple[float, float], c4: tuple[float, float],
    budget: tuple[float, float, float] | None = None, *, fields: tuple[str, str] = ("q", "q"),
    c6: tuple[float, float] = (0.0, 0.0),
) -> Found:  # fmt: skip
    """Tendency of q of one member, shapes (2, y, x); `budget` as (returned, limit, delta)."""
    returned, limit, delta = budget or (0.0, 1.0, 1.0)
    shares = np.array([delta, 1.0]) / (1.0 + delta)

    def bent(field: Field) -> Field:
        neighbours = [np.roll(field, n, axis) - field for n in (1, -1) for axis in (1, 2)]
        laplacian: Field = np.sum(neighbours, axis=0) / d**2
        return laplacian

    laplacian = bent(q)

    def along(field: Field, axis: int) -> Field:
        centred: Field = (np.roll(field, -1, axis) - np.roll(field, 1, axis)) / (2 * d)
        return centred

    s = d**2 * laplacian if fields[0] == "laplacian" else q
    m = d**3 * np.hypot(along(s, 2), along(s, 1))
    if fields[0] == "strain":
        m = d**2 * np.hypot(along(u, 2) - along(v, 1), along(u, 1) + along(v, 2))
    b = along(v, 2) - along(u, 1) if fields[1] == "vorticity" else q

    def flux(phi: Field) -> tuple[Field, Field]:
        x, y = ((np.roll(phi, -1, axis) - phi) / d for axis in (2, 1))
        return (m + np.roll(m, -1, 2)) / 2 * x, (m + np.roll(m, -1, 1)) / 2 * y

    def energy(phi: Field) -> float:
        x, y = flux(phi)
        v_face, u_face = (v + np.roll(v, -1, 2)) / 2, (u + np.roll(u, -1, 1)) / 2
        return float(shares @ (v_face * x - u_face * y).mean(axis=(1, 2)))

    down = np.array(c2)[:, None, None] * b
    hyper = -np.array(c4)[:, None, None] * d**2 * laplacian
    hyper += np.array(c6)[:, None, None] * d**4 * bent(laplacian)
    put_in, taken = energy(down), -energy(hyper)
    factor = 1.0
    if budget is not None:
        factor = float(np.clip(returned * taken / put_in, 0.0, limit)) if put_in > 0.0 else 0.0
    x, y = flux(factor * down + hyper)
    tendency = (x - np.roll(x, 1, 2)) / d + (y - np.roll(y, 1, 1)) / d
    return Found(tendency, factor, put_in, taken)


def with_exact_energy(rng: np.random.Generator, n_y: int, n_x: int, d: float) -> dict[str, Field]:
    """Any q and psi, and u and v whose means at faces are differences of that psi.

    Both numbers of points are odd: the mean of two neighbours then has an inverse.
    """
    q, psi = rng.standard_normal((2, 2, n_y, n_x))
    mean_x, mean_y = ((np.eye(n) + np.roll(np.eye(n), 1, axis=1)) / 2 for n in (n_x, n_y))
    v = ((np.roll(psi, -1, 2) - psi) / d) @ np.linalg.inv(mean_x).T
    u = -np.linalg.inv(mean_y) @ ((np.roll(psi, -1, 1) - psi) / d)
    return {"q": q, "psi": psi, "u": u, "v": v}
