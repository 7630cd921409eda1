"""Coarse models side by side, of which some may be lost."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hybrid.environments.reference import Array
from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.spectral import to_grid

RUNAWAY = 100.0
"""Standard deviations of the vorticity that no flow reaches: what does will not stay finite [1]."""

_MOST_STEPS = 1000


def started(model: Barotropic, initial: Array, n_thread: int = 1) -> BarotropicIntegration:
    """Begin runs of a model.

    Parameters
    ----------
    model
        The model.
    initial
        Vorticity of its members, shape ``(n, ny, nx)`` [1 / time].
    n_thread
        Threads that share the members.
    """
    integration = model.start(initial, n_thread=n_thread)
    assert isinstance(integration, BarotropicIntegration)
    return integration


def visited(
    integration: BarotropicIntegration, interval: int, n: int, largest: float
) -> Iterator[tuple[Array, NDArray[np.bool_]]]:
    """Advance members and yield their vorticity again and again.

    Parameters
    ----------
    integration
        The members.
    interval
        Steps between states.
    n
        Number of states.
    largest
        Vorticity that no member may reach [1 / time]; what does, or is not finite, is lost and
        lies still from then on.

    Yields
    ------
    ndarray, ndarray
        Vorticity, shape ``(member, y, x)`` [1 / time], and which members are lost so far.
    """
    lost = np.zeros(integration.n_member, dtype=np.bool_)
    whole, rest = divmod(interval, _MOST_STEPS)
    parts = [_MOST_STEPS] * whole + [rest] * (rest > 0)
    for _ in range(n):
        for part in parts:
            lost |= integration.advance_each(part) < part
        fields = to_grid(integration.vorticity_spectrum, integration.model.grid.shape)
        lost |= ~(np.abs(fields).max(axis=(1, 2)) < largest)
        if lost.any():
            integration.vorticity_spectrum[lost] = 0.0
            integration.memory[lost] = 0.0
            fields[lost] = 0.0
        yield fields, lost.copy()
