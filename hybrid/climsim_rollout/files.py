"""``rollout.nc`` and ``rollout.json``: complete or not there."""

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import xarray as xr

from closures import atomic
from hybrid.climsim_rollout.rollout import RolloutRun
from hybrid.climsim_rollout.summary import summary
from hybrid.versions import versions

SERIES = (
    "rmse_column",
    "mean",
    "lost",
    "flagged",
    "precipitation",
    "water_residual_mean",
    "water_residual_rms",
    "energy_residual_mean",
    "energy_residual_rms",
    "added_water",
    "tendency_r2",
)
"""Scores over time that the JSON file holds too; levels are in the netCDF file."""
BUDGETS = ("water_budget", "energy_budget")


def write_rollout(run: RolloutRun, folder: Path) -> tuple[Path, Path]:
    """Write all scores as netCDF, and those without levels, with settings and versions, as JSON.

    Returns
    -------
    tuple of Path
        ``rollout.nc`` and ``rollout.json``.
    """
    netcdf, text = folder / "rollout.nc", folder / "rollout.json"
    temporary = netcdf.with_name(f".{netcdf.name}.{os.getpid()}")
    try:
        run.scores.to_netcdf(temporary)
        temporary.replace(netcdf)
    finally:
        temporary.unlink(missing_ok=True)
    content = json.dumps(_content(run), indent=1, allow_nan=False)
    atomic.write_text(text, content + "\n")
    return netcdf, text


def _content(run: RolloutRun) -> dict[str, Any]:
    scores = run.scores
    return {
        "title": scores.attrs["title"],
        "seed": run.settings.seed,
        "settings": {name: _number(value) for name, value in asdict(run.settings).items()},
        "flow": run.settings.damping_text,
        "archives": {
            name: {
                "file": archive.path.name,
                "sha256": archive.closure.sha256,
                "predicted": list(archive.predicted),
                "earlier_steps": archive.n_history,
                "flagged": archive.flagged_fields(),
                "provenance": dict(archive.closure.spec.provenance),
            }
            for name, archive in run.archives.items()
        },
        "summary": {
            name: {key: _number(value) for key, value in row.items()}
            for name, row in summary(scores).items()
        },
        "budgets": {name: _nested(scores[name]) for name in BUDGETS},
        "time_days": scores["time"].values.tolist(),
        "series": {name: _series(scores[name]) for name in SERIES},
        "units": {
            **{
                name: scores[name].attrs["units"]
                for name in (*SERIES, *BUDGETS)
                if "units" in scores[name].attrs
            },
            "profiles": dict(
                zip(
                    scores["profile"].values.tolist(),
                    scores["profile_units"].values.tolist(),
                    strict=True,
                )
            ),
        },
        "versions": versions(),
    }


def _series(values: xr.DataArray) -> Any:
    """Return nested dictionaries by coordinate, with lists over time inside."""
    if values.dims == ("time",):
        return [_number(value) for value in values.values.tolist()]
    dim = next(dim for dim in values.dims if dim != "time")
    return {str(key): _series(values.sel({dim: key})) for key in values[dim].values}


def _nested(values: xr.DataArray) -> Any:
    if not values.dims:
        return _number(float(values))
    dim = values.dims[0]
    return {str(key): _nested(values.sel({dim: key})) for key in values[dim].values}


def _number(value: Any) -> Any:
    """Return a value as JSON holds it: what is not finite becomes None, infinity its name."""
    if isinstance(value, float) and not math.isfinite(value):
        return "inf" if value == math.inf else None
    return value
