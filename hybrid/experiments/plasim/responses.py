"""How the model responds to a warmer sea and to more carbon dioxide, by itself and with closures.

Open water is given: its climatology, or a warmer one. What the net flux at the top makes of it is
then known after a year, without waiting for an ocean [1]_. Land and sea ice are the model's, other
than there: ice feels the air alone, and what carbon dioxide does includes the land's warming.
Columns become warmer and moister than any of the training, so the guard has something to find.

References
----------
.. [1] Cess and Potter 1988, J. Geophys. Res. 93, 8305-8314.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.plasim.climate import global_means
from hybrid.experiments.plasim.model_run import Run

Array = NDArray[np.float64]

CONTROL, WARM, CARBON_DIOXIDE = "control", "warm", "carbon_dioxide"

KELVIN = 4.0
"""By how much the warm sea is warmer [K]."""

DOUBLED = 720.0
"""Twice the carbon dioxide of the model [ppmv]."""

SCENARIOS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        CONTROL: {"sea_warmer": 0.0},
        WARM: {"sea_warmer": KELVIN},
        CARBON_DIOXIDE: {"sea_warmer": 0.0, "changes": {"radmod": {"co2": DOUBLED}}},
    }
)
"""What differs from the other runs, as arguments of `Run`."""

N_DAY_OF_BLOCK = 30
"""Days whose mean counts as one independent value."""


def response_runs(
    n_day: int, restart: Path, schemes: Mapping[str, Mapping[str, Any]]
) -> dict[str, Run]:
    """Return the run of each scenario.

    Parameters
    ----------
    n_day
        Days of each.
    restart
        Where all of them go on from.
    schemes
        What does the radiation, as of `Run`.
    """
    return {
        name: Run(n_day, schemes, restart, **differing) for name, differing in SCENARIOS.items()
    }


@dataclass(frozen=True)
class Estimate:
    """A number with the standard error that the weather leaves."""

    value: float
    error: float


@dataclass(frozen=True)
class Response:
    """What one model makes of the scenarios.

    Parameters
    ----------
    feedback
        Net downward flux at the top for each kelvin of surface temperature, warm less control
        [W m-2 K-1].
    shortwave_feedback
        The part of sunlight in it.
    forcing
        Net downward flux at the top, doubled carbon dioxide less control [W m-2].
    """

    feedback: Estimate
    shortwave_feedback: Estimate
    forcing: Estimate


def response(climates: Mapping[str, xr.Dataset]) -> Response:
    """Return the response from daily zonal means of the days that count, by scenario.

    Errors are of means over blocks of a month: the seasons of a response are in them, too.
    """
    return Response(*map(_estimate, _of_blocks(climates)))


def response_difference(
    found: Mapping[str, xr.Dataset], native: Mapping[str, xr.Dataset]
) -> Response:
    """Return what one model's response has more than the other's, month by month.

    Seasons that both have cancel in its errors.
    """
    pairs = zip(_of_blocks(found), _of_blocks(native), strict=True)
    return Response(*(_estimate(ours - theirs) for ours, theirs in pairs))


def _of_blocks(climates: Mapping[str, xr.Dataset]) -> tuple[Array, Array, Array]:
    """Return feedback, that of sunlight and forcing, ``(block,)``."""
    means = {name: _blocks(each) for name, each in climates.items()}
    warming = float((means[WARM]["Ts"] - means[CONTROL]["Ts"]).mean())
    flux, sunlight = (
        (means[WARM][key] - means[CONTROL][key]) / warming for key in ("net", "sunlight")
    )
    return flux, sunlight, means[CARBON_DIOXIDE]["net"] - means[CONTROL]["net"]


def _estimate(values: Array) -> Estimate:
    error = values.std(ddof=1) / sqrt(len(values)) if len(values) > 1 else np.nan
    return Estimate(float(values.mean()), float(error))


def _blocks(climate: xr.Dataset) -> dict[str, Array]:
    daily = global_means(climate)
    n_block = max(daily.sizes["time"] // N_DAY_OF_BLOCK, 1)
    names = {"Ts": "surface_temperature", "net": "net_top", "sunlight": "absorbed_shortwave"}
    return {key: _block_means(daily[name].to_numpy(), n_block) for key, name in names.items()}


def _block_means(values: Array, n_block: int) -> Array:
    return np.array([part.mean() for part in np.array_split(values, n_block)])


def response_name(kind: str, scenario: str) -> str:
    """Return the name of the run of a kind of radiation, ``native`` or ``closure``."""
    return f"response_{kind}_{scenario}"
