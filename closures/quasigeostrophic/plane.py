"""The waves that take part in closures of two-layer flow; compiled by TorchScript."""

from torch import Tensor

from closures.turbulence.flow import Waves, waves


def whole_plane(field: Tensor, dy: float, dx: float) -> Waves:
    """Return the wavenumbers of the grid of a field, all kept but the shortest wave.

    As in pyqg, the filter that ends a time step is the only dealiasing. The shortest wave, of two
    points, has no derivative on the grid; that filter removes it.
    """
    return waves(field, dy, dx, 2)
