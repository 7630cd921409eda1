"""Sizes of the two-layer experiment, by preset, and its interpolators."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from closures.model_error.interpolation import (
    CubicInterpolator,
    Interpolator,
    NetworkInterpolator,
    RadialInterpolator,
)
from closures.training import Training
from hybrid.experiments.medida_qg.cases import CASES
from hybrid.experiments.medida_qg.online import Online
from hybrid.experiments.medida_qg.truth import Truth
from hybrid.experiments.result import Preset
from solvers.relaxed_jet import RelaxedJetQG

INTERPOLATORS: Mapping[str, str] = MappingProxyType(
    {
        "exact": "the state itself",
        "fourier": "band-limited Fourier",
        "rbf": "multiquadric RBF",
        "cubic": "cubic",
        "rff": "random Fourier features",
        "mlp": "MLP",
    }
)
"""What becomes of the sensors' state, by name; the first is what no interpolator can beat."""

RECOMMENDED = "fourier"
"""The interpolator of the metrics with suffix ``_sparse``."""

SHARE = 0.25
"""Of grid points that have sensors."""

NOISE = 0.001
"""Of the sensors, over the standard deviation of their layer's streamfunction."""


N_FREQUENCY, BANDWIDTH = 256, 4.0
"""Random Fourier features, and how many waves a domain they have.

With the published bandwidth of 10, and networks as small and briefly trained as these, the states
have short waves that are not there."""


@dataclass(frozen=True)
class Settings:
    """What a preset runs.

    Parameters
    ----------
    truth
        Nature and its samples.
    online
        Runs of the models.
    n_epoch
        Of the networks.
    n_likelihood
        Sensors that the Fourier spectrum is found with.
    """

    truth: Truth
    online: Online
    n_epoch: int
    n_likelihood: int = 600

    def interpolator(self, name: str, seed: int) -> Interpolator:
        """Return the interpolator of a name that fits both layers at once."""
        if name == "cubic":
            return CubicInterpolator()
        if name == "rbf":
            return RadialInterpolator()
        training = Training(
            n_epoch=self.n_epoch,
            batch_size=512,
            learning_rate=2e-3,
            weight_decay=0.0,
            schedule="cosine",
            patience=self.n_epoch,
            seed=seed,
        )
        n_frequency = N_FREQUENCY if name == "rff" else 0
        return NetworkInterpolator(n_frequency, bandwidth=BANDWIDTH, training=training)


_TINY = RelaxedJetQG(nx=32, ny=64, dt=0.05, viscosity=1e-4)

PRESETS: Mapping[Preset, Settings] = MappingProxyType(
    {
        "test": Settings(
            Truth(_TINY, _TINY, n_sample=2, spin_up=150.0),
            Online(
                _TINY,
                n_member=1,
                n_replica=2,
                spin_up=30.0,
                lyapunov=(10.0, 5.0),
                forecast=1.2,
                climate=(10.0, 5.0),
                climate_cases=("1002",),
            ),
            n_epoch=2,
            n_likelihood=100,
        ),
        "quick": Settings(
            Truth(RelaxedJetQG(nx=72, ny=144, dt=0.03125, viscosity=2e-6), _TINY, n_sample=4),
            Online(
                _TINY,
                n_member=2,
                n_replica=4,
                spin_up=150.0,
                lyapunov=(100.0, 40.0),
                forecast=1.6,
                climate=(100.0, 40.0),
                climate_cases=("1002", "1004", "1009"),
            ),
            n_epoch=60,
        ),
        "full": Settings(
            Truth(RelaxedJetQG(), _TINY, n_sample=8),
            Online(
                RelaxedJetQG(nx=48, ny=96, dt=0.04, viscosity=1e-5),
                n_member=4,
                n_replica=4,
                spin_up=200.0,
                lyapunov=(200.0, 50.0),
                forecast=2.0,
                climate=(200.0, 50.0),
                climate_cases=tuple(CASES),
            ),
            n_epoch=200,
        ),
    }
)
"""Viscosity and time step go with the grid, so that the shortest waves are damped alike."""
