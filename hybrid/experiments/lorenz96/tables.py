"""Scores of one value of c as tables for people: climate, and forecasts."""

from hybrid.experiments.lorenz96.case import Case
from hybrid.experiments.lorenz96.scoring import CLIMATE_SCORES, FORECAST_SCORES, Scores
from hybrid.experiments.lorenz96.settings import N_BIN, SAVE_STEP, Lorenz96Settings
from hybrid.experiments.result import Table

LABELS = {
    "none": "no closure",
    "cubic": "cubic",
    "cubic_ar1": "cubic + AR(1)",
    "mlp_ar1": "MLP + AR(1)",
}
"""Row label of each run of the Fortran model."""

_CLIMATE_COLUMNS = (
    "Hellinger",
    "s.d. over seeds",
    "Wasserstein",
    "autocorrelation error",
    "wave-variance error",
    "neighbour error",
)


def score_tables(case: Case, settings: Lorenz96Settings) -> tuple[Table, Table]:
    """Return the scores of the climates and of the forecasts for one value of c.

    Parameters
    ----------
    case
        Runs and scores.
    settings
        How much was run.
    """
    return _climate_table(case, settings), _forecast_table(case, settings)


def _climate_table(case: Case, settings: Lorenz96Settings) -> Table:
    found = case.scores.metrics("")
    rows: dict[str, tuple[float | None, ...]] = {}
    for name, label in {"floor": "sampling floor", **LABELS}.items():
        # The floor is one run, without scatter.
        rows[label] = (
            found[f"hellinger_{name}"],
            found.get(f"hellinger_{name}_seed_std"),
            *(found[f"{score}_{name}"] for score in CLIMATE_SCORES[1:]),
        )
    return Table(
        title=f"Climate of X, c = {case.model.c:g}",
        columns=_CLIMATE_COLUMNS,
        rows=rows,
        note=(
            f"Mean of {settings.n_seed} seeds, {settings.n_member} members of "
            f"{settings.climate_time:g} time units each, sampled every {SAVE_STEP:g}; sampling "
            "floor: an independent run of the truth as long as one seed. Hellinger distance over "
            f"{N_BIN} bins and its standard deviation over seeds; error of the autocorrelation up "
            "to lag 2 and of the correlation of neighbours: RMS difference, of the wave variance: "
            "RMS relative difference. All dimensionless, lower is better. "
            f"{best_climate(case.scores)}"
        ),
    )


def _forecast_table(case: Case, settings: Lorenz96Settings) -> Table:
    found = case.scores.metrics("")
    best = LABELS[case.scores.ranking("crps")[0]]
    labels = {"floor": "perfect model", **LABELS}
    return Table(
        title=f"Ensemble forecasts at lead {settings.score_lead:g}, c = {case.model.c:g}",
        columns=("CRPS", "RMSE", "spread"),
        rows={
            label: tuple(found[f"{score}_{name}"] for score in FORECAST_SCORES)
            for name, label in labels.items()
        },
        note=(
            f"{settings.n_case} cases from the exact X, one seed, {settings.n_ensemble} members (1 "
            "for a deterministic model, whose CRPS is its mean absolute error); perfect model: an "
            "ensemble of the two-scale model with fast variables of analogues. All dimensionless; "
            "lower CRPS and RMSE are better, the spread should equal the RMSE. best_forecast is "
            f"the closure with the lowest CRPS: {best}."
        ),
    )


def best_climate(scores: Scores) -> str:
    """Say which closure is best by its climate, and whether the second best is tied with it."""
    first, second = (LABELS[name] for name in scores.ranking("hellinger")[:2])
    margin, scatter = scores.margin()
    verdict = (
        f"{second} is a tie within the scatter"
        if margin <= scatter
        else f"{second} is next, by more than the scatter"
    )
    return (
        f"best is the closure with the lowest mean Hellinger distance: {first}; {verdict} (they "
        f"differ by {margin:.4f}, the larger of their s.d. over seeds is {scatter:.4f})."
    )
