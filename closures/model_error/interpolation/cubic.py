"""Piecewise cubic interpolation on a triangulation of the sensors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import griddata

from closures.model_error.interpolation.errors import InterpolationError
from closures.model_error.interpolation.interpolator import Interpolant, OnProgress
from closures.model_error.interpolation.sensors import Sensors

_HALO = 8.0


@dataclass(frozen=True)
class CubicInterpolator:
    """Cubic polynomials on the triangles between sensors, with continuous slopes.

    Beyond the outermost sensors, near walls, the value of the nearest one. Periodic dimensions
    are continued by images of the sensors near their ends. For one and two dimensions.

    References
    ----------
    Clough & Tocher 1965, in: Proc. Conf. Matrix Methods in Structural Mechanics. Alfeld 1984,
    Comput. Aided Geom. Des. 1, 169.

    Examples
    --------
    >>> from closures.model_error.interpolation import Domain
    >>> circle = Domain((0.0,), (2.0 * np.pi,), (True,))
    >>> x = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)[:, None]
    >>> sine = CubicInterpolator().fit(Sensors(x, np.sin(x[:, 0]), circle))
    >>> print(f"{sine([[0.25 * np.pi]])[0, 0]:.2f}")
    0.71
    """

    def fit(self, sensors: Sensors, on_progress: OnProgress | None = None) -> Interpolant:
        """Return fields through what sensors measured; see `Interpolator.fit`."""
        domain = sensors.domain
        if domain.n_dimension > 2:
            raise InterpolationError(
                f"cubic: expected one or two dimensions, got {domain.n_dimension}; choose the "
                "radial or the Fourier interpolator"
            )
        width = _HALO * domain.spacing(len(sensors))
        positions, sources = domain.with_images(sensors.positions, width)
        values = sensors.values[:, sources].T
        # In one dimension scipy wants an increasing list of numbers.
        where = positions if domain.n_dimension > 1 else positions[:, 0]
        if on_progress is not None:
            on_progress(1.0)

        def at(points: ArrayLike) -> NDArray[np.float64]:
            wrapped = domain.wrapped(points)
            wanted = wrapped if domain.n_dimension > 1 else wrapped[:, 0]
            inside = griddata(where, values, wanted, method="cubic")
            outside = np.isnan(inside).any(axis=1)
            if outside.any():
                inside[outside] = griddata(where, values, wanted[outside], method="nearest")
            return np.asarray(inside.T)

        return at
