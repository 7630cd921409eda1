"""Curves: spectra, budgets, distributions, series."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from solvers.coarse_graining.derived_units import derived_units
from solvers.diagnostics.spectra import spectral_slope
from solvers.plots.labels import (
    axis_label,
    layer_label,
    new_axes,
    power_of_ten,
    readable,
    scaled_numbers,
    units_of,
    with_units,
)

Array = NDArray[np.float64]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1)), (0, (7, 2)), (0, (5, 1, 1, 1, 1, 1)), "-")


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
        With wavelengths on a second axis on top, if wavenumbers have units of length; what the
        names of several spectra end in together, and their units, at the left.

    Raises
    ------
    ValueError
        If the spectra have different units.
    """
    spectra = _lines(spectrum)
    ylabel = _common_label(list(spectra.values()))
    axes = new_axes() if axes is None else axes
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
    axes.set_ylabel(ylabel)
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
    axes.set_ylabel(with_units("K times energy tendency", _power_per_mass(total), power))
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
    axes.set_ylabel(with_units("probability density", units_of(first)))
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
        scale = readable(units_of(line["lag"]))
        axes.plot(line["lag"] * scale.factor, line, label=label, marker="o", ms=3.0, **_look(i))
        axes.set_xlabel(with_units("lag", scale.units))
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
    scale = readable(units_of(number["time"]))
    axes.plot(number["time"] * scale.factor, number, linewidth=1.2)
    axes.set_xlabel(with_units("time", scale.units))
    axes.set_ylabel(axis_label(number))
    axes.set_ylim(bottom=0.0)
    return axes


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
        f"$K^{{{_exponent(n)}}}$",
        (middle[-1], level * middle[-1] ** n),
        xytext=(3, 3),
        textcoords="offset points",
        color="#555555",
        fontsize=9.0,
    )


def _exponent(n: float) -> str:
    """Return a power as text, as a fraction where it is a simple one: -5/3."""
    fraction = Fraction(n).limit_denominator(9)
    return str(fraction) if abs(float(fraction) - n) < 1e-6 else f"{n:g}"


def _common_label(lines: Sequence[xr.DataArray]) -> str:
    """Return the words that the names of quantities end in together, and their units."""
    units = {str(line.attrs["units"]): None for line in lines if "units" in line.attrs}
    if len(units) > 1:
        raise ValueError(
            f"spectrum: expected spectra of the same units, got {', '.join(units)}; "
            "draw them into axes of their own"
        )
    labelled = [line for line in lines if "long_name" in line.attrs] or list(lines[:1])
    names = [axis_label(line.assign_attrs(units="1")).split() for line in labelled]
    shared: list[str] = []
    for words in zip(*(reversed(name) for name in names), strict=False):
        if len(set(words)) > 1:
            break
        shared.insert(0, words[0])
    return with_units(" ".join(shared) or "spectrum", next(iter(units), "1"))


def _largest(spectrum: xr.DataArray) -> float:
    largest = float(spectrum["wavenumber"][-1])
    return float(spectrum.attrs.get("largest_complete_wavenumber", largest))


def _wavenumber_axis(axes: Axes, spectrum: xr.DataArray) -> None:
    wavenumber = spectrum["wavenumber"]
    step = float(wavenumber[1])
    axes.set_xlim(0.9 * step, _largest(spectrum))
    units = units_of(wavenumber)
    axes.set_xlabel(with_units("angular wavenumber K", units))
    if units != "m-1":
        return

    def wavelength(k: ArrayLike) -> Array:
        # Matplotlib also asks for the wavelength of zero.
        return np.asarray(2e-3 * np.pi / np.maximum(k, 1e-30), dtype=np.float64)

    top = axes.secondary_xaxis("top", functions=(wavelength, wavelength))
    top.set_xlabel(with_units("wavelength", "km"))


def _power_per_mass(total: xr.DataArray) -> str:
    """Return the units of a density per wavenumber times a wavenumber."""
    return derived_units((units_of(total), 1), (units_of(total["wavenumber"]), 1))


def _moments(density: xr.DataArray) -> tuple[float, float]:
    mean = np.atleast_1d(density.attrs["mean"])
    spread = np.atleast_1d(density.attrs["standard_deviation"])
    return float(mean[0]), float(spread[0])


def _legend(axes: Axes) -> None:
    if any(axes.get_legend_handles_labels()[1]):
        axes.legend(frameon=False, fontsize=9.0, handlelength=2.6)
