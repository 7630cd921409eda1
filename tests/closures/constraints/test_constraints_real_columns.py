"""How far each statement holds in ClimSim's own files, in each month.

===================  ====================================================  ==============
layer                statement                                             largest breach
===================  ====================================================  ==============
net_sunlight         NETSW = sum of flux (1 - albedo)                      5e-13 W m-2
zero_tendencies      q_v 4-11, cloud, ice, wind 0-11                       none
positivity           q + dt dq >= 0                                        none
precipitation        0 <= PRECSC <= PRECC                                  none
longwave             FLWDS > 0 (least value 60.9 W m-2)                    none
night                no downwelling sunlight where SOLIN = 0               10.0 W m-2
tropopause           no water tendency above it                            1 of 1000 (ice)
cloud_phase          liquid fraction by temperature                        0.20
saturation           no moistening beyond 120 %                            2e-5 of levels
moisture             column water is lost by precipitation alone           16 % (rms)
===================  ====================================================  ==============

The numbers are from all 67 pairs; the tests take one pair a month.
"""

from dataclasses import replace

import constraint_oracle as oracle
import numpy as np
import pytest
import torch
from constrained_columns import (
    FLUXES,
    HEATED,
    JOINT,
    SEPARATE,
    V1,
    V1_ALBEDO,
    Array,
    Months,
    Names,
    packed,
    ranges_of,
    unpacked,
)
from numpy.typing import NDArray

from closures.constraints import (
    EXACT,
    LAYERS,
    HybridLevels,
    Physics,
    PhysicsConfig,
    TrainingLimits,
    missing_fields,
    physics_layers,
)

EPS = float(np.finfo(np.float32).eps)
N_LEVEL = 60
STEP = 1200.0


def with_humidity(fields: dict[str, Array], levels: HybridLevels) -> dict[str, Array]:
    saturated = oracle.saturation(fields["state_t"], oracle.pressure(fields, levels))
    return {**fields, "state_rh": fields["state_q0001"] / saturated}


def columns_of(
    fields: dict[str, Array], names: Names, levels: HybridLevels
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    every = with_humidity(fields, levels)
    return packed(every, names[0]), packed(every, names[1])


def build(
    config: PhysicsConfig,
    names: Names,
    levels: HybridLevels,
    columns: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> Physics:
    ranges = ranges_of(names, N_LEVEL)
    limits = TrainingLimits.fit(*columns, ranges)
    return Physics(physics_layers(config, ranges, levels, limits))


def applied(
    physics: Physics, inputs: NDArray[np.float32], outputs: NDArray[np.float32]
) -> NDArray[np.float32]:
    with torch.no_grad():
        result: NDArray[np.float32] = physics(*map(torch.from_numpy, (inputs, outputs))).numpy()
    return result


def wild(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Outputs that differ from true ones as much as these vary."""
    noise = np.random.default_rng(0).normal(size=outputs.shape)
    spread = outputs.std(axis=0) + 1e-12
    result: NDArray[np.float32] = (outputs + noise * spread).astype(np.float32)
    return result


@pytest.mark.parametrize("names", [V1, V1_ALBEDO, SEPARATE, JOINT])
def test_exact_layers_leave_the_truth_as_it_is(
    real_months: Months, real_levels: HybridLevels, names: Names
) -> None:
    ranges = ranges_of(names, N_LEVEL)
    missing = missing_fields(PhysicsConfig(), ranges)
    config = PhysicsConfig(tuple(name for name in EXACT if not missing[name]))
    assert len(config.layers) == len(EXACT) - (names is V1)
    for month, fields in real_months.items():
        inputs, outputs = columns_of(fields, names, real_levels)
        physics = build(config, names, real_levels, (inputs, outputs))
        x = unpacked(inputs, ranges.inputs)
        y = unpacked(outputs, ranges.outputs)
        z = unpacked(applied(physics, inputs, outputs), ranges.outputs)
        for name, truth in y.items():
            # A level that dries out keeps a margin, see positivity.MARGIN.
            margin = 5e-5 if "state_rh" in x and name == "ptend_q0001" else 5e-6
            scale = np.abs(truth)
            if name == "cam_out_netsw":
                # The fluxes and albedos are rounded to float32, and 1 - albedo loses digits.
                scale = scale + sum(y[flux] for flux in FLUXES)
            # In levels 0 to 11 some vapour changes by less than 1e-13.
            assert (np.abs(z[name] - truth) <= margin * scale + 1e-30).all(), (month, name)


def test_net_sunlight_of_the_truth(real_months: Months) -> None:
    for month, fields in real_months.items():
        error = np.abs(oracle.net_sunlight(fields, fields) - fields["cam_out_netsw"])
        assert error.max() < 1e-12, month


def test_sunlight_of_the_night_is_not_zero(real_months: Months, real_levels: HybridLevels) -> None:
    largest = dict.fromkeys(FLUXES, 0.0)
    lit, dark = 0, 0
    for fields in real_months.values():
        night = fields["pbuf_solin"] <= 0.0
        np.testing.assert_array_equal(night, fields["pbuf_coszrs"] <= 0.0)
        lit += int((night & (fields["cam_out_solsd"] > 0.0)).sum())
        dark += int(night.sum())
        inputs, outputs = columns_of(fields, SEPARATE, real_levels)
        limits = TrainingLimits.fit(inputs, outputs, ranges_of(SEPARATE, N_LEVEL))
        for name, limit in limits.night.items():
            assert limit == np.float32(fields[name][night].max())
            largest[name] = max(largest[name], limit)
    # Clamping to zero would be wrong in 3 % of night columns, by up to this [W m-2].
    assert 0.01 < lit / dark < 0.06
    assert 1.0 < max(largest.values()) < 10.1


@pytest.mark.parametrize("names", [V1_ALBEDO, SEPARATE, JOINT])
def test_wild_outputs_obey_in_every_month(
    real_months: Months, real_levels: HybridLevels, names: Names
) -> None:
    ranges = ranges_of(names, N_LEVEL)
    for month, fields in real_months.items():
        inputs, truth = columns_of(fields, names, real_levels)
        physics = build(PhysicsConfig(), names, real_levels, (inputs, truth))
        outputs = wild(truth)
        x = unpacked(inputs, ranges.inputs)
        before = unpacked(outputs, ranges.outputs)
        z = unpacked(applied(physics, inputs, outputs), ranges.outputs)
        net = oracle.net_sunlight(x, z)
        np.testing.assert_allclose(z["cam_out_netsw"], net, rtol=1e-6, atol=0, err_msg=str(month))
        assert ((z["cam_out_precsc"] >= 0) & (z["cam_out_precsc"] <= z["cam_out_precc"])).all()
        assert (z["cam_out_flwds"] > 0.0).all()
        dark = x["pbuf_solin"] <= 0.0
        for name in FLUXES:
            assert (z[name] >= 0.0).all()
            assert (z[name][dark] <= fields[name][dark].max() * (1 + EPS)).all()
        assert not z["ptend_q0001"][:, 4:12].any()
        for name in set(z) & {"ptend_q0002", "ptend_q0003", "ptend_qn", "ptend_u"}:
            assert not z[name][:, :12].any()
        for name in ("q0001", "q0002", "q0003", "qn"):
            if f"ptend_{name}" in z:
                q = fields[f"state_{name}"]
                assert (q + STEP * z[f"ptend_{name}"] >= 0.0).all(), (month, name)
                assert (q + STEP * before[f"ptend_{name}"] < 0.0).any()
        assert (before["cam_out_precsc"] > before["cam_out_precc"]).any()


@pytest.mark.parametrize("method", ["residual", "additive", "multiplicative", "softmax"])
def test_budgets_close_in_every_month(
    real_months: Months, real_levels: HybridLevels, method: str
) -> None:
    ranges = ranges_of(HEATED, N_LEVEL)
    config = PhysicsConfig(
        ("zero_tendencies", "positivity", "precipitation", "moisture", "energy"),
        moisture=method,  # type: ignore[arg-type]
        energy=method,  # type: ignore[arg-type]
    )
    for month, fields in real_months.items():
        truth = columns_of(fields, HEATED, real_levels)
        heated = {**fields, "column_heating": np.full(384, -90.0)}
        inputs, _ = columns_of(heated, HEATED, real_levels)
        physics = build(config, HEATED, real_levels, truth)
        x = unpacked(inputs, ranges.inputs)
        z = unpacked(applied(physics, inputs, wild(truth[1])), ranges.outputs)
        assert np.abs(oracle.moisture_gap(x, z, real_levels)).max() < 1e-7, month
        heating, magnitude = oracle.energy_terms(x, z, real_levels)
        assert (np.abs(heating + 90.0) <= 1e-7 * magnitude).all(), month
        assert not z["ptend_q0001"][:, 4:12].any()


def test_truth_closes_in_the_mean_but_not_column_by_column(
    real_months: Months, real_levels: HybridLevels
) -> None:
    gap, rain, heating = [], [], []
    for fields in real_months.values():
        mass = oracle.layer_mass(fields, real_levels)
        water = sum(fields[f"ptend_{name}"] for name in ("q0001", "q0002", "q0003"))
        fallen = 1000.0 * fields["cam_out_precc"]
        gap.append(86400.0 * ((mass * water).sum(axis=1) + fallen))
        rain.append(86400.0 * fallen)
        heating.append(oracle.energy_terms(fields, fields, real_levels)[0])
    # mm/day; columns of this grid have nearly equal areas.
    assert abs(np.mean(gap)) < 0.05 * np.mean(rain)
    assert 1.0 < np.std(gap) < 6.0
    # W m-2: the radiative cooling of the atmosphere.
    assert -120.0 < np.mean(heating) < -70.0


def test_phase_tropopause_and_saturation_of_the_truth(
    real_months: Months, real_levels: HybridLevels
) -> None:
    moistened, n_cell = 0, 0
    for fields in real_months.values():
        after = {n: fields[f"state_{n}"] + STEP * fields[f"ptend_{n}"] for n in ("t", "q0001")}
        liquid = fields["state_q0002"] + STEP * fields["ptend_q0002"]
        cloud = fields["state_qn"] + STEP * fields["ptend_qn"]
        thick = cloud > 1e-7
        difference = liquid[thick] / cloud[thick] - oracle.liquid_fraction(after["t"])[thick]
        assert np.abs(difference).mean() < 0.004
        assert np.abs(difference).max() < 0.25
        mass = oracle.layer_mass(fields, real_levels)
        above = oracle.above_tropopause(fields, real_levels)
        assert above.any(axis=1).all()
        for name, share in (("q0001", 5e-4), ("q0003", 3e-3)):
            change = mass * np.abs(fields[f"ptend_{name}"])
            assert change[above].sum() < share * change.sum()
        p = oracle.pressure(fields, real_levels)
        humid = after["q0001"] > 1.2 * oracle.saturation(after["t"], p)
        moistened += int((humid & (fields["ptend_q0001"] > 0.0)).sum())
        n_cell += humid.size
    assert moistened < 1e-4 * n_cell


def test_every_layer_runs_on_real_columns(real_months: Months, real_levels: HybridLevels) -> None:
    ranges = ranges_of(HEATED, N_LEVEL)
    for fields in real_months.values():
        inputs, truth = columns_of(fields, HEATED, real_levels)
        physics = build(
            replace(PhysicsConfig(), layers=LAYERS), HEATED, real_levels, (inputs, truth)
        )
        found = applied(physics, inputs, wild(truth))
        assert np.isfinite(found).all()
        z, x = unpacked(found, ranges.outputs), unpacked(inputs, ranges.inputs)
        assert np.abs(oracle.moisture_gap(x, z, real_levels)).max() < 1e-7
        net = oracle.net_sunlight(x, z)
        np.testing.assert_allclose(z["cam_out_netsw"], net, rtol=1e-6, atol=0)
