"""``hybrid inspect`` and ``hybrid verify``, and the names that ``import hybrid`` offers."""

import importlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import FunctionType

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner, Result

import hybrid
from closures import Closure, ClosureSpec, Field
from hybrid.cli import app
from hybrid.verify import VerifyReport, VerifyRow


class Column(Closure):
    """A closure with one field of each kind."""

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="column",
                version="2.1",
                inputs=(
                    Field(
                        "state_t",
                        "K",
                        ("level",),
                        (3,),
                        valid_min=(180.0, 190.5, 200.0),
                        valid_max=(300.0, 310.25, 305.0),
                    ),
                    Field("state_ps", "Pa", valid_min=5.0e4),
                ),
                outputs=(Field("ptend_t", "K s-1", ("level",), (3,)),),
                state=(Field("residual", "K s-1"),),
                noise=(Field("draw", "1"),),
                description="relaxation [with brackets]",
                references=("Held and Suarez (1994)",),
                provenance={"data": "none"},
            )
        )

    def forward(
        self, state_t: Tensor, state_ps: Tensor, residual: Tensor, draw: Tensor
    ) -> tuple[Tensor, Tensor]:
        new = 0.9 * residual + 0.1 * draw
        tendency = (250.0 - state_t) * 1.0e-5 + (new + 1.0e-9 * state_ps).unsqueeze(1)
        return (tendency, new)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "column.pt"
    hybrid.export(Column(), path)
    return path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def cells(output: str) -> list[list[str]]:
    rows = [re.split("[│┃]", line) for line in output.splitlines()]
    return [[cell.strip() for cell in row[1:-1]] for row in rows if len(row) > 2]


def test_inspect_prints_every_field(archive: Path) -> None:
    result = call("inspect", archive)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].strip() == "column 2.1"
    assert cells(result.stdout)[:6] == [
        ["group", "name", "units", "dims", "shape", "dtype", "range"],
        ["input", "state_t", "K", "column, level", "3", "float32", "180 .. 310.2"],
        ["input", "state_ps", "Pa", "column", "", "float32", "5e+04 .. inf"],
        ["output", "ptend_t", "K s-1", "column, level", "3", "float32", "unchecked"],
        ["state", "residual", "K s-1", "column", "", "float32", "unchecked"],
        ["noise", "draw", "1", "column", "", "float32", "unchecked"],
    ]
    assert "level 1 is the top of the model" in result.stdout


def test_inspect_prints_identity_origin_and_hashes(archive: Path) -> None:
    rows = {row[0]: row[-1] for row in cells(call("inspect", archive).stdout)[6:]}
    assert rows["description"] == "relaxation [with brackets]"
    assert rows["locality"] == "column"
    assert rows["format"] == "1.1"
    assert rows["engine"] == "torchscript"
    assert rows["native engine"].startswith("yes: within ")
    assert rows["engine by 'auto'"] == "native; on a GPU torchscript"
    assert rows["reference 1"] == "Held and Suarez (1994)"
    assert rows["data"] == "none"
    assert rows["written with"].startswith(f"hybrid-closures {hybrid.__version__}, python 3.")
    with zipfile.ZipFile(archive) as file:
        n_entry = len(file.namelist()) - 1
    assert rows["hashes"] == f"{n_entry} entries, all as recorded"


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_missing_archive_is_one_message(command: str, tmp_path: Path) -> None:
    path = tmp_path / "absent.pt"
    result = call(command, path)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {path}: expected a closure archive, got no such file")


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_changed_archive_is_refused(command: str, archive: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.pt"
    changed.write_bytes(archive.read_bytes())
    with zipfile.ZipFile(changed, "a") as file:
        file.writestr("column/extra/added.txt", "added after the export")
    result = call(command, changed)
    assert result.exit_code == 1
    assert "was changed after the export" in result.stderr


@pytest.mark.fortran
def test_verify_prints_engines_by_batch_size(archive: Path) -> None:
    result = call("verify", archive)
    assert "without two bounds: state_ps, residual; compared near 0" in result.stdout
    assert result.exit_code == 0, result.stderr
    header, *rows = cells(result.stdout)
    assert header == ["engine", "1 column", "7 columns", "16 columns", "384 columns", "bound"]
    assert {"torchscript", "c", "fortran"} <= {row[0] for row in rows}
    for row in rows:
        assert max(float(cell) for cell in row[1:5]) <= float(row[5])
    assert result.stdout.endswith(f"{archive}: all within the bound\n")


def test_verify_ends_with_1_if_a_difference_is_beyond_the_bound(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (
        VerifyRow("torchscript", 1, 0.0, 4.0),
        VerifyRow("torchscript", 7, 1.25, 4.0),
        VerifyRow("fortran", 1, 3.5, 4.0),
        VerifyRow("fortran", 7, 512.0, 4.0),
    )
    monkeypatch.setattr(
        importlib.import_module("hybrid.verify"),
        "verify",
        lambda path: VerifyReport(path, rows),
    )
    result = call("verify", archive)
    assert result.exit_code == 1
    assert cells(result.stdout) == [
        ["engine", "1 column", "7 columns", "bound"],
        ["torchscript", "0", "1.25", "4"],
        ["fortran", "3.5", "512", "4"],
    ]
    assert result.stdout.endswith(f"{archive}: differs beyond the bound\n")


def test_export_is_the_function_also_once_its_module_is_imported() -> None:
    module = importlib.import_module("hybrid.export")
    assert isinstance(hybrid.export, FunctionType)
    assert hybrid.export is module.export


def test_public_names_are_there_and_nothing_else() -> None:
    for name in hybrid.__all__:
        assert getattr(hybrid, name) is not None
    assert set(hybrid.__all__) <= set(dir(hybrid))
    with pytest.raises(AttributeError, match="module 'hybrid' has no attribute 'train'"):
        _ = hybrid.train


def test_import_is_quick_until_a_name_needs_torch() -> None:
    code = (
        "import sys, hybrid; before = 'torch' in sys.modules; hybrid.Closure; "
        "print(before, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "True"]


def test_archive_opens_with_plain_torch(archive: Path) -> None:
    module = torch.jit.load(str(archive))  # type: ignore[no-untyped-call]
    tendency, new = module(
        torch.full((2, 3), 250.0), torch.zeros(2), torch.tensor([1.0, 2.0]), torch.zeros(2)
    )
    torch.testing.assert_close(new, torch.tensor([0.9, 1.8]))
    torch.testing.assert_close(tendency, new.unsqueeze(1).expand(2, 3))
