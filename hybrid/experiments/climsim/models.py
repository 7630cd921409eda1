"""Training and scoring the three models on one split."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.climsim.baselines import climatology, fit_ridge
from closures.climsim.emulator import column_emulator, predict
from closures.climsim.files import Columns, read_columns
from closures.climsim.grid import ColumnGrid
from closures.climsim.mlp import MLPConfig, build_network, train_mlp
from closures.climsim.scoring import Score, score
from closures.climsim.splits import Split
from closures.climsim.variables import VariableSet
from closures.columns.emulator import ColumnEmulator
from closures.normalization import Normalization
from closures.spec import ClosureSpec
from closures.training import OnProgress
from hybrid.experiments.checkpoint import Checkpoint

Array = NDArray[np.float64]

MODELS = ("climatology", "ridge", "mlp")
"""Models in the order of tables."""


@dataclass(frozen=True)
class Trained:
    """The models of one split and how they do on its test pairs.

    Parameters
    ----------
    split
        Pairs.
    n_train
        Number of training columns.
    test
        Test columns.
    mlp
        The trained network as a closure.
    predictions
        Outputs of each model on the test columns ``(n, n_output)``.
    scores
        Scores of each model, by model and label.
    """

    split: Split
    n_train: int
    test: Columns
    mlp: ColumnEmulator
    predictions: dict[str, Array]
    scores: dict[str, dict[str, Score]]


def train_models(
    split: Split,
    variables: VariableSet,
    grid: ColumnGrid,
    config: MLPConfig,
    provenance: dict[str, str],
    checkpoint: Checkpoint,
    on_progress: OnProgress,
) -> Trained:
    """Train climatology, ridge and MLP on a split; score them on its test pairs.

    Parameters
    ----------
    split
        Pairs for training and testing.
    variables
        Variable set.
    grid
        Grid of the columns.
    config
        Network and training.
    provenance
        What to record in the closures' contracts: data and split.
    checkpoint
        Keeps the trained network as stage ``mlp``.
    on_progress
        Called with the fraction done.
    """
    columns = read_columns(split.train, variables)
    test = read_columns(split.test, variables)
    ridge = fit_ridge(columns, variables, provenance=provenance)
    make = partial(_train, columns, variables, config, provenance, on_progress)
    mlp = _restored(checkpoint.weights("mlp", make), variables, config)
    on_progress(1.0)
    predictions = {
        "climatology": climatology(columns, len(test.inputs)),
        "ridge": predict(ridge, test.inputs, variables),
        "mlp": predict(mlp, test.inputs, variables),
    }
    scores = {
        name: score(prediction, test, variables, grid) for name, prediction in predictions.items()
    }
    return Trained(split, len(columns.inputs), test, mlp, predictions, scores)


def _train(
    columns: Columns,
    variables: VariableSet,
    config: MLPConfig,
    provenance: dict[str, str],
    on_progress: OnProgress,
) -> dict[str, Any]:
    mlp, _ = train_mlp(columns, variables, config, None, provenance, on_progress)
    return {"spec": mlp.spec.to_json(), "weights": mlp.state_dict()}


def _restored(values: dict[str, Any], variables: VariableSet, config: MLPConfig) -> ColumnEmulator:
    spec = ClosureSpec.from_json(values["spec"])
    n_input, n_output = variables.n_input, variables.n_output
    network = build_network(n_input, config.widths, n_output, config.training.seed)
    # Weights replace the normalisation, too.
    inputs, outputs = (Normalization(np.zeros(n), np.ones(n)) for n in (n_input, n_output))
    mlp = column_emulator(spec, network, inputs, outputs)
    mlp.load_state_dict(values["weights"])
    return mlp.eval()
