"""Figures of the report."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as MatplotlibFigure
from numpy.typing import NDArray

from hybrid.experiments.plasim.findings import Findings
from hybrid.experiments.plasim.scoring import zonal_temperature
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.plasim.training import layer_thickness
from hybrid.experiments.result import Figure
from hybrid.figure_style import DIVERGING, legend, line, new_figure, panel_title, symmetric_limits

_SHOWN = (
    ("surface_temperature", 1.0, "surface temperature [K]"),
    ("outgoing_longwave", 1.0, "outgoing longwave [W m$^{-2}$]"),
    ("precipitation", 86400.0e3, "precipitation [mm day$^{-1}$]"),
)


def zonal_means(findings: Findings, settings: Settings) -> Figure:
    """Zonal means of both ensembles, with every native member."""
    figure, axes = new_figure(1, len(_SHOWN))
    for axis, (name, factor, text) in zip(axes[0], _SHOWN, strict=True):
        for members, role, label in (
            (findings.native, "truth", "PlaSim's own"),
            (findings.closure, "mlp", "closure"),
        ):
            for member in members:
                later = member[name].isel(time=slice(settings.n_adjusting, None))
                look = line(role, label=label)
                if member is not members[0]:
                    look.pop("label")
                if role == "truth":
                    look["linewidth"] = 0.8
                values = later.mean("time").to_numpy() * factor
                axis.plot(member["latitude"].to_numpy(), values, **look)
        axis.set_xlabel("latitude [degree]")
        axis.set_ylabel(text)
    legend(axes[0, 0])
    return Figure(
        name="zonal_means",
        title="Zonal means, native runs and runs with closures",
        reading="One thin line a member of the model's own ensemble: the closure's line should lie "
        "among them.",
        figure=figure,
    )


def cross_section(findings: Findings, settings: Settings) -> Figure:
    """Zonal-mean temperature: native, and the difference of the runs with closures."""
    native = zonal_temperature(findings.native, settings.n_adjusting)
    difference = zonal_temperature(findings.closure, settings.n_adjusting) - native
    thickness = layer_thickness(native.sizes["level"])
    sigma = np.cumsum(thickness) - 0.5 * thickness
    figure, axes = new_figure(1, 2, sharey=True)
    low, high = symmetric_limits(difference.to_numpy())
    centred = {"cmap": DIVERGING, "vmin": low, "vmax": high}
    panels: tuple[tuple[Axes, xr.DataArray, dict[str, Any], str], ...] = (
        (axes[0, 0], native, {}, "native [K]"),
        (axes[0, 1], difference, centred, "difference [K]"),
    )
    for axis, values, look, title in panels:
        _shade(figure, axis, values, sigma, look)
        panel_title(axis, title)
        axis.set_xlabel("latitude [degree]")
    axes[0, 0].set_ylabel("sigma [1]")
    axes[0, 0].set_ylim(1.0, 0.0)
    return Figure(
        name="temperature",
        title="Zonal-mean temperature",
        reading=f"The difference has a root mean square of {findings.zonal_t_rms:.2f} K, by area "
        "and mass.",
        figure=figure,
    )


def _shade(
    figure: MatplotlibFigure,
    axis: Axes,
    values: xr.DataArray,
    sigma: NDArray[np.float64],
    look: dict[str, Any],
) -> None:
    mesh = axis.pcolormesh(
        values["latitude"].to_numpy(), sigma, values.to_numpy(), shading="nearest", **look
    )
    figure.colorbar(mesh, ax=axis, orientation="horizontal")
