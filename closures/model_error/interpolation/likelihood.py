"""The spectrum and the noise that make the values of sensors most likely."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import minimize

from closures.model_error.interpolation.fourier_basis import FourierBasis
from closures.model_error.interpolation.interpolator import OnProgress
from closures.model_error.interpolation.prior_spectrum import PriorSpectrum, hats, knots

# Noise over signal from which on rounding would spoil a Cholesky factor.
_LEAST_NOISE = 1e-10
# Ranges of a power law: its slope, and the noise over the signal.
_SLOPES = (0.5, 12.0)
_NOISES = (_LEAST_NOISE, 1e2)
_MOST_TRIALS = 100
_MOST_UPDATES = 150
# Gain in log-likelihood that no longer matters.
_TOLERANCE = 1e-2
# Weight of the power law, in amplitudes.
_PSEUDO = 0.1


@dataclass(frozen=True)
class _Evaluated:
    """Variances, their negative log-likelihood, and what the next ones are found from.

    Parameters
    ----------
    variances
        Of the components, that of the noise last.
    cost
        Negative log-likelihood but for a constant.
    found, expected
        Amplitudes of each component, in its variance, that the values show and that they would
        show in the mean; the same at an optimum.
    """

    variances: NDArray[np.float64]
    cost: float
    found: NDArray[np.float64]
    expected: NDArray[np.float64]


class _Covariances:
    """Covariances of values, a sum of one for each knot of the spectrum and of noise."""

    def __init__(
        self,
        basis: FourierBasis,
        positions: NDArray[np.float64],
        values: NDArray[np.float64],
    ) -> None:
        self.values = values
        functions = basis.at(positions)
        self.knots = knots(basis)
        weights = hats(self.knots, basis.wavenumber)
        self.sums = weights.sum(axis=1)
        parts = []
        for weight in weights:
            chosen = weight > 0.0
            parts.append((functions[:, chosen] * weight[chosen]) @ functions[:, chosen].T)
        self.parts = np.stack([*parts, np.eye(len(positions))])

    def normalised(self, variances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return variances of a field of variance 1, with noise that can be factored."""
        scaled = variances / np.dot(self.sums, variances[:-1])
        scaled[-1] = max(scaled[-1], _LEAST_NOISE)
        return np.asarray(scaled)

    def evaluate(self, variances: NDArray[np.float64]) -> _Evaluated | None:
        """Return what the values say of variances; None where rounding does not let them."""
        n_field, n_sensor = self.values.shape
        flat = self.parts.reshape(len(self.parts), -1)
        try:
            factor = cho_factor((variances @ flat).reshape(n_sensor, n_sensor), lower=True)
        except LinAlgError:
            return None
        inverse = cho_solve(factor, np.eye(n_sensor))
        weighted = inverse @ self.values.T
        # The likeliest variance of each field; fields share a spectrum, not a size.
        size = np.einsum("fn,nf->f", self.values, weighted) / n_sensor
        scaled = weighted / np.sqrt(size)
        found = variances * (flat @ (scaled @ scaled.T).ravel())
        expected = variances * (flat @ inverse.ravel()) * n_field
        half_determinant = float(np.sum(np.log(np.diag(factor[0]))))
        cost = n_field * half_determinant + 0.5 * n_sensor * float(np.sum(np.log(size)))
        return _Evaluated(variances, cost, np.maximum(found, 0.0), expected)


def likeliest_spectrum(
    basis: FourierBasis,
    positions: NDArray[np.float64],
    values: NDArray[np.float64],
    on_progress: OnProgress | None = None,
) -> PriorSpectrum:
    r"""Return the spectrum and noise that make the values of sensors most likely.

    First the likeliest power law with a corner,
    :math:`S(k) \propto (1 + k^2 / k_0^2)^{-p}`; from there the variance of every knot by itself.
    So that a knot of which the sensors say little keeps that of the power law, and none falls
    to 0, each has a prior as of :math:`\nu = 0.1` amplitudes (inverse gamma),

    .. math::
        \theta_j \leftarrow \theta_j \left(
        \frac{\theta_j\, y^T C^{-1} K_j C^{-1} y + \nu \theta_j^0 / \theta_j}
        {\theta_j \operatorname{tr} C^{-1} K_j + \nu} \right)^{1/2},
        \quad C = \sum_j \theta_j K_j

    These updates never lower the posterior; without the root they are faster, and taken where
    they do not lower it either.

    Parameters
    ----------
    basis
        Waves of the fields.
    positions
        Of the sensors, shape ``(n_sensor, n_dimension)`` [length].
    values
        Theirs, with mean 0, shape ``(n_field, n_sensor)`` [units].
    on_progress
        Called with the fraction done, at most.

    References
    ----------
    Zhou, Hu, Qiao & Sin 2019, J. Comput. Graph. Stat. 28, 350 (the updates). Rasmussen & Williams
    2006, Gaussian Processes for Machine Learning, section 5.4.1.
    """
    covariances = _Covariances(basis, positions, values)
    total = _MOST_TRIALS + _MOST_UPDATES
    start = now = _power_law(covariances, on_progress)
    for update in range(_MOST_UPDATES):
        if on_progress is not None:
            on_progress((_MOST_TRIALS + update) / total)
        better = _updated(covariances, now, start)
        if better is None or _cost(better, start) > _cost(now, start) - _TOLERANCE:
            break
        now = better
    if on_progress is not None:
        on_progress(1.0)
    spectrum = tuple(float(each) for each in now.variances[:-1])
    wavenumbers = tuple(float(each) for each in covariances.knots)
    return PriorSpectrum(wavenumbers, spectrum, float(now.variances[-1]))


def _updated(covariances: _Covariances, now: _Evaluated, start: _Evaluated) -> _Evaluated | None:
    pseudo = np.full(len(now.variances), _PSEUDO)
    pseudo[-1] = 0.0
    ratio = (now.found + pseudo * start.variances / now.variances) / (now.expected + pseudo)
    for power in (1.0, 0.5):
        found = covariances.evaluate(covariances.normalised(now.variances * ratio**power))
        if found is not None and _cost(found, start) < _cost(now, start):
            return found
    return None


def _cost(now: _Evaluated, start: _Evaluated) -> float:
    """Return the negative logarithm of the posterior but for a constant."""
    relative = now.variances[:-1] / start.variances[:-1]
    return now.cost + 0.5 * _PSEUDO * float(np.sum(np.log(relative) + 1.0 / relative))


def _power_law(covariances: _Covariances, on_progress: OnProgress | None) -> _Evaluated:
    """Return the likeliest power law with a corner, and noise."""
    k = covariances.knots
    trials: list[_Evaluated] = []

    def cost(x: NDArray[np.float64]) -> float:
        if on_progress is not None:
            on_progress(min(len(trials), _MOST_TRIALS) / (_MOST_TRIALS + _MOST_UPDATES))
        falling = (1.0 + (k / np.exp(x[0])) ** 2) ** -x[1]
        scaled = falling / np.dot(covariances.sums, falling)
        found = covariances.evaluate(np.append(scaled, np.exp(x[2])))
        if found is None:
            # Noise below rounding: no better description of the values than a little more.
            return float("inf")
        trials.append(found)
        return found.cost

    start = np.array([0.5 * np.log(k[0] * k[-1]), 3.0, np.log(1e-4)])
    # Steps that cross a decade in a few trials; scipy's own are a twentieth of the start.
    simplex = start + np.concatenate([np.zeros((1, 3)), np.diag([0.7, 1.0, 3.0])])
    minimize(
        cost,
        start,
        method="Nelder-Mead",
        bounds=[np.log((0.3 * k[0], 3.0 * k[-1])), _SLOPES, np.log(_NOISES)],
        options={"maxfev": _MOST_TRIALS, "xatol": 0.1, "fatol": 0.5, "initial_simplex": simplex},
    )
    return min(trials, key=lambda each: each.cost)
