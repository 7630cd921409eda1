"""What closure and filter do to the energy of runs, beside generation and bottom drag."""

from collections.abc import Sequence

import xarray as xr

from hybrid.experiments.quasigeostrophic.learning.exchange import given_and_taken
from hybrid.experiments.quasigeostrophic.runs.rings import Rings
from solvers.spectral import SpectralGrid


def run_rates(runs: Sequence[xr.Dataset]) -> dict[str, float]:
    """Return the rates at which the energy of runs changes, of all runs together [m2 s-3].

    Parameters
    ----------
    runs
        Climates of one model, all of them finite.

    Returns
    -------
    dict
        ``generation`` from the mean shear; ``drag``, what bottom drag takes; ``given`` and
        ``taken``, what closure and filter together put in and take out, each on the rings of
        wavenumbers on which they do so.
    """
    terms = ("available_potential_energy_generation", "bottom_drag", "filter", "parameterization")
    budget = xr.concat([run[list(terms)] for run in runs], "run", join="exact").mean("run")
    size = (runs[0].attrs[name] for name in ("nx", "ny", "length_x", "length_y"))
    rings = Rings(SpectralGrid(*size))
    generation, drag, smoothed, closed = (rings.totals(budget[name].to_numpy()) for name in terms)
    return {
        "generation": float(generation.sum()),
        "drag": -float(drag.sum()),
        # A closure that undoes a part of the filter gives what that takes: only both tell.
        **given_and_taken(smoothed + closed),
    }
