"""Leith diffusion of potential vorticity with an energy budget, computed inside the time loop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

from solvers.errors import TendencyError
from solvers.leith_e_kernel import OF_LAPLACIAN, OF_Q, OF_STRAIN, call, context_of
from solvers.tendency_function import function_address
from solvers.tendency_source import BoundTendency, GridField
from solvers.two_layers import require_two_layers

Scale = Literal["q", "laplacian", "strain"]
"""What the diffusivity of `LeithE` goes with: gradients of q or of d^2 lap q, or the strain."""

Backscattered = Literal["q", "vorticity"]
"""Field b of `LeithE` that is anti-diffused: potential or relative vorticity."""

_SCALES: dict[Scale, int] = {"q": OF_Q, "laplacian": OF_LAPLACIAN, "strain": OF_STRAIN}
_CHOICES = tuple(product(get_args(Scale), get_args(Backscattered)))


@dataclass(frozen=True, kw_only=True)
class LeithE:
    r"""QG Leith diffusion of fourth or sixth order whose energy returns by harmonic anti-diffusion.

    .. math::
        T = \nabla \cdot (m \nabla \phi), \quad m = d^3 |\nabla s|, \quad
        \phi = f c_2 b - c_4 d^2 \nabla^2 q + c_6 d^4 \nabla^4 q

    in each layer of two-layer flow, by second-order differences on a doubly periodic grid of
    square cells of width d. The field s is q, or its Laplacian times d^2, which knows the smallest
    scales alone; where the rate of strain is chosen, Smagorinsky's scale, which knows larger ones,
    :math:`m = d^2 |S|` with :math:`|S|^2 = (u_x - v_y)^2 + (u_y + v_x)^2`. The field b is q, or
    the relative vorticity, which knows nothing of how thick layers are, so that its fluxes are
    those of momentum. The factor f, one for both layers, makes the anti-diffusion put the part r
    of the energy back that the diffusive part takes out of the column:

    .. math::
        f = r \frac{-E(-c_4 d^2 \nabla^2 q + c_6 d^4 \nabla^4 q)}{E(c_2 b)}, \quad
        E(\phi) = \sum_z \frac{H_z}{H} \langle m \nabla\phi \cdot \nabla\psi \rangle
        = \sum_z \frac{H_z}{H} \langle m (v \partial_x \phi - u \partial_y \phi) \rangle,

    where m, u and v at the faces of cells are means of two cells. It is 0 where the anti-diffusion
    puts no energy in or the diffusive part takes none out, and `largest_factor` at most.

    Each member of a run has work space of its own, in the precision of the model. The same
    closure, as archives take it, is `closures.quasigeostrophic.LeithE`.

    Parameters
    ----------
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
        Ratio of the layer depths ``H_1 / H_2`` [1], that of the model; likewise.
    fields
        What s and b are: ``"q"``, ``"laplacian"``, d^2 times that of q, or ``"strain"``; and
        ``"q"``, or ``"vorticity"``, the relative one.

    Raises
    ------
    ValueError
        If one of these is out of range, or some of `returned`, `largest_factor` and `delta` are
        given and others not.
    TendencyError
        When it is coupled, if the model is none of two layers or its grid cells are not square.

    References
    ----------
    Grooms (2023), Ocean Modell., "Backscatter in energetically-constrained Leith
    parameterizations", for the budget; Bachman et al. (2017), J. Geophys. Res. Oceans 122, 1529,
    for Leith diffusion of potential vorticity.

    Examples
    --------
    >>> from solvers import TwoLayerQG
    >>> model = TwoLayerQG(nx=32)
    >>> closure = LeithE(
    ...     c2=(-1.0, -1.0), c4=(0.01, 0.01), returned=0.5, largest_factor=1.0, delta=model.delta
    ... )
    >>> run = model.run(days=1, save_every=1, tendency=closure)
    """

    c2: tuple[float, float]
    c4: tuple[float, float]
    c6: tuple[float, float] = (0.0, 0.0)
    returned: float | None = None
    largest_factor: float | None = None
    delta: float | None = None
    fields: tuple[Scale, Backscattered] = ("q", "q")

    def __post_init__(self) -> None:
        _require(self.c2, -1.0, "c2", "no positive ones")
        _require(self.c4, 1.0, "c4", "no negative ones")
        _require(self.c6, 1.0, "c6", "no negative ones")
        budget = (self.returned, self.largest_factor, self.delta)
        if (None in budget) != (budget == (None, None, None)):
            raise ValueError(
                "LeithE: expected returned, largest_factor and delta together or none of them, "
                f"got {self.returned}, {self.largest_factor} and {self.delta}"
            )
        if self.returned is not None and not 0.0 <= self.returned < math.inf:
            raise ValueError(
                f"LeithE: returned: expected a number of at least 0, got {self.returned}"
            )
        if self.largest_factor is not None and not self.largest_factor > 0.0:
            raise ValueError(
                f"LeithE: largest_factor: expected a positive number, got {self.largest_factor}"
            )
        if self.delta is not None and not 0.0 < self.delta < math.inf:
            raise ValueError(f"LeithE: delta: expected a positive number, got {self.delta}")
        if self.fields not in _CHOICES:
            raise ValueError(f"LeithE: fields: expected one of {_CHOICES}, got {self.fields}")

    @property
    def description(self) -> str:
        """What data say of the run's closure."""
        return repr(self)

    def bind(
        self, member: int, fields: Sequence[GridField], tendencies: Sequence[GridField]
    ) -> BoundTendency:
        """Return the compiled function with work space of a member.

        Raises
        ------
        TendencyError
            If the fields are not those of two layers on square grid cells.
        """
        del member
        require_two_layers("LeithE", fields, tendencies)
        q = fields[0]
        dx, dy = q.spacing["x"], q.spacing["y"]
        if not math.isclose(dx, dy):
            raise TendencyError(
                f"LeithE: expected square grid cells, got dx = {dx:g} m and dy = {dy:g} m; "
                "choose ny / nx like length_y / length_x"
            )
        delta = 1.0 if self.delta is None else self.delta
        shares = (delta / (1.0 + delta), 1.0 / (1.0 + delta))
        budget = None
        if self.returned is not None and self.largest_factor is not None:
            budget = (self.returned, self.largest_factor)
        n_y, n_x = q.array.shape[-2:]
        context = context_of(
            q.array.dtype, (n_y, n_x), self.c2, self.c4, self.c6, shares, budget,
            _SCALES[self.fields[0]], self.fields[1] == "vorticity", dx,
        )  # fmt: skip
        function = function_address(call, q.array.dtype.name)
        return BoundTendency(function, context.ctypes.data, keep_alive=context)


def _require(values: tuple[float, float], sign: float, name: str, which: str) -> None:
    if len(values) != 2 or not all(0.0 <= sign * value < math.inf for value in values):
        raise ValueError(
            f"LeithE: {name}: expected two finite numbers, one for each layer, {which}, "
            f"got {values}"
        )
