"""Interpolation by radial basis functions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RBFInterpolator

from closures.model_error.interpolation.errors import InterpolationError
from closures.model_error.interpolation.interpolator import Interpolant, OnProgress
from closures.model_error.interpolation.sensors import Sensors

# Width of the strip of periodic images, in spacings of sensors.
_HALO = 8.0


@dataclass(frozen=True)
class RadialInterpolator:
    """Sums of one function of the distance to each sensor, the multiquadric by default.

    Periodic dimensions are continued by images of the sensors near their ends, by
    eight spacings of sensors.

    Parameters
    ----------
    kernel
        As of `scipy.interpolate.RBFInterpolator`.
    sharpness
        Shape parameter, over the spacing of sensors: the kernel bends at ``spacing / sharpness``.
        Smaller is smoother and, below about 0.3, worse conditioned [1].
    smoothing
        0 to go through the values; positive to allow for their noise, on values scaled to a
        standard deviation of 1.
    n_neighbour
        Sensors that count for a point; None for all, whose cost grows with their cube.

    Raises
    ------
    InterpolationError
        If the sharpness is not positive or the smoothing negative.

    References
    ----------
    Hardy 1971, J. Geophys. Res. 76, 1905.

    Examples
    --------
    >>> from closures.model_error.interpolation import Domain
    >>> circle = Domain((0.0,), (2.0 * np.pi,), (True,))
    >>> x = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)[:, None]
    >>> sine = RadialInterpolator().fit(Sensors(x, np.sin(x[:, 0]), circle))
    >>> print(f"{sine([[0.25 * np.pi]])[0, 0]:.2f}")
    0.71
    """

    kernel: str = "multiquadric"
    sharpness: float = 0.5
    smoothing: float = 0.0
    n_neighbour: int | None = None

    def __post_init__(self) -> None:
        if not (self.sharpness > 0.0 and self.smoothing >= 0.0):
            raise InterpolationError(
                "radial: expected sharpness > 0 and smoothing >= 0, got "
                f"{self.sharpness} and {self.smoothing}"
            )

    def fit(self, sensors: Sensors, on_progress: OnProgress | None = None) -> Interpolant:
        """Return fields through what sensors measured; see `Interpolator.fit`."""
        domain = sensors.domain
        spacing = domain.spacing(len(sensors))
        positions, sources = domain.with_images(sensors.positions, _HALO * spacing)
        scaled = (sensors.values - sensors.mean) / sensors.spread
        try:
            radial = RBFInterpolator(
                positions,
                scaled[:, sources].T,
                kernel=self.kernel,
                epsilon=self.sharpness / spacing,
                smoothing=self.smoothing,
                neighbors=self.n_neighbour,
            )
        except np.linalg.LinAlgError as error:
            raise InterpolationError(
                "radial: expected sensors at different positions, got a singular matrix; drop "
                "those that are twice at one place, or set a positive smoothing"
            ) from error
        if on_progress is not None:
            on_progress(1.0)

        def at(points: ArrayLike) -> NDArray[np.float64]:
            found = radial(domain.wrapped(points)).T
            return np.asarray(sensors.mean + sensors.spread * found)

        return at
