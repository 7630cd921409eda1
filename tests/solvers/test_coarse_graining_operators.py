import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from solvers.coarse_graining import (
    OPERATORS,
    PeriodicGrid,
    box_mean,
    exponential_filter,
    gaussian_filter,
    sharp_filter,
    truncate,
)
from solvers.coarse_graining.diffusion import (
    diffusion_filter,
    diffusion_polynomial,
    diffusion_response,
)

Array = NDArray[np.float64]

LENGTH_X, LENGTH_Y = 8e5, 1e6
OPERATOR_NUMBERS = sorted(OPERATORS)


def labelled(values: Array, lx: float = LENGTH_X, ly: float = LENGTH_Y) -> xr.DataArray:
    *leading, ny, nx = values.shape
    names = ("time", "layer")[2 - len(leading) :] if leading else ()
    coords = {
        "y": ("y", np.arange(ny) * ly / ny, {"units": "m", "axis": "Y"}),
        "x": ("x", np.arange(nx) * lx / nx, {"units": "m", "axis": "X"}),
    }
    if "layer" in names:
        coords["layer"] = ("layer", np.arange(values.shape[-3]), {"long_name": "layer"})
    return xr.DataArray(
        values, dims=(*names, "y", "x"), coords=coords, name="q", attrs={"units": "s-1"}
    )


def noise(*shape: int) -> xr.DataArray:
    return labelled(np.random.default_rng(0).normal(1.5, 1.0, shape))


def wave(nx: int, ny: int, m: int, n: int, phase: float = 0.3) -> xr.DataArray:
    """cos(k x + l y + phase) with m waves in x and n in y."""
    y, x = np.arange(ny)[:, np.newaxis] / ny, np.arange(nx) / nx
    return labelled(np.cos(2 * np.pi * (m * x + n * y) + phase))


def same_wave(field: xr.DataArray, m: int, n: int, phase: float = 0.3) -> Array:
    """The wave at the positions that a coarse field says it has."""
    angle = m * field.x.values / LENGTH_X + n * field.y.values[:, np.newaxis] / LENGTH_Y
    return np.asarray(np.cos(2 * np.pi * angle + phase))


def wavenumber(m: int, n: int) -> float:
    return float(2 * np.pi * np.hypot(m / LENGTH_X, n / LENGTH_Y))


@pytest.mark.parametrize(("m", "n"), [(0, 0), (3, 0), (0, -4), (5, 7)])
def test_gaussian_filter_damps_a_wave_by_its_response(m: int, n: int) -> None:
    field, width = wave(32, 40, m, n), 9e4
    expected = field * np.exp(-((wavenumber(m, n) * width) ** 2) / 24)
    xr.testing.assert_allclose(gaussian_filter(field, width), expected, atol=1e-13)


def test_sharp_filter_keeps_waves_up_to_the_cutoff() -> None:
    kept, removed = wave(32, 40, 3, 4), wave(32, 40, 4, 4)
    cutoff = wavenumber(3, 4)
    xr.testing.assert_allclose(sharp_filter(kept + removed, cutoff), kept, atol=1e-13)
    field = noise(2, 40, 32)
    once = sharp_filter(field, cutoff)
    xr.testing.assert_allclose(sharp_filter(once, cutoff), once, atol=1e-13)


@pytest.mark.parametrize(("m", "w"), [(10, 20 / 32), (14, 28 / 32)])
def test_exponential_filter_starts_at_its_cutoff(m: int, w: float) -> None:
    field = wave(32, 32, m, 0)
    factor = np.exp(-23.6 * max(np.pi * (w - 0.65), 0.0) ** 4)
    assert (factor < 1.0) == (m == 14)
    np.testing.assert_allclose(exponential_filter(field), factor * field, atol=1e-13)


@pytest.mark.parametrize("lag", [0, 3])
def test_spectral_filters_commute_with_shifts_and_each_other(lag: int) -> None:
    field = noise(40, 32)
    moved = field.copy(data=np.roll(field.values, lag, axis=-1))
    one = exponential_filter(gaussian_filter(moved, 1e5)).values
    other = np.roll(gaussian_filter(exponential_filter(field), 1e5).values, lag, axis=-1)
    np.testing.assert_allclose(one, other, atol=1e-13)


# Values of gcm-filters 0.5.1, Filter(filter_scale=w, dx_min=1, FilterShape.GAUSSIAN,
# GridType.REGULAR): its polynomial, and what it makes of an impulse on 16 x 16 points.
PUBLISHED_POLYNOMIAL = {
    2: [0.5722491277991354, -0.3616848159688075, 0.05954944125872797, -0.0065166149733291],
    4: [
        *(0.2603452350342096, -0.4068787915733945, 0.21566225620674606),
        *(-0.08426498025068756, 0.02640648375596013, -0.00644225317900221),
    ],
}
PUBLISHED_IMPULSE = {
    2: [
        [5.4247440716977136e-01, 8.9199338684702673e-02, 7.4436801573409964e-03],
        [8.9199338684702673e-02, 1.4887360314681993e-02, 1.2218653074992061e-03],
    ],
    4: [
        [1.5581491740033157e-01, 8.5920014096344713e-02, 2.6957782025843258e-02],
        [8.5920014096344713e-02, 4.7313943112696481e-02, 1.4793081737784821e-02],
    ],
}


@pytest.mark.parametrize("width", [2, 4])
def test_diffusion_filter_equals_gcm_filters(width: int) -> None:
    np.testing.assert_allclose(
        diffusion_polynomial(width), PUBLISHED_POLYNOMIAL[width], rtol=0, atol=1e-15
    )
    impulse = np.zeros((16, 16))
    impulse[0, 0] = 1.0
    given = diffusion_filter(labelled(impulse), width).values[:2, :3]
    np.testing.assert_allclose(given, PUBLISHED_IMPULSE[width], rtol=0, atol=1e-15)


@pytest.mark.parametrize("width", [2.0, 4.0, 8.0])
def test_diffusion_filter_is_near_a_gaussian_of_the_grid_wavenumber(width: float) -> None:
    grid = PeriodicGrid(nx=64, ny=64, dx=1.0, dy=1.0)
    k, l = grid.wavenumbers()  # noqa: E741 -- its name in the field
    symbol = 4 * np.sin(k / 2) ** 2 + 4 * np.sin(l / 2) ** 2
    response = diffusion_response(grid, width)
    np.testing.assert_allclose(response, np.exp(-symbol * width**2 / 24), atol=0.007)
    assert response[0, 0] == pytest.approx(1.0, abs=1e-14)


def test_diffusion_filter_is_a_polynomial_of_the_five_point_laplacian() -> None:
    field = noise(12, 16)

    def shifted(q: Array) -> Array:
        neighbours = sum(np.roll(q, s, axis) for s in (-1, 1) for axis in (-2, -1))
        return -q - (neighbours - 4 * q) / 4

    before, now = field.values, shifted(field.values)
    p = diffusion_polynomial(4.0)
    total = p[0] * before + p[1] * now
    for coefficient in p[2:]:
        before, now = now, 2 * shifted(now) - before
        total += coefficient * now
    np.testing.assert_allclose(diffusion_filter(field, 4.0), total, atol=1e-13)


@pytest.mark.parametrize(("m", "n"), [(3, -2), (7, 9), (0, 0)])
def test_truncation_samples_the_waves_that_the_coarse_grid_carries(m: int, n: int) -> None:
    coarse = truncate(wave(48, 60, m, n) + wave(48, 60, 11, 20), 16)
    np.testing.assert_allclose(coarse, same_wave(coarse, m, n), atol=1e-13)
    np.testing.assert_allclose(coarse.x, np.arange(16) * LENGTH_X / 16, rtol=1e-14)


def test_truncation_keeps_half_of_a_wave_at_the_nyquist_wavenumber() -> None:
    for m, n in [(8, 0), (0, 10), (8, 3)]:
        coarse = truncate(wave(48, 60, m, n, phase=0.0), 16)
        np.testing.assert_allclose(coarse, 0.5 * same_wave(coarse, m, n, 0.0), atol=1e-13)


def test_truncation_works_with_ratios_that_are_not_integers() -> None:
    coarse = truncate(wave(48, 48, 4, 5), 20)
    assert coarse.shape == (20, 20)
    np.testing.assert_allclose(coarse, same_wave(coarse, 4, 5), atol=1e-13)


@pytest.mark.parametrize(("m", "n"), [(3, 2), (1, 0)])
def test_box_mean_damps_a_wave_about_the_centre_of_the_coarse_cell(m: int, n: int) -> None:
    nx, ny, ratio = 48, 80, 4
    coarse = box_mean(wave(nx, ny, m, n), nx // ratio)

    def factor(waves: int, cells: int) -> float:
        half = np.pi * waves / cells
        return float(np.sin(ratio * half) / (ratio * np.sin(half))) if waves else 1.0

    expected = factor(m, nx) * factor(n, ny) * same_wave(coarse, m, n)
    np.testing.assert_allclose(coarse, expected, atol=1e-13)
    assert float(coarse.x[0]) == pytest.approx(1.5 * LENGTH_X / nx)
    assert coarse.attrs["cell_methods"] == "x: y: mean"


def test_operator_1_is_truncation_and_the_exponential_filter() -> None:
    field = noise(2, 60, 48)
    xr.testing.assert_allclose(OPERATORS[1](field, 16), exponential_filter(truncate(field, 16)))


def test_operator_2_damps_a_wave_by_a_gaussian_of_two_coarse_cells() -> None:
    for m, n in [(2, 0), (5, -6)]:
        coarse = OPERATORS[2](wave(48, 60, m, n), 16)
        k, l = 2 * np.pi * m / 16, 2 * np.pi * n / 20  # noqa: E741 -- its name in the field
        factor = np.exp(-4 * (k**2 + l**2) / 24)
        np.testing.assert_allclose(coarse, factor * same_wave(coarse, m, n), atol=1e-13)


def test_operator_3_is_the_diffusion_filter_and_the_box_mean() -> None:
    field = noise(2, 80, 48)
    expected = box_mean(diffusion_filter(field, 4), 12)
    xr.testing.assert_identical(OPERATORS[3](field, 12), expected)


@pytest.mark.parametrize("number", OPERATOR_NUMBERS)
def test_operators_keep_the_mean_and_are_linear(number: int) -> None:
    operator = OPERATORS[number]
    a, b = noise(3, 2, 80, 48), noise(3, 2, 80, 48)[::-1] ** 2
    mean = operator(a, 12).mean(("y", "x"))
    np.testing.assert_allclose(mean, a.mean(("y", "x")), rtol=1e-13)
    xr.testing.assert_allclose(
        operator(2 * a - b, 12), 2 * operator(a, 12) - operator(b, 12), atol=1e-12
    )


@pytest.mark.parametrize("number", OPERATOR_NUMBERS)
def test_operators_commute_with_shifts_by_a_coarse_cell(number: int) -> None:
    field = noise(80, 48)
    moved = field.copy(data=np.roll(field.values, (8, -4), axis=(-2, -1)))
    expected = np.roll(OPERATORS[number](field, 12).values, (2, -1), axis=(-2, -1))
    np.testing.assert_allclose(OPERATORS[number](moved, 12), expected, atol=1e-13)


@pytest.mark.parametrize("number", OPERATOR_NUMBERS)
def test_operators_treat_leading_dimensions_alike_and_keep_labels(number: int) -> None:
    field = noise(3, 2, 80, 48).assign_coords(time=("time", [0.0, 5.0, 9.0], {"units": "s"}))
    coarse = OPERATORS[number](field, 12)
    assert dict(coarse.sizes) == {"time": 3, "layer": 2, "y": 20, "x": 12}
    assert coarse.name == "q"
    assert coarse.attrs["units"] == "s-1"
    assert coarse.x.attrs == {"units": "m", "axis": "X"}
    xr.testing.assert_identical(coarse.time, field.time)
    single = OPERATORS[number](field.isel(time=1, layer=1), 12)
    np.testing.assert_allclose(coarse.isel(time=1, layer=1), single, atol=1e-14)


def test_precision_is_kept() -> None:
    field = noise(16, 16).astype(np.float32)
    results = [operator(field, 8) for operator in OPERATORS.values()]
    results += [gaussian_filter(field, 1e5), sharp_filter(field, 1e-4)]
    assert {result.dtype for result in results} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("nx", "message"),
    [
        (48, "nx: expected an even number of coarse cells from 2 to 47, got 48"),
        (15, "nx: expected an even number of coarse cells from 2 to 47, got 15"),
        (0, "nx: expected an even number of coarse cells from 2 to 47, got 0"),
        (22, "got 22 of 48, which gives 27.5 rows"),
        (12, "got 12 of 48, which gives 15 rows"),
    ],
)
def test_impossible_coarse_grids_are_refused(nx: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        truncate(noise(60, 48), nx)


def test_boxes_must_be_whole() -> None:
    with pytest.raises(ValueError, match=r"nx: expected a divisor of the 48 fine cells .* got 20"):
        OPERATORS[3](noise(60, 48), 20)


def test_bad_widths_and_cutoffs_are_refused() -> None:
    field = noise(16, 16)
    with pytest.raises(ValueError, match="width: expected a length of at least 0, got -1"):
        gaussian_filter(field, -1.0)
    with pytest.raises(ValueError, match="cutoff: expected a wavenumber of at least 0, got nan"):
        sharp_filter(field, float("nan"))
    with pytest.raises(ValueError, match=r"width: expected at least 1 grid distance, got 0\.5"):
        diffusion_filter(field, 0.5)


def test_fields_without_a_uniform_plane_are_refused() -> None:
    field = noise(16, 16)
    with pytest.raises(ValueError, match=r"q: expected the last dimensions \(y, x\)"):
        truncate(field.transpose("x", "y"), 8)
    with pytest.raises(ValueError, match="x: expected a coordinate with the positions"):
        truncate(field.drop_vars("x"), 8)
    stretched = field.assign_coords(x=field.x**1.1)
    with pytest.raises(ValueError, match="x: expected uniform, increasing positions"):
        truncate(stretched, 8)
