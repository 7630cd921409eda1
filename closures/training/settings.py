"""How a network is trained."""

from dataclasses import dataclass
from typing import Literal, get_args

from closures.training.errors import TrainingError

Schedule = Literal["one_cycle", "cosine", "step", "plateau", "constant"]
Precision = Literal["32", "bf16-mixed"]


@dataclass(frozen=True)
class Training:
    """Settings of a training by AdamW.

    Parameters
    ----------
    n_epoch
        Passes over the samples.
    batch_size
        Samples a step, of all ranks together; an incomplete last batch of an epoch is left out.
    learning_rate
        Peak of the schedule.
    weight_decay
        Decoupled weight decay [1].
    seed
        Seed of the order of samples, of dropout and of noise.
    schedule
        ``"one_cycle"`` [2] and ``"cosine"`` follow the steps of the whole training, ``"step"``
        multiplies the rate by `factor` after every `every` epochs, ``"plateau"`` after `every`
        epochs in which the validation loss did not improve, ``"constant"`` keeps it.
    factor, every
        Of the schedules step and plateau.
    clip
        Largest norm of the gradient; None for no limit.
    patience
        Epochs without a better validation loss after which training ends; None to go on.
    averaging
        Decay of the moving average of the weights, for example 0.999; the average is what is
        validated and kept. The decay is lower during the first steps, ``(1 + n) / (10 + n)``, or
        the initial weights would remain in it. 0: no average.
    precision
        ``"bf16-mixed"`` computes layers in bfloat16 and keeps weights and losses in float32.
    input_noise
        Standard deviation of Gaussian noise on normalised inputs, in training alone.

    Raises
    ------
    TrainingError
        If a value is out of its range.

    References
    ----------
    .. [1] Loshchilov & Hutter 2019, Decoupled weight decay regularization, ICLR.
    .. [2] Smith & Topin 2019, Super-convergence, SPIE 11006.
    """

    n_epoch: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    seed: int = 0
    schedule: Schedule = "one_cycle"
    factor: float = 0.3
    every: int = 3
    clip: float | None = None
    patience: int | None = None
    averaging: float = 0.0
    precision: Precision = "32"
    input_noise: float = 0.0

    def __post_init__(self) -> None:
        if min(self.n_epoch, self.batch_size) < 1:
            raise TrainingError(
                "training: expected at least one epoch and one sample a batch, got "
                f"n_epoch={self.n_epoch}, batch_size={self.batch_size}"
            )
        if not (self.learning_rate > 0.0 and self.weight_decay >= 0.0):
            raise TrainingError(
                "training: expected learning_rate > 0 and weight_decay >= 0, got "
                f"{self.learning_rate} and {self.weight_decay}"
            )
        for name, value, known in (
            ("schedule", self.schedule, get_args(Schedule)),
            ("precision", self.precision, get_args(Precision)),
        ):
            if value not in known:
                raise TrainingError(
                    f"training: expected {name} to be one of {', '.join(known)}, got {value!r}"
                )
        self._check_ranges()

    def _check_ranges(self) -> None:
        in_range = {
            "factor": 0.0 < self.factor < 1.0,
            "every": self.every >= 1,
            "clip": self.clip is None or self.clip > 0.0,
            "patience": self.patience is None or self.patience >= 1,
            "averaging": 0.0 <= self.averaging < 1.0,
            "input_noise": self.input_noise >= 0.0,
            "seed": self.seed >= 0,
        }
        wrong = [name for name, right in in_range.items() if not right]
        if wrong:
            got = ", ".join(f"{name}={getattr(self, name)}" for name in wrong)
            raise TrainingError(
                "training: expected 0 < factor < 1, every >= 1, clip > 0, patience >= 1, "
                f"0 <= averaging < 1, input_noise >= 0 and seed >= 0, got {got}"
            )
