"""Emulators of longwave fluxes: budgets, signs, and what their loss weighs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import hybrid
from closures.errors import SpecError
from closures.field import Field
from closures.normalization import Normalization
from closures.radiation import ColumnFeatures, FluxEmulator, FluxLoss, Signs
from closures.radiation.features import CLOUD_ABSORPTION, DIFFUSIVITY, GRAVITY
from closures.spec import ClosureSpec

N_LEVEL, N_INTERFACE = 4, 5

PROFILES = {
    "temperature": ("K", 200.0, 300.0),
    "specific_humidity": ("kg kg-1", 0.0, 0.02),
    "cloud_water": ("kg kg-1", 0.0, 1e-4),
    "cloud_fraction": ("1", 0.0, 1.0),
}


def level_field(name: str, units: str, low: float, high: float) -> Field:
    low_of_levels, high_of_levels = (low,) * N_LEVEL, (high,) * N_LEVEL
    return Field(
        name, units, ("level",), (N_LEVEL,), valid_min=low_of_levels, valid_max=high_of_levels
    )


def spec() -> ClosureSpec:
    inputs = (
        *(level_field(name, *values) for name, values in PROFILES.items()),
        Field("surface_pressure", "Pa", valid_min=8e4, valid_max=1.05e5),
        Field("carbon_dioxide", "1e-6", valid_min=90.0, valid_max=1440.0),
        Field("insolation", "W m-2", valid_min=0.0, valid_max=1400.0),
    )
    outputs = tuple(
        Field(f"{way}_flux", "W m-2", ("interface",), (N_INTERFACE,))
        for way in ("upward", "downward")
    )
    return ClosureSpec("radiation", "1.0", inputs, outputs)


def emulator() -> FluxEmulator:
    of = spec()
    features = ColumnFeatures(of.inputs, torch.full((N_LEVEL,), 0.25))
    n_feature = features(torch.ones(1, 4 * N_LEVEL + 3)).shape[1]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = nn.Sequential(nn.Linear(n_feature, 16), nn.SiLU(), nn.Linear(16, 2 * N_INTERFACE))
    inputs = Normalization(np.zeros(n_feature), np.full(n_feature, 100.0))
    outputs = Normalization(np.zeros(2 * N_INTERFACE), np.full(2 * N_INTERFACE, 50.0))
    return FluxEmulator(of, network, features, inputs, outputs, Signs(of))


def columns(n: int) -> list[Tensor]:
    draw = np.random.default_rng(5)
    found = []
    for field in spec().inputs:
        low, high = np.asarray(field.valid_min, float), np.asarray(field.valid_max, float)
        found.append(torch.from_numpy(draw.uniform(low, high, (n, *low.shape))).float())
    return found


def test_fluxes_have_the_signs_of_their_directions() -> None:
    with torch.no_grad():
        up, down = emulator()(*columns(200))
    assert up.shape == down.shape == (200, N_INTERFACE)
    assert float(up.max()) == 0.0
    assert float(down.min()) == 0.0
    assert float(up.min()) < 0.0 < float(down.max())


def test_what_heats_the_column_is_what_goes_in_and_does_not_come_out() -> None:
    up, down = (flux.double() for flux in emulator()(*columns(100)))
    net = up + down
    heating = (net[:, :-1] - net[:, 1:]).sum(dim=1)
    torch.testing.assert_close(heating, net[:, 0] - net[:, -1], rtol=0, atol=1e-12 * 400.0)


def test_features_in_closed_form() -> None:
    given = torch.cat([each if each.dim() == 2 else each[:, None] for each in columns(7)], dim=1)
    temperature, humidity, water, cover = torch.chunk(given[:, :16].double(), 4, dim=1)
    path = water * given[:, 16:17] * 0.25 / GRAVITY
    thickness = torch.full((N_LEVEL,), 0.25)
    longwave = ColumnFeatures(spec().inputs, thickness)(given).double()
    emissivity = cover * (1.0 - torch.exp(-DIFFUSIVITY * CLOUD_ABSORPTION * path))
    # A difference of numbers near 1 in 4 bytes.
    torch.testing.assert_close(longwave[:, 4:8], emissivity, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(longwave[:, :4], humidity**0.25, rtol=1e-6, atol=0.0)
    torch.testing.assert_close(longwave[:, 8:9], given[:, 17:18].double().log(), rtol=1e-6, atol=0)
    torch.testing.assert_close(longwave[:, 9:13], temperature, rtol=0, atol=0)


def test_humidity_and_cloud_water_below_zero_count_as_none() -> None:
    given = torch.cat([each if each.dim() == 2 else each[:, None] for each in columns(3)], dim=1)
    features = ColumnFeatures(spec().inputs, torch.full((N_LEVEL,), 0.25))
    dry = given.clone()
    dry[:, 4:12] = 0.0
    wrong = given.clone()
    wrong[:, 4:12] = -1e-9
    assert torch.equal(features(wrong), features(dry))


def test_the_loss_weighs_heating_and_both_ends() -> None:
    spread = torch.tensor([10.0, 10.0, 10.0, 20.0, 20.0, 20.0])
    loss = FluxLoss(spread, torch.tensor([2.0, 4.0]), torch.tensor([5.0, 8.0]))
    target = torch.zeros(1, 6)
    # One more W m-2 of upward flux everywhere heats no layer.
    shifted = target.clone()
    shifted[0, :3] = 0.1
    assert float(loss(shifted, target)) == pytest.approx(3 * 0.01 / 6 + (1 / 25 + 1 / 64) / 2)
    # At the middle interface alone it heats one layer and cools the other.
    bent = target.clone()
    bent[0, 1] = 0.1
    assert float(loss(bent, target)) == pytest.approx(0.01 / 6 + (1 / 4 + 1 / 16) / 2)


def test_a_flux_that_never_varies_has_no_weight() -> None:
    spread = torch.tensor([10.0, 10.0, 0.0, 20.0])
    loss = FluxLoss(spread, torch.tensor([2.0]), torch.tensor([5.0, 8.0]))
    other = torch.tensor([[0.0, 0.0, 3.0, 0.0]])
    assert float(loss(other, torch.zeros(1, 4))) == 0.0


def test_fluxes_at_different_interfaces_are_refused() -> None:
    of = spec()
    other = ClosureSpec("radiation", "1.0", of.inputs, (of.outputs[0], Field("down", "W m-2")))
    one = Normalization(np.zeros(1), np.ones(1))
    with pytest.raises(
        SpecError, match=r"upward and the downward flux at the same interfaces, got"
    ):
        FluxEmulator(other, nn.Identity(), nn.Identity(), one, one, Signs(of))


def test_the_native_engine_runs_it(tmp_path: Path) -> None:
    report = hybrid.export(emulator().eval(), tmp_path / "radiation.pt")
    assert report.native is not None
    assert report.native.expressed
