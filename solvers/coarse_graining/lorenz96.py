"""From a truth run to pairs of resolved state and subgrid tendency, as labelled data."""

import xarray as xr

from solvers.lorenz96 import Lorenz96Parameters, Trajectory


def lorenz96_pairs(parameters: Lorenz96Parameters, trajectory: Trajectory) -> xr.Dataset:
    """Label the slow variables and the tendency that the fast variables give them.

    Lorenz-96 needs no filter: its slow variables *are* the resolved state, and the tendency
    ``U_k = -(h c / b) sum_j Y_jk`` is known exactly. (A fit to finite differences of X instead
    has a larger and less persistent residual, most of it time-stepping error.)

    Parameters
    ----------
    parameters
        Parameters of the truth run; they become attributes.
    trajectory
        The truth run.

    Returns
    -------
    xarray.Dataset
        ``x`` and ``x_tendency``, dimensions ``(time, member, k)``, units 1.
    """
    dims = ("time", "member", "k")
    return xr.Dataset(
        {
            "x": (dims, trajectory.x, {"units": "1", "long_name": "slow variable of Lorenz-96"}),
            "x_tendency": (
                dims,
                trajectory.subgrid_tendency,
                {"units": "1", "long_name": "tendency of x due to the fast variables"},
            ),
        },
        coords={
            "time": (
                "time",
                trajectory.time,
                {"units": "1", "long_name": "time in Lorenz-96 time units"},
            )
        },
        attrs={
            "source": "two-scale Lorenz-96",
            "n_k": parameters.n_k,
            "n_j": parameters.n_j,
            "forcing": parameters.forcing,
            "h": parameters.h,
            "c": parameters.c,
            "b": parameters.b,
        },
    )
