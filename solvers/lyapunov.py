"""How fast nearby states of a model part."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solvers.model import Model


class LyapunovExponent(NamedTuple):
    """An estimate of the largest Lyapunov exponent.

    Parameters
    ----------
    value
        Mean over the members [1 / time].
    standard_error
        Its standard error, from the scatter of the members [1 / time]; NaN with one member.
    """

    value: float
    standard_error: float


def largest_lyapunov_exponent(
    model: Model,
    *,
    time: float,
    interval: float,
    spin_up: float = 0.0,
    n_member: int = 8,
    initial: ArrayLike | None = None,
    size: float | None = None,
    seed: int = 0,
    n_thread: int = 1,
) -> LyapunovExponent:
    r"""Estimate the largest Lyapunov exponent from pairs of trajectories.

    .. math::
        \lambda = \frac{1}{n \tau} \sum_{i=1}^{n} \ln \frac{|d_i|}{\epsilon},

    where d_i is the difference of the two after the i-th interval :math:`\tau`, at whose
    beginning it was scaled to :math:`\epsilon`. The difference of everything that the next step
    depends on is scaled, so the estimate holds for multistep schemes too.

    Parameters
    ----------
    model
        A model.
    time
        Time over which growth is averaged, for each member [time].
    interval
        Time between rescalings [time]; so short that differences stay small.
    spin_up
        Time before, in which states come to the attractor, and differences turn into the direction
        that grows fastest [time].
    n_member
        Number of independent pairs, from random states.
    initial
        States to begin with instead, shape ``(n_member, ...)``: of a model that takes long to come
        to its attractor.
    size
        Size of the differences relative to that of the state [1]; default: the square root of the
        resolution of the model's numbers, about where rounding disturbs as little as nonlinearity.
    seed
        Seed of the initial states and of the first differences.
    n_thread
        Number of threads that share the trajectories.

    Returns
    -------
    LyapunovExponent
        The estimate with its standard error.

    Raises
    ------
    ValueError
        If a time is shorter than the interval, or the interval than a time step.

    References
    ----------
    Benettin, Galgani and Strelcyn (1976), Phys. Rev. A 14, 2338-2345.

    Examples
    --------
    >>> from solvers.lorenz63 import Lorenz63
    >>> found = largest_lyapunov_exponent(
    ...     Lorenz63(), time=100.0, interval=1.0, spin_up=20.0, n_member=10
    ... )
    >>> bool(abs(found.value - 0.906) < 4 * found.standard_error)
    True
    """
    n_step, n_interval = round(interval / model.dt), round(time / interval)
    if n_step < 1 or n_interval < 1:
        raise ValueError(
            f"interval: expected between dt = {model.dt:g} and time = {time:g}, got {interval:g}"
        )
    given = None if initial is None else np.asarray(initial)
    if given is not None:
        n_member = len(given)
    pairs = _Pairs(model, n_member, given, size, seed, n_thread)
    for _ in range(round(spin_up / interval)):
        pairs.growth(n_step)
    total = np.zeros(n_member)
    for _ in range(n_interval):
        total += pairs.growth(n_step)
    exponents = total / (n_interval * n_step * model.dt)
    error = exponents.std(ddof=1) / np.sqrt(n_member) if n_member > 1 else np.nan
    return LyapunovExponent(float(exponents.mean()), float(error))


class _Pairs:
    """Pairs of nearby trajectories: member i and member n_member + i of an integration."""

    def __init__(
        self,
        model: Model,
        n_member: int,
        initial: NDArray[Any] | None,
        size: float | None,
        seed: int,
        n_thread: int,
    ) -> None:
        rng = np.random.default_rng(seed)
        # A difference of two states keeps what the model demands of them, such as the mean.
        first, one, other = (model.random_state(n_member, rng) for _ in range(3))
        if initial is not None:
            first = initial
        if size is None:
            size = float(np.sqrt(np.finfo(getattr(model, "dtype", "float64")).eps))
        states = np.concatenate([first, first + size * (one - other)])
        self._integration = model.start(states, n_thread=n_thread)
        self._n, self._size = n_member, size
        # Of the beginning, and the same for ever: where states decay, so do their differences.
        self._scales = {
            name: float(np.mean(np.abs(array) ** 2)) or 1.0
            for name, array in self._integration.prognostic.items()
        }

    def growth(self, n_step: int) -> NDArray[np.float64]:
        """Advance, return the logarithm of the growth of each difference, and scale it back."""
        before = self._distance()
        self._integration.advance(n_step)
        distance = self._distance()
        for _, array in self._integration.restart_arrays.values():
            factor = (self._size / distance).reshape(-1, *[1] * (array.ndim - 1))
            near, far = array[: self._n], array[self._n :]
            far[...] = near + (factor * (far - near)).astype(array.dtype)
        return np.log(distance / before)

    def _distance(self) -> NDArray[np.float64]:
        """Return the distance of each pair, relative to the sizes of the prognostic fields [1]."""
        total = np.zeros(self._n)
        for name, array in self._integration.prognostic.items():
            difference = np.abs(array[self._n :] - array[: self._n]).astype(np.float64)
            axes = tuple(range(1, array.ndim))
            total += np.mean(difference**2, axis=axes) / self._scales[name]
        return np.sqrt(total)
