"""Leith diffusion of potential vorticity with an energy budget, by differences."""

import math
from collections.abc import Mapping
from itertools import product
from typing import Literal, get_args

import torch
from torch import Tensor

from closures.base import Closure
from closures.errors import SpecError
from closures.quasigeostrophic.leith import BACHMAN
from closures.quasigeostrophic.specification import layer_spec

GROOMS = (
    'Grooms (2023), Ocean Modell., "Backscatter in energetically-constrained Leith '
    'parameterizations"'
)


Scale = Literal["q", "laplacian", "strain"]
"""What the diffusivity of `LeithE` goes with: gradients of q or of d^2 lap q, or the strain."""

Backscattered = Literal["q", "vorticity"]
"""Field b of `LeithE` that is anti-diffused: potential or relative vorticity."""

_CHOICES = tuple(product(get_args(Scale), get_args(Backscattered)))


class LeithE(Closure):
    r"""QG Leith diffusion of fourth or sixth order whose energy returns by harmonic anti-diffusion.

    .. math::
        T = \nabla \cdot (m \nabla \phi), \quad m = d^3 |\nabla s|, \quad
        \phi = f c_2 b - c_4 d^2 \nabla^2 q + c_6 d^4 \nabla^4 q,

    in each layer, by second-order differences on square cells of width d. The field s is q, or its
    Laplacian times d^2, which knows the smallest scales alone; where the rate of strain is chosen,
    Smagorinsky's scale, which knows larger ones, :math:`m = d^2 |S|` with
    :math:`|S|^2 = (u_x - v_y)^2 + (u_y + v_x)^2`. The field b is q, or the relative vorticity,
    which knows nothing of how thick layers are, so that its fluxes are those of momentum. The
    factor f, one for both layers, makes the anti-diffusion put the part r of the energy back that
    the diffusive part takes out of the column:

    .. math::
        f = r \frac{-E(-c_4 d^2 \nabla^2 q + c_6 d^4 \nabla^4 q)}{E(c_2 b)}, \quad
        E(\phi) = \sum_z \frac{H_z}{H} \langle m \nabla\phi \cdot \nabla\psi \rangle
        = \sum_z \frac{H_z}{H} \langle m (v \partial_x \phi - u \partial_y \phi) \rangle,

    where m, u and v at the faces of cells are means of two cells. It is 0 where the anti-diffusion
    puts no energy in or the diffusive part takes none out, and `largest_factor` at most. u and v
    are departures from the mean flow: a mean of theirs would do work on the mean flux.

    `solvers.LeithE` is the same, compiled into the time loop of `solvers.TwoLayerQG`.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m], the same.
    c2
        Coefficients of anti-diffusion of the upper and the lower layer [1], none positive; with
        `returned`, only their ratio to each other and to the limit matters.
    c4, c6
        Coefficients of diffusion of fourth and of sixth order of both layers [1], none negative.
    returned
        Part r of the energy that is put back [1]; None: f is 1, and nothing is asked of energy.
    largest_factor
        Limit of f [1], which may be infinite; given with `returned` and not without.
    delta
        Ratio of the layer depths ``H_1 / H_2`` [1], see `Stratification.of`; likewise.
    fields
        What s and b are: ``"q"``, ``"laplacian"``, d^2 times that of q, or ``"strain"``; and
        ``"q"``, or ``"vorticity"``, the relative one.
    largest
        Largest magnitudes of q, u and v that it was made for [s-1, m s-1], by name; see
        `layer_spec`.

    Raises
    ------
    SpecError
        If the cells are not square, an argument is out of range, not all or none of `returned`,
        `largest_factor` and `delta` are given, or `largest` names no input.

    References
    ----------
    Grooms (2023), Ocean Modell., "Backscatter in energetically-constrained Leith
    parameterizations", for the budget; Bachman et al. (2017), J. Geophys. Res. Oceans 122, 1529,
    for Leith diffusion of potential vorticity.
    """

    def __init__(  # noqa: PLR0913 -- a setting each
        self,
        spacing: tuple[float, float],
        *,
        c2: tuple[float, float],
        c4: tuple[float, float],
        c6: tuple[float, float] = (0.0, 0.0),
        returned: float | None = None,
        largest_factor: float | None = None,
        delta: float | None = None,
        fields: tuple[Scale, Backscattered] = ("q", "q"),
        largest: Mapping[str, float] | None = None,
    ) -> None:
        _require_square(spacing)
        _require(c2, -1.0, "c2", "no positive ones")
        _require(c4, 1.0, "c4", "no negative ones")
        _require(c6, 1.0, "c6", "no negative ones")
        _require_budget(returned, largest_factor, delta)
        if fields not in _CHOICES:
            raise SpecError(f"fields: expected one of {_CHOICES}, got {fields}")
        how = "as given" if returned is None else f"{returned:g} of the energy returned"
        coefficients = f"c2 = {_text(c2)}, c4 = {_text(c4)}"
        if any(c6):
            coefficients += f", c6 = {_text(c6)}"
        description = f"QG Leith, {coefficients}, {how}"
        if largest_factor is not None:
            description += f", largest factor {largest_factor:g}"
        if fields[0] == "laplacian":
            description += ", scaled by the gradient of the Laplacian"
        if fields[0] == "strain":
            description += ", scaled by the rate of strain"
        if fields[1] == "vorticity":
            description += ", of relative vorticity"
        super().__init__(
            layer_spec("leith_e", spacing, "quv", description, (GROOMS, BACHMAN), largest)
        )
        self.upper2, self.lower2 = map(float, c2)
        self.upper4, self.lower4 = map(float, c4)
        self.upper6, self.lower6 = map(float, c6)
        self.has_sixth_order = any(c6)
        self.has_budget = returned is not None
        self.returned = 0.0 if returned is None else float(returned)
        self.largest_factor = 1.0 if largest_factor is None else float(largest_factor)
        self.of_laplacian, self.of_strain = fields[0] == "laplacian", fields[0] == "strain"
        self.of_vorticity = fields[1] == "vorticity"
        self.per_two_cells = 0.5 / spacing[0]
        ratio = 1.0 if delta is None else float(delta)
        self.share1, self.share2 = ratio / (1.0 + ratio), 1.0 / (1.0 + ratio)

    def forward(self, q: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of q [s-1], u and v [m s-1], all ``(n, 2, y, x)``."""
        # In units of the grid: the spacing drops out, of the tendency and of the factor.
        laplacian = _laplacian(q)
        if self.of_strain:
            normal = _east(u) - _west(u) - _north(v) + _south(v)
            shear = _east(v) - _west(v) + _north(u) - _south(u)
            m = self.per_two_cells * torch.sqrt(normal * normal + shear * shear)
        else:
            scale = laplacian if self.of_laplacian else q
            gx, gy = _east(scale) - _west(scale), _north(scale) - _south(scale)
            m = 0.5 * torch.sqrt(gx * gx + gy * gy)
        mx, my = 0.5 * (m + _east(m)), 0.5 * (m + _north(m))
        raised = q
        if self.of_vorticity:
            raised = self.per_two_cells * (_east(v) - _west(v) - _north(u) + _south(u))
        down = self._weighted(raised, self.upper2, self.lower2)
        hyper = -self._weighted(laplacian, self.upper4, self.lower4)
        if self.has_sixth_order:
            hyper = hyper + self._weighted(_laplacian(laplacian), self.upper6, self.lower6)
        if self.has_budget:
            vx, uy = 0.5 * mx * (v + _east(v)), 0.5 * my * (u + _north(u))
            put_in, taken = self._energy(vx, uy, down), -self._energy(vx, uy, hyper)
            safe = torch.where(put_in > 0.0, put_in, 1.0)
            factor = torch.where(put_in > 0.0, self.returned * taken / safe, 0.0)
            down = down * torch.clamp(factor, 0.0, self.largest_factor)
        phi = down + hyper
        x, y = mx * (_east(phi) - phi), my * (_north(phi) - phi)
        return (x - _west(x) + y - _south(y),)

    def _weighted(self, field: Tensor, upper: float, lower: float) -> Tensor:
        return torch.cat([upper * field[:, :1], lower * field[:, 1:]], dim=1)

    def _energy(self, vx: Tensor, uy: Tensor, phi: Tensor) -> Tensor:
        """Return the energy put into the column by the flux down a field, ``(n, 1, 1, 1)``."""
        work = vx * (_east(phi) - phi) - uy * (_north(phi) - phi)
        mean = work.mean((2, 3), keepdim=True)
        return self.share1 * mean[:, :1] + self.share2 * mean[:, 1:]


def _east(field: Tensor) -> Tensor:
    return torch.roll(field, -1, 3)


def _west(field: Tensor) -> Tensor:
    return torch.roll(field, 1, 3)


def _north(field: Tensor) -> Tensor:
    return torch.roll(field, -1, 2)


def _south(field: Tensor) -> Tensor:
    return torch.roll(field, 1, 2)


def _laplacian(field: Tensor) -> Tensor:
    return _east(field) + _west(field) + _north(field) + _south(field) - 4.0 * field


def _text(values: tuple[float, float]) -> str:
    return f"({values[0]:g}, {values[1]:g})"


def _require_square(spacing: tuple[float, float]) -> None:
    if not math.isclose(*spacing):
        raise SpecError(
            f"spacing: expected square grid cells, got dy = {spacing[0]:g} m and "
            f"dx = {spacing[1]:g} m"
        )


def _require(values: tuple[float, float], sign: float, name: str, which: str) -> None:
    if len(values) != 2 or not all(0.0 <= sign * value < math.inf for value in values):
        raise SpecError(
            f"{name}: expected two finite numbers, one for each layer, {which}, got {values}"
        )


def _require_budget(
    returned: float | None, largest_factor: float | None, delta: float | None
) -> None:
    budget = (returned, largest_factor, delta)
    if (None in budget) != (budget == (None, None, None)):
        raise SpecError(
            "expected returned, largest_factor and delta together or none of them, "
            f"got {returned}, {largest_factor} and {delta}"
        )
    if returned is not None and not 0.0 <= returned < math.inf:
        raise SpecError(f"returned: expected a number of at least 0, got {returned}")
    if largest_factor is not None and not largest_factor > 0.0:
        raise SpecError(f"largest_factor: expected a positive number, got {largest_factor}")
    if delta is not None and not 0.0 < delta < math.inf:
        raise SpecError(f"delta: expected a positive number, got {delta}")
