"""Climate-invariant inputs against their formulas."""

import numpy as np
import pytest
import torch

from closures.climsim.humidity import saturation_vapour_pressure
from closures.constraints.pressure import HybridLevels
from closures.constraints.ranges import FieldRanges, MissingFieldError
from closures.multifidelity import InvariantColumns

N = 5
HALF = np.linspace(0.1, 1.0, N + 1)
LEVELS = HybridLevels(np.zeros(N + 1), HALF, np.zeros(N), 0.5 * (HALF[1:] + HALF[:-1]))
RANGES = FieldRanges(
    {
        "state_t": slice(0, 5),
        "state_q0001": slice(5, 10),
        "state_q0002": slice(10, 15),
        "state_ps": slice(15, 16),
        "pbuf_lhflx": slice(16, 17),
    },
    {"ptend_t": slice(0, 5)},
)


def columns(warming: float = 0.0) -> torch.Tensor:
    rng = np.random.default_rng(0)
    temperature = np.linspace(220.0, 295.0, N) + rng.normal(0.0, 2.0, (3, N)) + warming
    surface = rng.uniform(95e3, 102e3, (3, 1))
    pressure = LEVELS.hybm * surface
    saturated = 287.0 * saturation_vapour_pressure(temperature) / (461.0 * pressure)
    humidity = np.linspace(0.2, 0.9, N)
    cloud = np.abs(rng.normal(0.0, 1e-5, (3, N)))
    flux = rng.uniform(0.0, 200.0, (3, 1))
    return torch.from_numpy(
        np.concatenate([temperature, humidity * saturated, cloud, surface, flux], axis=1)
    )


def test_features_are_humidity_lapse_roots_and_scalars() -> None:
    derived = InvariantColumns(RANGES, LEVELS, ["state_q0002"], ["pbuf_lhflx"])
    inputs = columns()
    features = derived(inputs)
    assert features.shape == (3, derived.n_feature)
    assert torch.allclose(features[:, :5], torch.linspace(0.2, 0.9, 5).double(), rtol=1e-6)
    assert torch.allclose(features[:, 5:10], inputs[:, :5] - inputs[:, 4:5])
    assert torch.allclose(features[:, 10:15] ** 2, inputs[:, 10:15])
    assert torch.equal(features[:, 15], inputs[:, 16])
    assert torch.allclose(torch.jit.script(derived)(inputs), features)


def test_warming_at_constant_relative_humidity_changes_nothing() -> None:
    derived = InvariantColumns(RANGES, LEVELS)
    assert torch.allclose(derived(columns(4.0)), derived(columns()), rtol=1e-6)


def test_missing_inputs_are_named() -> None:
    with pytest.raises(MissingFieldError, match="state_q0009"):
        InvariantColumns(RANGES, LEVELS, ["state_q0009"])
