"""Figures of fields and diagnostics.

Each function draws labelled data with its units into the given axes, or into a new figure, and
returns the axes; ``axes.figure.savefig(path)`` writes them. Nothing depends on a display.
Colours are those of Okabe and Ito (2008), distinct for all common kinds of colour blindness, and
every line has dashes of its own.
"""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from solvers.coarse_graining.derived_units import derived_units
from solvers.diagnostics.spectra import spectral_slope

Array = NDArray[np.float64]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1)), (0, (7, 2)), (0, (5, 1, 1, 1, 1, 1)), "-")
_LAYER_NAMES = {0: "upper layer", 1: "lower layer"}
_STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "font.size": 10.0,
}


@dataclass(frozen=True)
class Scale:
    """The units that a figure shows a quantity in, and the factor from those of the data."""

    factor: float
    units: str


_READABLE = {"m": Scale(1e-3, "km"), "s": Scale(1.0 / 86400.0, "day")}


def new_axes(width: float = 5.0, height: float = 3.6) -> Axes:
    """Return the axes of a new figure in the common style, of a size in inches."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes: Axes = figure.subplots()
    return axes


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
    length = _readable(str(field["x"].attrs.get("units", "1")))
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
    axes.set_xlabel(_with_units("x", length.units))
    axes.set_ylabel(_with_units("y", length.units))
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


def plot_spectrum(
    spectrum: xr.DataArray | Mapping[str, xr.DataArray],
    axes: Axes | None = None,
    *,
    slopes: Sequence[float] = (),
    fit: tuple[float, float] | None = None,
) -> Axes:
    """Draw spectra on logarithmic axes, averaged over time and members.

    The mean (K = 0) and the incomplete shells in the corners of the spectral plane are left out.

    Parameters
    ----------
    spectrum
        Dimensions ``([time,] [member,] [layer,] wavenumber)``, or several of them by name.
    axes
        Where to draw.
    slopes
        Powers n of grey guide lines ``K^n``, drawn above the first spectrum.
    fit
        Range of wavenumbers over which the slope of each spectrum is fitted and written into the
        legend.

    Returns
    -------
    Axes
        With wavelengths on a second axis on top, if wavenumbers have units of length.
    """
    axes = new_axes() if axes is None else axes
    spectra = _lines(spectrum)
    for i, (label, line) in enumerate(spectra.items()):
        shown = line[(line["wavenumber"] > 0.0).values & (line > 0.0).values]
        if fit is not None:
            slope = float(spectral_slope(line, *fit))
            label = f"{label}, slope {slope:.2f}".removeprefix(", ")  # noqa: PLW2901
        axes.loglog(shown["wavenumber"], shown, label=label, **_look(i))
    if fit is not None:
        axes.axvspan(*fit, color="#eeeeee", zorder=0)
    first = next(iter(spectra.values()))
    for n in slopes:
        _guide(axes, first, n)
    _wavenumber_axis(axes, first)
    # Far below the peak there is nothing but rounding and what the filter left.
    highest = max(float(line.max()) for line in spectra.values())
    lowest, top = axes.get_ylim()
    axes.set_ylim(max(lowest, 1e-8 * highest), top)
    axes.set_ylabel(axis_label(first))
    _legend(axes)
    return axes


def plot_energy_budget(budget: xr.Dataset, axes: Axes | None = None) -> Axes:
    """Draw the terms of a spectral energy budget, averaged over time and members.

    Each is multiplied by its wavenumber, so that on the logarithmic axis equal areas are equal
    energies.

    Parameters
    ----------
    budget
        From `solvers.diagnostics.energy_budget`.
    axes
        Where to draw.
    """
    axes = new_axes(7.4, 3.8) if axes is None else axes
    terms = [name for name in budget.data_vars if name != "total"]
    for i, name in enumerate(terms):
        (line,) = _lines(budget[name]).values()
        wavenumber = line["wavenumber"][1:]
        axes.semilogx(
            wavenumber,
            wavenumber * line[1:],
            label=str(budget[name].attrs["long_name"]),
            **_look(i),
        )
    (total,) = _lines(budget["total"]).values()
    wavenumber = total["wavenumber"][1:]
    axes.semilogx(
        wavenumber,
        wavenumber * total[1:],
        color="#777777",
        linewidth=3.0,
        alpha=0.5,
        label="sum",
        zorder=1.5,
    )
    axes.axhline(0.0, color="#444444", linewidth=0.8)
    _wavenumber_axis(axes, total)
    power = power_of_ten(max(np.abs(axes.get_ylim())))
    axes.yaxis.set_major_formatter(scaled_numbers(power))
    axes.set_ylabel(_with_units("K times energy tendency", _power_per_mass(total), power))
    axes.legend(
        frameon=False, fontsize=9.0, handlelength=2.6, loc="upper left", bbox_to_anchor=(1.0, 1.0)
    )
    return axes


def plot_probability_density(
    density: xr.DataArray | Mapping[str, xr.DataArray], axes: Axes | None = None
) -> Axes:
    """Draw densities on a logarithmic axis, with the Gaussian of the first one's mean and spread.

    Bins without a sample have no place on the axis and are left out.

    Parameters
    ----------
    density
        From `solvers.diagnostics.probability_density`, or several of them by name.
    axes
        Where to draw.
    """
    axes = new_axes() if axes is None else axes
    lines = _lines(density)
    for i, (label, line) in enumerate(lines.items()):
        axes.semilogy(line["value"], line.where(line > 0.0), label=label, **_look(i))
    floor = axes.get_ylim()[0]
    label, first = next(iter(lines.items()))
    value = first["value"]
    standardized = bool(first.attrs["standardized"])
    mean, spread = (0.0, 1.0) if standardized else _moments(first)
    axes.semilogy(
        value,
        stats.norm.pdf(value, mean, spread),
        color="#777777",
        linestyle=(0, (1, 1)),
        label=f"Gaussian, {label}".removesuffix(", ") if not standardized else "Gaussian",
    )
    axes.set_ylim(bottom=floor)
    power = power_of_ten(max(np.abs(axes.get_xlim())))
    axes.xaxis.set_major_formatter(scaled_numbers(power))
    axes.set_xlabel("anomaly [standard deviations]" if standardized else axis_label(value, power))
    axes.set_ylabel(_with_units("probability density", _units(first)))
    _legend(axes)
    return axes


def plot_autocorrelation(
    correlation: xr.DataArray | Mapping[str, xr.DataArray], axes: Axes | None = None
) -> Axes:
    """Draw autocorrelations against lag.

    Parameters
    ----------
    correlation
        From `solvers.diagnostics.lag_correlation`, or several of them by name.
    axes
        Where to draw.
    """
    axes = new_axes() if axes is None else axes
    lines = _lines(correlation)
    for i, (label, line) in enumerate(lines.items()):
        scale = _readable(_units(line["lag"]))
        axes.plot(line["lag"] * scale.factor, line, label=label, marker="o", ms=3.0, **_look(i))
        axes.set_xlabel(_with_units("lag", scale.units))
    axes.axhline(0.0, color="#444444", linewidth=0.8)
    axes.set_ylabel(axis_label(next(iter(lines.values()))))
    _legend(axes)
    return axes


def plot_courant_number(number: xr.DataArray, axes: Axes | None = None) -> Axes:
    """Draw Courant numbers against time, a line for each member.

    Parameters
    ----------
    number
        From `solvers.diagnostics.courant_number`, dimensions ``(time, [member])``.
    axes
        Where to draw.
    """
    axes = new_axes() if axes is None else axes
    scale = _readable(_units(number["time"]))
    axes.plot(number["time"] * scale.factor, number, linewidth=1.2)
    axes.set_xlabel(_with_units("time", scale.units))
    axes.set_ylabel(axis_label(number))
    axes.set_ylim(bottom=0.0)
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
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(9.0, 3.6 * len(layers)), layout="constrained")
        rows = figure.subplots(len(layers), 2, squeeze=False)
    for row, layer in zip(rows, layers, strict=True):
        plot_field(layer[name], row[0])
        plot_field(layer[f"{name}_tendency"], row[1])
    return figure


def axis_label(field: xr.DataArray, power: int = 0) -> str:
    """Return the name of a quantity with its units, to stand at an axis or a colour bar.

    What follows a comma in the name is left to the caption.

    Parameters
    ----------
    field
        Its attributes ``long_name`` and ``units`` are used.
    power
        Power of ten that was taken out of the numbers at the axis, see `power_of_ten`.
    """
    name = str(field.attrs.get("long_name", field.name)).partition(",")[0]
    return _with_units(name, _units(field), power)


def power_of_ten(limit: float) -> int:
    """Return the power of ten, a multiple of 3, that makes numbers up to `limit` easy to read.

    Examples
    --------
    >>> power_of_ten(25.0), power_of_ten(3e-5)
    (0, -6)
    """
    exponent = math.floor(math.log10(limit)) if limit > 0.0 else 0
    return 0 if -2 <= exponent <= 3 else 3 * (exponent // 3)


def scaled_numbers(power: int) -> FuncFormatter:
    """Return a formatter of numbers at an axis that leaves out a power of ten."""
    return FuncFormatter(lambda value, _: f"{value / 10.0**power:g}".replace("-", "\N{MINUS SIGN}"))


def time_label(time: xr.DataArray) -> str:
    """Return a time as text, in days if it counts seconds."""
    scale = _readable(_units(time))
    value = float(time) * scale.factor
    return f"day {value:.1f}" if scale.units == "day" else f"time {value:.4g}"


def layer_label(layer: int) -> str:
    """Return the name of a layer."""
    return _LAYER_NAMES.get(layer, f"layer {layer}")


def _lines(given: xr.DataArray | Mapping[str, xr.DataArray]) -> dict[str, xr.DataArray]:
    """Return curves by label: averaged over time and members, layers one by one."""
    named = {"": given} if isinstance(given, xr.DataArray) else given
    curves = {}
    for name, array in named.items():
        over = [dim for dim in array.dims if dim in {"time", "member"}]
        mean = array.mean(over, keep_attrs=True)
        if "layer" in mean.dims:
            for layer in mean["layer"].values:
                label = ", ".join(filter(None, [name, layer_label(int(layer))]))
                curves[label] = mean.sel(layer=layer)
        else:
            curves[name] = mean
    return curves


def _look(i: int) -> dict[str, Any]:
    return {
        "color": _COLOURS[i % len(_COLOURS)],
        "linestyle": _DASHES[i % len(_DASHES)],
        "linewidth": 1.8,
    }


def _guide(axes: Axes, spectrum: xr.DataArray, n: float) -> None:
    """Draw ``K^n`` above a spectrum, from its peak to where it is least."""
    shown = spectrum[(spectrum["wavenumber"] > 0.0).values & (spectrum > 0.0).values]
    shown = shown[: 1 + int(np.searchsorted(shown["wavenumber"], _largest(shown)))]
    k = shown["wavenumber"].values
    start = int(np.argmax(shown.values))
    k = k[start:]
    if k.size < 3:
        return
    middle = k[: max(3, k.size // 2)]
    level = 2.0 * float((shown.values[start : start + middle.size] / middle**n).max())
    axes.loglog(middle, level * middle**n, color="#777777", linewidth=1.0)
    axes.annotate(
        f"$K^{{{n:g}}}$",
        (middle[-1], level * middle[-1] ** n),
        xytext=(3, 3),
        textcoords="offset points",
        color="#555555",
        fontsize=9.0,
    )


def _largest(spectrum: xr.DataArray) -> float:
    largest = float(spectrum["wavenumber"][-1])
    return float(spectrum.attrs.get("largest_complete_wavenumber", largest))


def _wavenumber_axis(axes: Axes, spectrum: xr.DataArray) -> None:
    wavenumber = spectrum["wavenumber"]
    step = float(wavenumber[1])
    axes.set_xlim(0.9 * step, _largest(spectrum))
    units = _units(wavenumber)
    axes.set_xlabel(_with_units("angular wavenumber K", units))
    if units != "m-1":
        return

    def wavelength(k: ArrayLike) -> Array:
        # Matplotlib also asks for the wavelength of zero.
        return np.asarray(2e-3 * np.pi / np.maximum(k, 1e-30), dtype=np.float64)

    top = axes.secondary_xaxis("top", functions=(wavelength, wavelength))
    top.set_xlabel(_with_units("wavelength", "km"))


def _power_per_mass(total: xr.DataArray) -> str:
    """Return the units of a density per wavenumber times a wavenumber."""
    return derived_units((_units(total), 1), (_units(total["wavenumber"]), 1))


def _moments(density: xr.DataArray) -> tuple[float, float]:
    mean = np.atleast_1d(density.attrs["mean"])
    spread = np.atleast_1d(density.attrs["standard_deviation"])
    return float(mean[0]), float(spread[0])


def _where(field: xr.DataArray) -> list[str]:
    words = []
    if "layer" in field.coords:
        words.append(layer_label(int(field["layer"])))
    if "time" in field.coords:
        words.append(time_label(field["time"]))
    return words


def _legend(axes: Axes) -> None:
    if any(axes.get_legend_handles_labels()[1]):
        axes.legend(frameon=False, fontsize=9.0, handlelength=2.6)


def _readable(units: str) -> Scale:
    return _READABLE.get(units, Scale(1.0, units))


def _units(field: xr.DataArray) -> str:
    return str(field.attrs.get("units", "1"))


def _with_units(name: str, units: str, power: int = 0) -> str:
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    parts = [f"10{str(power).translate(raised)}"] if power else []
    parts += [units.translate(raised)] if units != "1" else []
    return f"{name} [{' '.join(parts)}]" if parts else name
