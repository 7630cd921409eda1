"""The climatological filter: each mode as much as its signal stands out of the noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.assimilation.errors import AssimilationError
from closures.model_error.assimilation.missing import filled
from closures.model_error.assimilation.modes import Modes
from closures.model_error.assimilation.spectrum import Spectrum, noise_variance


@dataclass(frozen=True)
class ClimatologicalFilter:
    r"""The best linear estimate of isolated fields from noisy ones.

    Amplitudes of a statistically homogeneous field are uncorrelated, so its Kalman filter has
    one gain for each mode (Wiener),

    .. math::
        \hat u_k = \frac{S_k}{S_k + \sigma^2} y_k

    with the climatological spectrum S, here that of the noisy fields themselves less their noise.

    Parameters
    ----------
    spectrum
        Of the signal and the noise.
    mean
        Of the fields, the shape of the grid, or 0 [units].

    References
    ----------
    Wiener 1949, Extrapolation, Interpolation, and Smoothing of Stationary Time Series.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> modes = Modes(("fourier",), (2.0 * np.pi,), (64,))
    >>> truth = np.sin(modes.positions[0] + rng.uniform(0.0, 6.28, (50, 1)))
    >>> noisy = truth + 0.1 * rng.standard_normal(truth.shape)
    >>> wiener = ClimatologicalFilter.fit(noisy, modes)
    >>> print(f"noise {wiener.noise:.2f}, error after {np.std(wiener(noisy) - truth):.2f}")
    noise 0.10, error after 0.02
    """

    spectrum: Spectrum
    mean: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        fields: ArrayLike,
        modes: Modes,
        noise: float | None = None,
        *,
        centre: bool = False,
        isotropic: bool = False,
    ) -> "ClimatologicalFilter":
        """Estimate the climate from noisy fields at independent times.

        Parameters
        ----------
        fields
            Noisy fields, shape ``(n_field, *shape)`` [units]; those with NaN tell nothing here.
        modes
            Of the grid.
        noise
            Standard deviation of the noise at a point [units]; None to estimate it.
        centre
            Estimate a mean at each point, and filter what differs from it; else the mean is 0.
        isotropic
            Whether the spectrum is that of the total wavenumber, which fewer fields suffice for.

        Raises
        ------
        AssimilationError
            If the fields are not on the grid, fewer than 2 are complete, the noise is not
            positive, or it is unknown and cannot be told from the signal.
        """
        variance = noise_variance(noise)
        values = modes.checked(fields).reshape(-1, *modes.shape)
        whole = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if whole.sum() < 2:
            raise AssimilationError(
                f"climate: expected at least 2 fields without NaN, got {int(whole.sum())} of "
                f"{len(values)}; interpolate them first, with closures.model_error.interpolation"
            )
        complete = values[whole]
        mean = complete.mean(axis=0) if centre else np.zeros(modes.shape)
        # Anomalies from their own mean have lost 1 / n of their variance.
        lost = 1.0 - 1.0 / len(complete) if centre else 1.0
        amplitudes = modes.transform(complete - mean) / np.sqrt(lost)
        return cls(Spectrum.of(amplitudes, modes, variance, isotropic=isotropic), mean)

    @property
    def noise(self) -> float:
        """Standard deviation of the noise at a point [units]."""
        return float(np.sqrt(self.spectrum.noise))

    def __call__(self, fields: ArrayLike) -> NDArray[np.float64]:
        """Return filtered fields.

        Parameters
        ----------
        fields
            Noisy fields, shape ``(..., *shape)`` [units]; NaN where nothing was observed.

        Returns
        -------
        ndarray
            Their expected value, given the observations, same shape [units].

        Raises
        ------
        AssimilationError
            If they are not on the grid, infinite, or NaN everywhere.
        """
        modes, spectrum = self.spectrum.modes, self.spectrum

        def estimate(anomalies: NDArray[np.float64]) -> NDArray[np.float64]:
            return modes.inverse(spectrum.filtered(modes.transform(anomalies)))

        return self.mean + estimate(filled(modes.checked(fields) - self.mean, estimate))
