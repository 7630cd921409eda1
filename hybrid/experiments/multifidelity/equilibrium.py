"""Cheap physics of Lorenz-96: a polynomial that nobody tuned to the subgrid tendency."""

import numpy as np
from numpy.typing import NDArray

from solvers.lorenz96 import Lorenz96
from solvers.lorenz96_two_scale import TwoScaleLorenz96Wilks

Array = NDArray[np.float64]

DEGREE = 3
"""Of the polynomial: the cubic that Lorenz-96 closures usually are."""

RING = 36
"""Variables of the fast ring whose mean is taken: it no longer depends on their number."""

_STEP = 0.005
_SPIN_UP_TIME, _MEAN_TIME = 5.0, 25.0
_SAVE_TIME = 0.1
_N_MEMBER = 4


def equilibrium_mean(forcings: Array) -> Array:
    """Return the mean of one-scale Lorenz-96 by forcing, from runs of a fixed seed.

    Parameters
    ----------
    forcings
        ``(n,)`` [1], of either sign.
    """
    means = []
    for forcing in forcings:
        run = Lorenz96(n_k=RING, forcing=float(forcing), dt=_STEP).run(
            time=_SPIN_UP_TIME + _MEAN_TIME,
            save_every=_SAVE_TIME,
            n_member=_N_MEMBER,
            seed=1,
            progress=False,
        )
        means.append(float(run["x"].sel(time=slice(_SPIN_UP_TIME, None)).mean()))
    return np.array(means)


def equilibrium_polynomial(
    model: TwoScaleLorenz96Wilks, low: float, high: float, n_value: int = 21
) -> tuple[float, ...]:
    r"""Return the coefficients of a closure by the averaging principle, lowest power first.

    With X held fixed and the same in all sectors, ``Z = b Y`` in units of time ``1 / c`` obeys
    one-scale Lorenz-96 with forcing ``h X``. If the fast variables were always in that
    equilibrium, whose mean is m, the slow ones would feel

    .. math:: U(X) = -\frac{h c J}{b^2} \, m(h X),

    of which this is the least-squares polynomial over a range of X. No subgrid tendency of the
    two-scale model enters, nor the forcing of its slow variables: what is wrong in it, memory and
    neighbours, is as wrong in one climate as in another.

    Parameters
    ----------
    model
        Gives h, c, b and the number of fast variables.
    low, high
        Range of X [1].
    n_value
        Values of X, equally far apart.

    References
    ----------
    Fatkullin and Vanden-Eijnden (2004), J. Comput. Phys. 200, 605-638, close Lorenz-96 by runs of
    its fast variables with the slow ones fixed.
    """
    x = np.linspace(low, high, n_value)
    tendency = -model.h * model.c * model.n_j / model.b**2 * equilibrium_mean(model.h * x)
    polynomial = np.polynomial.Polynomial.fit(x, tendency, DEGREE).convert()
    return tuple(float(value) for value in polynomial.coef)
