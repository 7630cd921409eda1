"""Maps of single snapshots."""

import textwrap

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from solvers.plots.labels import (
    STYLE,
    axis_label,
    layer_label,
    new_axes,
    power_of_ten,
    readable,
    scaled_numbers,
    time_label,
    with_units,
)


def plot_field(
    field: xr.DataArray, axes: Axes | None = None, *, limit: float | None = None
) -> Axes:
    """Draw a map of one snapshot.

    Parameters
    ----------
    field
        Dimensions ``(y, x)``; dimensions of size 1 are dropped.
    axes
        Where to draw.
    limit
        Colours go from ``-limit`` to `limit` (from 0 if the field has no negative values)
        [field]; by default the 99.5 % quantile of absolute values. Arrows on the colour bar say
        where values go beyond.

    Returns
    -------
    Axes
        With the map, one pixel a cell, and a colour bar.

    Raises
    ------
    ValueError
        If the field has more dimensions than y and x.
    """
    flat = field.squeeze()
    if set(flat.dims) != {"y", "x"}:
        raise ValueError(
            f"{field.name}: expected one snapshot with dimensions y and x, got "
            f"{dict(field.sizes)}; select one, for example with .isel(time=-1, member=0)"
        )
    axes = new_axes(4.6, 3.8) if axes is None else axes
    flat = flat.transpose("y", "x")
    mesh = draw_mesh(axes, flat, colour_limit(flat) if limit is None else limit)
    add_colour_bar(axes, mesh, flat)
    axes.set_title(", ".join(_where(flat)), loc="left", fontsize=10.0)
    return axes


def plot_pairs(pairs: xr.Dataset) -> Figure:
    """Draw one snapshot of coarse state and subgrid tendency side by side, a row for each layer.

    Parameters
    ----------
    pairs
        One time and member of `solvers.coarse_graining.tendency_pairs` or `advection_pairs`.
    """
    name = next(str(key) for key in pairs if f"{key}_tendency" in pairs)
    layers = (
        [pairs.isel(layer=i) for i in range(pairs.sizes["layer"])]
        if "layer" in pairs.dims
        else [pairs]
    )
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.0, 3.6 * len(layers)), layout="constrained")
        rows = figure.subplots(len(layers), 2, squeeze=False)
    for row, layer in zip(rows, layers, strict=True):
        plot_field(layer[name], row[0])
        plot_field(layer[f"{name}_tendency"], row[1])
    return figure


def colour_limit(field: xr.DataArray) -> float:
    """Return the 99.5 % quantile of the absolute finite values; 1 if they are all zero."""
    values = np.abs(field.values[np.isfinite(field.values)])
    limit = float(np.quantile(values, 0.995)) if values.size else 0.0
    return limit if limit > 0.0 else 1.0


def draw_mesh(axes: Axes, field: xr.DataArray, limit: float) -> QuadMesh:
    """Draw the cells of a field ``([time,] y, x)``, the first time if there are several.

    Colours go up to `limit`; they have two signs if any time has negative values.
    """
    first = field.isel(time=0) if "time" in field.dims else field
    length = readable(str(field["x"].attrs.get("units", "1")))
    x = field["x"].values * length.factor
    y = field["y"].values * length.factor
    signed = bool((field < 0.0).any())
    mesh = axes.pcolormesh(
        x,
        y,
        first.values,
        shading="nearest",
        cmap="RdBu_r" if signed else "viridis",
        vmin=-limit if signed else 0.0,
        vmax=limit,
        rasterized=True,
    )
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)
    axes.set_aspect("equal")
    axes.set_xlabel(with_units("x", length.units))
    axes.set_ylabel(with_units("y", length.units))
    return mesh


def add_colour_bar(axes: Axes, mesh: QuadMesh, field: xr.DataArray) -> None:
    """Add a colour bar with name and units; arrows say where the field goes beyond the colours."""
    low, high = mesh.get_clim()
    below = float(field.min()) < (low or 0.0)
    above = float(field.max()) > (high or 0.0)
    power = power_of_ten(high or 0.0)
    axes.figure.colorbar(
        mesh,
        ax=axes,
        label=textwrap.fill(axis_label(field, power), 36),
        format=scaled_numbers(power),
        extend={(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above],
        shrink=0.9,
    )


def _where(field: xr.DataArray) -> list[str]:
    words = []
    if "layer" in field.coords:
        words.append(layer_label(int(field["layer"])))
    if "time" in field.coords:
        words.append(time_label(field["time"]))
    return words
