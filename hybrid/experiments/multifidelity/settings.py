"""Sizes of the multi-fidelity experiment, by preset."""

from dataclasses import dataclass

from closures.multifidelity import EnsembleSizes, EnsembleTraining, NoiseSizes
from closures.training import Training
from hybrid.experiments.multifidelity.candidates import CANDIDATES
from hybrid.experiments.multifidelity.columns import ColumnSizes
from hybrid.experiments.result import Preset

QUICK = ("mf", "mf_published", "lf", "hf", "pooled", "det", "hf_invariant", "code")
"""Candidates that the issue of a climate that nobody has seen cannot do without."""

INPUT_LIMIT = 15.0
"""Normalised inputs beyond it are cut off.

Chosen in the generated columns: with 5 instead, clouds that reach a level where there are none now
look like those of the present, and R2 at the tropopause of a climate warmer by 4 K is negative."""


@dataclass(frozen=True)
class Settings:
    """What a preset runs.

    Parameters
    ----------
    beds
        Names of the test beds.
    candidates
        Names of the closures.
    n_seed
        Trainings of each.
    columns
        Moments of the generated columns.
    n_member, widths, n_epoch, batch_size
        Of each ensemble; a deterministic network has one member.
    noise_epoch
        Epochs of the noise's estimate.
    """

    beds: tuple[str, ...]
    candidates: tuple[str, ...]
    n_seed: int
    columns: ColumnSizes
    n_member: int
    widths: tuple[int, ...]
    n_epoch: int
    batch_size: int = 512
    noise_epoch: int = 8
    prior_scale: float = 0.5
    share: float = 0.8

    def ensemble(self, *, deterministic: bool, form: str, stop: bool, seed: int) -> EnsembleSizes:
        """Return what an ensemble is made of."""
        return EnsembleSizes(
            form=form,  # type: ignore[arg-type]
            n_member=1 if deterministic else self.n_member,
            widths=self.widths,
            prior_scale=0.0 if deterministic else self.prior_scale,
            stop_gradient=stop,
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
            ),
            share=1.0 if deterministic else self.share,
            noise=None
            if deterministic
            else Training(
                self.noise_epoch, batch_size=self.batch_size, weight_decay=1e-2, seed=seed
            ),
            noise_sizes=NoiseSizes(seed=seed),
        )


_ALL = tuple(candidate.name for candidate in CANDIDATES)

PRESETS: dict[Preset, Settings] = {
    "test": Settings(
        ("columns",),
        ("mf", "hf", "det"),
        1,
        ColumnSizes(4, 2, 1, warmings=(0.0, 8.0), tested=(4,), n_spin_up=2),
        n_member=2,
        widths=(16,),
        n_epoch=1,
        batch_size=128,
        noise_epoch=1,
    ),
    "quick": Settings(("columns",), QUICK, 1, ColumnSizes(180, 45, 16), 4, (128, 128), 4),
    "full": Settings(("columns",), _ALL, 5, ColumnSizes(360, 90, 24), 8, (256, 256), 6),
}
