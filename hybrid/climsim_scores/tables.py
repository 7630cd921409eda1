"""Scores as tables: ours, and where ClimSim publishes the same score, theirs below."""

import xarray as xr

from closures.climsim.hourly_climatology import HOURS
from closures.climsim.published_scores import published_scores
from closures.climsim.regions import LIGHTS, REGIONS
from hybrid.experiments.result import Table

GLOBE = {"region": "globe", "light": LIGHTS[0]}
"""Selection of scores over all columns and times."""

LEAST_DEVIATION = 0.05
"""Standard deviation of the truth, relative to that over all columns and times, below which R2
is not shown: at night sunlight is nearly zero, and R2 a ratio of trifles [1]."""

_TITLES = {
    "mae": "Mean absolute error [W m-2]",
    "rmse": "Root-mean-square error [W m-2]",
    "bias": "Bias [W m-2]",
    "r2": "R2 of each column, averaged [1]",
    "r2_pooled": "R2, pooled over columns and times [1]",
    "crps": "CRPS, fair [W m-2]",
    "crps_half_weighted": "CRPS with half the weight on the spread, not proper [W m-2]",
}
_ROWS_OF_REGIONS = ("mae", "r2_pooled")


def score_tables(scores: xr.Dataset) -> tuple[Table, ...]:
    """Return one table a score, and those by region and light of MAE and pooled R2.

    Parameters
    ----------
    scores
        From `closures.climsim.score_dataset.score_dataset`, with the attributes of a run.
    """
    names = ["mae", "rmse", "bias", "r2", "r2_pooled"]
    if int(scores["members"].max()) > 1:
        names += ["crps", "crps_half_weighted"]
    tables = [_table(scores, name) for name in names]
    tables += [_regions(scores, name) for name in _ROWS_OF_REGIONS]
    return tuple(tables)


def _table(scores: xr.Dataset, name: str) -> Table:
    labels = [str(label) for label in scores["variable"].values]
    chosen = scores[name].sel({k: v for k, v in GLOBE.items() if k in scores[name].dims})
    rows: dict[str, tuple[float | None, ...]] = {
        str(model): tuple(float(x) for x in chosen.sel(model=model).values)
        for model in scores["model"].values
    }
    notes = [_of_split(scores)] if name == "mae" else []
    if "du" in labels:
        notes.append(
            "du, dv: times the wind speed before the step; ClimSim's V2 scores weight winds by "
            "the tendency itself, prediction and truth differently, and are not comparable."
        )
    published = published_scores()
    if name in published.scores:
        for model, row in published.scores[name].items():
            if row.keys() & set(labels):
                rows[f"{model}, published"] = tuple(row.get(label) for label in labels)
        notes.append(f"Published: {published.source}; {published.caveat}.")
    return Table(_TITLES[name], tuple(labels), rows, " ".join(notes))


def _of_split(scores: xr.Dataset) -> str:
    n_train, n_test = scores.attrs["n_training_step"], scores.attrs["n_step"]
    text = (
        f"Split {scores.attrs['split']}: {n_test} time steps of {scores.attrs['n_column']} "
        f"columns scored. Climatologies are of {n_train} time steps"
    )
    if scores.attrs["split"] == "all":
        text += ", the scored ones themselves, which flatters them"
    return (
        f"{text}; that of each column and hour is a mean over {n_train / HOURS:.1f} steps an hour "
        "on average, so its sampling error adds to its scores."
    )


def _varies(scores: xr.Dataset, region: str, light: str) -> list[bool]:
    """Return for each variable whether the truth varies enough there for an R2 to say something."""
    deviation = scores["truth_deviation"]
    here, everywhere = deviation.sel(region=region, light=light), deviation.sel(GLOBE)
    return [bool(x) for x in (here >= LEAST_DEVIATION * everywhere).values]


def _regions(scores: xr.Dataset, name: str) -> Table:
    labels = [str(label) for label in scores["variable"].values]
    rows: dict[str, tuple[float | None, ...]] = {}
    for model in scores["model"].values:
        if str(model).startswith("climatology"):
            continue
        places = [(region, region, LIGHTS[0]) for region in list(REGIONS)[1:]]
        places += [(light, "globe", light) for light in LIGHTS[1:]]
        for place, region, light in places:
            chosen = scores[name].sel(model=model, region=region, light=light).values
            shown = _varies(scores, region, light) if name == "r2_pooled" else [True] * len(labels)
            rows[f"{model}: {place}"] = tuple(
                float(x) if show else None for x, show in zip(chosen, shown, strict=True)
            )
    limits = ", ".join(
        f"{region} {low:g} to {high:g}" for region, (low, high) in list(REGIONS.items())[1:]
    )
    note = (
        f" No R2 where the truth varies less than {LEAST_DEVIATION:g} of what it does over all."
        if name == "r2_pooled"
        else ""
    )
    return Table(
        f"{_TITLES[name]}, by region and light",
        tuple(labels),
        rows,
        f"Absolute latitude [degrees]: {limits}. Day: the sun is above the horizon.{note}",
    )
