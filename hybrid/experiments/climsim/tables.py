"""Scores as a table for people and as flat metrics for programs."""

from collections.abc import Mapping

from closures.climsim.scoring import Score
from hybrid.experiments.climsim.models import MODELS
from hybrid.experiments.result import Table

ROWS = {"climatology": "climatology", "ridge": "ridge", "mlp": "MLP (Python)"}
"""Row label of each model."""

NOTES = {
    "interleaved": "Every fourth time step of each month is held out; training steps are at least "
    "12 h away.",
    "season": "Trained on January to August, tested on October and November.",
}
"""What a split tests, by its name."""


def flat_scores(scores: Mapping[str, Mapping[str, Score]], suffix: str) -> dict[str, float]:
    """Return ``mae_dT_mlp`` and so on: MAE, RMSE and bias [W m-2] and pooled R2.

    Parameters
    ----------
    scores
        By model and label.
    suffix
        Appended to every key; names the split.
    """
    flat = {}
    for model, by_label in scores.items():
        for label, score in by_label.items():
            flat[f"mae_{label}_{model}{suffix}"] = score.mae
            flat[f"rmse_{label}_{model}{suffix}"] = score.rmse
            flat[f"bias_{label}_{model}{suffix}"] = score.bias
            flat[f"r2_pooled_{label}_{model}{suffix}"] = score.r2_pooled
    return flat


def score_table(
    split: str,
    scores: Mapping[str, Mapping[str, Score]],
    fortran: Mapping[str, Score],
    data: str,
) -> Table:
    """Return the mean absolute errors of all models and of the files the Fortran host wrote.

    Parameters
    ----------
    split
        Name of the split.
    scores
        By model and label.
    fortran
        Scores of the host's files, by label.
    data
        What the data are.
    """
    rows = {ROWS[model]: _errors(scores[model]) for model in MODELS}
    rows["MLP (Fortran host)"] = _errors(fortran)
    return Table(
        title=f"Mean absolute error [W m-2], split {split} ({data})",
        columns=tuple(fortran),
        rows=rows,
        note=f"{NOTES[split]} R2 of dT, pooled: MLP {scores['mlp']['dT'].r2_pooled:.3f}, "
        f"ridge {scores['ridge']['dT'].r2_pooled:.3f}.",
    )


def _errors(scores: Mapping[str, Score]) -> tuple[float, ...]:
    return tuple(score.mae for score in scores.values())
