"""How far the flow carries in a time step."""

import xarray as xr

from solvers.coarse_graining.flow import mean_flow, required
from solvers.coarse_graining.periodic_grid import PeriodicGrid


def courant_number(dataset: xr.Dataset, dt: float | None = None) -> xr.DataArray:
    """Return the Courant number ``max(|u + U| dt / dx + |v| dt / dy)`` over the grid.

    The mean flow U counts too: it carries the waves as the eddies do.

    Parameters
    ----------
    dataset
        With ``u`` and ``v``, dimensions ``(..., y, x)``; with a dimension ``layer`` also the
        attributes ``u1`` and ``u2``.
    dt
        Time step [time]; by default the attribute ``dt``.

    Returns
    -------
    xarray.DataArray
        The dimensions of ``u`` without ``layer``, ``y`` and ``x`` [1].

    Raises
    ------
    ValueError
        If the time step or the mean flow is not known.

    Examples
    --------
    >>> import numpy as np
    >>> wind = ("y", "x"), np.full((4, 4), 2.0)
    >>> x = 10.0 * np.arange(4)
    >>> flow = xr.Dataset({"u": wind, "v": wind}, coords={"y": x, "x": x}, attrs={"dt": 0.5})
    >>> float(courant_number(flow))
    0.2
    """
    if dt is None:
        (dt,) = required(dataset.attrs, "dt")
    grid = PeriodicGrid.of(dataset["u"])
    u, v = dataset["u"], dataset["v"]
    if "layer" in u.dims:
        u = u + xr.DataArray(mean_flow(dataset.attrs, n_layer=2).ravel(), dims="layer")
    rate = abs(u) / grid.dx + abs(v) / grid.dy
    over = [dim for dim in u.dims if dim in {"layer", "y", "x"}]
    number = dt * rate.max(over)
    number.attrs = {"units": "1", "long_name": "Courant number", "dt": dt}
    return number.rename("courant_number")
