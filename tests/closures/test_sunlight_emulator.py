"""Emulators of sunlight: where the light ends, at night too, and what the network is shown."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import hybrid
from closures.errors import SpecError
from closures.field import Field
from closures.normalization import Normalization
from closures.radiation import (
    EnergyPartition,
    FluxEmulator,
    FluxLoss,
    PartitionLoss,
    SunlitFeatures,
)
from closures.spec import ClosureSpec

N_LEVEL, N_INTERFACE = 4, 5
THICKNESS = torch.tensor([0.1, 0.2, 0.3, 0.4])

PROFILES = {
    "temperature": ("K", 200.0, 300.0),
    "specific_humidity": ("kg kg-1", 0.0, 0.02),
    "cloud_water": ("kg kg-1", 0.0, 1e-4),
    "cloud_fraction": ("1", 0.0, 1.0),
    "ozone": ("kg kg-1", 1e-8, 1e-5),
}
SCALARS = {
    "surface_pressure": ("Pa", 8e4, 1.05e5),
    "land_fraction": ("1", 0.0, 1.0),
    "ice_fraction": ("1", 0.0, 1.0),
    "albedo": ("1", 0.05, 0.8),
    "cosine_of_zenith_angle": ("1", 0.0, 1.0),
    "insolation": ("W m-2", 0.0, 1400.0),
}


def spec() -> ClosureSpec:
    profiles = tuple(
        Field(name, units, ("level",), (N_LEVEL,), valid_min=(low,) * 4, valid_max=(high,) * 4)
        for name, (units, low, high) in PROFILES.items()
    )
    scalars = tuple(
        Field(name, units, valid_min=low, valid_max=high)
        for name, (units, low, high) in SCALARS.items()
    )
    outputs = tuple(
        Field(f"{way}_flux", "W m-2", ("interface",), (N_INTERFACE,))
        for way in ("upward", "downward")
    )
    return ClosureSpec("sunlight", "1.0", (*profiles, *scalars), outputs)


def columns(n: int, **fixed: float) -> dict[str, Tensor]:
    draw = np.random.default_rng(5)
    found = {}
    for field in spec().inputs:
        low, high = np.asarray(field.valid_min, float), np.asarray(field.valid_max, float)
        values = draw.uniform(low, high, (n, *low.shape))
        if field.name in fixed:
            values[:] = fixed[field.name]
        found[field.name] = torch.from_numpy(values).float()
    return found


def side_by_side(given: dict[str, Tensor]) -> Tensor:
    return torch.cat([each if each.dim() == 2 else each[:, None] for each in given.values()], dim=1)


def emulator() -> FluxEmulator:
    of = spec()
    features = SunlitFeatures(of.inputs, THICKNESS)
    shown = features(side_by_side(columns(100)))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = nn.Sequential(
            nn.Linear(shown.shape[1], 16), nn.SiLU(), nn.Linear(16, 2 * N_INTERFACE)
        )
    inputs = Normalization(shown.mean(0).double().numpy(), shown.std(0).double().numpy() + 1e-3)
    outputs = Normalization(np.zeros(2 * N_INTERFACE), np.full(2 * N_INTERFACE, 3.0))
    partition = EnergyPartition(of, "insolation")
    return FluxEmulator(of, network, features, inputs, outputs, partition, 5.0).eval()


def test_all_the_light_ends_somewhere_and_no_layer_cools() -> None:
    given = columns(300)
    with torch.no_grad():
        up, down = (flux.double() for flux in emulator()(*given.values()))
    sun = given["insolation"].double()
    torch.testing.assert_close(down[:, 0], sun, rtol=1e-6, atol=0.0)
    assert float(up.max()) <= 0.0 <= float(down.min())
    kept = (up + down)[:, :-1] - (up + down)[:, 1:]
    # Differences of fluxes that are rounded to 4 bytes.
    assert float((kept / sun[:, None]).min()) > -1e-6
    ended = -up[:, 0] + kept.sum(dim=1) + (up + down)[:, -1]
    torch.testing.assert_close(ended, sun, rtol=1e-6, atol=0.0)


def test_no_light_ends_anywhere_at_night() -> None:
    given = columns(20, insolation=0.0, cosine_of_zenith_angle=0.0)
    with torch.no_grad():
        assert not torch.cat(emulator()(*given.values()), dim=1).any()


def test_logits_are_undone() -> None:
    partition = EnergyPartition(spec(), "insolation")
    outputs = torch.from_numpy(np.random.default_rng(2).normal(size=(50, 2 * N_INTERFACE)))
    fractions = partition.double().fractions(outputs)
    again = partition.fractions(partition.logits(fractions))
    torch.testing.assert_close(again, fractions, rtol=0.0, atol=1e-12)


def test_the_loss_is_none_where_the_parts_are_right() -> None:
    partition = EnergyPartition(spec(), "insolation")
    centre, spread = torch.full((10,), 0.3), torch.full((10,), 0.2)
    of_fluxes = FluxLoss(spread, torch.full((N_LEVEL,), 0.1), torch.tensor([0.1, 0.1]))
    loss = PartitionLoss(partition, centre, spread, of_fluxes)
    logits = torch.linspace(-1.0, 1.0, 20).reshape(2, 10)
    target = partition.fractions(logits + centre) / spread
    assert float(loss(logits, target)) == 0.0
    assert float(loss(logits + torch.eye(10)[:1], target)) > 1e-4


def test_features_in_closed_form() -> None:
    given = columns(9)
    found = SunlitFeatures(spec().inputs, THICKNESS)(side_by_side(given)).double()
    values = {name: each.double() for name, each in given.items()}
    cover, cosine = values["cloud_fraction"], values["cosine_of_zenith_angle"][:, None]
    pressure = values["surface_pressure"][:, None]
    clear = torch.cumprod(1.0 - cover, dim=1)
    torch.testing.assert_close(found[:, :4], cover, rtol=0, atol=0)
    torch.testing.assert_close(found[:, 4:8], clear, rtol=1e-4, atol=1e-6)
    above = torch.cat([torch.ones(9, 1, dtype=torch.float64), clear[:, :-1]], dim=1)
    mass = THICKNESS.double() * pressure / 9.80665
    path = 1000.0 * mass * values["cloud_water"]
    depth = 0.077 * 1.83 * torch.log10(1.0 + path) ** 3.94
    reflected = [depth / (depth + root) for root in (cosine**0.5, 0.5**0.5)]
    expected = cover * (above * reflected[0] + (1.0 - above) * reflected[1])
    torch.testing.assert_close(found[:, 8:12], expected, rtol=1e-4, atol=1e-7)
    magnified = 35.0 / (1.0 + 1224.0 * cosine**2) ** 0.5
    middle = (torch.cumsum(THICKNESS, 0) - 0.5 * THICKNESS).double()
    vapour = 0.1 * mass * values["specific_humidity"] * middle * pressure / 1e5
    vapour = vapour * (273.0 / values["temperature"]) ** 0.5
    y = torch.cumsum(vapour * (above * magnified + (1.0 - above) * 1.66), dim=1)
    taken = 2.9 * y / ((1.0 + 141.5 * y) ** 0.635 + 5.925 * y)
    torch.testing.assert_close(found[:, 12:16].cumsum(dim=1), taken, rtol=1e-4, atol=1e-6)
    ozone = 100.0 / 2.14 * mass * values["ozone"] * (above * magnified + (1.0 - above) * 1.9)
    x = ozone.cumsum(dim=1)
    filtered = 0.02118 * x / (1.0 + 0.042 * x + 0.000323 * x**2)
    filtered += 1.082 * x / (1.0 + 138.6 * x) ** 0.805 + 0.0658 * x / (1.0 + (103.6 * x) ** 3)
    torch.testing.assert_close(found[:, 16:20].cumsum(dim=1), filtered, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found[:, 22:], torch.cat([cosine, 1.0 / magnified, pressure], 1))


@pytest.mark.parametrize(
    ("land", "ice", "expected"), [(1.0, 0.0, 0.3), (0.0, 1.0, 0.3), (0.0, 0.0, 0.05 / 0.65)]
)
def test_open_water_reflects_the_beam_by_its_angle(
    land: float, ice: float, expected: float
) -> None:
    given = columns(3, land_fraction=land, ice_fraction=ice, albedo=0.3, cosine_of_zenith_angle=0.5)
    found = SunlitFeatures(spec().inputs, THICKNESS)(side_by_side(given))
    torch.testing.assert_close(found[:, 20], torch.full((3,), 0.3))
    torch.testing.assert_close(found[:, 21], torch.full((3,), expected))


def test_overcast_and_dark_columns_have_finite_features() -> None:
    given = columns(3, cloud_fraction=1.0, cloud_water=0.0, cosine_of_zenith_angle=0.0)
    given["specific_humidity"] -= 1.0
    assert SunlitFeatures(spec().inputs, THICKNESS)(side_by_side(given)).isfinite().all()


def test_missing_fields_are_named() -> None:
    fields = tuple(field for field in spec().inputs if field.name not in {"ozone", "albedo"})
    with pytest.raises(SpecError, match="got no ozone, albedo"):
        SunlitFeatures(fields, THICKNESS)


def test_the_native_engine_runs_it(tmp_path: Path) -> None:
    report = hybrid.export(emulator(), tmp_path / "sunlight.pt")
    assert report.native is not None
    assert report.native.expressed, report.native.reason
