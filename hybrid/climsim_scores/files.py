"""``scores.nc`` and ``scores.json``: complete or not there."""

import json
import math
import os
from pathlib import Path
from typing import Any

import xarray as xr

from closures import atomic
from closures.climsim.published_scores import published_scores
from closures.climsim.score_dataset import ENSEMBLE_SCORES, SCORES
from hybrid.climsim_scores.scoring import ScoreRun
from hybrid.versions import versions


def write_scores(run: ScoreRun, folder: Path) -> tuple[Path, Path]:
    """Write all scores as netCDF, and those by model, region, light and variable as JSON.

    Returns
    -------
    tuple of Path
        ``scores.nc`` and ``scores.json``.
    """
    netcdf, text = folder / "scores.nc", folder / "scores.json"
    temporary = netcdf.with_name(f".{netcdf.name}.{os.getpid()}")
    dataset = run.scores.assign_attrs(
        archives=[f"{model.name}: {model.path.name}" for model in run.models],
        archive_sha256=[model.closure.sha256 for model in run.models],
    )
    try:
        dataset.to_netcdf(temporary)
        temporary.replace(netcdf)
    finally:
        temporary.unlink(missing_ok=True)
    atomic.write_text(text, json.dumps(_content(run), indent=1, allow_nan=False) + "\n")
    return netcdf, text


def _content(run: ScoreRun) -> dict[str, Any]:
    scores = run.scores
    published = published_scores()
    attributes = ("split", "part", "variable_set", "n_step", "n_training_step", "n_column")
    return {
        **{name: scores.attrs[name] for name in attributes},
        "first_step": run.test[0].mli.name,
        "last_step": run.test[-1].mli.name,
        "archives": {
            model.name: {
                "file": model.path.name,
                "sha256": model.closure.sha256,
                "members": model.n_member,
                "provenance": dict(model.closure.spec.provenance),
            }
            for model in run.models
        },
        "units": {name: scores[name].attrs["units"] for name in (*SCORES, *ENSEMBLE_SCORES)},
        "scores": {name: _nested(scores[name]) for name in (*SCORES, *ENSEMBLE_SCORES)},
        "published": {
            "source": published.source,
            "caveat": published.caveat,
            "scores": published.scores,
        },
        "versions": versions(),
    }


def _nested(values: xr.DataArray) -> Any:
    """Return nested dictionaries by coordinate; what is not finite becomes None."""
    if not values.dims:
        number = float(values)
        return number if math.isfinite(number) else None
    dim = values.dims[0]
    return {str(key): _nested(values.sel({dim: key})) for key in values[dim].values}
