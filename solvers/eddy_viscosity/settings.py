"""What a user chooses of an eddy viscosity."""

import math
from dataclasses import dataclass

SCALES = ("uniform", "smagorinsky", "leith")
AVERAGES = ("global", "local")
CLIPPINGS = ("none", "coefficient", "numerator")
N_INVARIANT = 6
"""Invariants of the local flow that `LinearPolicy` weighs."""


def _require(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(
            f"eddy viscosity: {name}: expected one of {', '.join(known)}, got {value!r}"
        )


def _require_finite(**numbers: float) -> None:
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise ValueError(f"eddy viscosity: {name}: expected a finite number, got {number}")


def _require_width(width: float | None) -> None:
    if width is not None and not 0.0 < width < math.inf:
        raise ValueError(
            f"eddy viscosity: filter_width: expected a positive length or None, got {width}"
        )


@dataclass(frozen=True, kw_only=True)
class EddyViscosity:
    r"""An eddy viscosity and an eddy hyperviscosity with given coefficients, of any sign.

    .. math::
        T = \nabla \cdot (\nu_2 \nabla \omega) - \nabla \cdot (\nu_4 \nabla \nabla^2 \omega),

    where, with the filter width D,

    - ``"smagorinsky"``: :math:`\nu_2 = c_2 D^2 |S|` and :math:`\nu_4 = c_4 D^4 |S|` with
      :math:`|S|^2 = (\partial_x u - \partial_y v)^2 + (\partial_y u + \partial_x v)^2`;
    - ``"leith"``: :math:`\nu_2 = c_2 D^3 |\nabla \omega|` and
      :math:`\nu_4 = c_4 D^5 |\nabla \omega|`;
    - ``"uniform"``: :math:`\nu_2 = c_2` and :math:`\nu_4 = c_4`.

    A negative c2 with a positive c4 takes enstrophy out at the smallest scales and gives part of
    it back at larger ones.

    Parameters
    ----------
    scale
        What the viscosity is proportional to, see above.
    c2, c4
        Coefficients [1]; of ``"uniform"`` [length2 / time] and [length4 / time].
    filter_width
        D [length]; default: that of the shortest wave kept, ``1.5 sqrt(dx dy)``.
    net_dissipation
        If given, a limiter: where the viscosity is negative it is scaled down, everywhere by the
        same factor, until all of the closure takes out at least this part of the enstrophy that
        the rest of it takes out [1], from 0 to 1.

    Raises
    ------
    ValueError
        If one of these is out of range.

    References
    ----------
    Smagorinsky (1963), Mon. Weather Rev. 91, 99. Leith (1996), Physica D 98, 481.
    Fox-Kemper and Menemenlis (2008), doi:10.1029/177GM19, for the biharmonic form.
    """

    scale: str = "leith"
    c2: float = 0.0
    c4: float = 0.0
    filter_width: float | None = None
    net_dissipation: float | None = None

    def __post_init__(self) -> None:
        _require("scale", self.scale, SCALES)
        _require_finite(c2=self.c2, c4=self.c4)
        _require_width(self.filter_width)
        if self.net_dissipation is not None and not 0.0 <= self.net_dissipation <= 1.0:
            raise ValueError(
                "eddy viscosity: net_dissipation: expected a number of 0 to 1 or None, "
                f"got {self.net_dissipation}"
            )


@dataclass(frozen=True, kw_only=True)
class DynamicEddyViscosity:
    r"""An eddy viscosity whose coefficient the resolved flow tells, by the identity of Germano.

    The hat is a sharp filter that keeps half of the waves that the model keeps, along x and
    along y; s is the scale and n its power of the width, 2 or 3. What the model would have to
    contribute on the grid of the hat is known from the resolved waves:

    .. math::
        L = \widehat{\mathbf{u} \omega} - \hat{\mathbf{u}} \hat\omega, \qquad
        M = D^n (\widehat{s \nabla\omega} - 2^n \hat s \nabla\hat\omega), \qquad
        c = \langle L \cdot M \rangle / \langle M \cdot M \rangle .

    Parameters
    ----------
    scale
        ``"smagorinsky"`` or ``"leith"``, as of `EddyViscosity`.
    average
        What the mean of numerator and denominator is over: ``"global"``, the domain, one
        coefficient; ``"local"``, a Gaussian of width 4 D around each point, a field.
    clipping
        ``"none"``; ``"coefficient"``: a negative coefficient is 0; ``"numerator"``: negative
        values of ``L . M`` are 0 before the mean is taken, which gives larger coefficients.
    filter_width
        D, see `EddyViscosity`.

    Raises
    ------
    ValueError
        If a name is unknown or the width is not positive.

    References
    ----------
    Germano et al. (1991), Phys. Fluids A 3, 1760. Lilly (1992), Phys. Fluids A 4, 633, for least
    squares. Here with the flux of vorticity in place of that of momentum.
    """

    scale: str = "leith"
    average: str = "global"
    clipping: str = "coefficient"
    filter_width: float | None = None

    def __post_init__(self) -> None:
        _require("scale", self.scale, SCALES[1:])
        _require("average", self.average, AVERAGES)
        _require("clipping", self.clipping, CLIPPINGS)
        _require_width(self.filter_width)


@dataclass(frozen=True, kw_only=True)
class Backscatter:
    r"""Biharmonic Leith that returns part of the energy it takes out, at larger scales.

    :math:`\nu_4 = c_4 D^5 |\nabla\omega|` takes energy out at the rate

    .. math:: \epsilon = \langle \nu_4 \nabla\psi \cdot \nabla\nabla^2\omega \rangle,

    and a uniform negative viscosity :math:`\nu_2 = -r \max(\epsilon, 0) / \langle\omega^2\rangle`
    gives the part r of it back: energy is limited, for no state gains any.

    Parameters
    ----------
    c4
        Coefficient of biharmonic Leith [1], not negative.
    returned
        The part r [1], from 0 to 1.
    filter_width
        D, see `EddyViscosity`.

    Raises
    ------
    ValueError
        If one of these is out of range.

    References
    ----------
    Jansen and Held (2014), Ocean Modell. 80, 36.
    """

    c4: float = 0.004
    returned: float = 0.5
    filter_width: float | None = None

    def __post_init__(self) -> None:
        _require_finite(c4=self.c4)
        if self.c4 < 0.0:
            raise ValueError(f"eddy viscosity: c4: expected no negative number, got {self.c4}")
        if not 0.0 <= self.returned <= 1.0:
            raise ValueError(
                f"eddy viscosity: returned: expected a number of 0 to 1, got {self.returned}"
            )
        _require_width(self.filter_width)


@dataclass(frozen=True, kw_only=True)
class LinearPolicy:
    r"""An eddy viscosity with coefficients that are linear in invariants of the local flow.

    As `EddyViscosity`, with :math:`c = \sum_j a_j x_j` at every point, cut off at the bounds. The
    invariants x, which no turning, mirroring or steady wind changes, are, in their order: 1;
    :math:`|\nabla\omega|` over its root mean square in the domain, minus 1;
    :math:`(|S|^2 - \omega^2) / (|S|^2 + \omega^2)`; :math:`|S|` over its root mean square, minus 1;
    :math:`-2 \nabla\omega \cdot S \nabla\omega / (|\nabla\omega|^2 |S|)`, from -1 to 1;
    :math:`|\omega|` over its root mean square, minus 1.

    In an integration, ``eddy.weights``, shape ``(n_member, 2, 6)``, may be changed between steps,
    so that each member follows a policy of its own. With an `update_interval` above 1 coefficients
    are held from one step to the next; where ``eddy.found``, shape ``(n_member,)``, is set to 0,
    they are found anew in the next step, as they should be after a state or weights were replaced.

    Parameters
    ----------
    weights2, weights4
        The six weights a of c2 and of c4 [1].
    bounds2, bounds4
        Smallest and largest value of c2 and c4 [1]; with both 0, no hyperviscosity is computed.
    update_interval
        Coefficients are found at the beginning of every step whose number, from 0, is a multiple of
        this, and held in between, point by point; with 1, at every evaluation of the tendency.
        Gradients, viscosities and the limiter are those of each evaluation in any case.
    scale, filter_width, net_dissipation
        As of `EddyViscosity`.

    Raises
    ------
    ValueError
        If there are not six weights, or one of the others is out of range.
    TypeError
        If `update_interval` is no whole number.
    """

    weights2: tuple[float, ...] = (0.0,) * N_INVARIANT
    weights4: tuple[float, ...] = (0.0,) * N_INVARIANT
    bounds2: tuple[float, float] = (-0.02, 0.06)
    bounds4: tuple[float, float] = (0.0, 0.0)
    update_interval: int = 1
    scale: str = "leith"
    filter_width: float | None = None
    net_dissipation: float | None = 0.1

    def __post_init__(self) -> None:
        # What it shares is checked by what it shares it with.
        EddyViscosity(
            scale=self.scale, filter_width=self.filter_width, net_dissipation=self.net_dissipation
        )
        for name in ("weights2", "weights4"):
            weights = getattr(self, name)
            if len(weights) != N_INVARIANT or not all(map(math.isfinite, weights)):
                raise ValueError(
                    f"eddy viscosity: {name}: expected {N_INVARIANT} finite numbers, got {weights}"
                )
        for name in ("bounds2", "bounds4"):
            low, high = getattr(self, name)
            if not -math.inf < low <= high < math.inf:
                raise ValueError(
                    f"eddy viscosity: {name}: expected a lower and an upper bound, "
                    f"got {(low, high)}"
                )
        # True is an int to Python, and 2.5 would be compared without complaint.
        if type(self.update_interval) is not int:
            raise TypeError(
                "eddy viscosity: update_interval: expected a whole number of steps, "
                f"got {self.update_interval!r}"
            )
        if self.update_interval < 1:
            raise ValueError(
                "eddy viscosity: update_interval: expected at least 1 step, "
                f"got {self.update_interval}"
            )


Viscosity = EddyViscosity | DynamicEddyViscosity | Backscatter | LinearPolicy
