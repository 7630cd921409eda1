"""Band-limited Fourier least squares: the smooth field that explains scattered sensors best."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial import cKDTree

from closures.model_error.interpolation.domain import Domain
from closures.model_error.interpolation.errors import InterpolationError
from closures.model_error.interpolation.fourier_basis import FourierBasis
from closures.model_error.interpolation.interpolator import OnProgress
from closures.model_error.interpolation.likelihood import likeliest_spectrum
from closures.model_error.interpolation.prior_spectrum import PriorSpectrum
from closures.model_error.interpolation.sensors import Sensors

# Points that functions are computed at together, so that they fit into memory.
_BLOCK = 2048
# Sensors in each patch of those that the spectrum is found with.
_PATCH = 50


@dataclass(frozen=True)
class FourierInterpolator:
    r"""Least squares on waves, each held back as much as it is likely to be small.

    .. math::
        \min_c \sum_i \left(y_i - \sum_k c_k \phi_k(x_i)\right)^2
        + \sigma^2 \sum_k c_k^2 / S_k

    with cosines and sines up to a total wavenumber, a prior spectrum S and noise
    :math:`\sigma`: the posterior mean of a Gaussian random field. Unknown, S and
    :math:`\sigma` are the likeliest for the sensors, so that fields are smooth
    only as far as the sensors say.

    Periodic dimensions have their own waves; along others the waves have a longer
    period than the domain.

    Parameters
    ----------
    band
        Largest wavenumber, over that of a wave of two spacings of sensors [1].
    extension
        Period over length along dimensions that are not periodic, at least 1 [1].
    prior
        Spectrum and noise; None for the likeliest ones, which take most of the time: those of one
        time (`FourierInterpolant.prior`) do for others. Fields of one fit share them, but for
        their variance; fit fields of different spectra by themselves.
    n_likelihood
        Sensors that these are found with at most; time grows with their square. They are in
        patches of 50 all over the domain: neighbours tell of the short waves, and one patch
        alone might lie where the field is quieter than elsewhere.
    seed
        Of that choice.

    Raises
    ------
    InterpolationError
        If a value is out of its range.

    References
    ----------
    Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, chapters 2 and 5.

    Examples
    --------
    >>> circle = Domain((0.0,), (2.0 * np.pi,), (True,))
    >>> x = np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, (20, 1))
    >>> sine = FourierInterpolator().fit(Sensors(x, np.sin(3.0 * x[:, 0]), circle))
    >>> print(f"{sine([[0.25 * np.pi]])[0, 0]:.3f}")
    0.707
    """

    band: float = 1.5
    extension: float = 2.0
    prior: PriorSpectrum | None = None
    n_likelihood: int = 800
    seed: int = 0

    def __post_init__(self) -> None:
        if not (self.band > 0.0 and self.extension >= 1.0 and self.n_likelihood >= _PATCH):
            raise InterpolationError(
                f"fourier: expected band > 0, extension >= 1 and n_likelihood >= {_PATCH}, got "
                f"{self.band}, {self.extension} and {self.n_likelihood}"
            )

    def fit(self, sensors: Sensors, on_progress: OnProgress | None = None) -> "FourierInterpolant":
        """Return fields near what sensors measured; see `Interpolator.fit`."""
        domain = sensors.domain
        largest = self.band * np.pi / domain.spacing(len(sensors))
        basis = FourierBasis.of(domain, largest, self.extension)
        if basis.n_function < 3:
            raise InterpolationError(
                f"fourier: expected at least one wave below wavenumber {largest:.3g}, got none; "
                "raise band"
            )
        anomalies = sensors.values - sensors.mean
        prior = self.prior
        if prior is None:
            some = self._some(sensors)
            prior = likeliest_spectrum(
                basis, sensors.positions[some], anomalies[:, some], on_progress
            )
        return FourierInterpolant(sensors, basis, prior)

    def _some(self, sensors: Sensors) -> NDArray[np.int64]:
        n_sensor = len(sensors)
        if n_sensor <= self.n_likelihood:
            return np.arange(n_sensor)
        rng = np.random.default_rng(self.seed)
        centres = rng.choice(n_sensor, max(1, self.n_likelihood // _PATCH), replace=False)
        _, near = cKDTree(sensors.positions).query(sensors.positions[centres], k=_PATCH)
        return np.unique(near)


class FourierInterpolant:
    """Fields as sums of waves.

    Parameters
    ----------
    sensors
        What was measured.
    basis
        Waves.
    prior
        Spectrum of the fields, and noise.

    Attributes
    ----------
    prior : PriorSpectrum
        As given.
    amplitudes : ndarray
        Of the functions of the basis, shape ``(n_field, n_function)`` [units].
    noise : ndarray
        Standard deviation of the noise of the sensors, of each field, as the prior
        and the values have it [units].
    """

    def __init__(self, sensors: Sensors, basis: FourierBasis, prior: PriorSpectrum) -> None:
        self.domain: Domain = sensors.domain
        self.basis, self.prior = basis, prior
        self._mean = sensors.mean
        anomalies = sensors.values - self._mean
        self._scale = np.sqrt(prior.of(basis))
        weighted = basis.at(sensors.positions)
        weighted *= self._scale
        # In the space of the functions or in that of the sensors, whichever is smaller.
        few_functions = basis.n_function <= len(sensors)
        gram = weighted.T @ weighted if few_functions else weighted @ weighted.T
        gram[np.diag_indices_from(gram)] += prior.noise
        self._factor = cho_factor(gram, lower=True, overwrite_a=True)
        if few_functions:
            self._weighted = None
            scaled = cho_solve(self._factor, weighted.T @ anomalies.T)
        else:
            self._weighted = weighted
            scaled = weighted.T @ cho_solve(self._factor, anomalies.T)
        self.amplitudes: NDArray[np.float64] = np.asarray((self._scale[:, None] * scaled).T)
        # C^-1 y, for the covariance C of the values, is what the fit leaves of y over the noise.
        left = anomalies - (weighted @ scaled).T
        likeliest = np.sum(anomalies * left, axis=1) / (prior.noise * len(sensors))
        self._variance = np.maximum(likeliest, 0.0)
        self.noise: NDArray[np.float64] = np.sqrt(prior.noise * self._variance)

    def __call__(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return the fields at points ``(n_point, n_dimension)``; see `Interpolant`."""
        parts = [self.amplitudes @ each.T for each in self._blocks(points)]
        return np.asarray(self._mean + np.concatenate(parts, axis=1))

    def deviation(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return the posterior standard deviation of the fields at points.

        Parameters
        ----------
        points
            Shape ``(n_point, n_dimension)`` [length].

        Returns
        -------
        ndarray
            Shape ``(n_field, n_point)`` [units].

        Raises
        ------
        InterpolationError
            If points have another shape or are not finite.
        """
        parts = []
        for functions in self._blocks(points):
            scaled = functions * self._scale
            if self._weighted is None:
                solved = cho_solve(self._factor, scaled.T)
                variance = self.prior.noise * np.einsum("nk,kn->n", scaled, solved)
            else:
                cross = self._weighted @ scaled.T
                lost = np.einsum("sn,sn->n", cross, cho_solve(self._factor, cross))
                variance = np.einsum("nk,nk->n", scaled, scaled) - lost
            parts.append(np.maximum(variance, 0.0))
        return np.asarray(np.sqrt(np.multiply.outer(self._variance, np.concatenate(parts))))

    def _blocks(self, points: ArrayLike) -> Iterator[NDArray[np.float64]]:
        wrapped = self.domain.wrapped(points)
        for start in range(0, max(len(wrapped), 1), _BLOCK):
            yield self.basis.at(wrapped[start : start + _BLOCK])
