"""What a recipe is trained on, and the emulator that comes of it."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from closures.climsim.statistics import Statistics
from closures.columns.emulator import ColumnEmulator
from closures.columns.layout import ColumnLayout
from closures.columns.nonnegative import Nonnegative
from closures.columns.objective_choice import Setting, make_objective
from closures.columns.objectives import ColumnObjective
from closures.columns.recipe import RIDGE, Recipe, RecipeError
from closures.columns.registry import build
from closures.columns.seeding import seeded
from closures.constraints import FieldRanges
from closures.normalization import normalization_of
from closures.spec import ClosureSpec
from closures.training.batches import Batches, MappedBatches, MemoryBatches, Order, Samples
from closures.training.ranks import Ranks
from closures.training.settings import Training
from closures.training.trajectories import TrajectoryBatches

Array = NDArray[np.float64]

MEMORY_SHARE = 0.4
"""Part of the memory that samples may fill; what is more stays on the disk."""


@dataclass(frozen=True)
class Case:
    """Samples and everything about them that a training depends on.

    Parameters
    ----------
    spec
        Contract of the deterministic closure, with the range of the training columns.
    train, validation
        Samples.
    inputs, outputs
        Statistics of the training samples.
    origin
        What tells these samples from others, for the record and for resuming.
    nonnegative
        Outputs that the closure cuts off at zero.
    make_physics
        Makes the physics layers of these names.
    energy
        Energy flux that one unit of each output stands for, if known.
    steps
        Number of the time step of each of the equal parts of the training and of the validation
        samples, where these are in order.
    """

    spec: ClosureSpec
    train: Samples
    validation: Samples | None
    inputs: Statistics
    outputs: Statistics
    origin: Mapping[str, str]
    nonnegative: tuple[str, ...] = ()
    make_physics: Callable[[Sequence[str]], tuple[nn.Module, ...]] = lambda _: ()
    energy: Array | None = None
    steps: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def ranges(self) -> FieldRanges:
        """Where the fields lie."""
        return FieldRanges.of_spec(self.spec)

    @property
    def layout(self) -> ColumnLayout:
        """Order of the features."""
        return ColumnLayout.of_fields(self.spec.inputs, self.spec.outputs)

    def emulator(self, recipe: Recipe) -> ColumnEmulator:
        """Return the untrained closure of a recipe."""
        scaling, spec = recipe.scaling, self.spec
        inputs = scaling.inputs(self.inputs.mean, self.inputs.std, self.ranges)
        layers: list[nn.Module] = []
        if self.nonnegative:
            layers.append(Nonnegative(spec, self.nonnegative))
        return ColumnEmulator(
            spec,
            self._network(recipe),
            inputs,
            normalization_of(self.outputs.mean, self.outputs.std),
            physics=(*layers, *self.make_physics(recipe.physics)),
            results=recipe.results,
            input_limit=scaling.clip_inputs,
        )

    def objective(self, recipe: Recipe, emulator: ColumnEmulator) -> ColumnObjective:
        """Return what a recipe minimises, around the emulator's own network."""
        setting = Setting(
            self.layout,
            self.ranges,
            normalization_of(self.outputs.mean, self.outputs.std),
            self.nonnegative,
            recipe.scaling.clip_targets,
            self.energy,
            self.train.n_sample,
            recipe.training.seed,
        )
        return make_objective(emulator.core, recipe.loss, setting)

    def batches(self, recipe: Recipe, part: str, samples: Samples, among: Ranks) -> Batches:
        """Return this rank's batches of samples, which are those of a part: train, validation."""
        order = _order(recipe, among, samples, training=part == "train")
        if recipe.loss.rollout > 1:
            if part not in self.steps:
                raise RecipeError(
                    f"loss.rollout: expected samples of known time steps in order, got others for "
                    f"{part}; set loss.rollout=1 and results=mean"
                )
            return TrajectoryBatches(
                samples, self.steps[part], recipe.loss.rollout, order, among.device
            )
        if _fits(samples, among):
            return MemoryBatches(samples, order, among.device)
        return MappedBatches(samples, order)

    def _network(self, recipe: Recipe) -> nn.Module:
        if recipe.model == RIDGE:
            with seeded(0):
                return nn.Linear(self.layout.n_input, self.layout.n_output)
        return build(
            recipe.model,
            self.layout,
            seed=recipe.training.seed,
            sizes=recipe.chosen_sizes(),
            head=recipe.head,
        )


def _order(recipe: Recipe, among: Ranks, samples: Samples, *, training: bool) -> Order:
    settings: Training = recipe.training
    size = settings.batch_size
    if training and samples.n_sample < size:
        raise RecipeError(
            f"training.batch_size: expected at most the {samples.n_sample} samples, got {size}"
        )
    return Order(
        size,
        settings.seed if training else None,
        drop_last=training,
        rank=among.rank,
        n_rank=among.n_rank,
        numbered=recipe.loss.needs_numbers,
    )


def _fits(samples: Samples, among: Ranks) -> bool:
    size = 4 * samples.n_sample * sum(samples.widths)
    if among.device.type == "cuda":
        return size < MEMORY_SHARE * torch.cuda.mem_get_info(among.device)[0]
    # Each process holds all samples, and all may share one machine.
    return among.n_rank * size < MEMORY_SHARE * _memory()


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
