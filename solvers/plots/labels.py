"""What all figures have in common: style, labels, units that are easy to read."""

import math
from dataclasses import dataclass
from typing import Any

import matplotlib
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

_LAYER_NAMES = {0: "upper layer", 1: "lower layer"}
STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "font.size": 10.0,
}
"""The look of all figures, as matplotlib parameters."""


@dataclass(frozen=True)
class Scale:
    """The units that a figure shows a quantity in, and the factor from those of the data."""

    factor: float
    units: str


_READABLE = {"m": Scale(1e-3, "km"), "s": Scale(1.0 / 86400.0, "day")}


def new_axes(width: float = 5.0, height: float = 3.6) -> Axes:
    """Return the axes of a new figure in the common style, of a size in inches."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes: Axes = figure.subplots()
    return axes


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
    return with_units(name, units_of(field), power)


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
    scale = readable(units_of(time))
    value = float(time) * scale.factor
    return f"day {value:.1f}" if scale.units == "day" else f"time {value:.4g}"


def layer_label(layer: int) -> str:
    """Return the name of a layer."""
    return _LAYER_NAMES.get(layer, f"layer {layer}")


def readable(units: str) -> Scale:
    """Return what to show a quantity of some units in: kilometres for metres, days for seconds."""
    return _READABLE.get(units, Scale(1.0, units))


def units_of(field: xr.DataArray) -> str:
    """Return the units of a quantity, 1 if it does not say."""
    return str(field.attrs.get("units", "1"))


def with_units(name: str, units: str, power: int = 0) -> str:
    """Return a name followed by its units, with raised exponents, in brackets.

    Examples
    --------
    >>> with_units("energy", "m2 s-2", -6)
    'energy [10⁻⁶ m² s⁻²]'
    """
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    parts = [f"10{str(power).translate(raised)}"] if power else []
    parts += [units.translate(raised)] if units != "1" else []
    return f"{name} [{' '.join(parts)}]" if parts else name
