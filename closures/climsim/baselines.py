"""What an emulator has to beat: the horizontal mean and a linear regression."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from torch import nn

from closures.climsim.emulator import CLIP, column_emulator, emulator_spec, normalizations
from closures.climsim.files import Columns
from closures.climsim.variables import VariableSet
from closures.columns.emulator import ColumnEmulator

Array = NDArray[np.float64]

PENALTY = 100.0
"""Ridge penalty on normalised features: small beside the number of columns, but neighbouring
levels are nearly collinear."""


def climatology(columns: Columns, n_column: int) -> Array:
    """Predict the mean over all training columns, ``(n_column, n_output)``."""
    return np.tile(columns.outputs.mean(axis=0), (n_column, 1))


def fit_ridge(
    columns: Columns,
    variables: VariableSet,
    penalty: float = PENALTY,
    provenance: Mapping[str, str] | None = None,
) -> ColumnEmulator:
    """Fit a linear map from normalised inputs to normalised outputs with an L2 penalty.

    It gets the same normalisation and the same cut-off at zero as the network.

    Parameters
    ----------
    columns
        Training columns.
    variables
        Their variable set.
    penalty
        L2 penalty, in units of the variance of one normalised sample.
    provenance
        What to record in the closure's contract.

    Raises
    ------
    ValueError
        If the penalty is negative.
    """
    if penalty < 0.0:
        raise ValueError(f"ridge: expected a penalty >= 0, got {penalty}")
    inputs, outputs = normalizations(columns, variables)
    targets = np.clip(outputs.normalize(columns.outputs), -CLIP, CLIP)
    fitted = Ridge(alpha=penalty).fit(inputs.normalize(columns.inputs), targets)
    network = nn.Linear(variables.n_input, variables.n_output)
    with torch.no_grad():
        network.weight.copy_(torch.from_numpy(fitted.coef_))
        network.bias.copy_(torch.from_numpy(fitted.intercept_))
    spec = emulator_spec(
        "climsim_ridge",
        "Ridge regression on ClimSim's V1 variables",
        columns,
        variables,
        {"training": f"ridge, penalty {penalty:g}", **(provenance or {})},
    )
    return column_emulator(spec, network, inputs, outputs).eval()
