from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cf_units
import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from solvers.coarse_graining import (
    OPERATORS,
    PeriodicGrid,
    advection_pairs,
    sharp_filter,
    tendency_pairs,
    truncate,
)
from solvers.coarse_graining.flow import (
    Stratification,
    flux_divergence,
    streamfunction,
    velocity,
)
from solvers.quasigeostrophic import TwoLayerQG

Array = NDArray[np.float64]

N_FINE, N_COARSE = 48, 16
FINE = TwoLayerQG(nx=N_FINE, length_x=8e5, length_y=1e6, ny=60, u2=-0.01)
COARSE = TwoLayerQG(nx=N_COARSE, length_x=8e5, length_y=1e6, ny=20, u2=-0.01)


def two_layers(q: Array, model: TwoLayerQG = FINE) -> xr.Dataset:
    """Label potential vorticity (time, member, layer, y, x) as the solver does."""
    parameters = ("u1", "u2", "beta", "deformation_radius", "delta", "bottom_drag", "dt")
    return xr.Dataset(
        {"q": (("time", "member", "layer", "y", "x"), q, {"units": "s-1", "long_name": "PV"})},
        coords={
            "time": ("time", np.arange(q.shape[0]) * 86400.0, {"units": "s"}),
            **model.coordinates(),
        },
        attrs={name: getattr(model, name) for name in parameters},
    )


def turbulence(model: TwoLayerQG = FINE) -> xr.Dataset:
    """Random potential vorticity at all scales, two times and members."""
    shape = (2, 2, *model.state_shape)
    return two_layers(1e-5 * np.random.default_rng(1).normal(size=shape), model)


def one_layer(vorticity: Array, length: float = 2 * np.pi, units: str = "1") -> xr.Dataset:
    n = vorticity.shape[-1]
    x = length * np.arange(n) / n
    meters = "m" if units == "s-1" else "1"
    return xr.Dataset(
        {"vorticity": (("time", "member", "y", "x"), vorticity[None, None], {"units": units})},
        coords={
            "time": ("time", [0.0]),
            "y": ("y", x, {"units": meters}),
            "x": ("x", x, {"units": meters}),
        },
    )


def one_layer_tendency(vorticity: Array) -> Array:
    """Advection of vorticity on a plane of size 2 pi, by the project's own building blocks."""
    n = vorticity.shape[-1]
    grid = PeriodicGrid(nx=n, ny=n, dx=2 * np.pi / n, dy=2 * np.pi / n)
    u, v = velocity(streamfunction(grid.transform(vorticity), grid, None), grid)
    return -grid.inverse(flux_divergence(u, v, vorticity, grid))


def relative_difference(given: xr.DataArray, expected: xr.DataArray) -> float:
    return float(np.abs(given - expected).max() / np.abs(expected).max())


def by_difference(dataset: xr.Dataset, operator: Any) -> xr.Dataset:
    return tendency_pairs(dataset, FINE, COARSE, operator, N_COARSE)


def by_advection(dataset: xr.Dataset, operator: Any) -> xr.Dataset:
    return advection_pairs(dataset, operator, N_COARSE)


DEFINITIONS = [by_difference, by_advection]


def test_both_definitions_agree_for_operator_1() -> None:
    total, advective = (f(turbulence(), OPERATORS[1]).q_tendency for f in DEFINITIONS)
    assert float(np.abs(total).max()) > 0.0
    assert relative_difference(total, advective) < 1e-11


def test_both_definitions_agree_for_operator_2_without_waves_at_the_nyquist_wavenumber() -> None:
    run = turbulence()
    grid = PeriodicGrid.of(run.q)
    modes = grid.transform(run.q.values)
    modes[..., N_COARSE // 2] = 0.0
    modes[..., [10, -10], :] = 0.0
    run["q"] = run.q.copy(data=grid.inverse(modes))
    total, advective = (f(run, OPERATORS[2]).q_tendency for f in DEFINITIONS)
    assert relative_difference(total, advective) < 1e-11


def test_the_definitions_differ_where_linear_terms_do_not_commute() -> None:
    total, advective = (f(turbulence(), OPERATORS[3]).q_tendency for f in DEFINITIONS)
    difference = relative_difference(total, advective)
    # Box means alias the linear terms, which are small beside advection of this strength.
    assert 1e-8 < difference < 0.5


@pytest.mark.parametrize("number", sorted(OPERATORS))
def test_the_coarse_tendency_and_the_subgrid_tendency_make_the_filtered_truth(number: int) -> None:
    run, operator = turbulence(), OPERATORS[number]
    pairs = by_difference(run, operator)
    truth = operator(run.q.copy(data=FINE.tendency(run.q.values)), N_COARSE)
    made = COARSE.tendency(pairs.q.values) + pairs.q_tendency
    assert relative_difference(made, truth) < 1e-12


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_resolved_flow_has_no_subgrid_tendency(
    definition: Callable[[xr.Dataset, Any], xr.Dataset],
) -> None:
    run = turbulence()
    # Products of waves up to N_c / 6 stay below the cut-off of the exponential filter.
    run["q"] = sharp_filter(run.q, 0.16 * 2 * np.pi * N_COARSE / FINE.length_x)
    pairs = definition(run, OPERATORS[1])
    scale = np.abs(COARSE.tendency(pairs.q.values)).max()
    assert float(np.abs(pairs.q_tendency).max()) < 1e-12 * scale


def two_waves() -> tuple[Array, Callable[[Array, Array], Array]]:
    """Two waves that a grid of 10 cells does not carry, and what their advection makes it see.

    For omega = a cos(theta_1) + b cos(theta_2) the Jacobian is
    a b (1 / K_2^2 - 1 / K_1^2) (k_1 l_2 - l_1 k_2) sin(theta_1) sin(theta_2), of which the part
    with the difference of the wave vectors, here (1, 3), is resolved.
    """
    (k_1, l_1), (k_2, l_2), a, b = (7, 1), (6, -2), 2.0, 3.0
    x = 2 * np.pi * np.arange(32) / 32
    y = x[:, np.newaxis]
    vorticity = a * np.cos(k_1 * x + l_1 * y) + b * np.cos(k_2 * x + l_2 * y)
    factor = a * b * (1 / (k_2**2 + l_2**2) - 1 / (k_1**2 + l_1**2)) * (k_1 * l_2 - l_1 * k_2)

    def expected(x: Array, y: Array) -> Array:
        return np.asarray(-0.5 * factor * np.cos((k_1 - k_2) * x + (l_1 - l_2) * y))

    return vorticity, expected


def test_two_unresolved_waves_drive_their_difference() -> None:
    vorticity, expected = two_waves()
    run = one_layer(vorticity)
    for pairs in (
        advection_pairs(run, truncate, 10),
        tendency_pairs(run, one_layer_tendency, one_layer_tendency, truncate, 10),
    ):
        np.testing.assert_allclose(pairs.vorticity, 0.0, atol=1e-14)
        wanted = expected(pairs.x.values, pairs.y.values[:, np.newaxis])
        np.testing.assert_allclose(pairs.vorticity_tendency[0, 0], wanted, atol=1e-13)


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("number", [1, 2])
def test_the_subgrid_tendency_has_no_mean(
    definition: Callable[[xr.Dataset, Any], xr.Dataset], number: int
) -> None:
    tendency = definition(turbulence(), OPERATORS[number]).q_tendency
    mean = np.abs(tendency.mean(("y", "x")))
    assert float(mean.max()) < 1e-13 * float(np.abs(tendency).max())


def test_coarse_velocities_belong_to_the_coarse_vorticity() -> None:
    pairs = by_advection(turbulence(), OPERATORS[1])
    psi = COARSE.invert(np.fft.rfft2(pairs.q.values))
    expected = np.fft.irfft2(psi, s=(20, 16))
    np.testing.assert_allclose(pairs.psi, expected, atol=1e-12 * np.abs(expected).max())
    k = 2 * np.pi / FINE.length_x * np.arange(9)
    u, v = (np.fft.irfft2(m * psi, s=(20, 16)) for m in (-1j * COARSE.grid.l[:, None], 1j * k))
    np.testing.assert_allclose(pairs.u, u, atol=1e-12 * np.abs(u).max())
    np.testing.assert_allclose(pairs.v, v, atol=1e-12 * np.abs(v).max())


@pytest.mark.parametrize("number", sorted(OPERATORS))
def test_coarse_velocities_are_the_filtered_ones_without_aliasing(number: int) -> None:
    run = turbulence()
    run["q"] = sharp_filter(run.q, 0.99 * np.pi / (FINE.length_x / N_COARSE))
    grid = PeriodicGrid.of(run.q)
    layers = Stratification.of(run.attrs)
    fine = velocity(streamfunction(grid.transform(run.q.values), grid, layers), grid)
    pairs = by_advection(run, OPERATORS[number])
    for name, values in zip("uv", fine, strict=True):
        filtered = OPERATORS[number](run.q.copy(data=values), N_COARSE)
        assert relative_difference(pairs[name], filtered) < 1e-12


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_pairs_are_labelled(definition: Callable[[xr.Dataset, Any], xr.Dataset]) -> None:
    run = turbulence()
    pairs = definition(run, OPERATORS[3])
    assert set(pairs.data_vars) == {"q", "psi", "u", "v", "q_tendency"}
    for variable in pairs.values():
        assert variable.dims == ("time", "member", "layer", "y", "x")
    units = {str(name): variable.attrs["units"] for name, variable in pairs.items()}
    assert units == {"q": "s-1", "psi": "m2 s-1", "u": "m s-1", "v": "m s-1", "q_tendency": "s-2"}
    assert all(not cf_units.Unit(unit).is_unknown() for unit in units.values())
    assert (pairs.nx, pairs.ny, pairs.fine_nx, pairs.fine_ny) == (16, 20, 48, 60)
    assert pairs.coarse_graining == "diffuse_and_average"
    assert pairs.deformation_radius == FINE.deformation_radius
    assert pairs.q_tendency.long_name == "subgrid tendency of PV"
    assert pairs.q_tendency.definition.endswith("to be added to the coarse tendency")
    # The first coarse cell covers the fine cells 0, 1 and 2.
    assert float(pairs.x[0]) == pytest.approx(float(run.x[1]))
    xr.testing.assert_identical(pairs.time, run.time)


@pytest.mark.parametrize(("units", "expected"), [("1", ["1", "1", "1"]), ("s-1", None)])
def test_units_follow_those_of_the_vorticity(units: str, expected: list[str] | None) -> None:
    pairs = advection_pairs(one_layer(two_waves()[0], units=units), truncate, 10)
    given = [pairs[name].units for name in ("psi", "u", "vorticity_tendency")]
    assert given == (expected or ["m2 s-1", "m s-1", "s-2"])


def test_errors_name_what_is_missing() -> None:
    run = turbulence()
    del run.attrs["delta"]
    with pytest.raises(ValueError, match="expected the attributes deformation_radius, delta"):
        by_advection(run, OPERATORS[1])
    with pytest.raises(ValueError, match="dataset: expected a variable q or vorticity, got u"):
        by_advection(run.rename(q="u"), OPERATORS[1])
    with pytest.raises(ValueError, match=r"q: expected the last dimensions \('layer', 'y', 'x'\)"):
        by_advection(run.isel(layer=0), OPERATORS[1])


def test_models_on_another_grid_are_refused() -> None:
    def wrong(q: Array) -> Array:
        return q[..., ::2]

    with pytest.raises(ValueError, match=r"coarse: expected a tendency of the shape .* of its st"):
        tendency_pairs(turbulence(), FINE, wrong, OPERATORS[1], N_COARSE)


def test_swapped_models_and_another_nx_are_refused() -> None:
    with pytest.raises(
        ValueError,
        match=r"fine: expected a model with the grid \(2, 60, 48\) of the dataset, "
        r"got \(2, 20, 16\); are fine and coarse swapped",
    ):
        tendency_pairs(turbulence(), COARSE, FINE, OPERATORS[1], N_COARSE)
    with pytest.raises(
        ValueError,
        match=r"coarse: expected a model with the grid \(2, 30, 24\) of nx = 24, "
        r"got \(2, 20, 16\); give nx",
    ):
        tendency_pairs(turbulence(), FINE, COARSE, OPERATORS[1], 24)


def test_pairs_say_where_the_models_differ() -> None:
    coarse = replace(COARSE, dt=2.0 * FINE.dt, bottom_drag=0.0)
    pairs = tendency_pairs(turbulence(), FINE, coarse, OPERATORS[1], N_COARSE)
    assert (pairs.dt, pairs.fine_dt) == (2.0 * FINE.dt, FINE.dt)
    assert (pairs.bottom_drag, pairs.fine_bottom_drag) == (0.0, FINE.bottom_drag)
    assert "fine_beta" not in pairs.attrs
    assert (pairs.nx, pairs.fine_nx) == (N_COARSE, N_FINE)


def test_the_coarse_velocity_is_that_of_the_coarse_model() -> None:
    coarse = replace(COARSE, deformation_radius=2.0 * FINE.deformation_radius)
    pairs = tendency_pairs(turbulence(), FINE, coarse, OPERATORS[1], N_COARSE)
    psi = np.fft.irfft2(coarse.invert(np.fft.rfft2(pairs.q.values)), s=(20, 16))
    np.testing.assert_allclose(pairs.psi, psi, atol=1e-12 * np.abs(psi).max())
