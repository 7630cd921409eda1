"""Models beside the truth: how forecast errors grow, and how their climates differ."""

import os
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from hybrid.experiments.medida_qg.flow import Flow
from hybrid.experiments.medida_qg.scores import spectrum_along_channel
from solvers.lyapunov import LyapunovExponent, largest_lyapunov_exponent
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[np.float64]

N_TIME = 5
"""Times of a forecast in a Lyapunov time."""

SAVED = 5.0
"""Time between states of a climate [1]."""

EDGES = np.linspace(-2.5, 2.5, 51)
"""Of the bins of a probability density, in standard deviations of the truth from its mean [1]."""

FINER = 8
"""Steps of the truth in a step of a model."""

# Beyond this many standard deviations a run has left any climate.
_LOST = 100.0
# Neighbouring points tell the same: one of two along x and y is kept of a climate.
_THINNING = 2
_INTERVAL = 1.0


@dataclass(frozen=True)
class Online:
    """Sizes of the runs.

    Parameters
    ----------
    nature
        The true equations on the grid of the runs.
    n_member
        Trajectories of a forecast or a climate.
    n_replica
        Climates of the truth, to know how far such samples differ by chance.
    spin_up
        Time from the first disturbances to the first of these states [1].
    lyapunov
        Times that the exponent is averaged over, and left out before, for each trajectory [1].
    forecast
        Length of forecasts in Lyapunov times.
    climate
        Length of a trajectory of a climate, and time left out before it [1].
    climate_cases
        Models whose climate is run.
    """

    nature: RelaxedJetQG
    n_member: int
    n_replica: int
    spin_up: float
    lyapunov: tuple[float, float]
    forecast: float
    climate: tuple[float, float]
    climate_cases: tuple[str, ...]

    @property
    def n_forecast(self) -> int:
        """Times of a forecast after its beginning."""
        return round(self.forecast * N_TIME)

    @property
    def n_thread(self) -> int:
        """Threads that share the runs of nature, for which all others wait."""
        return min(os.cpu_count() or 1, self.n_member)

    def starts(self, seed: int) -> Array:
        """Return independent states of nature, ``(n_member * (n_replica + 1), 2, ny, nx)`` [1]."""
        n = self.n_member * (self.n_replica + 1)
        run = self.nature.run(
            time=self.spin_up,
            save_every=self.spin_up,
            n_member=n,
            seed=seed,
            n_thread=self.n_thread,
            progress=False,
        )
        return np.asarray(run.q[-1].to_numpy())

    def exponent(self, starts: Array, seed: int) -> LyapunovExponent:
        """Return the largest Lyapunov exponent of nature, from some of its states [1]."""
        time, before = self.lyapunov
        return largest_lyapunov_exponent(
            self.nature,
            time=time,
            interval=_INTERVAL,
            spin_up=before,
            initial=starts,
            seed=seed,
            n_thread=self.n_thread,
        )

    def every(self, exponent: float) -> float:
        """Return the time between the states of a forecast, a number of steps [1]."""
        dt = self.nature.dt
        return dt * max(1, round(1.0 / (exponent * N_TIME * dt)))

    def in_fine_steps(self) -> RelaxedJetQG:
        """Return nature in steps of an eighth, with an eighth of the time filter.

        Without any filter the two halves of a long leapfrog run part.
        """
        nature = self.nature
        return replace(nature, dt=nature.dt / FINER, time_filter=nature.time_filter / FINER)


class Summary(NamedTuple):
    """What is kept of a climate.

    Parameters
    ----------
    values
        Potential vorticity at some points and times, shape ``(n_member, 2, n)`` [1].
    spectra
        Variance of each wave of the streamfunction along x, shape ``(n_member, 2, nx / 2 - 1)``.
    """

    values: Array
    spectra: Array


def summary(nature: RelaxedJetQG, states: Array, spin_up: float) -> Summary:
    """Return what is kept of states ``(n_time, n_member, 2, ny, nx)`` after a spin-up [1]."""
    used = states[round(spin_up / SAVED) :].swapaxes(0, 1)
    thin = used[..., ::_THINNING, ::_THINNING].swapaxes(1, 2)
    values = thin.reshape(*thin.shape[:2], -1)
    psi = Flow(nature).psi(used)
    return Summary(values, np.stack([spectrum_along_channel(member) for member in psi]))


def is_lost(states: Array | None, deviation: float) -> bool:
    """Return whether a run did not stay finite, or left any climate."""
    return states is None or bool(np.abs(states).max() > _LOST * deviation)


def growth(states: Array, truth: Array) -> Array:
    """Return the forecast error of q by time, in standard deviations of the true eddies [1].

    Parameters
    ----------
    states, truth
        Shape ``(n_time, n_member, 2, ny, nx)`` [1].

    Returns
    -------
    ndarray
        Root mean square over members, layers and points, each layer in the deviation of its q
        from the mean along x, shape ``(n_time,)``.
    """
    eddies = truth - truth.mean(axis=-1, keepdims=True)
    square = np.mean((states - truth) ** 2, axis=(1, 3, 4)) / eddies.var(axis=(0, 1, 3, 4))
    return np.asarray(np.sqrt(square.mean(axis=1)))


def distance(values: Array, reference: Array) -> float:
    """Return the Wasserstein distance of q, mean of both layers, in deviations of the truth [1].

    Parameters
    ----------
    values, reference
        Shape ``(n_member, 2, n)`` [1].
    """
    found = [
        wasserstein_distance(values[:, layer].ravel(), reference[:, layer].ravel())
        / reference[:, layer].std()
        for layer in (0, 1)
    ]
    return float(np.mean(found))


def density(values: Array, reference: Array) -> Array:
    """Return the probability density of q of each layer in `EDGES`, shape ``(2, n_bin)`` [1]."""
    densities = []
    for layer in (0, 1):
        true = reference[:, layer]
        scaled = (values[:, layer] - true.mean()) / true.std()
        densities.append(np.histogram(scaled, EDGES)[0] / (scaled.size * np.diff(EDGES)))
    return np.stack(densities)


def sampling_floor(reference: Array, n_member: int) -> Array:
    """Return how far climates of the truth itself are from the others, one a replica [1].

    Parameters
    ----------
    reference
        Values of climates of the truth, shape ``(n_replica * n_member, 2, n)`` [1].
    n_member
        Members of a replica, as many as of a model's climate.
    """
    n_replica = len(reference) // n_member
    members = np.arange(len(reference)) // n_member
    pairs = ((reference[members == i], reference[members != i]) for i in range(n_replica))
    return np.array([distance(one, others) for one, others in pairs])
