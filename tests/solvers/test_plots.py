import io

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from solvers.coarse_graining import OPERATORS, advection_pairs
from solvers.diagnostics import (
    courant_number,
    energy_budget,
    kinetic_energy_spectrum,
    lag_correlation,
    probability_density,
)
from solvers.plots import (
    new_axes,
    plot_autocorrelation,
    plot_courant_number,
    plot_energy_budget,
    plot_field,
    plot_pairs,
    plot_probability_density,
    plot_spectrum,
)
from solvers.plots.labels import axis_label, power_of_ten
from solvers.plots.maps import colour_limit, colour_range
from solvers.quasigeostrophic import TwoLayerQG
from solvers.shallow_water import ShallowWater


@pytest.fixture(scope="module")
def run() -> xr.Dataset:
    return TwoLayerQG(nx=32).run(days=10, save_every=2)


def figure_of(axes: Axes) -> Figure:
    """Return the figure, drawn: a text or a limit that cannot be drawn raises."""
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    figure.savefig(io.BytesIO(), format="png")
    return figure


def labels(axes: Axes) -> list[str]:
    return list(axes.get_legend_handles_labels()[1])


def test_field_has_units_place_and_centred_colours(run: xr.Dataset) -> None:
    field = run.q.isel(time=-1, layer=0)
    axes = plot_field(field)
    figure = figure_of(axes)
    assert axes.get_xlabel() == "x [km]"
    assert axes.get_title("left") == "upper layer, day 10.0"
    (mesh,) = axes.collections
    low, high = mesh.get_clim()
    assert high is not None
    assert low == -high
    assert high == pytest.approx(colour_limit(field))
    np.testing.assert_array_equal(np.asarray(mesh.get_array()), field[0].values)
    assert figure.axes == [axes]
    (bar,) = (child for child in axes.child_axes if isinstance(child, Axes))
    assert bar.get_ylabel().startswith("potential vorticity [10⁻")
    assert bar.get_ylabel().endswith(" s⁻¹]")


def test_field_without_negative_values_has_a_sequential_map(run: xr.Dataset) -> None:
    speed = abs(run.u.isel(time=-1, layer=0, member=0))
    (mesh,) = plot_field(speed, limit=0.01).collections
    assert mesh.get_clim() == (0.0, 0.01)
    assert mesh.get_cmap().name == "viridis"


def test_field_must_be_one_snapshot(run: xr.Dataset) -> None:
    with pytest.raises(
        ValueError, match=r"q: expected one snapshot with dimensions y and x, got .* select one"
    ):
        plot_field(run.q)


def test_spectrum_is_averaged_and_leaves_out_the_mean(run: xr.Dataset) -> None:
    spectrum = kinetic_energy_spectrum(run)
    axes = plot_spectrum(spectrum, slopes=(-3.0,), fit=(3e-5, 9e-5))
    figure_of(axes)
    upper = axes.lines[0]
    expected = spectrum.isel(layer=0).mean(("time", "member"))[1:]
    np.testing.assert_allclose(np.asarray(upper.get_ydata()), expected)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel() == "angular wavenumber K [m⁻¹]"
    assert axes.get_ylabel() == "kinetic energy spectrum [m³ s⁻²]"
    assert axes.get_xlim()[1] == pytest.approx(np.pi / (1e6 / 32))
    assert labels(axes)[0].startswith("upper layer, slope ")
    assert axes.child_axes[0].get_xlabel() == "wavelength [km]"


def test_guide_line_has_its_slope(run: xr.Dataset) -> None:
    spectrum = kinetic_energy_spectrum(run).isel(layer=0, drop=True)
    axes = plot_spectrum({"a": spectrum, "b": 2.0 * spectrum}, slopes=(-3.0,))
    guide = axes.lines[2]
    x, y = np.asarray(guide.get_xdata()), np.asarray(guide.get_ydata())
    np.testing.assert_allclose(np.diff(np.log(y)) / np.diff(np.log(x)), -3.0)
    assert labels(axes) == ["a", "b"]


def test_energy_budget_shows_every_term_and_the_sum(run: xr.Dataset) -> None:
    budget = energy_budget(run)
    axes = plot_energy_budget(budget)
    figure_of(axes)
    assert labels(axes) == [
        "kinetic energy transfer",
        "available potential energy transfer",
        "generation from the mean shear",
        "bottom drag",
        "small-scale filter",
        "sum",
    ]
    drag = axes.lines[3]
    mean = budget.bottom_drag.mean(("time", "member"))[1:]
    np.testing.assert_allclose(np.asarray(drag.get_ydata()), mean * mean.wavenumber)
    assert axes.get_ylabel().endswith("m² s⁻³]")


def test_probability_density_has_a_gaussian_beside_it(run: xr.Dataset) -> None:
    axes = plot_probability_density(probability_density(run.q))
    figure_of(axes)
    assert labels(axes) == ["upper layer", "lower layer", "Gaussian, upper layer"]
    assert axes.get_ylabel() == "probability density [s]"
    standard = probability_density(run.q, np.linspace(-6, 6, 61), standardized=True)
    axes = plot_probability_density(standard)
    figure_of(axes)
    assert axes.get_xlabel() == "anomaly [standard deviations]"
    gaussian = np.asarray(axes.lines[-1].get_ydata())
    assert gaussian.max() == pytest.approx(1 / np.sqrt(2 * np.pi), rel=0.01)


def test_autocorrelation_and_courant_number_have_days(run: xr.Dataset) -> None:
    correlation = lag_correlation(run.q, 3)
    axes = plot_autocorrelation({"run": correlation})
    figure_of(axes)
    assert labels(axes) == ["run, upper layer", "run, lower layer"]
    np.testing.assert_allclose(np.asarray(axes.lines[0].get_xdata()), [0.0, 2.0, 4.0, 6.0])
    assert axes.get_xlabel() == "lag [day]"
    axes = plot_courant_number(courant_number(run))
    figure_of(axes)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time [day]", "Courant number")


def test_pairs_have_a_row_for_each_layer(run: xr.Dataset) -> None:
    pairs = advection_pairs(run.isel(time=-1, member=0), OPERATORS[1], 16)
    figure = plot_pairs(pairs)
    figure.savefig(io.BytesIO(), format="png")
    canvas = figure.bbox
    for axes in figure.axes:
        box, bar = axes.get_window_extent(), axes.child_axes[0].get_tightbbox()
        outer = axes.get_tightbbox()
        assert outer is not None
        assert bar is not None
        assert canvas.x0 <= outer.x0 < outer.x1 <= canvas.x1
        assert bar.height < 1.2 * box.height
    titles = [axes.get_title("left") for axes in figure.axes[:4]]
    assert titles == [f"{layer} layer, day 10.0" for layer in ("upper", "lower") for _ in range(2)]


def test_given_axes_are_used(run: xr.Dataset) -> None:
    axes = new_axes()
    assert plot_spectrum(kinetic_energy_spectrum(run), axes) is axes
    assert plot_courant_number(courant_number(run), new_axes()) is not axes


def test_labels() -> None:
    field = xr.DataArray(0.0, name="q", attrs={"units": "m2 s-3"})
    assert axis_label(field) == "q [m² s⁻³]"
    assert axis_label(field, -12) == "q [10⁻¹² m² s⁻³]"
    assert axis_label(field.assign_attrs(units="1", long_name="drag, mean")) == "drag"
    assert [power_of_ten(v) for v in (0.0, 1e-2, 9999.0, 1e4, 2e-7)] == [0, 0, 0, 3, -9]


def test_nothing_but_zeros_has_colours() -> None:
    assert colour_limit(xr.DataArray(np.zeros((2, 2)))) == 1.0


@pytest.mark.parametrize("name", ["h", "u", "v", "vorticity"])
def test_staggered_fields_are_drawn_with_a_bar_as_high_as_the_map(name: str) -> None:
    model = ShallowWater(nx=32, ny=16, length_x=2e6, length_y=1e6)
    field = model.run(steps=4)[name].isel(time=-1, member=0)
    axes = plot_field(field.transpose(*reversed(field.dims)))
    figure_of(axes)
    (mesh,) = axes.collections
    np.testing.assert_array_equal(np.asarray(mesh.get_array()), field.values)
    bar = axes.child_axes[0]
    assert bar.get_window_extent().height <= 1.01 * axes.get_window_extent().height


def test_colours_of_values_of_one_sign_come_from_the_data() -> None:
    depth = xr.DataArray(np.linspace(499.0, 501.0, 10001).reshape(1, -1), dims=("y", "x"))
    assert colour_range(depth) == pytest.approx((499.01, 500.99))
    assert colour_range(-depth) == pytest.approx((-500.99, -499.01))
    assert colour_range(depth, 600.0) == (0.0, 600.0)
    assert colour_range(depth - 500.0) == pytest.approx((-0.995, 0.995))
    assert colour_range(xr.full_like(depth, 5.0)) == (0.0, 5.0)
    assert colour_range(xr.zeros_like(depth)) == (0.0, 1.0)


def test_several_spectra_have_the_label_they_share(run: xr.Dataset) -> None:
    kinetic = kinetic_energy_spectrum(run)
    potential = kinetic.assign_attrs(long_name="available potential energy spectrum")
    axes = plot_spectrum({"KE": kinetic, "APE": potential})
    assert axes.get_ylabel() == "energy spectrum [m³ s⁻²]"
    other = kinetic.assign_attrs(units="m s-2")
    with pytest.raises(ValueError, match="spectra of the same units, got m3 s-2, m s-2; draw"):
        plot_spectrum({"KE": kinetic, "Z": other})


def test_guide_lines_are_named_by_fractions(run: xr.Dataset) -> None:
    axes = plot_spectrum(kinetic_energy_spectrum(run), slopes=(-3, -5 / 3, -1.234))
    assert [text.get_text() for text in axes.texts] == ["$K^{-3}$", "$K^{-5/3}$", "$K^{-1.234}$"]
