"""Each layer on random columns, against its equation in NumPy."""

from collections.abc import Mapping
from dataclasses import replace

import constraint_oracle as oracle
import numpy as np
import pytest
import torch
from constrained_columns import (
    FLUXES,
    JOINT,
    SEPARATE,
    Names,
    even_levels,
    random_columns,
    ranges_of,
    unpacked,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from closures.constraints import PhysicsConfig, TrainingLimits, physics_layers
from closures.constraints.saturation import Saturation

Array = NDArray[np.float64]
Fields = Mapping[str, Array]
NIGHT = {"cam_out_sols": 2.0, "cam_out_soll": 0.0, "cam_out_solsd": 10.0, "cam_out_solld": 8.0}
CONFIG = PhysicsConfig(
    zero_levels={"ptend_q0001": (1, 3), "ptend_u": (0, 2)}, night=NIGHT, first_level=2
)
EPS = float(np.finfo(np.float32).eps)

seeds = st.integers(0, 2**31)
sizes = st.tuples(st.integers(1, 9), st.integers(4, 30))
either = st.sampled_from([SEPARATE, JOINT])


def layer(name: str, names: Names, n_level: int) -> nn.Module:
    config = replace(CONFIG, layers=(name,))
    (found,) = physics_layers(config, ranges_of(names, n_level), even_levels(n_level))
    return found


def before_and_after(
    name: str, names: Names, size: tuple[int, int], seed: int
) -> tuple[Fields, Fields, Fields]:
    """Inputs, wild outputs and what the layer makes of them, by field."""
    n, n_level = size
    inputs, outputs = random_columns(names, n, n_level, seed)
    with torch.no_grad():
        changed = layer(name, names, n_level)(torch.from_numpy(inputs), torch.from_numpy(outputs))
    assert changed.dtype == torch.float32
    ranges = ranges_of(names, n_level)
    return (
        unpacked(inputs, ranges.inputs),
        unpacked(outputs, ranges.outputs),
        unpacked(changed.numpy(), ranges.outputs),
    )


def assert_others_kept(y: Fields, z: Fields, *changed: str) -> None:
    for name in y:
        if name not in changed:
            np.testing.assert_array_equal(z[name], y[name], err_msg=name)


@settings(deadline=None)
@given(seeds, sizes, either)
def test_net_sunlight(seed: int, size: tuple[int, int], names: Names) -> None:
    x, y, z = before_and_after("net_sunlight", names, size, seed)
    np.testing.assert_allclose(z["cam_out_netsw"], oracle.net_sunlight(x, y), rtol=EPS)
    assert_others_kept(y, z, "cam_out_netsw")


def test_net_sunlight_where_albedos_are_nearly_one() -> None:
    names = SEPARATE
    inputs, outputs = random_columns(names, 4, 4, seed=1)
    ranges = ranges_of(names, 4)
    for name in ranges.inputs:
        if name.startswith("cam_in"):
            inputs[:, ranges.inputs[name]] = np.nextafter(np.float32(1), np.float32(0))
    for name in FLUXES:
        outputs[:, ranges.outputs[name]] = 123.456
    with torch.no_grad():
        found = layer("net_sunlight", names, 4)(*map(torch.from_numpy, (inputs, outputs)))
    netsw = found.numpy()[:, ranges.outputs["cam_out_netsw"]]
    np.testing.assert_allclose(netsw, 4 * np.float64(np.float32(123.456)) * 2.0**-24, rtol=EPS)


@settings(deadline=None)
@given(seeds, sizes)
def test_night(seed: int, size: tuple[int, int]) -> None:
    x, y, z = before_and_after("night", SEPARATE, size, seed)
    for name, limit in NIGHT.items():
        lit = np.maximum(y[name], 0.0)
        expected = np.where(x["pbuf_solin"] > 0.0, lit, np.minimum(lit, limit))
        np.testing.assert_array_equal(z[name], expected)
    assert_others_kept(y, z, *NIGHT)


@settings(deadline=None)
@given(seeds, sizes)
def test_longwave_and_precipitation(seed: int, size: tuple[int, int]) -> None:
    _, y, z = before_and_after("longwave", SEPARATE, size, seed)
    np.testing.assert_array_equal(z["cam_out_flwds"], np.fmax(y["cam_out_flwds"], 1.0))
    assert_others_kept(y, z, "cam_out_flwds")
    _, y, z = before_and_after("precipitation", SEPARATE, size, seed)
    rain = np.fmax(y["cam_out_precc"], 0.0)
    np.testing.assert_array_equal(z["cam_out_precc"], rain)
    np.testing.assert_array_equal(z["cam_out_precsc"], np.clip(y["cam_out_precsc"], 0.0, rain))
    assert_others_kept(y, z, "cam_out_precc", "cam_out_precsc")


@settings(deadline=None)
@given(seeds, sizes, either)
def test_zero_tendencies(seed: int, size: tuple[int, int], names: Names) -> None:
    _, y, z = before_and_after("zero_tendencies", names, size, seed)
    assert not z["ptend_q0001"][:, 1:3].any()
    assert not z["ptend_u"][:, :2].any()
    np.testing.assert_array_equal(z["ptend_q0001"][:, 3:], y["ptend_q0001"][:, 3:])
    np.testing.assert_array_equal(z["ptend_q0001"][:, 0], y["ptend_q0001"][:, 0])
    np.testing.assert_array_equal(z["ptend_u"][:, 2:], y["ptend_u"][:, 2:])
    assert_others_kept(y, z, "ptend_q0001", "ptend_u")


def test_zero_tendencies_end_what_is_not_finite() -> None:
    inputs, outputs = random_columns(SEPARATE, 2, 5, seed=0)
    ranges = ranges_of(SEPARATE, 5)
    outputs[:, ranges.outputs["ptend_u"]] = np.nan
    found = layer("zero_tendencies", SEPARATE, 5)(*map(torch.from_numpy, (inputs, outputs)))
    wind = found.numpy()[:, ranges.outputs["ptend_u"]]
    assert not wind[:, :2].any()
    assert np.isnan(wind[:, 2:]).all()


@settings(deadline=None)
@given(seeds, sizes, either, st.sampled_from([np.float32, np.float64]))
def test_water_stays_positive_in_either_precision(
    seed: int, size: tuple[int, int], names: Names, real: type
) -> None:
    x, y, z = before_and_after("positivity", names, size, seed)
    levels = even_levels(size[1])
    species = ("q0001", "q0002", "q0003") if names is SEPARATE else ("q0001", "qn")
    for name in species:
        q = oracle.vapour(x, levels) if name == "q0001" else x[f"state_{name}"]
        stepped = real(q) + real(oracle.STEP) * real(z[f"ptend_{name}"])
        assert stepped.dtype == real
        assert (stepped >= 0.0).all()
        # The tendency is raised where it takes all, and no further than to the margin.
        asked, given_ = y[f"ptend_{name}"], z[f"ptend_{name}"]
        least = -q / oracle.STEP
        margin = 5e-5 if names is JOINT and name == "q0001" else 5e-6
        np.testing.assert_allclose(
            given_, np.maximum(asked, least), rtol=margin, atol=1e-30, err_msg=name
        )
    assert_others_kept(y, z, *(f"ptend_{name}" for name in species))


@settings(deadline=None)
@given(st.floats(0.0, 1e-36, allow_subnormal=True))
def test_traces_of_water_are_kept(trace: float) -> None:
    names, n_level = SEPARATE, 4
    inputs, outputs = random_columns(names, 1, n_level, seed=2)
    ranges = ranges_of(names, n_level)
    inputs[:, ranges.inputs["state_q0002"]] = trace
    outputs[:, ranges.outputs["ptend_q0002"]] = -1.0
    found = layer("positivity", names, n_level)(*map(torch.from_numpy, (inputs, outputs)))
    tendency = np.float64(found.numpy()[:, ranges.outputs["ptend_q0002"]])
    assert (trace + oracle.STEP * tendency >= 0.0).all()


@settings(deadline=None, max_examples=30)
@given(seeds, sizes, either)
def test_tropopause(seed: int, size: tuple[int, int], names: Names) -> None:
    x, y, z = before_and_after("tropopause", names, size, seed)
    above = oracle.above_tropopause(x, even_levels(size[1]))
    species = [name for name in y if name.startswith("ptend_q")]
    for name in species:
        np.testing.assert_array_equal(z[name], np.where(above, 0.0, y[name]))
    assert_others_kept(y, z, *species)


def test_tropopause_of_an_isothermal_layer_above_a_neutral_one() -> None:
    n_level, names, kink = 40, SEPARATE, 9
    inputs, outputs = random_columns(names, 1, n_level, seed=0)
    ranges = ranges_of(names, n_level)
    inputs[:, ranges.inputs["state_ps"]] = 1e5
    p = oracle.pressure({"state_ps": np.array([1e5])}, even_levels(n_level))[0]
    assert 1e4 < p[kink] < 4e4
    # Potential temperature is uniform below the kink, temperature above it.
    t = 300.0 * (np.maximum(p, p[kink]) / 1e5) ** (287.042 / 1004.64)
    inputs[:, ranges.inputs["state_t"]] = t
    found = layer("tropopause", names, n_level)(*map(torch.from_numpy, (inputs, outputs)))
    vapour = found.numpy()[0, ranges.outputs["ptend_q0001"]]
    np.testing.assert_array_equal(vapour == 0.0, np.arange(n_level) < kink)


@settings(deadline=None)
@given(seeds, sizes)
def test_cloud_phase(seed: int, size: tuple[int, int]) -> None:
    x, y, z = before_and_after("cloud_phase", SEPARATE, size, seed)
    fraction = oracle.liquid_fraction(x["state_t"] + oracle.STEP * y["ptend_t"])
    cloud = x["state_q0002"] + x["state_q0003"]
    cloud = cloud + oracle.STEP * (y["ptend_q0002"] + y["ptend_q0003"])
    for name, share in (("q0002", fraction), ("q0003", 1.0 - fraction)):
        expected = (share * cloud - x[f"state_{name}"]) / oracle.STEP
        scale = np.abs(cloud) + x[f"state_{name}"]
        assert (np.abs(z[f"ptend_{name}"] - expected) <= EPS * scale / oracle.STEP).all()
    assert_others_kept(y, z, "ptend_q0002", "ptend_q0003")


@settings(deadline=None)
@given(seeds, sizes, either)
def test_saturation_limit(seed: int, size: tuple[int, int], names: Names) -> None:
    x, y, z = before_and_after("saturation", names, size, seed)
    levels = even_levels(size[1])
    q = oracle.vapour(x, levels)
    t = x["state_t"] + oracle.STEP * y["ptend_t"]
    most = 1.2 * oracle.saturation(t, oracle.pressure(x, levels))
    expected = np.minimum(y["ptend_q0001"], np.maximum(most - q, 0.0) / oracle.STEP)
    np.testing.assert_allclose(z["ptend_q0001"], expected, rtol=EPS, atol=1e-16)
    assert_others_kept(y, z, "ptend_q0001")


def test_saturation_is_the_oracles() -> None:
    t = np.linspace(160.0, 320.0, 2000)
    p = np.geomspace(10.0, 1e5, t.size)
    found = Saturation()(torch.from_numpy(t), torch.from_numpy(p)).numpy()
    np.testing.assert_allclose(found, oracle.saturation(t, p), rtol=1e-10)
    # 611 Pa at the triple point; 287 / 461 is the ratio of the gas constants.
    triple = Saturation()(torch.tensor([273.16], dtype=torch.float64), torch.tensor([1e5]))
    assert triple.item() == pytest.approx(611.2 * 287.0 / 461.0 / 1e5, rel=1e-3)


@settings(deadline=None)
@given(seeds, sizes)
def test_quantiles(seed: int, size: tuple[int, int]) -> None:
    n, n_level = size
    ranges = ranges_of(SEPARATE, n_level)
    inputs, training = random_columns(SEPARATE, 50, n_level, seed)
    limits = TrainingLimits.fit(inputs, training, ranges, tail=0.1)
    (clip,) = physics_layers(PhysicsConfig(("quantiles",)), ranges, limits=limits)
    columns, outputs = random_columns(SEPARATE, n, n_level, seed + 1)
    found = clip(*map(torch.from_numpy, (columns, 3.0 * outputs))).numpy()
    # The quantiles of 50 values lie at places 0.1 * 49 = 4.9 and 44.1 of the sorted ones.
    ordered = np.sort(np.float64(training), axis=0)
    low, high = 0.1 * ordered[4] + 0.9 * ordered[5], 0.9 * ordered[44] + 0.1 * ordered[45]
    expected = np.clip(np.float64(np.float32(3.0) * outputs), low, high)
    np.testing.assert_allclose(found, expected, rtol=EPS, atol=1e-18)


def test_limits_of_the_night_are_those_of_training_columns() -> None:
    ranges = ranges_of(SEPARATE, 4)
    inputs, outputs = random_columns(SEPARATE, 300, 4, seed=5)
    limits = TrainingLimits.fit(inputs, outputs, ranges)
    dark = inputs[:, ranges.inputs["pbuf_solin"].start] <= 0.0
    assert 0.1 < dark.mean() < 0.9
    assert limits.night == {
        name: outputs[dark, ranges.outputs[name].start].max() for name in FLUXES
    }
    assert TrainingLimits.fit(inputs[~dark], outputs[~dark], ranges).night == dict.fromkeys(
        FLUXES, 0.0
    )
    with pytest.raises(ValueError, match=r"columns and a tail of 0 to 0\.5, got 0 columns"):
        TrainingLimits.fit(inputs[:0], outputs[:0], ranges)
