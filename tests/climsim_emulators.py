"""Untrained emulators of ClimSim's columns, wild enough that physics layers have work to do."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import torch
from torch import nn

from closures.climsim.emulator import column_emulator, emulator_spec
from closures.climsim.files import Columns, Pair, read_columns
from closures.climsim.grid import find_grid, read_grid
from closures.climsim.variables import VariableSet, variable_set
from closures.columns.emulator import ColumnEmulator, Results
from closures.columns.layout import ColumnLayout
from closures.columns.registry import ARCHITECTURES, Head, build
from closures.constraints import (
    EXACT,
    FieldRanges,
    HybridLevels,
    PhysicsConfig,
    TrainingLimits,
    missing_fields,
    physics_layers,
)
from closures.normalization import fit_normalization

ISOLATED = ("V1", "V1_albedo", "V2", "v2_rh", "v2_rh_mc")
"""Variable sets whose inputs a single mli file gives."""

RESULTS: tuple[tuple[str, Results], ...] = (
    *((name, "mean") for name in ARCHITECTURES),
    ("hsr", "moments"),
    ("hsr", "sample"),
    ("rpn", "moments"),
    ("rpn", "members"),
    ("rpn", "sample"),
    ("cvae", "moments"),
    ("cvae", "sample"),
    ("vertical_rnn", "memory"),
    ("mlp", "confidence"),
    ("bilstm", "trigger"),
)
"""Every network with everything that it can return."""

WILD = 4.0
"""How many times as much as the columns the outputs vary."""

_HEADS: MappingProxyType[Results, Head] = MappingProxyType(
    {"confidence": "confidence", "trigger": "trigger"}
)


def levels_of(folder: Path) -> HybridLevels:
    """Return the levels of a ClimSim folder."""
    grid = read_grid(find_grid(folder))
    return HybridLevels(grid.hyai, grid.hybi, grid.hyam, grid.hybm, grid.p0)


def exact_layers(
    variables: VariableSet, columns: Columns, levels: HybridLevels
) -> tuple[tuple[str, ...], Sequence[nn.Module]]:
    """Return names and modules of the exact layers that a variable set has the fields for."""
    ranges = FieldRanges.of_variables(variables)
    missing = missing_fields(PhysicsConfig(EXACT), ranges)
    names = tuple(name for name in EXACT if not missing[name])
    limits = TrainingLimits.fit(columns.inputs, columns.outputs, ranges)
    return names, physics_layers(PhysicsConfig(names), ranges, levels, limits)


def emulator(
    name: str,
    variables: VariableSet,
    columns: Columns,
    results: Results = "mean",
    physics: Sequence[nn.Module] = (),
    preset: str = "tiny",
) -> ColumnEmulator:
    """Return a network of the registry with random weights and the statistics of columns."""
    layout = ColumnLayout.of_fields(
        (variable.field for variable in variables.inputs),
        (variable.field for variable in variables.outputs),
    )
    network = build(name, layout, preset, seed=1, head=_HEADS.get(results, ""))
    inputs, outputs = fit_normalization(columns.inputs), fit_normalization(columns.outputs)
    wild = replace(outputs, spread=WILD * outputs.spread)
    spec = emulator_spec(f"{name}_{variables.name}".lower(), "untrained", columns, variables, {})
    closure = column_emulator(spec, network, inputs, wild, physics, results).eval()
    if results == "trigger":
        _balance(closure, variables, columns)
    return closure


def _balance(closure: ColumnEmulator, variables: VariableSet, columns: Columns) -> None:
    """Have the trigger on in half of the columns: by chance it may be off in all."""
    features = torch.from_numpy(columns.inputs).float()
    parts = variables.slices("inputs").values()
    arguments = [
        features[:, part] if variable.field.dims else features[:, part.start]
        for variable, part in zip(variables.inputs, parts, strict=True)
    ]
    with torch.no_grad():
        bias = closure.network.network.head.bias  # type: ignore[union-attr]
        bias[-1] -= closure(*arguments)[-1].logit().median()  # type: ignore[index, operator]


def columns_of(pairs: Sequence[Pair], name: str) -> tuple[VariableSet, Columns]:
    """Return a variable set and the columns of pairs in it."""
    variables = variable_set(name)
    return variables, read_columns(pairs, variables)
