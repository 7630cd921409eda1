"""The spectrum of a field, and the noise on it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.interpolation.errors import InterpolationError
from closures.model_error.interpolation.fourier_basis import FourierBasis

_KNOTS_PER_OCTAVE = 2.0


@dataclass(frozen=True)
class PriorSpectrum:
    """Variances of amplitudes at some wavenumbers, linear in the logarithm of it in between.

    Parameters
    ----------
    wavenumbers
        Increasing; below the first and above the last one the variance is constant [rad/length].
    variances
        Of one amplitude at each, not negative, in any units: only their proportions count.
    noise
        Variance of the noise at a sensor over that of the field, positive [1].

    Raises
    ------
    InterpolationError
        If the wavenumbers do not increase from above 0, there are not as many variances, all of
        these are 0 or one is negative, or the noise is not positive.

    Examples
    --------
    >>> PriorSpectrum((1.0, 4.0), (9.0, 1.0), noise=0.01).at(np.array([0.0, 2.0, 8.0]))
    array([9., 5., 1.])
    """

    wavenumbers: tuple[float, ...]
    variances: tuple[float, ...]
    noise: float

    def __post_init__(self) -> None:
        k, variances = np.asarray(self.wavenumbers), np.asarray(self.variances)
        if not (len(k) and len(k) == len(variances) and k[0] > 0.0 and (np.diff(k) > 0.0).all()):
            raise InterpolationError(
                "spectrum: expected increasing positive wavenumbers and as many variances, got "
                f"{len(k)} wavenumbers and {len(variances)} variances"
            )
        if not ((variances >= 0.0).all() and variances.max() > 0.0 and self.noise > 0.0):
            raise InterpolationError(
                "spectrum: expected variances of at least 0, not all 0, and positive noise, got "
                f"{self.variances} and {self.noise}"
            )

    @classmethod
    def sampled(
        cls,
        basis: FourierBasis,
        spectrum: Callable[[NDArray[np.float64]], ArrayLike],
        noise: float,
    ) -> "PriorSpectrum":
        """Return a spectrum that is given as a function.

        Parameters
        ----------
        basis
            Waves that it is for.
        spectrum
            From wavenumbers [rad/length] to variances.
        noise
            Variance of the noise at a sensor over that of the field [1].
        """
        k = knots(basis)
        return cls(tuple(k), tuple(np.asarray(spectrum(k), dtype=np.float64)), noise)

    def at(self, wavenumber: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the variance of an amplitude at wavenumbers [rad/length]."""
        weights = hats(np.asarray(self.wavenumbers), wavenumber)
        return np.asarray(np.asarray(self.variances) @ weights)

    def of(self, basis: FourierBasis) -> NDArray[np.float64]:
        """Return the variances of amplitudes of a basis, of sum 1, shape ``(n_function,)`` [1]."""
        variances = self.at(basis.wavenumber)
        return np.asarray(variances / variances.sum())


def knots(basis: FourierBasis) -> NDArray[np.float64]:
    """Return wavenumbers of a basis, at most two an octave and the ends among them [rad/length]."""
    k = np.unique(basis.wavenumber[1:])
    octaves = float(np.log2(k[-1] / k[0]))
    spread = np.geomspace(k[0], k[-1], max(2, round(_KNOTS_PER_OCTAVE * octaves) + 1))
    # A knot between two waves, with none near it, would be anybody's guess.
    nearest = np.argmin(np.abs(np.log(k) - np.log(spread)[:, None]), axis=1)
    return np.asarray(k[np.unique(nearest)])


def hats(wavenumbers: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of each knot at each wanted wavenumber, ``(n_knot, n_wanted)`` [1]."""
    position = np.log(np.maximum(wanted, wavenumbers[0]))
    unit = np.eye(len(wavenumbers))
    return np.stack([np.interp(position, np.log(wavenumbers), each) for each in unit])
