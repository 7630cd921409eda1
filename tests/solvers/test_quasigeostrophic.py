"""What a two-layer model is made of: its data, its closures, and what it refuses."""

import re
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import reference_quasigeostrophic as reference
from two_layer_flow import OBLONG, parameters, start, vigorous

from solvers import TendencyError, TwoLayerQG

SMALL = TwoLayerQG(nx=16, ny=24)


def test_cells_are_square_by_default() -> None:
    square = TwoLayerQG(nx=32)
    assert (square.grid.n_y, square.grid.length_y) == (32, 1e6)
    finer = replace(square, nx=64, length_x=2e6)
    assert (finer.grid.n_y, finer.grid.length_y) == (64, 2e6)
    oblong = TwoLayerQG(nx=32, ny=48, length_x=8e5)
    assert oblong.grid.length_y == oblong.attributes()["length_y"] == 1.2e6
    assert oblong.grid.dx == oblong.grid.dy == 25e3


def test_a_model_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        SMALL.dt = 1.0  # type: ignore[misc]


def test_mean_state() -> None:
    f1 = OBLONG.deformation_radius**-2 / 1.4
    assert OBLONG.stretching == pytest.approx((f1, 0.4 * f1), rel=1e-14)
    assert OBLONG.pv_gradient == pytest.approx((5e-12 + f1 * 0.04, 5e-12 - 0.4 * f1 * 0.04))
    assert OBLONG.stretching == pytest.approx(reference.stretching(parameters(OBLONG)))
    assert OBLONG.pv_gradient == pytest.approx(reference.background(parameters(OBLONG))[1])


def test_inversion_undoes_the_definition_of_potential_vorticity() -> None:
    f1, f2 = OBLONG.stretching
    rng = np.random.default_rng(0)
    psi = np.fft.rfft2(rng.standard_normal((3, *OBLONG.state_shape)))
    psi[..., 0, 0] = 0.0
    laplacian = -OBLONG.grid.wavenumber_squared * psi
    upper, lower = psi[:, 0], psi[:, 1]
    q = laplacian + np.stack([f1 * (lower - upper), f2 * (upper - lower)], axis=1)
    np.testing.assert_allclose(OBLONG.invert(q), psi, atol=1e-12 * np.abs(psi).max())


def test_fields_of_a_run_have_names_units_and_places() -> None:
    run = SMALL.run(steps=2, save_every=1, n_member=3)
    units = {name: run[name].attrs["units"] for name in ("q", "u", "v", "psi")}
    assert units == {"q": "s-1", "u": "m s-1", "v": "m s-1", "psi": "m2 s-1"}
    for name in units:
        assert run[name].dims == ("time", "member", "layer", "y", "x")
        assert run[name].shape == (3, 3, 2, 24, 16)
        assert run[name].dtype == np.float64
        assert run[name].attrs["long_name"].endswith("departure from the mean flow")
    np.testing.assert_allclose(run.x, np.arange(16) * 1e6 / 16, rtol=1e-15)
    np.testing.assert_allclose(run.y, np.arange(24) * 1.5e6 / 24, rtol=1e-15)
    np.testing.assert_array_equal(run.layer, [0, 1])
    np.testing.assert_array_equal(run.time, [0.0, 7200.0, 14400.0])
    assert (run.x.attrs["units"], run.time.attrs["units"]) == ("m", "s")
    assert run.layer.attrs["long_name"] == "layer, 0 is the upper one"


def test_parameters_are_attributes() -> None:
    attributes = OBLONG.run(steps=1).attrs
    expected = dict(
        **{field.name: getattr(OBLONG, field.name) for field in fields(OBLONG)},
        model="two-layer quasi-geostrophic",
        seed=0,
    )
    assert (expected["nx"], expected["ny"], expected["length_y"]) == (64, 48, 6e5)
    assert {name: attributes[name] for name in expected} == expected


def test_velocity_is_the_curl_of_the_streamfunction() -> None:
    # By centred differences of a smooth flow, not by wavenumbers: they miss (k dx)^2 / 6 of it.
    model = TwoLayerQG(nx=256, ny=128)
    k, l = 2.0 * np.pi / model.grid.length_x, 4.0 * np.pi / model.grid.length_y  # noqa: E741
    x = model.coordinates()["x"].values
    y = model.coordinates()["y"].values[:, None]
    wave = 1e-6 * np.array([np.sin(k * x) * np.cos(l * y), np.cos(2 * k * x + l * y)])
    found = {name: field.values[0] for name, field in start(model, wave).fields().items()}
    for name, axis, sign, spacing in (
        ("v", -1, 1.0, model.grid.dx),
        ("u", -2, -1.0, model.grid.dy),
    ):
        psi = found["psi"]
        slope = (np.roll(psi, -1, axis) - np.roll(psi, 1, axis)) / (2.0 * spacing)
        largest = np.abs(found[name]).max()
        np.testing.assert_allclose(found[name], sign * slope, atol=2e-3 * largest)


def test_random_states() -> None:
    model = OBLONG
    first, second = model.random_state(2, np.random.default_rng(5))
    np.testing.assert_array_equal(first, model.random_state(1, np.random.default_rng(5))[0])
    assert not np.allclose(first, second, atol=0.1 * np.abs(first).max())
    np.testing.assert_allclose(first.mean(axis=(-2, -1)), 0.0, atol=1e-15 * np.abs(first).max())
    # A hundredth of the shear of the mean flow across a deformation radius, in large waves.
    assert first.std() == pytest.approx(0.01 * 0.04 / model.deformation_radius, rel=1e-12)
    power = np.abs(np.fft.rfft2(first)) ** 2
    large = model.grid.wavenumber_squared < model.deformation_radius**-2
    assert power[:, large].sum() > 0.999 * power.sum()


def test_the_courant_number_of_a_uniform_flow() -> None:
    model = TwoLayerQG(nx=16, u1=0.5, u2=-2.0, dt=1000.0)
    integration = start(model, np.zeros(model.state_shape))
    assert integration.courant_number() == pytest.approx(2.0 * 1000.0 / (1e6 / 16), rel=1e-14)
    assert model.stability_limit(integration) == pytest.approx(
        0.7236 * (1e6 / 16) / (0.65 * np.pi * 2.0), rel=0.01
    )
    at_rest = TwoLayerQG(nx=16, u1=0.0, beta=0.0, bottom_drag=0.0)
    still = start(at_rest, np.zeros(at_rest.state_shape))
    assert at_rest.stability_limit(still) == np.inf


def test_rest_stays_rest() -> None:
    integration = start(OBLONG, np.zeros(OBLONG.state_shape))
    integration.advance(100)
    assert not integration.q_spectrum.any()


def test_what_a_closure_is_given() -> None:
    seen: list[tuple[int, dict[str, NDArray[Any]]]] = []

    def closure(fields: Mapping[str, NDArray[Any]], step: int) -> float | NDArray[Any]:
        seen.append((step, {name: field.copy() for name, field in fields.items()}))
        return np.zeros(OBLONG.state_shape)

    q, p = vigorous(OBLONG), parameters(OBLONG)
    integration = start(OBLONG, q, tendency=closure)
    integration.advance(2)
    integration.advance(1)
    assert [step for step, _ in seen] == [0, 1, 2]
    u, v = reference.velocities(np.fft.rfft2(q), p)
    assert seen[0][1].keys() == {"q", "u", "v"}
    for name, expected in (("q", q), ("u", u), ("v", v)):
        np.testing.assert_allclose(
            seen[0][1][name], expected, atol=1e-13 * np.abs(expected).max(), err_msg=name
        )
    # A closure that adds nothing changes nothing.
    without = start(OBLONG, q)
    without.advance(3)
    np.testing.assert_array_equal(integration.q_spectrum, without.q_spectrum)


def test_a_closure_may_name_what_it_returns() -> None:
    def damping(fields: Mapping[str, NDArray[Any]], step: int) -> NDArray[Any]:
        return np.asarray(-1e-6 * fields["q"])

    array = SMALL.run(steps=5, tendency=damping)
    mapping = SMALL.run(steps=5, tendency=lambda f, s: {"q_tendency": damping(f, s)})
    np.testing.assert_array_equal(array.q, mapping.q)
    assert not np.array_equal(array.q, SMALL.run(steps=5).q)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (
            np.zeros((2, 16, 24)),
            r"q_tendency: expected shape \(2, 24, 16\) \(layer, y, x\), got \(2, 16, 24\)$",
        ),
        (np.zeros((1, 24, 16)), r"expected shape \(2, 24, 16\) .*, got \(1, 24, 16\)$"),
        (0.0, r"expected shape \(2, 24, 16\) \(layer, y, x\), got \(\)$"),
        (None, "q_tendency: expected an array, got None$"),
        ({"u_tendency": 0.0}, "expected tendencies of q_tendency, got u_tendency$"),
    ],
)
def test_what_is_wrong_with_what_a_closure_returns(returned: Any, message: str) -> None:
    with pytest.raises(TendencyError, match="closure: ") as caught:
        SMALL.run(steps=2, tendency=lambda _fields, _step: returned)
    assert re.search(message, str(caught.value))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ny": 0}, "ny: expected an even number of at least 4 points, got 0"),
        ({"ny": 25}, "ny: expected an even number of at least 4 points, got 25"),
        ({"length_x": -1e6}, "length_x: expected a positive length, got -1000000.0"),
        ({"length_y": 0.0}, "length_y: expected a positive length, got 0.0"),
        ({"deformation_radius": 0.0}, "deformation_radius: expected a positive number, got 0.0"),
        ({"delta": -0.25}, "delta: expected a positive number, got -0.25"),
        ({"h1": 0.0}, "h1: expected a positive number, got 0.0"),
        ({"bottom_drag": -1e-7}, "bottom_drag: expected no negative drag, got -1e-07"),
        ({"dtype": "complex128"}, "dtype: expected float64 or float32, got complex128"),
    ],
)
def test_what_is_wrong_with_a_parameter(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        TwoLayerQG(**wrong)
    assert str(caught.value) == message


def test_an_unknown_library_for_transforms() -> None:
    with pytest.raises(ValueError, match=r"fft: expected one of auto, .*scipy, got 'mkl'"):
        TwoLayerQG(nx=16, fft="mkl").run(steps=1)


def test_a_run_of_another_precision_is_not_continued() -> None:
    run = TwoLayerQG(nx=16, dtype="float32").run(steps=2)
    message = "initial: dtype: expected float64 as in the model, got float32 in the dataset"
    with pytest.raises(ValueError, match=message):
        TwoLayerQG(nx=16).run(steps=2, initial=run)
