"""Sizes of the multi-fidelity experiment, by preset."""

from dataclasses import dataclass

from closures.multifidelity import EnsembleSizes, EnsembleTraining, NoiseSizes
from closures.training import Training
from hybrid.experiments.multifidelity.beds import Sizes
from hybrid.experiments.multifidelity.candidates import CANDIDATES, Candidate
from hybrid.experiments.multifidelity.climsim import ClimsimSizes
from hybrid.experiments.multifidelity.columns import ColumnSizes
from hybrid.experiments.multifidelity.lorenz96 import LorenzSizes
from hybrid.experiments.multifidelity.lorenz96_online import OnlineSizes
from hybrid.experiments.result import Preset

QUICK = ("mf", "mf_published", "lf", "hf", "pooled", "det", "hf_invariant", "code")
"""Candidates that a comparison cannot do without."""

INPUT_LIMIT = 15.0
"""Normalised inputs beyond it are cut off.

Chosen in the generated columns: with 5 instead, clouds that reach a level where there are none now
look like those of the present, and R2 at the tropopause of a climate warmer by 4 K is negative."""

PUBLISHED_PRIOR, PUBLISHED_SLOPE = 1.0, 0.15
"""Factor of the priors and slope of LeakyReLU of the published ensemble."""


@dataclass(frozen=True)
class Settings:
    """How the closures of one test bed are trained.

    Parameters
    ----------
    n_member, widths, n_epoch, batch_size
        Of each ensemble; a deterministic network has one member.
    noise_epoch
        Epochs of the noise's estimate.
    prior_scale, share
        See `EnsembleSizes` and `EnsembleTraining`.
    low_weight
        Weight of the low-fidelity error.
    input_noise
        Standard deviation of noise on normalised inputs in training: the correction is learned in
        one climate, and must not follow each of its features.
    """

    n_member: int
    widths: tuple[int, ...]
    n_epoch: int
    batch_size: int = 512
    noise_epoch: int = 8
    prior_scale: float = 0.5
    share: float = 0.8
    low_weight: float = 1.0
    input_noise: float = 0.4

    def ensemble(self, candidate: Candidate, seed: int) -> EnsembleSizes:
        """Return what an ensemble is made of."""
        prior_scale = PUBLISHED_PRIOR if candidate.published else self.prior_scale
        return EnsembleSizes(
            form=candidate.form,
            n_member=1 if candidate.deterministic else self.n_member,
            widths=self.widths,
            prior_scale=0.0 if candidate.deterministic else prior_scale,
            stop_gradient=candidate.stop_gradient,
            slope=PUBLISHED_SLOPE if candidate.published else None,
            seed=seed,
        )

    def training(
        self, *, deterministic: bool, n_sample: int, n_low: int, seed: int
    ) -> EnsembleTraining:
        """Return how it is trained: the same number of steps, however many samples there are."""
        # An epoch passes over the larger set; a candidate that has the smaller one alone makes up
        # for it by more epochs, so that none has seen fewer gradients.
        epochs = max(self.n_epoch, round(self.n_epoch * n_low / n_sample))
        return EnsembleTraining(
            Training(
                epochs,
                batch_size=self.batch_size,
                learning_rate=1e-3,
                weight_decay=1e-4,
                seed=seed,
                input_noise=self.input_noise,
            ),
            share=1.0 if deterministic else self.share,
            low_weight=self.low_weight,
            noise=None
            if deterministic
            else Training(
                self.noise_epoch, batch_size=self.batch_size, weight_decay=1e-2, seed=seed
            ),
            noise_sizes=NoiseSizes(seed=seed),
        )


@dataclass(frozen=True)
class Plan:
    """What a preset runs.

    Parameters
    ----------
    beds
        Samples of each test bed, and how its closures are trained.
    candidates
        Names of the closures.
    n_seed
        Trainings of each.
    online
        Coupled runs of the bed of Lorenz-96; None for none.
    """

    beds: tuple[tuple[Sizes, Settings], ...]
    candidates: tuple[str, ...]
    n_seed: int
    online: OnlineSizes | None = None


_COLUMNS = ColumnSizes(180, 45, 16)
_TINY = ColumnSizes(4, 2, 1, warmings=(0.0, 8.0), tested=(4,), n_spin_up=2)

PRESETS: dict[Preset, Plan] = {
    "test": Plan(((_TINY, Settings(2, (16,), 1, 128, 1)),), ("mf", "hf", "det"), 1),
    "quick": Plan(((_COLUMNS, Settings(4, (128, 128), 8)),), QUICK, 1),
    "full": Plan(
        (
            # At the tropopause single storms decide R2: more of them to learn from and to test.
            (ColumnSizes(360, 90, 48), Settings(8, (128, 128), 4)),
            # Few samples, and one output each: as many steps as they need take seconds.
            (
                LorenzSizes(240, 60, 800),
                Settings(8, (32, 32), 50, 128, noise_epoch=100, input_noise=0.0),
            ),
            # Chosen by scores on validation steps: the cheap scheme hardly resembles ClimSim.
            (ClimsimSizes(), Settings(8, (128, 128), 8, low_weight=0.1)),
        ),
        tuple(candidate.name for candidate in CANDIDATES),
        5,
        OnlineSizes(),
    ),
}
