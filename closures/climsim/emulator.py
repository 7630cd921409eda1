"""A closure made of a network on normalised columns: what MLP and ridge share."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from closures.base import Closure
from closures.climsim.files import Columns
from closures.climsim.variables import Variable, VariableSet
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


class ColumnEmulator(Closure):
    """V1 columns in physical units through a network on normalised features.

    ``y = y_mean + y_spread * network((x - x_mean) / x_spread)``; the eight scalars, which are
    fluxes and precipitation rates, are cut off at zero.

    Parameters
    ----------
    spec
        Contract; its fields are those of `v1`.
    network
        Maps normalised inputs ``(n, 124)`` to normalised outputs ``(n, 128)``.
    inputs, outputs
        Normalisation of features and targets.
    """

    input_mean: Tensor
    input_scale: Tensor
    output_mean: Tensor
    output_spread: Tensor

    def __init__(
        self, spec: ClosureSpec, network: nn.Module, inputs: Normalization, outputs: Normalization
    ) -> None:
        super().__init__(spec)
        self.network = network
        self.n_level = int(spec.inputs[0].size)
        for name, values in (
            ("input_mean", inputs.mean),
            ("input_scale", inputs.scale),
            ("output_mean", outputs.mean),
            ("output_spread", outputs.spread),
        ):
            self.register_buffer(name, torch.from_numpy(values).float())

    def forward(
        self,
        state_t: Tensor,
        state_q0001: Tensor,
        state_ps: Tensor,
        pbuf_solin: Tensor,
        pbuf_lhflx: Tensor,
        pbuf_shflx: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Predict tendencies and surface fluxes.

        Parameters
        ----------
        state_t, state_q0001
            Temperature [K] and specific humidity [kg kg-1], ``(n, n_level)``.
        state_ps
            Surface pressure ``(n,)`` [Pa].
        pbuf_solin, pbuf_lhflx, pbuf_shflx
            Incoming sunlight, downward; latent and sensible heat flux, upward ``(n,)`` [W m-2].

        Returns
        -------
        tuple of Tensor
            ptend_t [K s-1], ptend_q0001 [kg kg-1 s-1], both ``(n, n_level)``; then ``(n,)``
            netsw, flwds [W m-2], precsc, precc [m s-1], sols, soll, solsd, solld [W m-2].
        """
        scalars = torch.stack([state_ps, pbuf_solin, pbuf_lhflx, pbuf_shflx], dim=1)
        features = torch.cat([state_t, state_q0001, scalars], dim=1)
        normalized = self.network((features - self.input_mean) * self.input_scale)
        outputs = normalized * self.output_spread + self.output_mean
        n = self.n_level
        surface = torch.relu(outputs[:, 2 * n :])
        return (
            outputs[:, :n],
            outputs[:, n : 2 * n],
            surface[:, 0],
            surface[:, 1],
            surface[:, 2],
            surface[:, 3],
            surface[:, 4],
            surface[:, 5],
            surface[:, 6],
            surface[:, 7],
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
    return ClosureSpec(
        name=name,
        version="1.0",
        inputs=_with_envelope(variables.inputs, columns.inputs),
        outputs=_with_envelope(variables.outputs, columns.outputs),
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


def _with_envelope(variables: tuple[Variable, ...], values: Array) -> tuple[Field, ...]:
    fields, start = [], 0
    for variable in variables:
        part = values[:, start : start + variable.field.size].astype(np.float32)
        start += variable.field.size
        low, high = part.min(axis=0).tolist(), part.max(axis=0).tolist()
        profile = bool(variable.field.dims)
        fields.append(
            replace(
                variable.field,
                valid_min=tuple(low) if profile else low[0],
                valid_max=tuple(high) if profile else high[0],
            )
        )
    return tuple(fields)
