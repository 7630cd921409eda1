"""Which layers a closure can have, in which order they act, and that all can be trained."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from constrained_columns import (
    ALBEDOS,
    HEATED,
    JOINT,
    SEPARATE,
    V1,
    V1_ALBEDO,
    Names,
    even_levels,
    random_columns,
    ranges_of,
)

from closures.climsim.variables import v1
from closures.constraints import (
    EXACT,
    LAYERS,
    FieldRanges,
    MissingFieldError,
    Physics,
    PhysicsConfig,
    TrainingLimits,
    missing_fields,
    physics_layers,
)
from closures.constraints.registry import _MAKERS
from closures.errors import SpecError

N_LEVEL = 20
ALL = PhysicsConfig(LAYERS, zero_levels={"ptend_q0001": (0, 3)}, first_level=4)


def build(config: PhysicsConfig, names: Names, *, fitted: bool = True) -> Physics:
    ranges = ranges_of(names, N_LEVEL)
    limits = None
    if fitted:
        limits = TrainingLimits.fit(*random_columns(names, 100, N_LEVEL, seed=9), ranges)
    return Physics(physics_layers(config, ranges, even_levels(N_LEVEL), limits))


def possible(names: Names) -> set[str]:
    missing = missing_fields(ALL, ranges_of(names, N_LEVEL))
    assert set(missing) == set(LAYERS)
    return {name for name, fields in missing.items() if not fields}


def test_every_layer_has_a_maker() -> None:
    assert set(_MAKERS) == set(LAYERS)
    assert set(EXACT) < set(LAYERS)


def test_variable_sets_allow_what_their_fields_do() -> None:
    no_budget = set(LAYERS) - {"cloud_phase", "moisture", "energy"}
    assert possible(V1) == no_budget - {"net_sunlight"}
    assert possible(V1_ALBEDO) == no_budget
    assert possible(JOINT) == set(LAYERS) - {"cloud_phase", "energy"}
    assert possible(SEPARATE) == set(LAYERS) - {"energy"}
    assert possible(HEATED) == set(LAYERS)


def test_missing_fields_are_named() -> None:
    missing = missing_fields(ALL, ranges_of(V1, N_LEVEL))
    assert set(missing["net_sunlight"]) == set(ALBEDOS)
    assert missing["moisture"] == ("ptend_q0002", "ptend_q0003")
    with pytest.raises(
        MissingFieldError,
        match=r"net_sunlight: expected inputs and outputs with cam_in_asdir, .*cam_in_aldif, which "
        r"are missing; choose a variable set with the four albedos, such as V2 or V1 with albedos",
    ):
        build(PhysicsConfig(("net_sunlight",)), V1)
    with pytest.raises(MissingFieldError, match=r"energy: .* column_heating, .* give the closure"):
        build(PhysicsConfig(("energy",)), SEPARATE)
    dry = (("state_t", "state_ps"), ("ptend_t", "ptend_q0001"))
    with pytest.raises(MissingFieldError, match=r"state_rh, .* give it these or state_q0001"):
        build(PhysicsConfig(("positivity",)), dry)
    still = (("state_t", "state_ps"), ("ptend_t",))
    for name in ("positivity", "tropopause"):
        with pytest.raises(MissingFieldError, match=f"{name}: .* ptend_q0001, which are missing"):
            build(PhysicsConfig((name,)), still, fitted=False)


def test_radiation_outside_the_tendencies_needs_no_heating() -> None:
    config = replace(ALL, layers=("energy",), heating={})
    assert missing_fields(config, ranges_of(SEPARATE, N_LEVEL)) == {"energy": ()}


def test_layers_act_in_one_order_whatever_the_order_asked_for() -> None:
    backwards = build(replace(ALL, layers=LAYERS[::-1]), HEATED)
    inputs, outputs = map(torch.from_numpy, random_columns(HEATED, 20, N_LEVEL, seed=1))
    assert torch.equal(build(ALL, HEATED)(inputs, outputs), backwards(inputs, outputs))
    names = [type(layer).__name__ for layer in backwards.layers]
    assert names.index("NetSunlight") == len(LAYERS) - 1
    assert names.index("WaterPositivity") < names.index("ColumnMoisture")
    assert len(names) == len(LAYERS)


def test_what_the_columns_do_not_give_is_asked_for() -> None:
    ranges = ranges_of(SEPARATE, N_LEVEL)
    for name in ("quantiles", "night"):
        with pytest.raises(SpecError, match=f"{name}: expected limits from training columns"):
            physics_layers(PhysicsConfig((name,)), ranges)
    for name in ("tropopause", "saturation", "moisture"):
        with pytest.raises(SpecError, match=f"{name}: expected the hybrid coefficients"):
            physics_layers(PhysicsConfig((name,)), ranges)
    with pytest.raises(SpecError, match="positivity: expected the hybrid coefficients"):
        physics_layers(PhysicsConfig(("positivity",)), ranges_of(JOINT, N_LEVEL))
    other = TrainingLimits(np.zeros(3), np.ones(3), {})
    with pytest.raises(SpecError, match=f"limits of {ranges.n_output} outputs, got 3 and 3"):
        physics_layers(PhysicsConfig(("quantiles",)), ranges, limits=other)
    short = PhysicsConfig(("zero_tendencies",), zero_levels={"ptend_q0001": (4, 21)})
    with pytest.raises(SpecError, match="ptend_q0001: expected levels within 0 to 20, got 4 to 21"):
        physics_layers(short, ranges)


def test_config_is_checked() -> None:
    with pytest.raises(ValueError, match=r"different layers out of quantiles, .*, got gravity"):
        PhysicsConfig(("gravity",))
    with pytest.raises(ValueError, match="got night, night"):
        PhysicsConfig(("night", "night"))
    with pytest.raises(ValueError, match=r"a time step above 0 s, got 0\.0"):
        PhysicsConfig(timestep=0.0)
    ranges = ranges_of(SEPARATE, N_LEVEL)
    with pytest.raises(ValueError, match=r"least flux above 0 W m-2, got 0\.0"):
        physics_layers(PhysicsConfig(("longwave",), least_longwave=0.0), ranges)
    with pytest.raises(ValueError, match=r"limits >= 0 W m-2"):
        physics_layers(PhysicsConfig(("night",), night={"cam_out_sols": -1.0}), ranges)


def test_ranges_are_those_of_a_variable_set() -> None:
    ranges = FieldRanges.of_variables(v1())
    assert (ranges.n_input, ranges.n_output) == (124, 128)
    assert ranges.outputs["cam_out_flwds"] == slice(121, 122)
    with pytest.raises(SpecError, match="b: expected features from 2, got 3 to 4; give ranges"):
        FieldRanges({"a": slice(0, 2), "b": slice(3, 4)}, {})


@pytest.mark.parametrize("method", ["residual", "multiplicative", "softmax", "scaled_additive"])
@pytest.mark.parametrize("names", [HEATED, JOINT, V1_ALBEDO, V1])
def test_all_layers_compile_and_agree(names: Names, method: str) -> None:
    allowed = tuple(name for name in LAYERS if name in possible(names))
    physics = build(replace(ALL, layers=allowed, moisture=method, energy=method), names)  # type: ignore[arg-type]
    compiled = torch.jit.freeze(torch.jit.script(physics).eval())
    inputs, outputs = map(torch.from_numpy, random_columns(names, 50, N_LEVEL, seed=3))
    expected = physics(inputs, outputs)
    assert expected.dtype == torch.float32
    assert torch.isfinite(expected).all()
    for _ in range(3):
        # The fuser of TorchScript, which acts from the second call, rounds some sums elsewhere.
        torch.testing.assert_close(compiled(inputs, outputs), expected, rtol=1e-6, atol=1e-18)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_has_the_gradient_of_its_values(name: str) -> None:
    physics = build(replace(ALL, layers=(name,)), HEATED)
    columns = random_columns(HEATED, 2, N_LEVEL, seed=4)
    inputs, outputs = (torch.from_numpy(values).double() for values in columns)
    # Scaled to one, since tendencies and fluxes differ by ten orders of magnitude.
    scale = torch.from_numpy(random_columns(HEATED, 100, N_LEVEL, seed=5)[1]).double().std(dim=0)

    def scaled(relative: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = physics.double()(inputs, relative * scale) / scale
        return result

    point = (outputs / scale).requires_grad_()
    assert torch.autograd.gradcheck(scaled, (point,), eps=1e-7, atol=1e-4, rtol=1e-3)


def test_training_through_all_layers_lowers_the_loss() -> None:
    ranges = ranges_of(HEATED, N_LEVEL)
    physics = build(ALL, HEATED)
    inputs = torch.from_numpy(random_columns(HEATED, 64, N_LEVEL, seed=5)[0])
    target = physics(inputs, torch.from_numpy(random_columns(HEATED, 64, N_LEVEL, seed=6)[1]))
    spread = target.std(dim=0) + 1e-9
    guess = torch.zeros(64, ranges.n_output, requires_grad=True)
    optimizer = torch.optim.Adam([guess], lr=0.05)
    losses = []
    for _ in range(100):
        loss = (((physics(inputs, guess * spread) - target) / spread) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        assert guess.grad is not None
        assert torch.isfinite(guess.grad).all()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
