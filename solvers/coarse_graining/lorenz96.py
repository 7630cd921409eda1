"""From a truth run to pairs of resolved state and subgrid tendency, as labelled data."""

import xarray as xr

_PARAMETERS = ("n_k", "n_j", "forcing", "h", "c", "b")


def lorenz96_pairs(run: xr.Dataset) -> xr.Dataset:
    """Pick the slow variables and the tendency that the fast variables give them.

    Lorenz-96 needs no filter: its slow variables *are* the resolved state, and the tendency of
    each due to the fast variables is known exactly. (A fit to finite differences of X instead
    has a larger and less persistent residual, most of it time-stepping error.)

    Parameters
    ----------
    run
        What a run of a two-scale model returned.

    Returns
    -------
    xarray.Dataset
        ``x`` and ``x_tendency``, dimensions ``(time, member, k)``, units 1; the model and its
        parameters are attributes.

    Raises
    ------
    ValueError
        If it is not a run of a two-scale model.

    Examples
    --------
    >>> from solvers.lorenz96_two_scale import TwoScaleLorenz96Wilks
    >>> sorted(lorenz96_pairs(TwoScaleLorenz96Wilks(c=4.0).run(time=1.0)))
    ['x', 'x_tendency']
    """
    if not {"x", "x_tendency"} <= set(run):
        raise ValueError(
            "run: expected x and x_tendency, as two-scale Lorenz-96 returns them, "
            f"got {', '.join(map(str, run.data_vars)) or 'nothing'}"
        )
    pairs = run[["x", "x_tendency"]]
    parameters = {name: run.attrs[name] for name in _PARAMETERS}
    return pairs.drop_attrs(deep=False).assign_attrs(source=run.attrs["model"], **parameters)
