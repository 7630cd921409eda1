"""The scores of a `Scorer` as one labelled dataset with units."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.climsim.cell_sums import CellSums, Summary, explained, summarize
from closures.climsim.ensemble_sums import SPREAD_EDGES, EnsembleSums
from closures.climsim.regions import LIGHTS, band_areas, region_areas
from closures.climsim.scorer import RAIN_EDGES, Scorer
from closures.climsim.variables import Variable

Array = NDArray[np.float64]
Named = tuple[tuple[str, ...] | str, Any, dict[str, str]]
# By model, region and light.
Summaries = list[list[list[Summary]]]

_ENERGY = "W m-2"
_TEXTS = {
    "mae": (_ENERGY, "mean absolute error"),
    "rmse": (_ENERGY, "root of the time-mean squared error, averaged over columns"),
    "bias": (_ENERGY, "mean of prediction minus truth"),
    "r2": ("1", "1 - SSE / SST over time of each column, averaged over columns and levels"),
    "r2_pooled": ("1", "1 - SSE / SST, both summed over times, columns and levels"),
    "crps": (_ENERGY, "fair continuous ranked probability score; mean absolute error if single"),
    "crps_half_weighted": (
        _ENERGY,
        "the same with half the weight on the spread, as one public script has it; not proper",
    ),
    "spread": (_ENERGY, "root mean variance of the members, times sqrt((n + 1) / n)"),
    "error_of_mean": (_ENERGY, "root mean squared error of the ensemble mean"),
}
SCORES = ("mae", "rmse", "bias", "r2", "r2_pooled")
"""Scores of single predictions."""
ENSEMBLE_SCORES = ("crps", "crps_half_weighted", "spread", "error_of_mean")
"""Scores of ensembles."""


def score_dataset(scorer: Scorer) -> xr.Dataset:
    """Return all scores.

    Parameters
    ----------
    scorer
        With at least one time step.

    Returns
    -------
    xarray.Dataset
        ``mae``, ``rmse``, ``bias``, ``r2``, ``r2_pooled`` by model, region, light and variable;
        ``..._level`` by level of each profile, ``..._section`` by latitude band and level,
        ``..._map`` by column (profiles averaged over levels); ``crps`` and other scores of
        ensembles; frequencies of precipitation; every variable with units.

    Raises
    ------
    ValueError
        If there is no time step.
    """
    if scorer.n_step == 0:
        raise ValueError("scores: expected at least one time step, got none")
    summaries = _summaries(scorer)
    dataset = xr.Dataset(
        {
            **_scalars(scorer, summaries),
            "truth_deviation": _truth_deviation(scorer, summaries),
            **_levels(scorer, summaries),
            **_sections(scorer),
            **_maps(scorer),
            **_of_ensembles(scorer),
            **_rain(scorer),
        }
    )
    grid = scorer.grid
    return dataset.assign_coords(
        model=list(scorer.members),
        region=list(region_areas(grid)),
        light=list(LIGHTS),
        variable=[v.label for v in scorer.variables.outputs],
        profile=[v.label for v in _profiles(scorer)],
        pressure=("level", grid.reference_pressure, {"units": "hPa"}),
        latitude=("latitude", band_areas(grid)[0], {"units": "degrees_north"}),
        column_latitude=("column", grid.lat, {"units": "degrees_north"}),
        column_longitude=("column", grid.lon, {"units": "degrees_east"}),
        members=("model", list(scorer.members.values())),
    ).assign_attrs(
        title="Scores of column emulators by ClimSim's definitions",
        variable_set=scorer.variables.name,
        n_step=scorer.n_step,
        n_column=grid.n_column,
    )


def _profiles(scorer: Scorer) -> list[Variable]:
    return [v for v in scorer.variables.outputs if v.field.dims]


def _parts(scorer: Scorer, variables: Sequence[Variable]) -> list[slice]:
    ranges = scorer.variables.slices("outputs")
    return [ranges[v.field.name] for v in variables]


def _by_light(scorer: Scorer, model: str) -> dict[str, CellSums]:
    day, night = scorer.day[model], scorer.night[model]
    return dict(zip(LIGHTS, (day + night, day, night), strict=True))


def _summaries(scorer: Scorer) -> Summaries:
    areas = region_areas(scorer.grid).values()
    by_model = [_by_light(scorer, model) for model in scorer.members]
    return [
        [[summarize(sums, area) for sums in lights.values()] for area in areas]
        for lights in by_model
    ]


_OF_VARIABLE: Mapping[str, Callable[[Summary, slice], float]] = {
    "mae": lambda s, part: float(s.mae[part].mean()),
    "rmse": lambda s, part: float(s.rmse[part].mean()),
    "bias": lambda s, part: float(s.bias[part].mean()),
    "r2": lambda s, part: float(s.r2[part].mean()),
    "r2_pooled": lambda s, part: float(
        explained(s.unexplained[part].sum(keepdims=True), s.total[part].sum(keepdims=True))[0]
    ),
}
_OF_LEVELS: Mapping[str, Callable[[Summary, slice], Array]] = {
    "mae": lambda s, part: s.mae[part],
    "rmse": lambda s, part: s.rmse[part],
    "bias": lambda s, part: s.bias[part],
    "r2": lambda s, part: explained(s.unexplained[part], s.total[part]),
}


def _scalars(scorer: Scorer, summaries: Summaries) -> dict[str, Named]:
    parts = _parts(scorer, scorer.variables.outputs)
    return {
        name: _named(
            ("model", "region", "light", "variable"),
            [
                [[[of(s, part) for part in parts] for s in lights] for lights in regions]
                for regions in summaries
            ],
            name,
        )
        for name, of in _OF_VARIABLE.items()
    }


def _truth_deviation(scorer: Scorer, summaries: Summaries) -> Named:
    parts = _parts(scorer, scorer.variables.outputs)
    of_any_model = summaries[0]
    return (
        ("region", "light", "variable"),
        np.array(
            [
                [[np.sqrt((s.deviation[part] ** 2).mean()) for part in parts] for s in lights]
                for lights in of_any_model
            ]
        ),
        {"units": _ENERGY, "long_name": "standard deviation of the truth, root mean over levels"},
    )


def _levels(scorer: Scorer, summaries: Summaries) -> dict[str, Named]:
    parts = _parts(scorer, _profiles(scorer))
    return {
        f"{name}_level": _named(
            ("model", "region", "light", "profile", "level"),
            [
                [[[of(s, part) for part in parts] for s in lights] for lights in regions]
                for regions in summaries
            ],
            _pooled_name(name),
        )
        for name, of in _OF_LEVELS.items()
    }


def _sections(scorer: Scorer) -> dict[str, Named]:
    parts = _parts(scorer, _profiles(scorer))
    areas = band_areas(scorer.grid)[1]
    whole = {model: scorer.day[model] + scorer.night[model] for model in scorer.members}
    summaries = [[summarize(sums, area) for area in areas] for sums in whole.values()]
    return {
        f"{name}_section": _named(
            ("model", "profile", "latitude", "level"),
            [[[of(s, part) for s in bands] for part in parts] for bands in summaries],
            _pooled_name(name),
        )
        for name, of in _OF_LEVELS.items()
    }


def _maps(scorer: Scorer) -> dict[str, Named]:
    parts = _parts(scorer, scorer.variables.outputs)
    whole = [scorer.day[model] + scorer.night[model] for model in scorer.members]

    def mean(sums: Array, count: Array, part: slice) -> Array:
        average: Array = sums[:, part].mean(axis=1) / count
        return average

    found = {
        "mae": [[mean(s.absolute, s.count, part) for part in parts] for s in whole],
        "bias": [[mean(s.error, s.count, part) for part in parts] for s in whole],
        "r2": [
            [explained(s.squared[:, p].sum(axis=1), s.spread[:, p].sum(axis=1)) for p in parts]
            for s in whole
        ],
    }
    texts = {**_TEXTS, "r2": ("1", "1 - SSE / SST over time, both summed over levels")}
    return {
        f"{name}_map": (
            ("model", "variable", "column"),
            np.array(values),
            {"units": texts[name][0], "long_name": f"{texts[name][1]}, at each column"},
        )
        for name, values in found.items()
    }


def _of_ensembles(scorer: Scorer) -> dict[str, Named]:
    parts = _parts(scorer, scorer.variables.outputs)
    areas = list(region_areas(scorer.grid).values())
    shape = (len(scorer.members), len(areas), len(parts))
    values = {name: np.full(shape, np.nan) for name in ENSEMBLE_SCORES}
    for i, model in enumerate(scorer.members):
        sums = scorer.ensembles.get(model)
        for j, area in enumerate(areas):
            if sums is None:
                single = summarize(scorer.day[model] + scorer.night[model], area).mae
                for name in ("crps", "crps_half_weighted"):
                    values[name][i, j] = [single[part].mean() for part in parts]
            else:
                for name, found in _ensemble_means(sums, area, parts).items():
                    values[name][i, j] = found
    dims = ("model", "region", "variable")
    scores = {name: _named(dims, found, name) for name, found in values.items()}
    return scores | _diagrams(scorer) if scorer.ensembles else scores


def _ensemble_means(
    sums: EnsembleSums, area: Array, parts: Sequence[slice]
) -> dict[str, list[float]]:
    share = (area / (area * sums.count).sum())[:, None]

    def mean(values: Array) -> list[float]:
        features = (share * values).sum(axis=0)
        return [float(features[part].mean()) for part in parts]

    return {
        "crps": mean(sums.crps),
        "crps_half_weighted": mean(sums.half_weighted),
        "spread": [x**0.5 for x in mean(sums.fair_variance)],
        "error_of_mean": [x**0.5 for x in mean(sums.squared)],
    }


def _diagrams(scorer: Scorer) -> dict[str, Named]:
    n_model, n_variable = len(scorer.members), len(scorer.variables.outputs)
    most = max(sums.n_member for sums in scorer.ensembles.values()) + 1
    ranks = np.full((n_model, n_variable, most), np.nan)
    binned = np.full((3, n_model, n_variable, SPREAD_EDGES.size - 1), np.nan)
    for i, model in enumerate(scorer.members):
        if model in scorer.ensembles:
            sums = scorer.ensembles[model]
            ranks[i, :, : sums.n_member + 1] = sums.ranks
            count, variance, squared = sums.binned
            factor = (sums.n_member + 1) / sums.n_member
            binned[:, i] = count, _root(variance * factor, count), _root(squared, count)
    dims = ("model", "variable", "spread_bin")
    return {
        "rank_count": (
            ("model", "variable", "rank"),
            ranks,
            {"units": "1", "long_name": "number of samples by rank of the truth among the members"},
        ),
        "spread_bin_count": (dims, binned[0], {"units": "1", "long_name": "number of samples"}),
        "spread_bin_spread": _named(dims, binned[1], "spread"),
        "spread_bin_error": _named(dims, binned[2], "error_of_mean"),
    }


def _root(total: Array, count: Array) -> Array:
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    root: Array = np.sqrt(mean)
    return root


def _rain(scorer: Scorer) -> dict[str, Named]:
    if not scorer.rain:
        return {}
    counts = np.array(list(scorer.rain.values())) / scorer.n_step
    middle = np.sqrt(RAIN_EDGES[1:] * RAIN_EDGES[:-1])
    units = {"units": "mm day-1"}
    return {
        "series": ("series", list(scorer.rain), {"long_name": "truth and models"}),
        "rain": ("rain", middle, {**units, "long_name": "middle of the bin of precipitation"}),
        "rain_share": (
            ("series", "rain"),
            counts[:, 1:-1],
            {"units": "1", "long_name": "share of the area with precipitation in the bin"},
        ),
        "rain_share_below": (
            "series",
            counts[:, 0],
            {"units": "1", "long_name": f"share below {RAIN_EDGES[0]:g} mm day-1"},
        ),
        "rain_share_above": (
            "series",
            counts[:, -1],
            {"units": "1", "long_name": f"share above {RAIN_EDGES[-1]:g} mm day-1"},
        ),
    }


def _pooled_name(name: str) -> str:
    return "r2_pooled" if name == "r2" else name


def _named(dims: tuple[str, ...], values: Any, name: str) -> Named:
    units, text = _TEXTS[name]
    return dims, np.array(values), {"units": units, "long_name": text}
