"""Fields in which every wave of a target has the same share, for regressions."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from closures.quasigeostrophic.snapshots import Snapshots

Array = NDArray[np.float64]

# Power relative to the largest that is rounding of single precision, in which pairs are stored.
_ROUNDING = 1e-13


@dataclass(frozen=True)
class Whitening:
    """Divides waves by the root mean square amplitude of a target's waves of that length.

    Layer by layer. Most of the variance of a subgrid tendency of q is in the shortest waves, most
    of what it does to the energy is in longer ones. Then each wave counts alike; short ones are
    still more numerous.

    Parameters
    ----------
    factors
        Of waves as `scipy.fft.rfft2` orders them, shape ``(2, l, k)``; 0 where the target has none.
    """

    factors: Array

    @classmethod
    def of(cls, snapshots: Snapshots) -> Self:
        """Return that of the targets of snapshots.

        Raises
        ------
        ValueError
            If a part of a plane has no target: such a plane has no waves.
        """
        ny, nx = snapshots.fields["q"].shape[-2:]
        ring = _rings((ny, nx), snapshots.spacing)
        power = np.zeros((2, *ring.shape))
        for _, target in snapshots.batches():
            _check_whole(target)
            power += np.nansum(np.abs(fft.rfft2(target)) ** 2, axis=0)
        n = np.bincount(ring.ravel())
        means = np.array([(np.bincount(ring.ravel(), each.ravel()) / n)[ring] for each in power])
        has_waves = means > _ROUNDING * means.max(axis=(1, 2), keepdims=True)
        return cls(np.where(has_waves, 1.0 / np.sqrt(np.where(has_waves, means, 1.0)), 0.0))

    def __call__(self, fields: Array) -> Array:
        """Return fields of which every wave counts alike, shape ``(..., 2, y, x)`` both.

        A plane without a target stays without one.
        """
        return np.asarray(fft.irfft2(fft.rfft2(fields) * self.factors, s=fields.shape[-2:]))


def _rings(shape: tuple[int, int], spacing: tuple[float, float]) -> NDArray[np.intp]:
    """Return the number of the ring of each wave, as wide as the spacing of waves that is wider."""
    (ny, nx), (dy, dx) = shape, spacing
    along_y, along_x = fft.fftfreq(ny, dy)[:, np.newaxis], fft.rfftfreq(nx, dx)
    # So no ring is empty.
    length = min(ny * dy, nx * dx)
    return np.asarray(np.rint(length * np.hypot(along_y, along_x)), np.intp)


def _check_whole(target: Array) -> None:
    missing = np.isnan(target)
    if (missing.any(axis=(-2, -1)) & ~missing.all(axis=(-2, -1))).any():
        raise ValueError(
            "q_tendency: expected planes with a target everywhere or nowhere, got a part of one; "
            "waves are those of whole planes, so leave such snapshots out, or have every grid "
            "point count alike with whiten=False"
        )
