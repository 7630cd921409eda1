"""What predicted tendencies would do to the energy of given states, wavenumber by wavenumber."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.diagnostics.energy_budget import energy_budget

DIMS = ("layer", "y", "x")
"""Last dims of predictions."""


def energy_exchange(tendency: NDArray[np.float64], pairs: xr.Dataset) -> xr.DataArray:
    """Return the spectrum of the rate at which a tendency puts energy in, mean over states.

    Parameters
    ----------
    tendency
        Of q, shape ``(..., 2, y, x)``, the other dims as in the pairs [s-2].
    pairs
        ``q`` over layer, y and x, and whatever other dims, with the attributes of the coarse
        model, see `PairsRun`.

    Returns
    -------
    DataArray
        Of both layers together, over wavenumber [m3 s-3]; negative where energy is taken out.
    """
    q = pairs.q.transpose(..., *DIMS)
    budget = energy_budget(q.to_dataset().assign_attrs(pairs.attrs), q.copy(data=tendency))
    work: xr.DataArray = budget.parameterization
    states = [dim for dim in work.dims if dim != "wavenumber"]
    # A prediction that is not finite has no mean.
    averaged: xr.DataArray = work.mean(states, keep_attrs=True, skipna=False)
    return averaged


def target_exchange(pairs: xr.Dataset) -> xr.DataArray:
    """Return the `energy_exchange` of the whole subgrid tendency of pairs."""
    target = pairs.q_tendency_total.transpose(..., *DIMS).to_numpy().astype(np.float64)
    return energy_exchange(target, pairs)


def rates(exchange: xr.DataArray) -> dict[str, float]:
    """Return how much energy is put in, and how much is taken out [m2 s-3]."""
    width = float(exchange.wavenumber[1] - exchange.wavenumber[0])
    return given_and_taken(width * exchange.to_numpy())


def given_and_taken(work: NDArray[np.float64]) -> dict[str, float]:
    """Return the sums of what is put in and of what is taken out, of work by wavenumber."""
    given = float(work.clip(min=0.0).sum())
    return {"given": given, "taken": given - float(work.sum())}


def exchange_scores(made: xr.DataArray, wanted: xr.DataArray) -> dict[str, float]:
    """Return how much of the energy is put in and taken out where the target does so.

    Parameters
    ----------
    made, wanted
        `energy_exchange` of a prediction and of the target.

    Returns
    -------
    dict
        ``energy_given`` and ``energy_taken`` [1]: the work on the wavenumbers at which the target
        puts energy in, and on those at which it takes energy out, in parts of the target's. 1 is
        right; below 0 the prediction does the opposite. NaN where the target does neither.
    """
    work, target = made.to_numpy(), wanted.to_numpy()
    gives = target > 0.0
    result = {}
    for name, where in (("energy_given", gives), ("energy_taken", ~gives)):
        whole = target[where].sum()
        result[name] = float(work[where].sum() / whole) if whole else np.nan
    return result
