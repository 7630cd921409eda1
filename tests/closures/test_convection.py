"""Moist convection: budgets that hold for any weights, features that say what lifted air does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import hybrid
from closures.convection import (
    ConvectionEmulator,
    ConvectionLoss,
    ConvectiveBudget,
    Head,
    MoistFeatures,
    exchange_of,
    humidity_tendency,
    temperature_tendency,
)
from closures.convection.air import (
    GAS_CONSTANT,
    GRAVITY,
    HEAT_CAPACITY,
    VAPORIZATION,
    Layers,
    Saturation,
)
from closures.errors import SpecError
from closures.field import Field
from closures.normalization import Normalization
from closures.spec import ClosureSpec

N, N_COLUMN, TIMESTEP = 5, 4000, 3600.0
THICKNESS = torch.tensor([0.1, 0.2, 0.3, 0.25, 0.15])


def spec(n_interface: int = N + 1) -> ClosureSpec:
    profiles = {
        "temperature": ("K", 190.0, 310.0),
        "specific_humidity": ("kg kg-1", 0.0, 0.02),
        "moisture_accession": ("kg kg-1 s-1", -1e-6, 1e-6),
    }
    scalars = {
        "surface_temperature": ("K", 220.0, 320.0),
        "surface_humidity": ("kg kg-1", 0.0, 0.03),
        "surface_pressure": ("Pa", 5e4, 1.05e5),
    }
    inputs = (
        *(
            Field(name, units, ("level",), (N,), valid_min=(low,) * N, valid_max=(high,) * N)
            for name, (units, low, high) in profiles.items()
        ),
        *(
            Field(name, units, valid_min=low, valid_max=high)
            for name, (units, low, high) in scalars.items()
        ),
    )
    outputs = (
        Field("condensation", "kg m-2 s-1", ("level",), (N,)),
        Field("moisture_flux", "kg m-2 s-1", ("interface",), (n_interface,)),
        Field("heat_flux", "W m-2", ("interface",), (n_interface,)),
    )
    return ClosureSpec("convection", "1.0", inputs, outputs)


def budget() -> ConvectiveBudget:
    transport = torch.cat([torch.full((N - 1,), 1e-4), torch.full((N - 1,), 50.0)])
    return ConvectiveBudget(spec(), THICKNESS, TIMESTEP, transport)


def emulator(seed: int = 0) -> ConvectionEmulator:
    of = spec()
    features = MoistFeatures(of.inputs, THICKNESS)
    shown = features(torch.cat([each.reshape(N_COLUMN, -1) for each in columns()], dim=1))
    inputs = Normalization(
        shown.mean(dim=0).double().numpy(), shown.std(dim=0).clamp(min=1e-6).double().numpy()
    )
    outputs = Normalization(np.zeros(Head(N).size), np.full(Head(N).size, 3.0))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Linear(shown.shape[1], 32), nn.SiLU(), nn.Linear(32, Head(N).size)
        )
    return ConvectionEmulator(of, network, features, inputs, outputs, budget(), 5.0).eval()


def columns() -> list[Tensor]:
    """Return inputs, in some layers of which there is hardly any humidity."""
    generator = torch.Generator().manual_seed(7)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(N_COLUMN, *shape, generator=generator)

    humidity = uniform(0.0, 0.02, N) * uniform(0.0, 1.0, N) ** 8
    humidity[::7, 2] = 0.0
    return [
        uniform(200.0, 300.0, N),
        humidity,
        uniform(-1e-6, 2e-6, N),
        uniform(230.0, 310.0),
        uniform(0.0, 0.03),
        uniform(6e4, 1.04e5),
    ]


def mass_of(pressure: Tensor) -> Tensor:
    return pressure[:, None].double() * THICKNESS.double() / GRAVITY


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_water_and_heat_close_for_any_weights(seed: int) -> None:
    given = columns()
    rain, moisture, heat = (each.detach().double() for each in emulator(seed)(*given))
    mass = mass_of(given[5])
    total = rain.sum(dim=1)
    assert 0.1 < float((total > 0.0).double().mean()) < 0.9
    assert float(rain.min()) == 0.0
    for flux in (moisture, heat):
        assert float(flux[:, [0, -1]].abs().max()) == 0.0
        assert float(flux.abs().max()) > 0.0
    # Sums of differences in double precision: what is left is rounding of double numbers.
    sink = -(mass * humidity_tendency(rain, moisture, mass)).sum(dim=1)
    torch.testing.assert_close(sink, total, rtol=0.0, atol=1e-15)
    heating = (HEAT_CAPACITY * mass * temperature_tendency(rain, heat, mass)).sum(dim=1)
    torch.testing.assert_close(heating, VAPORIZATION * total, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_layer_loses_more_humidity_than_it_has(seed: int) -> None:
    given = columns()
    rain, moisture, _ = (each.detach().double() for each in emulator(seed)(*given))
    mass = mass_of(given[5])
    humidity = given[1].double()
    after = humidity + TIMESTEP * humidity_tendency(rain, moisture, mass)
    # A flux in float32 is off by its rounding, which a dry layer takes for its own.
    rounding = 2.0**-22 * TIMESTEP * moisture.abs().amax(dim=1, keepdim=True) / mass
    assert bool((after >= -rounding).all())
    with_unlimited = emulator(seed)
    of_unlimited = with_unlimited.core.physics[0]
    assert isinstance(of_unlimited, ConvectiveBudget)
    of_unlimited.rate = 1e6
    rain, moisture, _ = (each.detach().double() for each in with_unlimited(*given))
    drained = humidity + TIMESTEP * humidity_tendency(rain, moisture, mass)
    assert float((drained.amin(dim=1) < -1e-9).double().mean()) > 0.01


def test_a_cloud_collects_and_shares_out_what_its_layers_gain() -> None:
    given = columns()
    raw = torch.cat([each.reshape(N_COLUMN, -1) for each in given], dim=1)
    raw[::2, N : 2 * N] = 0.02
    head = torch.full((N_COLUMN, Head(N).size), 30.0)
    head[:, Head(N).starts[0]] = -30.0
    moistening = 0.25
    head[:, 2] = float(torch.logit(torch.tensor(moistening)))
    out = budget()(raw, head).double()
    rain, moisture = out[:, :N], out[:, N : 2 * N + 1]
    assert float(rain[:, 0].abs().max()) == 0.0
    collected = (mass_of(given[5]) * given[2].double())[:, 1:].sum(dim=1)
    rains = rain.sum(dim=1) > 0.0
    assert bool((collected[rains] > 0.0).all())
    assert float(rain[collected <= 0.0].abs().sum()) == 0.0
    more = rain.sum(dim=1) - (1.0 - moistening) * collected
    # The limit on humidity makes less of it in some columns, never more: to the rounding of terms
    # of up to 1e-2.
    assert float(more[rains].max()) < 1e-9
    whole = rains & (more > -1e-9)
    assert 0.1 < float(whole.double().sum() / rains.sum()) < 1.0
    change = exchange_of(moisture) - rain
    expected = moistening * collected[:, None] / (N - 1) - mass_of(given[5]) * given[2].double()
    torch.testing.assert_close(change[whole][:, 1:], expected[whole][:, 1:], rtol=0.0, atol=5e-9)


def test_shallow_clouds_carry_and_do_not_rain() -> None:
    given = columns()
    raw = torch.cat([each.reshape(N_COLUMN, -1) for each in given], dim=1)
    raw[:, N : 2 * N] = 0.01
    head = torch.zeros(N_COLUMN, Head(N).size)
    head[:, 0], head[:, 1] = -1.0, 1.0
    head[:, Head(N).starts[3] :] = 0.5
    out = budget()(raw, head)
    assert float(out[:, :N].abs().max()) == 0.0
    moisture, heat = out[:, N + 1 : 2 * N], out[:, 2 * N + 2 : 3 * N + 1]
    torch.testing.assert_close(moisture, torch.full_like(moisture, 5e-5))
    torch.testing.assert_close(heat, torch.full_like(heat, 25.0))
    # Neither one nor the other: nothing happens.
    head[:, 1] = -1.0
    assert float(budget()(raw, head).abs().max()) == 0.0


def test_heights_are_those_of_an_isothermal_column() -> None:
    n, temperature = 40, 250.0
    layers = Layers(torch.full((n,), 1.0 / n, dtype=torch.float64))
    column = torch.full((1, n), temperature, dtype=torch.float64)
    found = column @ layers.heights()
    expected = -GAS_CONSTANT * temperature * torch.log(layers.middle)
    torch.testing.assert_close(found[0], expected, rtol=1e-12, atol=0.0)


def test_saturation_at_known_temperatures() -> None:
    pressure = torch.tensor([1e5])
    # 611 Pa at the melting point, 2338 Pa at 20 degrees, 1013 hPa at the boiling point.
    for temperature, vapour, tolerance in ((273.16, 610.78, 1e-5), (293.15, 2338.0, 2e-3)):
        ratio = 287.0 / 461.51
        expected = ratio * vapour / (1e5 - (1.0 - ratio) * vapour)
        found = Saturation()(torch.tensor([temperature]), pressure)
        assert float(found) == pytest.approx(expected, rel=tolerance)
    # Where vapour would have more than the whole pressure there is nothing else.
    assert float(Saturation()(torch.tensor([380.0]), pressure)) == pytest.approx(1.0)


def test_features_tell_stable_air_from_air_that_rises() -> None:
    features = MoistFeatures(spec().inputs, THICKNESS)
    middle = Layers(THICKNESS).middle
    dry = 300.0 * middle**0.286
    humid = Saturation()(dry, middle * 1e5) * 1.2
    raw = torch.cat([dry, torch.zeros(2 * N), torch.tensor([300.0, 0.01, 1e5])])[None]
    start = 4 * N
    excess, buoyancy = features(raw)[0, start : start + 2 * N].split([N, N])
    # Dry air that is lifted along a dry adiabat stays as warm as what is around it.
    assert bool((excess[:-1] < 0.0).all())
    torch.testing.assert_close(buoyancy, torch.zeros(N), rtol=0.0, atol=1e-3)
    raw[:, N : 2 * N] = humid
    excess, buoyancy = features(raw)[0, start : start + 2 * N].split([N, N])
    assert bool((excess[:-1] > 0.0).all())
    assert bool((buoyancy[:-1] > 0.0).all())
    signs = features(torch.cat([raw[:, : 2 * N], torch.full((1, N), -1e-7), raw[:, 3 * N :]], 1))
    assert bool((signs[0, 3 * N : 4 * N] < 0.0).all())


def test_the_loss_is_least_for_the_truth() -> None:
    given = columns()
    raw = torch.cat([each.reshape(N_COLUMN, -1) for each in given], dim=1)
    raw[:, N : 2 * N] = 0.02
    of = budget()
    generator = torch.Generator().manual_seed(1)
    sure = 20.0 * (2.0 * torch.randint(0, 2, (N_COLUMN, Head(N).size), generator=generator) - 1.0)
    truth = torch.randn(N_COLUMN, Head(N).size, generator=generator)
    truth[:, :2] = sure[:, :2]
    truth[:, Head(N).starts[0] : Head(N).starts[1]] = sure[:, 3 : 3 + N]
    out = of(raw, truth)
    rain, moisture = out[:, :N], out[:, N : 2 * N + 1]
    is_deep = (rain.sum(dim=1) > 0.0).float()
    is_shallow = (1.0 - is_deep) * (out[:, 2 * N + 1 :].abs().sum(dim=1) > 0.0)
    truth[:, 0], truth[:, 1] = 40.0 * is_deep - 20.0, 40.0 * is_shallow - 20.0
    change = torch.where(is_deep[:, None] > 0.0, exchange_of(moisture) - rain, 0.0)
    inside = truth[:, 3 : 3 + N] > 0.0
    change = torch.where(inside, change, 0.0)
    fluxes = truth[:, Head(N).starts[3] :] * is_shallow[:, None]
    target = torch.cat([of.supply(raw), rain, change, fluxes], dim=1)
    loss = ConvectionLoss(of, torch.full((N,), 1e-4), torch.full((N,), 1e-4), 1e-4)
    assert float(loss(truth, target)) == pytest.approx(0.0, abs=2e-3)
    for i in (0, 1, 2, 4, Head(N).starts[1], Head(N).starts[3]):
        other = truth.clone()
        other[:, i] = -other[:, i] - 1.0
        assert float(loss(other, target)) > 0.02


def test_the_archive_runs_natively(tmp_path: Path) -> None:
    verdict = hybrid.export(emulator(), tmp_path / "convection.pt").native
    assert verdict is not None
    assert verdict.expressed, verdict.reason


def test_other_outputs_and_missing_inputs_are_refused() -> None:
    of = spec(N)
    features = MoistFeatures(of.inputs, THICKNESS)
    one = Normalization(np.zeros(1), np.ones(1))
    with pytest.raises(SpecError, match=r"expected outputs .* 6 values; got .* moisture_flux with"):
        ConvectionEmulator(of, nn.Identity(), features, one, one, budget())
    with pytest.raises(SpecError, match="got no temperature"):
        MoistFeatures(of.inputs[1:], THICKNESS)
