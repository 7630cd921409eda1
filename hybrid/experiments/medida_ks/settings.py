"""Sizes of the experiment, by preset."""

from dataclasses import dataclass

from hybrid.experiments.medida_ks.cases import CASES
from hybrid.experiments.medida_ks.truth import Truth
from hybrid.experiments.result import Preset

LEVELS = {"n05": 0.005, "n1": 0.01, "n2": 0.02}
"""Standard deviation of the observation noise relative to that of the truth, by suffix [1]."""

MAP_LEVELS = {"": 0.0, **LEVELS}
"""The same and none at all, of the map of what is detected [1]."""

N_TIME = 10
"""Times of a forecast in a Lyapunov time."""

EXPLICIT = tuple(name for name, model in CASES.items() if model.cubic_advection)
"""Cases whose model calls Python in every step, and so takes long runs slowly."""


@dataclass(frozen=True)
class WeakTerm:
    """Sizes of the map of what is detected.

    Parameters
    ----------
    sizes
        Coefficients of a spurious :math:`u^2 u_x`, from small to large [1].
    n_sample
        Numbers of samples, from small to large.
    """

    sizes: tuple[float, ...]
    n_sample: tuple[int, ...]


@dataclass(frozen=True)
class Settings:
    """What a preset runs.

    Parameters
    ----------
    truth
        Truth and observations.
    cases
        Names of the model errors.
    n_seed
        Sets of samples, each with noise of its own.
    n_online
        Of those, how many are forecast with.
    weak
        Sizes of the map of what is detected.
    n_member
        Trajectories of a forecast or a climate.
    forecast
        Length of forecasts in Lyapunov times.
    climate
        Length of a trajectory of a climate, and time left out before it [1].
    long_runs
        Cases whose climate is run.
    n_replica
        Climates of the truth, to know how far such samples differ by chance.
    lyapunov_time
        Time over which the Lyapunov exponent is averaged, for each of 8 members [1].
    """

    truth: Truth
    cases: tuple[str, ...]
    n_seed: int
    n_online: int
    weak: WeakTerm
    n_member: int
    forecast: float
    climate: tuple[float, float]
    long_runs: tuple[str, ...]
    n_replica: int
    lyapunov_time: float

    @property
    def n_forecast(self) -> int:
        """Times of a forecast after its beginning."""
        return round(self.forecast * N_TIME)


_ALL = tuple(CASES)

PRESETS: dict[Preset, Settings] = {
    "test": Settings(
        Truth(nx=128, length=50.0, spin_up=50.0),
        ("half_antidiffusion", "dispersion_0p5", "no_hyperdiffusion"),
        n_seed=2,
        n_online=1,
        weak=WeakTerm((0.01, 0.1), (25, 100)),
        n_member=4,
        forecast=1.5,
        climate=(50.0, 20.0),
        long_runs=("half_antidiffusion", "no_hyperdiffusion"),
        n_replica=4,
        lyapunov_time=100.0,
    ),
    "quick": Settings(
        Truth(),
        _ALL,
        n_seed=10,
        n_online=4,
        weak=WeakTerm((0.005, 0.01, 0.02, 0.05, 0.1), (25, 50, 100)),
        n_member=10,
        forecast=2.0,
        climate=(150.0, 50.0),
        long_runs=tuple(name for name in _ALL if name not in EXPLICIT),
        n_replica=8,
        lyapunov_time=500.0,
    ),
    "full": Settings(
        Truth(),
        _ALL,
        n_seed=20,
        n_online=10,
        weak=WeakTerm((0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2), (25, 50, 100, 200, 400)),
        n_member=20,
        forecast=4.0,
        climate=(1000.0, 100.0),
        long_runs=_ALL,
        n_replica=8,
        lyapunov_time=2000.0,
    ),
}
