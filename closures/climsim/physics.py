"""Physics layers for the variables, columns and levels of a training."""

from collections.abc import Sequence

import numpy as np
from torch import nn

from closures.climsim.grid import ColumnGrid
from closures.climsim.loader import Shards
from closures.columns.recipe import EXACT_LAYERS
from closures.constraints import (
    EXACT,
    FieldRanges,
    HybridLevels,
    PhysicsConfig,
    TrainingLimits,
    missing_fields,
    physics_layers,
)

LIMIT_SAMPLES = 1_000_000
"""Training samples, at most, from which limits are learned."""


def chosen_layers(names: Sequence[str], ranges: FieldRanges) -> tuple[str, ...]:
    """Return names of layers, ``"exact"`` replaced by what is possible with these fields."""
    if EXACT_LAYERS not in names:
        return tuple(names)
    missing = missing_fields(PhysicsConfig(), ranges)
    possible = [name for name in EXACT if not missing[name]]
    return tuple(dict.fromkeys((*possible, *(name for name in names if name != EXACT_LAYERS))))


def physics_of(
    names: Sequence[str], shards: Shards, grid: ColumnGrid | None
) -> tuple[nn.Module, ...]:
    """Return physics layers for what a training sees.

    Parameters
    ----------
    names
        Layers, see `closures.constraints.LAYERS`, and ``"exact"`` for all that hold exactly in
        ClimSim's files and whose fields the variables have.
    shards
        Training samples, from which limits are learned where a layer needs them.
    grid
        Levels, where a layer needs them.

    Raises
    ------
    ValueError
        If a layer is unknown, or needs fields or levels that are not there.
    """
    ranges = FieldRanges.of_variables(shards.manifest.variables)
    config = PhysicsConfig(chosen_layers(names, ranges))
    levels = None
    if grid is not None:
        levels = HybridLevels(grid.hyai, grid.hybi, grid.hyam, grid.hybm, grid.p0)
    limits = None
    if {"quantiles", "night"} & set(config.layers):
        limits = _limits(shards, ranges)
    return physics_layers(config, ranges, levels, limits)


def _limits(shards: Shards, ranges: FieldRanges) -> TrainingLimits:
    parts = shards.parts()
    share = min(1.0, LIMIT_SAMPLES / shards.n_sample)
    # Shards are random samples of their time steps, and so is their beginning.
    kept = [tuple(rows[: max(1, int(share * len(rows)))] for rows in part) for part in parts]
    inputs, outputs = (np.concatenate([part[i] for part in kept]) for i in (0, 1))
    return TrainingLimits.fit(inputs, outputs, ranges)
