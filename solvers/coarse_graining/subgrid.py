"""Subgrid tendencies of doubly periodic models: what a closure has to add on the coarse grid.

With the bar for a coarse-graining operator, a fine model ``dq/dt = N(q)`` and a coarse model
``dq/dt = n(q)``, the filtered truth obeys

    d(q bar)/dt = n(q bar) + q_tendency,

and ``q_tendency`` is *added* to the coarse model's tendency. Two definitions are in use:

- `tendency_pairs`: ``q_tendency = bar(N(q)) - n(bar q)``, everything that the coarse model misses.
- `advection_pairs`: ``q_tendency = -S_q``, ``S_q = bar(u . grad q) - (u bar) . grad (q bar)``: what
  it misses of advection. S_q is a divergence on the left-hand side, so it enters with a *minus*;
  the minus is already in ``q_tendency``.

They agree where all other terms of N and n are linear, act mode by mode and are the same on both
grids, and the operator does too: for a two-layer model, the operators 1 and 2 (but for waves at
the coarse Nyquist wavenumber). They differ by aliasing for the operator 3, and wherever a
forcing is filtered.

The coarse velocity is inverted from the coarse vorticity, as a coarse model does. For the
operators 1 and 2 it is the filtered velocity (but for the Nyquist wavenumber); for the operator 3
it is not, as the inversion amplifies what the box mean aliases to long waves.

Snapshots are treated one by one but held in memory together; give long runs in pieces.
"""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.coarse_graining.derived_units import derived_units
from solvers.coarse_graining.flow import (
    Stratification,
    advected,
    flux_divergence,
    mean_flow,
    streamfunction,
    velocity,
)
from solvers.coarse_graining.operators import CoarseGrainingOperator
from solvers.coarse_graining.periodic_grid import PeriodicGrid
from solvers.description import Description

Array = NDArray[np.float64]


@runtime_checkable
class HasTendency(Protocol):
    """A model that can say how fast a state changes."""

    def tendency(self, state: Any, /) -> Any:
        """Return the tendency of a state on the grid, in the same shape."""


Tendency = HasTendency | Callable[[Array], Array]
"""A model, or a function from a state ``([...,] [layer,] y, x)`` to its tendency."""


def tendency_pairs(
    dataset: xr.Dataset, fine: Tendency, coarse: Tendency, operator: CoarseGrainingOperator, nx: int
) -> xr.Dataset:
    """Return the coarse state and ``bar(N(q)) - n(bar q)``.

    Parameters
    ----------
    dataset
        A run of the fine model with the variable ``q`` (two layers) or ``vorticity`` (one),
        dimensions ``(..., [layer,] y, x)``; its attributes say how to invert it.
    fine, coarse
        The models on their grids, or functions that give their tendencies. A closure must be in
        neither, and neither includes the filter that ends a time step.
    operator
        From the fine to the coarse grid, for example ``OPERATORS[1]``.
    nx
        Number of coarse cells in x; that of the coarse model.

    Returns
    -------
    xarray.Dataset
        ``q`` or ``vorticity`` on the coarse grid, the ``psi``, ``u`` and ``v`` that belong to it
        (inverted on the coarse grid), and ``q_tendency`` or ``vorticity_tendency``
        [vorticity units / time units], to be *added* to the coarse tendency. The attributes are
        the parameters of the coarse model, ``dt`` too, if it is a model and no mere function;
        what the fine model has otherwise is kept as ``fine_<name>``.

    Raises
    ------
    ValueError
        If the Dataset lacks what is needed, a model is on another grid than its state, or a
        tendency has another shape.

    References
    ----------
    Ross et al. (2023), J. Adv. Model. Earth Syst. 15, e2022MS003258, section 2.4 (S_tot).
    """
    q = advected(dataset)
    _require_grid(fine, q, "fine", "the dataset", "are fine and coarse swapped?")
    q_coarse = operator(q, nx)
    _require_grid(coarse, q_coarse, "coarse", f"nx = {nx}", "give nx of the coarse model")
    filtered = operator(q.copy(data=_tendency_of(fine, q, "fine")), nx)
    missing = filtered - _tendency_of(coarse, q_coarse, "coarse")
    definition = "filtered tendency of the fine model minus tendency of the coarse model"
    labelled = dataset.assign_attrs(_parameters(dataset, fine, coarse))
    return _pairs(labelled, q_coarse, missing.values, operator, definition)


def advection_pairs(dataset: xr.Dataset, operator: CoarseGrainingOperator, nx: int) -> xr.Dataset:
    """Return the coarse state and ``-[bar(u . grad q) - (u bar) . grad (q bar)]``.

    Advection, with the mean flow, is in flux form ``div(u q)`` by undealiased transforms on
    either grid; the coarse velocity is the one that belongs to ``q bar``.

    Parameters
    ----------
    dataset
        A run of the fine model with the variable ``q`` (two layers) or ``vorticity`` (one),
        dimensions ``(..., [layer,] y, x)``; its attributes say how to invert it.
    operator
        From the fine to the coarse grid, for example ``OPERATORS[1]``.
    nx
        Number of coarse cells in x.

    Returns
    -------
    xarray.Dataset
        As of `tendency_pairs`; ``q_tendency`` is ``-S_q``, to be *added* to the coarse tendency.

    Raises
    ------
    ValueError
        If the Dataset lacks what is needed.

    References
    ----------
    Ross et al. (2023), J. Adv. Model. Earth Syst. 15, e2022MS003258, section 2.4 (S_q).
    """
    q = advected(dataset)
    q_coarse = operator(q, nx)
    filtered = operator(q.copy(data=_advection(q, dataset)), nx)
    missing = _advection(q_coarse, dataset) - filtered.values
    definition = "advection on the coarse grid minus filtered advection on the fine grid, -S_q"
    return _pairs(dataset, q_coarse, missing, operator, definition)


def _advection(q: xr.DataArray, dataset: xr.Dataset) -> Array:
    grid = PeriodicGrid.of(q)
    u, v = velocity(_streamfunction(q, dataset, grid), grid)
    if "layer" in q.dims:
        u = u + mean_flow(dataset.attrs, n_layer=2)
    return grid.inverse(flux_divergence(u, v, q.values, grid))


def _streamfunction(
    q: xr.DataArray, dataset: xr.Dataset, grid: PeriodicGrid
) -> NDArray[np.complex128]:
    layers = Stratification.of(dataset.attrs) if "layer" in q.dims else None
    return streamfunction(grid.transform(q.values), grid, layers)


def _tendency_of(model: Tendency, q: xr.DataArray, which: str) -> Array:
    function = model.tendency if isinstance(model, HasTendency) else model
    values = np.asarray(function(q.values))
    if values.shape != q.shape:
        raise ValueError(
            f"{which}: expected a tendency of the shape {q.shape} of its state, "
            f"got {values.shape}; is the model on the {which} grid?"
        )
    return values


def _require_grid(model: Tendency, q: xr.DataArray, which: str, of: str, remedy: str) -> None:
    """Raise a ValueError if a model, which knows its grid, is on another one than a state."""
    shape = getattr(model, "state_shape", None)
    if shape is not None and tuple(shape) != q.shape[-len(shape) :]:
        raise ValueError(
            f"{which}: expected a model with the grid {q.shape[-len(shape) :]} of {of}, "
            f"got {tuple(shape)}; {remedy}"
        )


def _parameters(dataset: xr.Dataset, fine: object, coarse: object) -> dict[str, Any]:
    """Return the coarse model's parameters, and what the fine one has otherwise as ``fine_*``."""
    if not isinstance(coarse, Description):
        return {}
    truth = dataset.attrs | (fine.attributes() if isinstance(fine, Description) else {})
    parameters = coarse.attributes()
    other = {
        f"fine_{name}": truth[name]
        for name, value in parameters.items()
        if name in truth and not np.array_equal(truth[name], value)
    }
    return parameters | other


def _pairs(
    dataset: xr.Dataset,
    q: xr.DataArray,
    missing: Array,
    operator: CoarseGrainingOperator,
    definition: str,
) -> xr.Dataset:
    grid = PeriodicGrid.of(q)
    psi = _streamfunction(q, dataset, grid)
    u, v = velocity(psi, grid)
    vorticity = str(q.attrs.get("units", "1"))
    velocity_units = derived_units((vorticity, 1), (grid.units, 1))
    name = str(q.name)
    what = q.attrs.get("long_name", name)
    fields = {
        name: (q.values, vorticity, what),
        "psi": (
            grid.inverse(psi),
            derived_units((vorticity, 1), (grid.units, 2)),
            "streamfunction without the mean flow",
        ),
        "u": (u, velocity_units, "zonal velocity without the mean flow"),
        "v": (v, velocity_units, "meridional velocity"),
        # A vorticity is an inverse time, or everything is dimensionless.
        f"{name}_tendency": (
            missing,
            derived_units((vorticity, 2)),
            f"subgrid tendency of {what}",
        ),
    }
    pairs = xr.Dataset(
        {
            key: (q.dims, values, {"units": unit, "long_name": long_name})
            for key, (values, unit, long_name) in fields.items()
        },
        coords=q.coords,
        attrs={
            **dataset.attrs,
            "Conventions": "CF-1.11",
            "nx": grid.nx,
            "ny": grid.ny,
            "fine_nx": dataset.sizes["x"],
            "fine_ny": dataset.sizes["y"],
            "coarse_graining": operator.__name__,
        },
    )
    pairs[f"{name}_tendency"].attrs["definition"] = (
        f"{definition}; to be added to the coarse tendency"
    )
    return pairs
