"""Two or three consecutive noisy snapshots: one state and one tendency, with no model in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.assimilation.errors import AssimilationError
from closures.model_error.assimilation.missing import filled
from closures.model_error.assimilation.modes import Modes
from closures.model_error.assimilation.spectrum import Spectrum, noise_variance

# Weight from which on a mode is resolved: its noise is below a tenth of its signal.
_RESOLVED = 0.99


@dataclass(frozen=True)
class SnapshotAnalysis:
    """What windows of consecutive snapshots tell, at their middle times.

    Parameters
    ----------
    state
        Filtered state at the middle of each window, shape ``(n_window, *shape)`` [units].
    tendency
        Filtered time derivative, same shape [units/time].
    observed_tendency
        Time derivative as observed, white noise of `tendency_noise` included: nothing of it is
        damped, and its noise is independent of that in `state` [units/time].
    tendency_noise
        Standard deviation of its noise at a point [units/time].
    n_missing
        Observations that were NaN.
    """

    state: NDArray[np.float64]
    tendency: NDArray[np.float64]
    observed_tendency: NDArray[np.float64]
    tendency_noise: float
    n_missing: int

    def at(self, time: float) -> NDArray[np.float64]:
        """Return the filtered state some time after the middle of its window [units]."""
        return self.state + time * self.tendency


@dataclass(frozen=True)
class SnapshotFilter:
    r"""State and tendency from a few noisy snapshots close together, for finding model error.

    Over a window that is short for the flow, :math:`u(t) = a + b t`, with t from the middle of
    the window. The least-squares estimates of a (the mean of the snapshots) and of b have
    *independent* noise, of variances

    .. math::
        \sigma_a^2 = \sigma^2 / n, \quad \sigma_b^2 = \sigma^2 / \textstyle\sum_j t_j^2

    so that b from three snapshots has half the noise of b from two. A regression on the terms of
    a model then needs different things of the two. The state is what its terms are computed
    from: a gets the gain of the climatological filter, so that its error is uncorrelated with it
    and leaves coefficients of linear terms unbiased. The tendency is what they are fitted to:
    any gain below 1 would scale coefficients down with it, while noise costs no more than
    standard error, so b also comes as observed. And the fit is best made with the `resolved`
    modes alone (`Modes.rows`): where the gain is low, what is left out of the state depends on
    what is left in it.

    No model makes up for missing observations, or carries one snapshot to the next: an imperfect
    one would pull the tendency towards its own, and hide the error that is looked for.

    Parameters
    ----------
    level, slope
        Spectra of a [units^2] and of b [units^2/time^2], with their noise.
    mean
        Of the fields, the shape of the grid, or 0 [units].
    interval
        Time between snapshots [time].
    n_snapshot
        In each window, at least 2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> modes = Modes(("fourier",), (2.0 * np.pi,), (64,))
    >>> phase = rng.uniform(0.0, 6.28, (50, 1, 1)) - np.array([[-0.1], [0.0], [0.1]])
    >>> truth = np.sin(modes.positions[0] + phase)
    >>> noisy = truth + 0.01 * rng.standard_normal(truth.shape)
    >>> snapshots = SnapshotFilter.fit(noisy, modes, interval=0.1)
    >>> analysis = snapshots(noisy)
    >>> print(f"{snapshots.noise:.3f} {np.std(analysis.state - truth[:, 1]):.3f}")
    0.010 0.002
    >>> print(f"{analysis.tendency_noise:.3f}")
    0.070
    """

    level: Spectrum
    slope: Spectrum
    mean: NDArray[np.float64]
    interval: float
    n_snapshot: int

    @classmethod
    def fit(
        cls,
        windows: ArrayLike,
        modes: Modes,
        interval: float,
        noise: float | None = None,
        *,
        centre: bool = False,
        isotropic: bool = False,
    ) -> "SnapshotFilter":
        """Estimate spectra, and the noise where it is unknown, from the noisy windows themselves.

        Unknown noise is found in what holds the least signal: of three snapshots or more in what
        a straight line leaves of them, of two in their difference.

        Parameters
        ----------
        windows
            Noisy fields, shape ``(n_window, n_snapshot, *shape)`` [units]; windows with NaN tell
            nothing here.
        modes
            Of the grid.
        interval
            Time between snapshots [time].
        noise
            Standard deviation of the noise at a point [units]; None to estimate it.
        centre
            Estimate a mean at each point, and filter what differs from it; else the mean is 0.
        isotropic
            Whether spectra are those of the total wavenumber.

        Raises
        ------
        AssimilationError
            If the fields are not on the grid, a window has fewer than 2 snapshots, fewer than 2
            windows are complete, the interval or the noise is not positive, or the noise is
            unknown and cannot be told from the signal.
        """
        values = _checked_windows(windows, modes)
        if not interval > 0.0:
            raise AssimilationError(f"snapshots: expected a positive interval, got {interval}")
        variance = noise_variance(noise)
        whole = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if whole.sum() < 2:
            raise AssimilationError(
                f"snapshots: expected at least 2 windows without NaN, got {int(whole.sum())} of "
                f"{len(values)}; interpolate them first, with closures.model_error.interpolation"
            )
        complete = values[whole]
        mean = complete.mean(axis=(0, 1)) if centre else np.zeros(modes.shape)
        amplitudes = modes.transform(complete - mean)
        n_snapshot = values.shape[1]
        times = _times(n_snapshot, interval)
        spread = float(np.sum(times**2))
        level, slope = _line(amplitudes, times)
        if centre:
            # Anomalies from their own mean have lost 1 / n of their variance.
            level /= np.sqrt(1.0 - 1.0 / len(complete))
        if variance is None:
            variance = _unknown_noise(amplitudes, times, modes, isotropic=isotropic)
        return cls(
            Spectrum.of(level, modes, variance / n_snapshot, isotropic=isotropic),
            Spectrum.of(slope, modes, variance / spread, isotropic=isotropic),
            mean,
            interval,
            n_snapshot,
        )

    @property
    def noise(self) -> float:
        """Standard deviation of the noise of one snapshot at a point [units]."""
        return float(np.sqrt(self.level.noise * self.n_snapshot))

    @property
    def resolved(self) -> NDArray[np.bool_]:
        """Modes whose state is known well enough to fit terms to, the shape of the grid."""
        return np.asarray(self.level.weight >= _RESOLVED)

    def __call__(self, windows: ArrayLike) -> SnapshotAnalysis:
        """Analyse windows of snapshots.

        Parameters
        ----------
        windows
            Noisy fields, shape ``(n_window, n_snapshot, *shape)`` [units]; NaN where nothing was
            observed, which gives way to what the rest of the window says about it.

        Raises
        ------
        AssimilationError
            If they are not on the grid, have another number of snapshots, or are NaN everywhere.
        """
        modes = self.level.modes
        values = _checked_windows(windows, modes)
        if values.shape[1] != self.n_snapshot:
            raise AssimilationError(
                f"snapshots: expected {self.n_snapshot} in each window, as fitted, got "
                f"{values.shape[1]}"
            )
        times = _times(self.n_snapshot, self.interval)

        def estimate(complete: NDArray[np.float64]) -> NDArray[np.float64]:
            level, slope = _line(modes.transform(complete), times)
            smooth = self.level.filtered(level)[:, None] + np.multiply.outer(
                times, self.slope.filtered(slope)
            ).swapaxes(0, 1)
            return modes.inverse(smooth)

        level, slope = _line(modes.transform(filled(values - self.mean, estimate)), times)
        return SnapshotAnalysis(
            self.mean + modes.inverse(self.level.filtered(level)),
            modes.inverse(self.slope.filtered(slope)),
            modes.inverse(slope),
            float(np.sqrt(self.slope.noise)),
            int(np.isnan(values).sum()),
        )


def _checked_windows(windows: ArrayLike, modes: Modes) -> NDArray[np.float64]:
    values = modes.checked(windows)
    if values.ndim != len(modes.shape) + 2 or values.shape[1] < 2:
        raise AssimilationError(
            "snapshots: expected shape (n_window, n_snapshot, "
            f"{', '.join(map(str, modes.shape))}) with at least 2 snapshots, got {values.shape}; "
            "ClimatologicalFilter is for single ones"
        )
    return values


def _times(n_snapshot: int, interval: float) -> NDArray[np.float64]:
    return interval * (np.arange(n_snapshot, dtype=np.float64) - 0.5 * (n_snapshot - 1))


def _line(
    amplitudes: NDArray[np.float64], times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return level and slope of the least-squares line through snapshots along axis 1."""
    slope = np.tensordot(times, amplitudes, axes=(0, 1)) / np.sum(times**2)
    return np.asarray(amplitudes.mean(axis=1)), np.asarray(slope)


def _unknown_noise(
    amplitudes: NDArray[np.float64],
    times: NDArray[np.float64],
    modes: Modes,
    *,
    isotropic: bool,
) -> float:
    """Return the variance of the noise, from its floor in the combination with least signal."""
    # A polynomial in time of the highest degree: those of all lower degrees drop out.
    contrast = np.linalg.qr(np.vander(times, increasing=True))[0][:, -1]
    combined = np.tensordot(contrast, amplitudes, axes=(0, 1))
    return Spectrum.of(combined, modes, None, isotropic=isotropic).noise
