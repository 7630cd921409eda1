"""Samples of two schemes of moist convection, and what is learned from them."""

import numpy as np
import pytest
import torch
import xarray as xr

from closures.convection import MoistFeatures
from closures.convection.air import GRAVITY, HEAT_CAPACITY, VAPORIZATION
from closures.convection.features import NAMES
from hybrid.experiments.multifidelity.bed import Tables
from hybrid.experiments.plasim.fidelities.bed import (
    CHEAP,
    PRESENT,
    WARM,
    SteadyFeatures,
    convection_bed,
    convection_tables,
    kuo_tendencies,
)
from hybrid.experiments.plasim.schemes import layer_thickness

N_LEVEL, N_MOMENT, N_COLUMN = 10, 96, 6


def columns(seed: int, warmer: float = 0.0) -> xr.Dataset:
    """Return columns of 96 moments whose temperature tells which they are of."""
    rng = np.random.default_rng(seed)
    n = N_MOMENT * N_COLUMN
    moment = np.repeat(np.arange(N_MOMENT), N_COLUMN)
    units = {"temperature": "K", "surface_temperature": "K", "surface_pressure": "Pa"}

    def variable(name: str, values: np.ndarray, dim: str = "level") -> xr.Variable:
        dims = ("column", dim)[: values.ndim]
        return xr.Variable(dims, values.astype(np.float32), {"units": units.get(name, "1")})

    profiles = {
        "temperature": 280.0 + warmer + moment[:, np.newaxis] + np.zeros((n, N_LEVEL)),
        "specific_humidity": rng.uniform(1e-4, 1e-2, (n, N_LEVEL)),
        "moisture_accession": rng.normal(0.0, 1e-8, (n, N_LEVEL)),
        "condensation": rng.uniform(0.0, 1e-5, (n, N_LEVEL)),
        **{
            f"{cheap}_{what}": np.full((n, N_LEVEL), value)
            for cheap, value in (("betts_miller", 1.0), ("adjustment", 2.0))
            for what in ("heating", "moistening")
        },
    }
    scalars = {
        "surface_temperature": 285.0 + warmer + rng.normal(size=n),
        "surface_humidity": rng.uniform(0.001, 0.01, n),
        "surface_pressure": rng.uniform(9e4, 1e5, n),
    }
    inside = rng.normal(0.0, 1e-5, (n, N_LEVEL - 1))
    fluxes = {"moisture_flux": inside, "heat_flux": 1e6 * inside}
    return xr.Dataset(
        {name: variable(name, values) for name, values in {**profiles, **scalars}.items()}
        | {
            name: variable(name, np.pad(values, ((0, 0), (1, 1))), "interface")
            for name, values in fluxes.items()
        }
        | {"step": ("column", moment * 37)}
    )


@pytest.fixture(scope="module")
def tables() -> Tables:
    return convection_tables("betts_miller", columns(1), columns(2, 4.0))


def test_no_moment_is_in_two_tables(tables: Tables) -> None:
    # The temperature of the first layer tells moment and climate.
    seen = {
        name: set(table.inputs[:, 0].tolist())
        for name, table in {"low": tables.low, "high": tables.high, **tables.tests}.items()
    }
    # A moment of the warm climate has the temperature of one of the present, 4 later.
    present = {t for t in seen["low"] if t < 280.0 + N_MOMENT}
    assert not seen["high"] & seen[PRESENT]
    low = tables.low
    is_warm = np.concatenate([[False], np.diff(low.inputs[:, 0]) < 0.0]).cumsum() > 0
    of_present = set(low.inputs[~is_warm, 0].tolist())
    of_warm = set(low.inputs[is_warm, 0].tolist())
    assert of_present <= present
    assert not of_present & (seen["high"] | seen[PRESENT])
    assert not of_warm & seen[WARM]
    assert len(seen["high"]) == 10
    assert len(seen[PRESENT]) == len(seen[WARM]) == 16
    assert len(of_present) == 30
    assert len(of_warm) == 40
    # A group is one moment of one climate.
    for table in (low, tables.high, *tables.tests.values()):
        _, size = np.unique(table.group, return_counts=True)
        assert set(size) == {N_COLUMN}
    assert len(np.unique(low.group)) == 30 + 40


def test_low_fidelity_is_the_cheap_scheme_and_all_else_is_kuo(tables: Tables) -> None:
    assert (tables.low.outputs == 1.0).all()
    for table in (tables.low, tables.high, *tables.tests.values()):
        assert table.code is not None
        assert (table.code == 1.0).all()
    assert (convection_tables("adjustment", columns(1), columns(2)).low.outputs == 2.0).all()
    whole = kuo_tendencies(columns(1))
    first = columns(1)["temperature"].to_numpy()[:, 0]
    of_high = np.isin(first, tables.high.inputs[:, 0])
    np.testing.assert_array_equal(tables.high.outputs, whole[of_high])


def test_tendencies_are_those_of_condensation_and_fluxes() -> None:
    found = columns(3)
    mass = found["surface_pressure"].to_numpy()[:, np.newaxis] * layer_thickness(N_LEVEL) / GRAVITY
    rain = found["condensation"].to_numpy().sum(axis=1)
    tendencies = kuo_tendencies(found)
    heating, moistening = tendencies[:, :N_LEVEL], tendencies[:, N_LEVEL:]
    np.testing.assert_allclose(-(moistening * mass).sum(axis=1), rain, rtol=1e-5)
    np.testing.assert_allclose(
        HEAT_CAPACITY * (heating * mass).sum(axis=1), VAPORIZATION * rain, rtol=1e-4
    )


@pytest.mark.parametrize("cheap", list(CHEAP))
def test_the_bed_scores_by_mass_and_shows_no_temperatures(cheap: str) -> None:
    found = columns(1)
    bed = convection_bed(cheap, found)
    assert [field.name for field in bed.spec.inputs] == list(NAMES)
    assert bed.mass.reshape(2, -1).sum(axis=1) == pytest.approx([1.0 / GRAVITY] * 2)
    assert bed.vertical is not None
    assert (np.diff(bed.vertical) > 0.0).all()
    steady = bed.inputs["invariant"].derived
    assert isinstance(steady, SteadyFeatures)
    tables = convection_tables(cheap, found, columns(2, 4.0))
    raw = torch.from_numpy(tables.high.inputs).float()
    assert raw.shape[1] == bed.inputs["raw"].n_feature
    shown = steady(raw)
    assert shown.shape[1] == bed.inputs["invariant"].n_feature
    every = MoistFeatures(bed.spec.inputs, torch.from_numpy(layer_thickness(N_LEVEL)))(raw)
    left_out = sorted(set(range(every.shape[1])) - set(steady.kept.tolist()))
    ground = raw[:, [-3, -2]]
    np.testing.assert_array_equal(
        every[:, left_out].numpy(), torch.cat([raw[:, :N_LEVEL], ground], dim=1).numpy()
    )
