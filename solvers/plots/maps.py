"""Maps of single snapshots."""

import textwrap

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from solvers.plots.labels import (
    STYLE,
    axis_label,
    layer_label,
    new_axes,
    power_of_ten,
    readable,
    scaled_numbers,
    time_label,
    units_of,
    with_units,
)


def plot_field(
    field: xr.DataArray, axes: Axes | None = None, *, limit: float | None = None
) -> Axes:
    """Draw a map of one snapshot.

    Parameters
    ----------
    field
        Dimensions ``(y, x)``, or those of a staggered grid such as ``(y_v, x_u)``; other
        dimensions of size 1 are dropped.
    axes
        Where to draw.
    limit
        Colours go from ``-limit`` to `limit` (from 0 if the field has no negative values)
        [field]; by default as `colour_range` says. Arrows on the colour bar say where values go
        beyond.

    Returns
    -------
    Axes
        With the map, one pixel a cell, and a colour bar.

    Raises
    ------
    ValueError
        If the field has more dimensions than y and x.
    """
    horizontal = horizontal_dimensions(field)
    flat = field.squeeze([d for d in field.dims if d not in horizontal and field.sizes[d] == 1])
    if len(horizontal) != 2 or flat.ndim != 2:
        raise ValueError(
            f"{field.name}: expected one snapshot with dimensions y and x, got "
            f"{dict(field.sizes)}; select one, for example with .isel(time=-1, member=0)"
        )
    flat = flat.transpose(*horizontal)
    axes = new_axes(4.6, figure_height(flat)) if axes is None else axes
    mesh = draw_mesh(axes, flat, limit)
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
        height = figure_height(pairs[name])
        # With less room the labels of the left maps reach beyond the canvas.
        room = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.06)
        figure = Figure(figsize=(9.4, height * len(layers)), layout=room)
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


def colour_range(field: xr.DataArray, limit: float | None = None) -> tuple[float, float]:
    """Return where the colours of a field begin and end [field].

    Values of both signs: symmetric about zero, up to `colour_limit`. Values of one sign: their
    0.5 % and 99.5 % quantiles, so that what little varies about a large mean is seen; from zero
    if nothing varies.

    Parameters
    ----------
    field
        All that is drawn in these colours, for example every time of a film.
    limit
        Instead of the quantiles: up to here, from ``-limit`` or, without negative values, from 0.
    """
    negative, positive = bool((field < 0.0).any()), bool((field > 0.0).any())
    if limit is not None:
        return (-limit if negative else 0.0), limit
    if negative == positive:
        limit = colour_limit(field)
        return (-limit if negative else 0.0), limit
    values = field.values[np.isfinite(field.values)]
    low, high = (float(value) for value in np.quantile(values, [0.005, 0.995]))
    # Rounding about a constant is no signal, nor would the numbers at the bar tell it.
    if high - low > 1e-5 * max(abs(low), abs(high)):
        return low, high
    extreme = float(values.max() if positive else values.min())
    return min(0.0, extreme), max(0.0, extreme)


def horizontal_dimensions(field: xr.DataArray) -> tuple[str, ...]:
    """Return the dimensions of a field that begin with y and x, in this order.

    Examples
    --------
    >>> horizontal_dimensions(xr.DataArray(np.zeros((3, 2, 2)), dims=("time", "x_u", "y")))
    ('y', 'x_u')
    """
    return tuple(str(dim) for axis in "yx" for dim in field.dims if str(dim).startswith(axis))


def aspect_ratio(field: xr.DataArray) -> float:
    """Return the height of a map over its width [1]."""
    y, x = (field[dim] for dim in horizontal_dimensions(field))
    return float(y[-1] - y[0]) / float(x[-1] - x[0])


def figure_height(field: xr.DataArray) -> float:
    """Return how high a map with its title and axis is [inch] if it is about 3 inches wide."""
    return 0.8 + 3.0 * min(max(aspect_ratio(field), 0.3), 1.6)


def draw_mesh(axes: Axes, field: xr.DataArray, limit: float | None = None) -> QuadMesh:
    """Draw the cells of a field ``([time,] y, x)``, the first time if there are several.

    The colours, see `colour_range`, are those of all times.
    """
    first = field.isel(time=0) if "time" in field.dims else field
    y, x = (field[dim] for dim in field.dims[-2:])
    length = readable(units_of(x))
    low, high = colour_range(field, limit)
    mesh = axes.pcolormesh(
        x.values * length.factor,
        y.values * length.factor,
        first.values,
        shading="nearest",
        cmap="RdBu_r" if low < 0.0 < high else "viridis",
        vmin=low,
        vmax=high,
        rasterized=True,
    )
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)
    axes.set_aspect("equal")
    axes.set_xlabel(with_units("x", length.units))
    axes.set_ylabel(with_units("y", length.units))
    return mesh


def add_colour_bar(axes: Axes, mesh: QuadMesh, field: xr.DataArray) -> None:
    """Add a colour bar, as high as the map, with name and units.

    Arrows say where the field goes beyond the colours.
    """
    low, high = (value or 0.0 for value in mesh.get_clim())
    below, above = float(field.min()) < low, float(field.max()) > high
    power = power_of_ten(max(abs(low), abs(high)))
    # A label longer than a flat map is high would stand out above and below.
    letters = round(36 * min(max(aspect_ratio(field), 0.5), 1.0))
    axes.figure.colorbar(
        mesh,
        # Beside the map itself: a place in the layout knows nothing of the map's proportions.
        cax=axes.inset_axes((1.04, 0.0, 0.05, 1.0)),
        label=textwrap.fill(axis_label(field, power), letters),
        format=scaled_numbers(power),
        extend={(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above],
    )


def _where(field: xr.DataArray) -> list[str]:
    words = []
    if "layer" in field.coords:
        words.append(layer_label(int(field["layer"])))
    if "time" in field.coords:
        words.append(time_label(field["time"]))
    return words
