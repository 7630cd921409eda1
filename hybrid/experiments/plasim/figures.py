"""Figures of the report: zonal means, cross-sections, maps, and how often it rains how much."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as MatplotlibFigure
from numpy.typing import NDArray

from hybrid.experiments.plasim.findings import Findings
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE
from hybrid.experiments.plasim.rain import EDGES, MM_PER_DAY
from hybrid.experiments.plasim.schemes import layer_middle
from hybrid.experiments.plasim.scoring import ZONAL, cross_section
from hybrid.experiments.result import Figure
from hybrid.figure_style import DIVERGING, legend, line, new_figure, panel_title, symmetric_limits

_LINES = (
    ("surface_temperature", 1.0, "surface temperature [K]"),
    ("outgoing_longwave", 1.0, "outgoing longwave [W m$^{-2}$]"),
    ("precipitation", MM_PER_DAY, "precipitation [mm day$^{-1}$]"),
)

_PROFILES: Mapping[str, tuple[str, str]] = {
    "T": ("temperature", "K"),
    "q": ("specific humidity", "g kg$^{-1}$"),
    "u": ("eastward wind", "m s$^{-1}$"),
}

_MAPS: Mapping[str, tuple[float, str, str]] = {
    "surface_temperature": (1.0, "surface temperature", "K"),
    "outgoing_longwave": (1.0, "outgoing longwave", "W m$^{-2}$"),
    "absorbed_shortwave": (1.0, "absorbed shortwave", "W m$^{-2}$"),
    "precipitation": (MM_PER_DAY, "precipitation", "mm day$^{-1}$"),
}

_LATITUDE, _LONGITUDE = "latitude [degree]", "longitude [degree]"


def zonal_means(findings: Findings) -> Figure:
    """Zonal means of both ensembles, with every native member."""
    figure, axes = new_figure(1, len(_LINES))
    for axis, (name, factor, text) in zip(axes[0], _LINES, strict=True):
        for members, role, label in (
            (findings.native, "truth", "PlaSim's own"),
            (findings.closure, "mlp", "closure"),
        ):
            for member in members:
                look = line(role, label=label)
                if member is not members[0]:
                    look.pop("label")
                if role == "truth":
                    look["linewidth"] = 0.8
                values = member[name].mean("time").to_numpy() * factor
                axis.plot(member["latitude"].to_numpy(), values, **look)
        axis.set_xlabel(_LATITUDE)
        axis.set_ylabel(text)
    legend(axes[0, 0])
    return Figure(
        name="zonal_means",
        title="Zonal means, native runs and runs with closures",
        reading="One thin line a member of the model's own ensemble: the closure's line should lie "
        "among them.",
        figure=figure,
    )


def cross_sections(findings: Findings) -> tuple[Figure, ...]:
    """Zonal-mean profiles: native, and the difference of the runs with closures."""
    return tuple(_cross_section(findings, key) for key in ZONAL)


def _cross_section(findings: Findings, key: str) -> Figure:
    name, factor, plain_units = ZONAL[key]
    text, units = _PROFILES[key]
    native = cross_section(findings.native, name) * factor
    difference = cross_section(findings.closure, name) * factor - native
    sigma = layer_middle(native.sizes["level"])
    figure, axes = new_figure(1, 2, sharey=True)
    pair = native.to_numpy(), difference.to_numpy()
    _shade_pair(figure, axes[0], native["latitude"].to_numpy(), sigma, pair, units)
    for axis in axes[0]:
        axis.set_xlabel(_LATITUDE)
    axes[0, 0].set_ylabel("sigma [1]")
    axes[0, 0].set_ylim(1.0, 0.0)
    return Figure(
        name=name,
        title=f"Zonal-mean {text}",
        reading="The difference, closure less native, has a root mean square of "
        f"{findings.zonal[key]:.2g} {plain_units}, by area and mass.",
        figure=figure,
    )


def maps(findings: Findings) -> tuple[Figure, ...]:
    """Means over time on the grid: native, and the difference of the runs with closures."""
    return tuple(_map(findings, name) for name in _MAPS)


def _map(findings: Findings, name: str) -> Figure:
    factor, text, units = _MAPS[name]
    native = findings.maps[NATIVE].mean[name]
    found = findings.maps[CLOSURE].mean[name]
    pair = native.to_numpy() * factor, (found - native).to_numpy() * factor
    figure, axes = new_figure(1, 2, sharey=True)
    longitude, latitude = native["longitude"].to_numpy(), native["latitude"].to_numpy()
    _shade_pair(figure, axes[0], longitude, latitude, pair, units)
    for axis in axes[0]:
        axis.set_xlabel(_LONGITUDE)
    axes[0, 0].set_ylabel(_LATITUDE)
    return Figure(
        name=f"map_{name}",
        title=f"Maps of {text}",
        reading="Means over the days that count and over members; weather differs between single "
        "runs, so small patches of both signs mean little.",
        figure=figure,
    )


def rain(findings: Findings) -> Figure:
    """How often, and on how much of the area, it rains how much in a day."""
    figure, axes = new_figure(1, 1)
    axis = axes[0, 0]
    middle = np.sqrt(EDGES[1:-2] * EDGES[2:-1])
    dry = {}
    for kind, role, label in ((NATIVE, "truth", "PlaSim's own"), (CLOSURE, "mlp", "closure")):
        parts = findings.maps[kind].rain
        dry[kind] = parts[0]
        axis.plot(middle, parts[1:-1], **line(role, label=label))
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("daily precipitation [mm day$^{-1}$]")
    axis.set_ylabel("part of days and area [1]")
    legend(axis)
    return Figure(
        name="rain",
        title="How often it rains how much",
        reading=f"Dry days, below {EDGES[1]:g} mm: {dry[NATIVE]:.1%} of PlaSim's own, "
        f"{dry[CLOSURE]:.1%} of those with closures.",
        figure=figure,
    )


def _shade_pair(
    figure: MatplotlibFigure,
    axes: NDArray[np.object_],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    pair: tuple[NDArray[np.float64], NDArray[np.float64]],
    units: str,
) -> None:
    """Shade the native field, and beside it the difference, whose colours are centred at 0."""
    low, high = symmetric_limits(pair[1])
    centred = {"cmap": DIVERGING, "vmin": low, "vmax": high}
    looks: tuple[tuple[str, dict[str, Any]], ...] = (("native", {}), ("difference", centred))
    for axis, values, (title, look) in zip(axes, pair, looks, strict=True):
        assert isinstance(axis, Axes)
        mesh = axis.pcolormesh(x, y, values, shading="nearest", **look)
        figure.colorbar(mesh, ax=axis, orientation="horizontal")
        panel_title(axis, f"{title} [{units}]")
