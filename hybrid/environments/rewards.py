"""What a closure is rewarded for."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hybrid.environments.reference import Array, Reference, shape_of

FLOOR = 0.02
"""Error of a logarithm that is no error: right within 2 per cent is right [1]."""
# Where a spectrum is that of the truth, the published reward would be infinite.
_LARGEST = 1e6


class Reward(Protocol):
    """A reward of runs whose mean statistics are given."""

    def __call__(self, spectra: Array, moments: Array) -> Array:
        """Return rewards, shape ``(n,)``.

        Parameters
        ----------
        spectra
            Mean enstrophy by ring, shape ``(n, ring)``.
        moments
            Mean squares and fourth powers of the vorticity, shape ``(n, 2)``.
        """


@dataclass(frozen=True)
class SpectrumReward:
    r"""Misfit of the enstrophy spectrum, scaled by its sampling error.

    .. math:: r = -\langle (\ln Z_k - \ln Z_k^{ref})^2 / (s_k^2 + 0.02^2) \rangle_k

    It can be had with wrong tails of the vorticity, so judge what is learned by those too.

    Parameters
    ----------
    reference
        Statistics of the truth.
    """

    reference: Reference

    def __call__(self, spectra: Array, moments: Array) -> Array:
        """Return rewards, shape ``(n,)``."""
        del moments
        misfit = np.log(spectra / self.reference.spectrum)
        variance = self.reference.spectrum_error**2 + FLOOR**2
        return np.asarray(-(misfit**2 / variance).mean(axis=-1))


@dataclass(frozen=True)
class PublishedReward:
    r"""The reward of the published learner, :math:`r = 1 / \sum_k k^2 (Z_k - Z_k^{ref})^2`.

    Parameters
    ----------
    reference
        Statistics of the truth.

    References
    ----------
    Mojgani et al. (2023), arXiv:2312.00907.
    """

    reference: Reference

    def __call__(self, spectra: Array, moments: Array) -> Array:
        """Return rewards, shape ``(n,)``, at most a million."""
        del moments
        k = np.arange(1, spectra.shape[-1] + 1)
        misfit = ((k * (spectra - self.reference.spectrum)) ** 2).sum(axis=-1)
        return np.asarray(1.0 / np.maximum(misfit, 1.0 / _LARGEST))


@dataclass(frozen=True)
class SpectrumAndMomentsReward:
    r"""As `SpectrumReward`, minus the misfits of standard deviation and kurtosis.

    .. math:: r = r_{spectrum} - \langle (m - m^{ref})^2 / (s^2 + 0.02^2) \rangle_m

    over the logarithms m of the standard deviation and of the kurtosis of the vorticity.

    Parameters
    ----------
    reference
        Statistics of the truth.
    """

    reference: Reference

    def __call__(self, spectra: Array, moments: Array) -> Array:
        """Return rewards, shape ``(n,)``."""
        misfit = shape_of(moments) - self.reference.shape
        variance = self.reference.shape_error**2 + FLOOR**2
        spectrum = SpectrumReward(self.reference)(spectra, moments)
        return np.asarray(spectrum - (misfit**2 / variance).mean(axis=-1))
