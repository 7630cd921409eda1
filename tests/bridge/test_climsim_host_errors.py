"""Bad files, full disks and closures that do not fit: a clear error, and no file half written."""

from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import torch
from climsim_emulators import columns_of, emulator
from consecutive_steps import spoil, truncate, with_levels, without
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field
from closures.climsim.files import Pair, list_pairs
from closures.climsim.variables import variable_set
from closures.columns.emulator import ColumnEmulator
from closures.columns.layout import ColumnLayout
from closures.columns.registry import build
from closures.normalization import Normalization
from fortran_bridge.errors import HostError
from fortran_bridge.hosts import run_columns
from hybrid.climsim_sample import SampleConfig, write_sample

pytestmark = pytest.mark.fortran


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, SampleConfig(n_per_month=3, months=(3,), seed=2))
    return list_pairs(folder)[0]


@pytest.fixture(scope="module")
def archive(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archive for the variables v2_rh_mc, three of which are derived."""
    path = tmp_path_factory.mktemp("archives") / "mlp.pt"
    hybrid.export(emulator("mlp", *columns_of([pair], "v2_rh_mc")), path)
    return path


def error_of(archive: Path, mli: Path, folder: Path) -> str:
    with pytest.raises(HostError) as caught:
        run_columns(archive, [(mli, folder / "out.nc")], folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, "bytes, got 1797728: the file is cut off; download it again"),
        (spoil, "state_t: expected finite values, got NaN in column 8 of 384"),
        (lambda path: without(path, "pbuf_TAUX"), "variable pbuf_TAUX: NetCDF: Variable not found"),
        (lambda path: without(path, "state_pmid"), "variable state_pmid: NetCDF: Variable not"),
        (lambda path: without(path, "ymd"), "variable ymd: NetCDF: Variable not found"),
        (
            lambda path: with_levels(path, 40),
            "state_t: expected 60 levels, as the closure has, got 40; regrid the columns or export",
        ),
        (lambda path: path.write_bytes(b""), "NetCDF: Unknown file format"),
        (lambda path: path.unlink(), "No such file or directory"),
    ],
    ids=["cut off", "NaN", "variable", "derived from", "date", "levels", "empty", "absent"],
)
def test_a_bad_file_is_named_and_leaves_nothing(
    damage: Callable[[Path], object], message: str, archive: Path, pair: Pair, tmp_path: Path
) -> None:
    mli = tmp_path / "in.nc"
    mli.write_bytes(pair.mli.read_bytes())
    damage(mli)
    found = error_of(archive, mli, tmp_path)
    assert "in.nc" in found
    assert message in found
    assert not list(tmp_path.glob("out.nc*"))


def test_a_date_without_a_month(archive: Path, pair: Pair, tmp_path: Path) -> None:
    mli = tmp_path / "in.nc"
    mli.write_bytes(pair.mli.read_bytes())
    with netCDF4.Dataset(mli, "a") as file:
        file["ymd"][...] = 81301
    assert "expected a date as year, month and day in one number ymd" in error_of(
        archive, mli, tmp_path
    )


def test_a_full_disk_leaves_the_file_that_was_there(
    archive: Path, pair: Pair, tmp_path: Path
) -> None:
    run_columns(archive, [(pair.mli, tmp_path / "out.nc")], tmp_path)
    before = (tmp_path / "out.nc").read_bytes()
    # Every write to this device fails as on a full disk.
    (tmp_path / "out.nc.part").symlink_to("/dev/full")
    assert "out.nc: No space left on device" in error_of(archive, pair.mli, tmp_path)
    assert (tmp_path / "out.nc").read_bytes() == before
    assert [path.name for path in tmp_path.glob("out.nc*")] == ["out.nc"]


def test_a_place_that_cannot_be_written(archive: Path, pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"nowhere/out\.nc: No such file or directory"):
        run_columns(archive, [(pair.mli, tmp_path / "nowhere" / "out.nc")], tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(HostError, match="expected a place where a file can be renamed to this"):
        run_columns(archive, [(pair.mli, tmp_path / "folder")], tmp_path)


class Ones(Closure):
    """One input, one output."""

    column: Tensor

    def __init__(self, source: Field, output: Field) -> None:
        super().__init__(ClosureSpec("ones", "1.0", (source,), (output,)))
        self.register_buffer("column", torch.ones(1, *output.sizes))

    def forward(self, source: Tensor) -> tuple[Tensor]:
        return (self.column.repeat_interleave(source.shape[0], dim=0),)


def profile(name: str, units: str, n_level: int = 60) -> Field:
    return Field(name, units, ("level",), (n_level,))


TEMPERATURE = profile("state_t", "K")


@pytest.mark.parametrize(
    ("source", "output", "message"),
    [
        (
            profile("state_t_dyn", "K s-1"),
            profile("ptend_t", "K s-1"),
            "state_t_dyn: expected a field of one time step, got one of the steps before, which s",
        ),
        (
            Field("tm_state_ps", "Pa"),
            Field("cam_out_flwds", "W m-2"),
            "tm_state_ps: expected a field of one time",
        ),
        (
            Field("clat", "1"),
            Field("trigger", "1"),
            "clat: expected a field of an mli file, got one of the grid; export",
        ),
        (
            Field("sea_ice", "1"),
            Field("trigger", "1"),
            "sea_ice: expected a field that an mli file gives, got another; export",
        ),
        (
            TEMPERATURE,
            profile("ptend_w", "K s-1"),
            "ptend_w: expected a tendency or a scalar of an mlo file, got another output; export",
        ),
        (
            profile("state_t", "K", 40),
            profile("ptend_t", "K s-1", 40),
            "state_t: expected 40 levels, as the closure has, got 60; regrid the columns or export",
        ),
        (
            Field("state_t", "K"),
            Field("trigger", "1"),
            "state_t: expected 1 levels, as the closure has, got 60",
        ),
        (
            profile("state_ps", "Pa"),
            profile("ptend_t", "K s-1"),
            "state_ps: expected rank 2",
        ),
        (
            profile("state_t", "kg"),
            profile("ptend_t", "K s-1"),
            "state_t: expected units",
        ),
        (
            TEMPERATURE,
            profile("ptend_t", "K s-1", 90),
            "ptend_t: expected 90 levels, as the closure has, got 60",
        ),
    ],
)
def test_a_closure_that_does_not_fit_is_refused_by_its_field(
    source: Field, output: Field, message: str, pair: Pair, tmp_path: Path
) -> None:
    hybrid.export(Ones(source, output), tmp_path / "a.pt")
    assert message in error_of(tmp_path / "a.pt", pair.mli, tmp_path)
    assert not list(tmp_path.glob("out.nc*"))


@pytest.mark.parametrize("kind", ["v4", "v5", "v6"])
def test_variables_that_need_steps_before_are_refused(
    kind: str, pair: Pair, tmp_path: Path
) -> None:
    fields = tuple(variable.field for variable in variable_set(kind).inputs)
    spec = ClosureSpec(kind, "1.0", fields, (profile("ptend_t", "K s-1"),))
    layout = ColumnLayout.of_fields(spec.inputs, spec.outputs)
    inputs, outputs = (Normalization(np.zeros(n), np.ones(n)) for n in (layout.n_input, 60))
    path = tmp_path / f"{kind}.pt"
    hybrid.export(ColumnEmulator(spec, build("mlp", layout, "tiny"), inputs, outputs).eval(), path)
    message = error_of(path, pair.mli, tmp_path)
    assert f"{kind}.pt: state_t_dyn: expected a field of one time step, got one of" in message
