"""Every emulator of the registry: verified, run by the Fortran column host, its physics exact.

The identities are checked in the files that the host wrote, from the columns of one file of every
month: generated ones always, and ClimSim's own where these are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from climsim_emulators import (
    ISOLATED,
    RESULTS,
    columns_of,
    emulator,
    exact_layers,
    levels_of,
)
from climsim_folder import real_climsim_folder
from constrained_columns import one_pair_a_month
from numpy.typing import NDArray

import hybrid
from closures.climsim.files import Columns, Pair
from closures.climsim.variables import VariableSet
from closures.columns.emulator import Results
from closures.columns.registry import ARCHITECTURES
from closures.constraints import FieldRanges, TrainingLimits
from fortran_bridge.hosts import run_columns
from hybrid.climsim_sample import SampleConfig, write_sample
from hybrid.verify import verify

pytestmark = pytest.mark.fortran

Array = NDArray[np.float64]
Variables = Mapping[str, Array]

ALBEDO_OF = {
    "cam_out_SOLS": "cam_in_ASDIR",
    "cam_out_SOLL": "cam_in_ALDIR",
    "cam_out_SOLSD": "cam_in_ASDIF",
    "cam_out_SOLLD": "cam_in_ALDIF",
}
ZERO_LEVELS = {
    "state_q0001": slice(4, 12),
    **{f"state_{name}": slice(0, 12) for name in ("q0002", "q0003", "u", "v")},
}


@dataclass(frozen=True)
class Months:
    """One pair a month, and what emulators of it are made from."""

    folder: Path
    pairs: tuple[Pair, ...]

    def columns(self, kind: str) -> tuple[VariableSet, Columns]:
        return columns_of(self.pairs, kind)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Months:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, SampleConfig(n_per_month=3, months=(1, 7), seed=4))
    return Months(folder, tuple(one_pair_a_month(folder)))


@pytest.fixture(scope="module")
def real() -> Months:
    folder = real_climsim_folder()
    months = Months(folder, tuple(one_pair_a_month(folder)))
    assert len(months.pairs) >= 8
    return months


@pytest.fixture(scope="module", params=["generated", "real"])
def months(request: pytest.FixtureRequest) -> Months:
    found: Months = request.getfixturevalue(request.param)
    return found


def read(path: Path) -> dict[str, Array]:
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        return {name: np.asarray(variable[...]).T for name, variable in file.variables.items()}


def assert_identities(
    before: Variables, after: Variables, layers: tuple[str, ...], night: Mapping[str, float]
) -> None:
    """The statement of every layer, from a file read and a file written alone."""
    assert (
        (after["cam_out_PRECSC"] >= 0) & (after["cam_out_PRECSC"] <= after["cam_out_PRECC"])
    ).all()
    assert (after["cam_out_FLWDS"] > 0.0).all()
    if "net_sunlight" in layers:
        # As the closure reads them: see `NetSunlight` on albedos near 1.
        net, down = (
            sum(after[flux] * (1.0 - weight * np.float32(before[albedo]).astype(np.float64))
                for flux, albedo in ALBEDO_OF.items())
            for weight in (1.0, 0.0)
        )  # fmt: skip
        np.testing.assert_allclose(after["cam_out_NETSW"], net, rtol=1e-6, atol=0)
        exact = sum(after[flux] * (1.0 - before[albedo]) for flux, albedo in ALBEDO_OF.items())
        assert (np.abs(after["cam_out_NETSW"] - exact) <= 1.2e-7 * down).all()
        assert np.max(down) > 10.0
    if "night" in layers:
        dark = before["pbuf_SOLIN"] <= 0.0
        assert dark.any()
        for flux in ALBEDO_OF:
            assert (after[flux][dark] <= np.float32(night[flux.lower()])).all()
    for name, levels in ZERO_LEVELS.items():
        np.testing.assert_array_equal(after[name][:, levels], before[name][:, levels])
    for name in ("state_q0001", "state_q0002", "state_q0003"):
        # The closure knows what there is to six or seven digits.
        assert (after[name] >= -1e-6 * before[name]).all(), name


def check(
    name: str, kind: str, results: Results, months: Months, folder: Path, preset: str = "tiny"
) -> None:
    """Export, verify, run in Fortran over every month, and check the files."""
    variables, columns = months.columns(kind)
    layers, physics = exact_layers(variables, columns, levels_of(months.folder))
    closure = emulator(name, variables, columns, results, physics, preset)
    archive = folder / "a.pt"
    hybrid.export(closure, archive)
    report = verify(archive)
    assert report.ok, report.rows
    assert {row.engine for row in report.rows} >= {"torchscript", "c", "fortran"}
    files = [(pair.mli, folder / pair.mlo.name) for pair in months.pairs]
    timing = run_columns(archive, files, folder, seed=1)
    assert timing.n_column == 384 * len(files)
    ranges = FieldRanges.of_variables(variables)
    night = TrainingLimits.fit(columns.inputs, columns.outputs, ranges).night
    moved = 0.0
    for mli, mlo in files:
        before, after = read(mli), read(mlo)
        assert all(np.isfinite(values).all() for values in after.values())
        assert_identities(before, after, layers, night)
        moved += float(np.abs(after["state_t"] - before["state_t"]).max())
    assert moved > 0.0


@pytest.mark.parametrize(
    ("name", "kind", "results"),
    [("mlp", "V1", "mean"), ("cnn", "V1_albedo", "mean"), ("rpn", "v2_rh_mc", "members")],
)
def test_emulators_are_exact_in_fortran(
    name: str, kind: str, results: Results, generated: Months, tmp_path: Path
) -> None:
    check(name, kind, results, generated, tmp_path)


def test_an_emulator_is_exact_on_real_columns(real: Months, tmp_path: Path) -> None:
    check("mlp", "V1_albedo", "mean", real, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["V1_albedo", "v2_rh_mc"])
@pytest.mark.parametrize(("name", "results"), RESULTS)
def test_every_emulator_is_exact_in_fortran(
    name: str, kind: str, results: Results, months: Months, tmp_path: Path
) -> None:
    check(name, kind, results, months, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ISOLATED)
def test_every_variable_set_is_exact_in_fortran(kind: str, months: Months, tmp_path: Path) -> None:
    check("mlp", kind, "mean", months, tmp_path, preset="published")


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_small_networks_are_exact_in_fortran(name: str, generated: Months, tmp_path: Path) -> None:
    check(name, "V1_albedo", "mean", generated, tmp_path, preset="small")


def test_without_the_layers_the_identities_break(generated: Months, tmp_path: Path) -> None:
    variables, columns = generated.columns("V2")
    hybrid.export(emulator("mlp", variables, columns), tmp_path / "a.pt")
    pair = generated.pairs[0]
    run_columns(tmp_path / "a.pt", [(pair.mli, tmp_path / "out.nc")], tmp_path)
    before, after = read(pair.mli), read(tmp_path / "out.nc")
    net = sum(after[flux] * (1.0 - before[albedo]) for flux, albedo in ALBEDO_OF.items())
    assert np.abs(after["cam_out_NETSW"] - net).max() > 1.0
    assert (after["cam_out_PRECSC"] > after["cam_out_PRECC"]).any()
    assert (after["state_q0001"] < -1e-6 * before["state_q0001"]).any()
