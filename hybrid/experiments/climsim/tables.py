"""Scores as a table for people and as flat metrics for programs."""

from collections.abc import Mapping

from closures.climsim.scoring import Score, largest_difference
from hybrid.experiments.climsim.models import MODELS
from hybrid.experiments.result import Table

ROWS = {"climatology": "climatology", "ridge": "ridge", "mlp": "MLP (Python)"}
"""Row label of each model."""

_VARIABLES = (
    "dT, dq: heating and moistening (mean over levels); NETSW: net surface shortwave; FLWDS: "
    "downward longwave at the surface; PRECSC, PRECC: snow and precipitation rate; SOLS, SOLL: "
    "direct visible and near-infrared at the surface; SOLSD, SOLLD: diffuse. All become W m-2: "
    "heating times cp dp/g, moistening times Lv dp/g, precipitation times Lv rho_w; values are "
    "weighted by area before averaging. best_... above: model with the lowest error here."
)

NOTES = {
    "interleaved": "Every fourth time step of each month is held out; training steps are at least "
    f"12 h away. {_VARIABLES}",
    "season": "Trained on January to August, tested on October and November. Variables "
    "as for split interleaved.",
}
"""What a split tests, by its name, and once what the columns of the tables are."""

RANKED = ("dT", "dq", "NETSW", "FLWDS", "PRECC")
"""Variables whose best model is a choice of the run."""


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


def best_model(scores: Mapping[str, Mapping[str, Score]], label: str) -> str:
    """Return the model with the lowest mean absolute error of one variable."""
    return min(scores, key=lambda model: scores[model][label].mae)


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
    difference = largest_difference(dict(scores["mlp"]), dict(fortran))
    rows = {ROWS[model]: _errors(scores[model]) for model in MODELS}
    rows["MLP (Fortran host)"] = _errors(fortran)
    return Table(
        title=f"Mean absolute error [W m-2], split {split} ({data})",
        columns=tuple(fortran),
        rows=rows,
        note=f"{NOTES[split]} R2 of dT, pooled: MLP {scores['mlp']['dT'].r2_pooled:.3f}, "
        f"ridge {scores['ridge']['dT'].r2_pooled:.3f}. Largest relative difference of any score "
        f"between Fortran and Python: {difference:.1e} (of a bias, relative to the mean absolute "
        "error; of an R2, relative to 1 - R2).",
    )


def _errors(scores: Mapping[str, Score]) -> tuple[float, ...]:
    return tuple(score.mae for score in scores.values())
