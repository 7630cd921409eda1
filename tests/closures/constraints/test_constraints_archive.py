"""Physics layers in an archive, called through the bridge and from Fortran."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import constraint_oracle as oracle
import numpy as np
import pytest
import torch
from constrained_columns import (
    FLUXES,
    HEATED,
    JOINT,
    UNITS,
    V1_ALBEDO,
    Array,
    Constrained,
    Months,
    Names,
    even_levels,
    packed,
    random_columns,
    ranges_of,
)
from numpy.typing import NDArray

import hybrid
from closures.constraints import (
    EXACT,
    LAYERS,
    HybridLevels,
    PhysicsConfig,
    TrainingLimits,
    physics_layers,
)
from fortran_bridge.hosts import FortranBinding, FortranClosure

Z = dict[str, Array]
Packed = NDArray[np.float32]
NAMES = {"V1_albedo": V1_ALBEDO, "heated": HEATED, "joint": JOINT}
LAYERS_OF = {"V1_albedo": EXACT, "heated": LAYERS, "joint": (*EXACT, "moisture", "saturation")}
STEP = 1200.0


def closure_of(
    kind: str, inputs: Packed, outputs: Packed, levels: HybridLevels, config: PhysicsConfig
) -> Constrained:
    names = NAMES[kind]
    ranges = ranges_of(names, levels.n_level)
    limits = TrainingLimits.fit(inputs, outputs, ranges)
    layers = physics_layers(config, ranges, levels, limits)
    return Constrained(names, levels.n_level, inputs, outputs, layers)


def in_float64(fields: Mapping[str, NDArray[Any]]) -> Z:
    return {name: values.astype(np.float64) for name, values in fields.items()}


def with_humidity(fields: Z, levels: HybridLevels) -> Z:
    saturated = oracle.saturation(fields["state_t"], oracle.pressure(fields, levels))
    return {**fields, "state_rh": fields["state_q0001"] / saturated}


def assert_laws(kind: str, x: Z, z: Z, levels: HybridLevels, night: dict[str, float]) -> None:
    """What the closure promises, from the host's inputs `x` and outputs `z` as float64."""
    net = oracle.net_sunlight(x, z)
    np.testing.assert_allclose(z["cam_out_netsw"], net, rtol=1e-6, atol=0)
    assert ((z["cam_out_precsc"] >= 0) & (z["cam_out_precsc"] <= z["cam_out_precc"])).all()
    assert (z["cam_out_flwds"] >= 1.0).all()
    dark = x["pbuf_solin"] <= 0.0
    for name in FLUXES:
        assert (z[name] >= 0.0).all()
        assert (z[name][dark] <= np.float32(night[name])).all()
    assert not z["ptend_q0001"][:, 4:12].any()
    left = oracle.vapour(x, levels) + STEP * z["ptend_q0001"]
    if "moisture" in LAYERS_OF[kind]:
        # Wild clouds may ask for more vapour than there is.
        possible = oracle.closable(x, z, levels)
        assert possible.mean() > 0.5
        left = left[possible]
    assert (left >= 0.0).all()
    for name in ("q0002", "q0003", "qn"):
        if f"ptend_{name}" in z:
            assert (x[f"state_{name}"] + STEP * z[f"ptend_{name}"] >= 0.0).all()
            assert not z[f"ptend_{name}"][:, :12].any()
    if "moisture" in LAYERS_OF[kind]:
        assert np.abs(oracle.moisture_gap(x, z, levels)).max() <= 1e-6
    if "energy" in LAYERS_OF[kind]:
        heating, magnitude = oracle.energy_terms(x, z, levels)
        assert (np.abs(heating - x["column_heating"]) <= 1e-6 * magnitude).all()


@pytest.mark.parametrize("engine", ["native", "torchscript"])
def test_archive_gives_what_python_gives(engine: str, tmp_path: Path) -> None:
    levels = even_levels(20)
    inputs, outputs = random_columns(HEATED, 100, 20, seed=1)
    config = PhysicsConfig(LAYERS, zero_levels={"ptend_q0001": (0, 2)}, first_level=3)
    closure = closure_of("heated", inputs, outputs, levels, config)
    hybrid.export(closure, tmp_path / "constrained.pt")
    columns = inputs[:32]
    parts = ranges_of(HEATED, 20).inputs
    fields = {n: columns[:, p] if n in UNITS else columns[:, p.start] for n, p in parts.items()}
    found = hybrid.load(tmp_path / "constrained.pt", engine=engine).evaluate(fields)
    with torch.no_grad():
        expected = closure(*(torch.from_numpy(np.ascontiguousarray(v)) for v in fields.values()))
        raw = closure.packed.raw(torch.from_numpy(columns))
    for name, values in zip(HEATED[1], expected, strict=True):
        np.testing.assert_allclose(found[name], values.numpy(), rtol=2e-4, atol=1e-12)
    x, z = in_float64(fields), in_float64(found)
    np.testing.assert_allclose(z["cam_out_netsw"], oracle.net_sunlight(x, z), rtol=1e-6, atol=0)
    assert np.abs(oracle.moisture_gap(x, z, levels)).max() <= 1e-6
    # Without the layers the same network breaks all that.
    free = raw.numpy()[:, ranges_of(HEATED, 20).outputs["cam_out_netsw"].start]
    assert np.abs(free - z["cam_out_netsw"]).max() > 1.0


@pytest.fixture(scope="module", params=list(NAMES))
def real_archive(
    request: pytest.FixtureRequest,
    real_months: Months,
    real_levels: HybridLevels,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Path, dict[str, float]]:
    """Kind of an archive made for real columns of every month, its path, its night limits."""
    kind: str = request.param
    names: Names = NAMES[kind]
    every = [with_humidity(fields, real_levels) for fields in real_months.values()]
    inputs = np.concatenate([packed(fields, names[0]) for fields in every])
    outputs = np.concatenate([packed(fields, names[1]) for fields in every])
    config = PhysicsConfig(LAYERS_OF[kind])
    path = tmp_path_factory.mktemp("constrained") / f"{kind}.pt"
    hybrid.export(closure_of(kind, inputs, outputs, real_levels, config), path)
    limits = TrainingLimits.fit(inputs, outputs, ranges_of(names, 60))
    return kind, path, limits.night


@pytest.mark.fortran
@pytest.mark.parametrize("engine", ["native", "torchscript"])
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_laws_hold_when_fortran_calls_on_real_columns_of_every_month(
    real_archive: tuple[str, Path, dict[str, float]],
    real_months: Months,
    real_levels: HybridLevels,
    real: type,
    engine: str,
) -> None:
    kind, path, night = real_archive
    names = NAMES[kind]
    fortran = FortranClosure(path, engine=engine)
    for fields in real_months.values():
        # What the closure reads is float32; a host in float64 may have it as such.
        host: dict[str, NDArray[Any]] = {
            name: np.asfortranarray(values.astype(np.float32).astype(real))
            for name, values in with_humidity(fields, real_levels).items()
            if name in names[0]
        }
        binding = FortranBinding(fortran, 384)
        for name, values in host.items():
            dims = "column,level" if name in UNITS else "column"
            binding.put(name, values, dims=dims, units=fortran.units(name))
        binding.apply(1)
        z: dict[str, NDArray[Any]] = {}
        for name in names[1]:
            profile = name in UNITS
            found: NDArray[Any] = np.zeros((384, 60) if profile else (384,), real, order="F")
            dims = "column,level" if profile else "column"
            binding.get(name, found, dims=dims, units=fortran.units(name))
            z[name] = found
        assert_laws(kind, in_float64(host), in_float64(z), real_levels, night)
        binding.free()


@pytest.mark.fortran
def test_host_with_more_digits_sees_net_sunlight_to_rounding_of_the_flux(
    real_archive: tuple[str, Path, dict[str, float]],
    real_months: Months,
    real_levels: HybridLevels,
) -> None:
    """With albedos in float64, 1 - albedo is known to 6e-8 of 1, not of itself."""
    kind, path, _ = real_archive
    names = NAMES[kind]
    closure = hybrid.load(path)
    for fields in real_months.values():
        x = {n: v for n, v in with_humidity(fields, real_levels).items() if n in names[0]}
        z = in_float64(closure.evaluate(x))
        error = np.abs(z["cam_out_netsw"] - oracle.net_sunlight(x, z))
        down = np.sum([z[name] for name in FLUXES], axis=0)
        assert (error <= 1.2e-7 * down).all()
        assert (down > 0.0).any()
