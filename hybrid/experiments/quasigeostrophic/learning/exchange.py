"""What predicted tendencies would do to the energy of given states, wavenumber by wavenumber."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.diagnostics.energy_budget import energy_budget


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
    q = pairs.q.transpose(..., "layer", "y", "x")
    budget = energy_budget(q.to_dataset().assign_attrs(pairs.attrs), q.copy(data=tendency))
    work: xr.DataArray = budget.parameterization
    averaged: xr.DataArray = work.mean(
        [dim for dim in work.dims if dim != "wavenumber"], keep_attrs=True
    )
    return averaged


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
    gives = wanted > 0.0
    result = {}
    for name, where in (("energy_given", gives), ("energy_taken", ~gives)):
        whole = float(wanted.where(where).sum())
        result[name] = float(made.where(where).sum()) / whole if whole else np.nan
    return result
