"""Climatological spectra, estimated from noisy fields alone."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from closures.model_error.assimilation.errors import AssimilationError
from closures.model_error.assimilation.modes import ModeGroups, Modes
from closures.model_error.assimilation.noise_floor import noise_floor


@dataclass(frozen=True)
class Spectrum:
    """Variances of the amplitudes of a signal, and of the noise on it.

    Parameters
    ----------
    modes
        Of the grid.
    signal
        Variance of each amplitude, the shape of the grid, 0 where there is nothing but noise
        [units^2].
    noise
        Variance of white noise at a point, and so of each amplitude [units^2].
    """

    modes: Modes
    signal: NDArray[np.float64]
    noise: float

    @classmethod
    def of(
        cls,
        amplitudes: NDArray[np.float64],
        modes: Modes,
        noise: float | None,
        *,
        isotropic: bool = False,
    ) -> "Spectrum":
        """Estimate a spectrum from the amplitudes of noisy fields.

        Parameters
        ----------
        amplitudes
            Of independent fields with mean 0, shape ``(n_field, *shape)`` [units].
        modes
            Of the grid.
        noise
            Variance of their noise [units^2]; None to estimate it by `noise_floor`.
        isotropic
            As of `ModeGroups.of`.

        Raises
        ------
        AssimilationError
            As of `noise_floor`.
        """
        groups = ModeGroups.of(modes, isotropic=isotropic)
        power = groups.mean(np.mean(amplitudes**2, axis=0))
        floor = noise_floor(power, groups.size * len(amplitudes), noise)
        signal = np.maximum(power - floor.variance, 0.0)
        # Chance leaves some power above the mean in every tail. A few percent of the noise there
        # is nothing in the field, but it is everything in a high derivative of it.
        signal[floor.n_signal :] = 0.0
        return cls(modes, signal[groups.number], floor.variance)

    @property
    def weight(self) -> NDArray[np.float64]:
        """Share of a noisy amplitude that is signal, ``S / (S + noise)``, from 0 to 1 [1]."""
        return np.asarray(self.signal / (self.signal + self.noise))

    @property
    def posterior_variance(self) -> float:
        """Variance of the error of the filtered field at a point, its mean [units^2]."""
        return float(np.mean(self.weight * self.noise))

    def filtered(self, amplitudes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected amplitudes of the signal, given noisy ones."""
        return self.weight * amplitudes


def noise_variance(noise: float | None) -> float | None:
    """Return the variance of a noise given by its standard deviation, None for an unknown one.

    Raises
    ------
    AssimilationError
        If it is not positive.
    """
    if noise is None:
        return None
    if not (math.isfinite(noise) and noise > 0.0):
        raise AssimilationError(
            f"noise: expected a positive standard deviation, or None to estimate it, got {noise}"
        )
    return noise**2
