"""What all emulators of ClimSim share: normalisation, contract, prediction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from closures.base import Closure
from closures.climsim.files import Columns
from closures.climsim.manifest import Manifest
from closures.climsim.variables import Variable, VariableSet
from closures.columns.emulator import ColumnEmulator, Results
from closures.columns.nonnegative import Nonnegative
from closures.field import Field
from closures.normalization import Normalization, fit_normalization
from closures.spec import ClosureSpec

Array = NDArray[np.float64]

HUMIDITY_FLOOR = 0.1
"""Least spread of humidity, as a fraction of its mean [1].

Above about 20 hPa water vapour varies by 0.1 to 3 % of itself and drifts over months. Divided
by so small a standard deviation, next season's vapour lies nine standard deviations away from
all training columns, and the network extrapolates."""

CLIP = 20.0
"""Largest normalised target in training: a handful of columns would dominate the loss."""

REFERENCE = (
    "Yu et al. 2023, ClimSim: a large multi-scale dataset for hybrid physics-ML climate "
    "emulation, NeurIPS Datasets and Benchmarks"
)


def column_emulator(
    spec: ClosureSpec,
    network: nn.Module,
    inputs: Normalization,
    outputs: Normalization,
    physics: Sequence[nn.Module] = (),
    results: Results = "mean",
    input_limit: float | None = None,
) -> ColumnEmulator:
    """Return the closure of a network on ClimSim's columns.

    Its scalar outputs, fluxes and precipitation rates, are cut off at zero, then the `physics`
    layers act; other arguments as those of `ColumnEmulator`.
    """
    fluxes = [field.name for field in spec.outputs if not field.dims]
    layers = (Nonnegative(spec, fluxes), *physics)
    return ColumnEmulator(
        spec, network, inputs, outputs, physics=layers, results=results, input_limit=input_limit
    )


def predict(closure: Closure, inputs: Array, variables: VariableSet) -> Array:
    """Run a closure on stacked columns, in Python.

    Parameters
    ----------
    closure
        Closure whose inputs are those of `variables`.
    inputs
        Features ``(n, n_input)`` in the units of the fields.
    variables
        Variable set.

    Returns
    -------
    ndarray
        Outputs ``(n, n_output)`` in the units of the fields, float64.
    """
    features = torch.from_numpy(inputs).float()
    arguments = [
        features[:, part] if variable.field.dims else features[:, part.start]
        for variable, part in zip(
            variables.inputs, variables.slices("inputs").values(), strict=True
        )
    ]
    with torch.no_grad():
        outputs = closure(*arguments)
    columns = [value if value.dim() == 2 else value[:, None] for value in outputs]
    result: Array = torch.cat(columns, dim=1).double().numpy()
    return result


def normalizations(columns: Columns, variables: VariableSet) -> tuple[Normalization, Normalization]:
    """Fit the normalisation of inputs and outputs to training columns."""
    floor = np.zeros(variables.n_input)
    floor[variables.slices("inputs")["state_q0001"]] = HUMIDITY_FLOOR
    return fit_normalization(columns.inputs, floor), fit_normalization(columns.outputs)


def emulator_spec(
    name: str,
    description: str,
    columns: Columns,
    variables: VariableSet,
    provenance: Mapping[str, str],
) -> ClosureSpec:
    """Return the contract of an emulator trained on `columns`.

    The envelope of each field is its range over the training columns, as float32, the
    precision in which the closure sees it.
    """
    inputs, outputs = columns.inputs.astype(np.float32), columns.outputs.astype(np.float32)
    return ClosureSpec(
        name=name,
        version="1.0",
        inputs=with_envelope(variables.inputs, inputs.min(axis=0), inputs.max(axis=0)),
        outputs=with_envelope(variables.outputs, outputs.min(axis=0), outputs.max(axis=0)),
        description=description,
        references=(REFERENCE,),
        provenance={
            "variables": variables.name,
            "first_pair": columns.pairs[0].mli.name,
            "last_pair": columns.pairs[-1].mli.name,
            "n_pair": str(columns.n_time),
            "n_column": str(len(columns.inputs)),
            **provenance,
        },
    )


def spec_of_manifest(
    name: str, description: str, manifest: Manifest, provenance: Mapping[str, str]
) -> ClosureSpec:
    """Return the contract of an emulator trained on shards; see `emulator_spec`."""
    variables = manifest.variables
    pairs = sorted(source.mli for source in manifest.sources)
    return ClosureSpec(
        name=name,
        version="1.0",
        inputs=with_envelope(variables.inputs, manifest.inputs.minimum, manifest.inputs.maximum),
        outputs=with_envelope(
            variables.outputs, manifest.outputs.minimum, manifest.outputs.maximum
        ),
        description=description,
        references=(REFERENCE,),
        provenance={
            "variables": variables.name,
            "first_pair": pairs[0],
            "last_pair": pairs[-1],
            "n_pair": str(len(pairs)),
            "n_column": str(manifest.n_sample),
            **provenance,
        },
    )


def with_envelope(
    variables: tuple[Variable, ...], lowest: NDArray[Any], highest: NDArray[Any]
) -> tuple[Field, ...]:
    """Return the fields of variables with their range, one number a feature, as envelope."""
    fields, start = [], 0
    for variable in variables:
        part = slice(start, start + variable.field.size)
        start = part.stop
        low = lowest[part].astype(np.float32).tolist()
        high = highest[part].astype(np.float32).tolist()
        profile = bool(variable.field.dims)
        fields.append(
            replace(
                variable.field,
                valid_min=tuple(low) if profile else low[0],
                valid_max=tuple(high) if profile else high[0],
            )
        )
    return tuple(fields)
