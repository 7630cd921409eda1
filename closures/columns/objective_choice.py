"""Objectives by name, and their settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from closures.columns.core import Core
from closures.columns.head_objectives import Confidence, Trigger
from closures.columns.layout import ColumnLayout
from closures.columns.objectives import (
    ColumnObjective,
    Error,
    Pointwise,
    Regression,
    Rollout,
    Target,
)
from closures.columns.probabilistic_objectives import (
    EnsembleCRPS,
    GaussianCRPS,
    Heteroskedastic,
    PriorEnsemble,
    SampleCRPS,
    Variational,
)
from closures.columns.weighting import Weighting, feature_weights
from closures.constraints.ranges import FieldRanges
from closures.errors import SpecError
from closures.normalization import Normalization

Array = NDArray[np.float64]
LossKind = Literal[
    "mse",
    "mae",
    "huber",
    "heteroskedastic",
    "members",
    "elbo",
    "ensemble_crps",
    "sample_crps",
    "gaussian_crps",
    "confidence",
    "trigger",
]


@dataclass(frozen=True)
class LossSettings:
    """What is minimised.

    Parameters
    ----------
    kind
        ``"mse"``, ``"mae"``, ``"huber"`` for any network; ``"heteroskedastic"`` for hsr,
        ``"members"`` for rpn, ``"elbo"`` for cvae; ``"ensemble_crps"`` for rpn; ``"sample_crps"``
        and ``"gaussian_crps"`` for hsr, rpn and cvae; ``"confidence"`` and ``"trigger"`` for
        networks with that head.
    weighting, weights
        How much outputs count, and further factors by output; see `feature_weights`. For mse, mae
        and huber.
    squared
        Outputs of which mae and huber take the squared error: the least absolute error is that of
        the median, which for rain, mostly near zero, lies far below the mean.
    through_physics
        Minimise the error after the physics layers. For mse, mae, huber and confidence.
    delta
        Threshold of Huber's loss.
    vertical_difference
        Factor of the loss of differences between levels, which is added to mse, mae or huber.
    rollout
        Consecutive steps over which a network with a memory is trained, at least 1.
    gamma, rho
        Of heteroskedastic regression.
    fraction
        Part of the samples that each member of rpn learns from.
    beta
        Weight of the divergence of cvae.
    alpha, n_draw
        Fairness of the CRPS; draws for ``"sample_crps"``.
    active, above
        For a trigger: the scalar output that tells whether the scheme was active, and the value
        that it exceeds then, in its units.

    Raises
    ------
    ValueError
        If there is no such loss, or a number is out of its range.
    """

    kind: LossKind = "mse"
    weighting: Weighting = "std"
    weights: Mapping[str, float] = field(default_factory=dict)
    squared: tuple[str, ...] = ()
    through_physics: bool = False
    delta: float = 1.0
    vertical_difference: float = 0.0
    rollout: int = 1
    gamma: float = 0.022
    rho: float | None = None
    fraction: float = 0.8
    beta: float = 0.5
    alpha: float = 0.95
    n_draw: int = 4
    active: str = ""
    above: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(LossKind):
            raise ValueError(
                f"loss: expected one of {', '.join(get_args(LossKind))}, got {self.kind!r}"
            )
        if self.weighting not in get_args(Weighting):
            raise ValueError(
                f"loss: expected weighting out of {', '.join(get_args(Weighting))}, got "
                f"{self.weighting!r}"
            )
        if self.delta <= 0.0 or self.vertical_difference < 0.0 or self.rollout < 1:
            raise ValueError(
                "loss: expected delta > 0, vertical_difference >= 0 and rollout >= 1, got "
                f"{self.delta}, {self.vertical_difference} and {self.rollout}"
            )

    @property
    def is_pointwise(self) -> bool:
        """Whether it is a weighted error of one prediction."""
        return self.kind in {"mse", "mae", "huber"}

    @property
    def needs_numbers(self) -> bool:
        """Whether batches must tell the number of each sample."""
        return self.kind == "members"


@dataclass(frozen=True)
class Setting:
    """What an objective is made for.

    Parameters
    ----------
    layout, ranges
        Order of the features, and where the fields lie.
    outputs
        Normalisation of the outputs.
    nonnegative
        Outputs that the closure cuts off at zero.
    clip_targets
        Largest magnitude of a normalised target.
    energy
        Energy flux that one unit of each output stands for, if known.
    n_sample
        Number of training samples.
    seed
        Seed of what is drawn once.
    """

    layout: ColumnLayout
    ranges: FieldRanges
    outputs: Normalization
    nonnegative: tuple[str, ...] = ()
    clip_targets: float = 20.0
    energy: Array | None = None
    n_sample: int = 0
    seed: int = 0


def make_objective(core: Core, loss: LossSettings, setting: Setting) -> ColumnObjective:
    """Return the objective of a core's network.

    Raises
    ------
    SpecError
        If the network has not what the loss needs, or the loss not what it needs.
    """
    target = _target(loss, setting)
    if loss.is_pointwise:
        error = Error(cast("Pointwise", loss.kind), loss.delta, loss.vertical_difference)
        kind = Rollout if loss.rollout > 1 else Regression
        return kind(core, target, error, setting.layout)
    return _MAKERS[loss.kind](core, target, loss, setting)


_Maker = Callable[[Core, Target, LossSettings, Setting], ColumnObjective]
_MAKERS: Mapping[str, _Maker] = {
    "heteroskedastic": lambda core, target, loss, _: Heteroskedastic(
        core, target, loss.gamma, loss.rho
    ),
    "members": lambda core, target, loss, setting: PriorEnsemble(
        core, target, setting.n_sample, loss.fraction, setting.seed
    ),
    "elbo": lambda core, target, loss, _: Variational(core, target, loss.beta),
    "ensemble_crps": lambda core, target, loss, _: EnsembleCRPS(core, target, loss.alpha),
    "sample_crps": lambda core, target, loss, _: SampleCRPS(core, target, loss.n_draw, loss.alpha),
    "gaussian_crps": lambda core, target, _loss, _: GaussianCRPS(core, target),
    "confidence": lambda core, target, loss, _: Confidence(core, target, loss.delta),
    "trigger": lambda core, target, loss, setting: Trigger(
        core, target, _active_feature(loss, setting.ranges), loss.above
    ),
}


def _target(loss: LossSettings, setting: Setting) -> Target:
    outputs, ranges = setting.outputs, setting.ranges
    if not loss.is_pointwise and (loss.weighting != "std" or loss.weights):
        raise SpecError(
            f"loss {loss.kind}: expected no weights, got weighting={loss.weighting} and "
            f"weights={dict(loss.weights)}; they are for mse, mae and huber"
        )
    unknown = sorted(set(loss.squared) - set(ranges.outputs))
    if unknown or (loss.squared and not loss.is_pointwise):
        raise SpecError(
            f"loss {loss.kind}: expected in squared outputs out of {', '.join(ranges.outputs)}, "
            f"with mae or huber; got {', '.join(loss.squared)}"
        )
    if loss.through_physics and not (loss.is_pointwise or loss.kind == "confidence"):
        raise SpecError(
            f"loss {loss.kind}: expected through_physics=false, got true; it is for mse, mae, "
            "huber and confidence"
        )
    weights = feature_weights(
        ranges,
        outputs.spread,
        loss.weighting,
        factors=loss.weights,
        energy=setting.energy,
        power=2 if loss.kind == "mse" else 1,
    )
    zero = outputs.normalize(np.zeros(ranges.n_output))
    least = np.full(ranges.n_output, -np.inf)
    for name in setting.nonnegative:
        least[ranges.outputs[name]] = zero[ranges.outputs[name]]
    return Target(
        torch.from_numpy(weights),
        torch.from_numpy(least),
        setting.clip_targets,
        loss.through_physics,
        _squared(loss, ranges),
    )


def _squared(loss: LossSettings, ranges: FieldRanges) -> torch.Tensor | None:
    if not loss.squared:
        return None
    squared = torch.zeros(ranges.n_output, dtype=torch.bool)
    for name in loss.squared:
        squared[ranges.outputs[name]] = True
    return squared


def _active_feature(loss: LossSettings, ranges: FieldRanges) -> int:
    part = ranges.outputs.get(loss.active)
    if part is None or part.stop - part.start != 1:
        raise SpecError(
            "loss trigger: expected in active a scalar output, got "
            f"{loss.active!r}; outputs are {', '.join(ranges.outputs)}"
        )
    return int(part.start)
