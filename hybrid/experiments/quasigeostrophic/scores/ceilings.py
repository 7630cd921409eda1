"""What a coarse grid can hold of the truth: distributions of the truth itself, brought onto it.

A closure that gave the coarse model exactly the large scales of the truth would have these scores;
who has more has other large scales, or more of the small ones than there are.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import xarray as xr

from hybrid.experiments.quasigeostrophic.runs.climate import FIELDS, fields_of
from hybrid.experiments.quasigeostrophic.scores.similarity import (
    DISTRIBUTIONAL,
    distribution_distances,
    thinned,
)
from solvers.coarse_graining import CoarseGrainingOperator, truncate, truncate_exponential
from solvers.quasigeostrophic import TwoLayerQG

CEILINGS: Mapping[str, CoarseGrainingOperator] = MappingProxyType(
    {"truncated": truncate, "filtered": truncate_exponential}
)
"""How the truth is brought onto the coarse grid, by name: without and with the model's filter."""


def ceilings(
    truths: Sequence[xr.Dataset], plain: Sequence[xr.Dataset], model: TwoLayerQG
) -> dict[str, dict[str, float]]:
    """Return the similarities of the truth on the coarse grid to itself, of distributions.

    Parameters
    ----------
    truths, plain
        Climates of the truth and of the coarse model without closure, from the same initial states.
    model
        The coarse model.

    Returns
    -------
    dict
        By the names of `CEILINGS`, then by `DISTRIBUTIONAL`.
    """
    target = _together([thinned(truth, model.nx) for truth in truths])
    unit = distribution_distances(_together(plain), target)
    found = {}
    for name, operator in CEILINGS.items():
        held = _together([_on_coarse_grid(truth, operator, model) for truth in truths])
        made = distribution_distances(held, target)
        found[name] = {metric: 1.0 - made[metric] / unit[metric] for metric in DISTRIBUTIONAL}
    return found


def _on_coarse_grid(
    truth: xr.Dataset, operator: CoarseGrainingOperator, model: TwoLayerQG
) -> xr.Dataset:
    q = operator(truth["q"].astype(float), model.nx)
    fields = fields_of(model, q.to_numpy())
    return xr.Dataset({name: (q.dims, fields[name]) for name in FIELDS})


def _together(runs: Sequence[xr.Dataset]) -> xr.Dataset:
    return xr.concat([run[[*FIELDS]].drop_vars("time", errors="ignore") for run in runs], "member",
                     join="override")  # fmt: skip
