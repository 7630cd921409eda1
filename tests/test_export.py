"""Export proves that the archive equals the Python closure, or leaves no file behind."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from closure_examples import ColumnNetwork, Persistence
from torch import Tensor, nn

import hybrid
from closures import Closure, ClosureSpec, Field
from fortran_bridge.build import ensure_built
from hybrid.archive import read_manifest, read_reference
from hybrid.comparison import largest_difference, output_scales
from hybrid.errors import ExportError
from hybrid.threads import one_thread
from hybrid.verify import verify


class Wrong(Closure):
    """Base of closures that export must refuse."""

    def __init__(self, n_output: int = 1) -> None:
        outputs = tuple(Field(f"y{i}", "1") for i in range(n_output))
        super().__init__(ClosureSpec("wrong", "1", (Field("x", "1"),), outputs))


def test_a_missing_bound_is_said(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="persistence: without two bounds: memory; the archive is"):
        hybrid.export(Persistence(), tmp_path / "persistence.pt")
    assert verify(tmp_path / "persistence.pt").unbounded == ("memory",)
    assert ColumnNetwork().spec.unbounded == ()


class Unscriptable(Wrong):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (torch.from_numpy(np.sin(x.numpy())),)


class WrongShape(Wrong):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x[:, None],)


class WrongType(Wrong):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x.double(),)


class TooFew(Wrong):
    def __init__(self) -> None:
        super().__init__(n_output=2)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x,)


class NotFinite(Wrong):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (torch.log(x - 5.0),)


class DiffersWhenCompiled(Wrong):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            return (x * 1.00001,)
        return (x,)


class ChangesItsInput(Wrong):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x.clamp_(0.0, 0.5),)


class NeighboursMatter(Wrong):
    """Claims to be a column closure, but its answer depends on the batch."""

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x - x.mean(),)


class DrawsNoise(Wrong):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x + torch.randn(x.shape),)


class NoTensor(Wrong):
    def forward(self, x: Tensor) -> tuple[float]:
        return (float(x.sum()),)


class NoArgument(Wrong):
    def forward(self) -> tuple[Tensor]:
        return (torch.zeros(1),)


class ForgottenUnsqueeze(Closure):
    """Joins a profile and a scalar without giving the scalar an axis."""

    def __init__(self) -> None:
        inputs = (Field("state_t", "K", ("level",), (5,)), Field("state_ps", "Pa"))
        super().__init__(ClosureSpec("joined", "1", inputs, (Field("y", "1"),)))

    def forward(self, state_t: Tensor, state_ps: Tensor) -> tuple[Tensor]:
        return (torch.cat([state_t, state_ps], dim=1).sum(dim=1),)


class DoubleInside(Wrong):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1).double()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.layer(x[:, None])[:, 0],)


@pytest.mark.parametrize(
    ("closure", "message"),
    [
        (
            DrawsNoise,
            r"y0: expected a column closure, .*random numbers drawn in forward \(declare noise",
        ),
        (NoTensor, "y0: expected a tensor from forward, got float"),
        (
            NoArgument,
            r"wrong: .*\(x: \(1,\), float32\), got TypeError: .*forward\(\) takes 1 .*; give",
        ),
        (
            ForgottenUnsqueeze,
            r"joined: .*state_t: \(1, 5\), float32; state_ps: \(1,\), .* Tensors .*; give .*None",
        ),
        (DoubleInside, r"wrong: .*\(x: \(1,\), float32\), got RuntimeError: .* dtype"),
        (Unscriptable, "wrong: expected a forward that TorchScript compiles"),
        (WrongShape, r"y0: expected a float32 tensor of shape \(1,\), got float32 and \(1, 1\)"),
        (WrongType, "y0: expected a float32 tensor .*, got float64"),
        (TooFew, "expected forward to return a tuple of 2 tensors .*, got tuple of 1"),
        (NotFinite, "y0: expected finite values for random columns inside the training envelope"),
        (DiffersWhenCompiled, "within 4 eps of the Python closure .*; no file was written"),
        (ChangesItsInput, "forward that leaves its arguments alone, got one that changes x in"),
        (NeighboursMatter, r"y0: expected a column closure, .* between 1 and 384 columns"),
    ],
)
def test_what_differs_is_refused(tmp_path: Path, closure: type[Wrong], message: str) -> None:
    path = tmp_path / "wrong.pt"
    with pytest.raises(ExportError, match=message):
        hybrid.export(closure(), path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("closure", "got"),
    [(nn.Linear(1, 1), "a Linear"), (ColumnNetwork, "the class ColumnNetwork")],
)
def test_only_closures_are_exported(closure: Any, got: str, tmp_path: Path) -> None:
    message = f"closure: expected an instance of .*hybrid.Closure, got {got}; derive it"
    with pytest.raises(ExportError, match=message):
        hybrid.export(closure, tmp_path / "a.pt")


def test_the_folder_must_exist(tmp_path: Path) -> None:
    message = r"none/a.pt: expected a path in an existing folder, got none at .*none; make the"
    with pytest.raises(ExportError, match=message):
        hybrid.export(ColumnNetwork(), tmp_path / "none" / "a.pt")
    with pytest.raises(ExportError, match="expected the path of a file, got a folder; add"):
        hybrid.export(ColumnNetwork(), tmp_path)


@pytest.mark.parametrize("closure", [ColumnNetwork(), 0.5 * Persistence()])
def test_two_exports_are_the_same_bytes(closure: Closure, tmp_path: Path) -> None:
    sums = []
    for name in ("first.pt", "second.pt"):
        hybrid.export(closure, tmp_path / name)
        sums.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert sums[0] == sums[1]


def test_two_processes_export_the_same_bytes(tmp_path: Path) -> None:
    # The order of a set of strings, and with it that of constants, follows the hash seed.
    code = (
        "import hybrid; from closure_examples import ColumnConvolution; "
        "hybrid.export(ColumnConvolution(), 'archive.pt')"
    )
    contents = set()
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            cwd=folder,
            env=environment,
            check=True,
            timeout=120,
        )
        contents.add((folder / "archive.pt").read_bytes())
    assert len(contents) == 1


def test_no_entry_has_the_date_of_the_export(column_archive: Path) -> None:
    # Two exports within the two seconds that a zip file resolves would not show it.
    with zipfile.ZipFile(column_archive) as file:
        assert {entry.date_time[0] for entry in file.infolist()} == {1980}
        assert {entry.filename.split("/")[0] for entry in file.infolist()} == {"archive"}


def test_a_refused_export_leaves_the_previous_archive(tmp_path: Path) -> None:
    path = tmp_path / "kept.pt"
    hybrid.export(ColumnNetwork(), path)
    before = path.read_bytes()
    with pytest.raises(ExportError):
        hybrid.export(DiffersWhenCompiled(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_report_and_manifest(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    report = hybrid.export(ColumnNetwork(), path, provenance={"seed": "7"})
    assert set(report.differences) == {1, 7, 16, 384}
    assert max(report.differences.values()) <= 4.0
    manifest = read_manifest(path)
    assert manifest.spec.provenance == {"seed": "7"}
    assert manifest.spec.inputs == ColumnNetwork().spec.inputs
    assert manifest.format_version == "1.1"
    assert "torch" in manifest.versions
    assert "extra/hybrid.json" in manifest.hashes


def test_reference_is_the_eager_result(column_archive: Path) -> None:
    reference = read_reference(column_archive)
    assert set(reference.results) == {1, 7, 16, 384}
    for n, results in reference.results.items():
        tensors = (torch.from_numpy(array[:n]) for array in reference.arguments.values())
        with one_thread():  # as when the reference was made: two round in another way
            eager = ColumnNetwork()(*tensors)
        for found, expected in zip(eager, results.values(), strict=True):
            np.testing.assert_array_equal(found.detach().numpy(), expected)
    assert reference.arguments["state_t"].min() >= 200.0
    assert reference.arguments["state_t"].max() <= 310.0


def test_plain_torch_opens_the_archive(column_archive: Path) -> None:
    module = torch.jit.load(str(column_archive))  # type: ignore[no-untyped-call]
    tendency, precipitation = module(torch.full((2, 5), 250.0), torch.full((2,), 9e4))
    assert tendency.shape == (2, 5)
    assert precipitation.shape == (2,)


@pytest.mark.fortran
@pytest.mark.parametrize("closure", [ColumnNetwork(), Persistence(), 0.5 * Persistence()])
def test_verify(closure: Closure, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    hybrid.export(closure, path)
    report = verify(path)
    ways = ("torchscript", "c", "c, whole batch", "fortran", "fortran, whole batch")
    native = ("native program", "c, native", "fortran, native")
    engines = tuple(dict.fromkeys(row.engine for row in report.rows))
    assert engines == (*ways, *native[: 3 if ensure_built().engine("native").exists() else 1])
    assert {row.n_column for row in report.rows} == {1, 7, 16, 384}
    assert all(row.bound == (64.0 if row.engine in native else 4.0) for row in report.rows)
    assert report.ok


def test_comparison_does_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    # Wide enough for a matrix product to be split.
    closure = ColumnNetwork(n_level=124, n_hidden=2048)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        report = hybrid.export(closure, tmp_path / "wide.pt")
        assert torch.get_num_threads() == 2
        rows = [row for row in verify(tmp_path / "wide.pt").rows if "fortran" not in row.engine]
    finally:
        torch.set_num_threads(threads)
    assert max(report.differences.values()) <= 4.0
    assert max(row.eps for row in rows if "native" not in row.engine) <= 4.0


def test_comparison_measures_in_eps() -> None:
    spec = ClosureSpec("a", "1", (Field("x", "1"),), (Field("y", "1", valid_max=8.0),))
    reference = {"y": np.array([1.0, -2.0], dtype=np.float32)}
    scales = output_scales(spec, reference)
    assert scales["y"] == 8.0
    eps = float(np.finfo(np.float32).eps)
    off = {"y": reference["y"].astype(float) + np.array([0.0, 8 * 3 * eps])}
    assert largest_difference(off, reference, scales) == pytest.approx(3.0)
    lost = {"y": np.array([np.nan, -2.0])}
    assert largest_difference(lost, reference, scales) == np.inf
    zero = {"y": np.zeros(2, dtype=np.float32)}
    assert largest_difference({"y": np.array([0.0, 1e-30])}, zero, {"y": np.zeros(())}) == np.inf


def test_archive_names_no_file_of_the_machine(column_archive: Path) -> None:
    with zipfile.ZipFile(column_archive) as file:
        names = file.namelist()
        content = b"".join(file.read(name) for name in names)
    assert any(name.endswith(".py") for name in names)
    assert str(Path(__file__).parents[1]).encode() not in content
