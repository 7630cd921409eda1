"""Archives carry the program of the native engine, and say so or why not."""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from closure_examples import ColumnNetwork
from column_specs import column_spec, normalizations
from fidelity_ensembles import LAYOUT, N_MEMBER, ensemble, guarded_closure, spread
from grid_closures import NeighbourMean
from native_programs import N_COLUMN, Function, part_of, program_of_closure, reference_of
from torch import Tensor, nn

import hybrid
from closures import Closure, ClosureSpec, Field
from closures.columns.emulator import ColumnEmulator
from closures.columns.registry import build
from closures.multifidelity import GuardedEnsemble
from hybrid.archive import (
    MANIFEST,
    NativeVerdict,
    manifest_text,
    read_manifest,
    read_reference,
    reference_bytes,
    sealed,
)
from hybrid.errors import ArchiveError
from hybrid.native.evaluate import evaluate
from hybrid.native.program_file import BINARY, TEXT, program_entries, program_of
from hybrid.native.reading import read_program
from hybrid.native.rounding import own_rounding
from hybrid.native.writing import saved_storages
from hybrid.torchscript import compiled
from hybrid.verify import verify
from hybrid.wrap import wrap


class One(Closure):
    """One number in, one out, by a function of a tensor."""

    def __init__(self, function: Callable[[Tensor], Tensor], dtype: str = "float32") -> None:
        inputs = (Field("x", "1", dtype=dtype, valid_min=-2.0, valid_max=2.0),)  # type: ignore[arg-type]
        super().__init__(ClosureSpec("one", "1", inputs, (Field("y", "1", dtype=dtype),)))  # type: ignore[arg-type]
        self.function = Function(function)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        result: tuple[Tensor, ...] = self.function(x)
        return result


def rewritten(path: Path, out: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write an archive again with other added entries and right hashes."""
    with zipfile.ZipFile(path) as file:
        entries = {name.split("/", 1)[1]: file.read(name) for name in file.namelist()}
    added = {name: content for name, content in entries.items() if name.startswith("extra/native")}
    change(added)
    manifest = entries[f"extra/{MANIFEST}"].decode()
    out.write_bytes(
        sealed(path.read_bytes(), manifest, reference_bytes(read_reference(path)), added)
    )
    return out


def test_an_archive_carries_a_program_that_computes_the_same(column_archive: Path) -> None:
    manifest = read_manifest(column_archive)
    assert manifest.native is not None
    assert manifest.native.expressed
    program = read_program(column_archive)
    assert program is not None
    reference = read_reference(column_archive)
    results = evaluate(program, list(reference.arguments.values()))
    for found, expected in zip(results, reference.largest.values(), strict=True):
        scale = np.abs(expected).max()
        assert np.abs(found.reshape(expected.shape) - expected).max() <= 8 * 2**-23 * scale


def test_weights_are_in_the_archive_once(column_archive: Path) -> None:
    with zipfile.ZipFile(column_archive) as file:
        data = json.loads(file.read(f"archive/{TEXT}"))
        sizes = {entry.filename: entry.file_size for entry in file.infolist()}
    entries = {tensor["entry"] for tensor in data["tensors"] if len(tensor["shape"]) == 2}
    assert len(entries) == 2
    assert all(name.startswith("data/") for name in entries)
    # The six numbers of forward.
    assert sizes["archive/extra/native.bin"] == 6 * 4


@pytest.mark.parametrize("members", ["at once", "in turn"])
def test_weights_of_members_are_in_the_archive_once(members: str) -> None:
    closure = (
        guarded_closure(GuardedEnsemble(ensemble(), spread(), 0.6))
        if members == "in turn"
        else ColumnEmulator(column_spec(LAYOUT), ensemble(), *normalizations(LAYOUT))
    )
    storages = saved_storages(compiled(closure.eval()))
    entries = program_entries(program_of_closure(closure), storages)
    tensors = json.loads(entries[TEXT])["tensors"]
    matrices = [tensor for tensor in tensors if len(tensor["shape"]) == 2]
    # Two networks of three layers, each with a prior, and the two layers of the noise.
    assert len(matrices) == N_MEMBER * 12 + (2 if members == "in turn" else 0)
    assert all(tensor["entry"].startswith("data/") for tensor in matrices)
    assert len(entries.get(BINARY, b"")) < 100
    read = program_of({**storages, **entries})
    assert read is not None
    for found, made in zip(read.tensors, program_of_closure(closure).tensors, strict=True):
        np.testing.assert_array_equal(found, made)


@pytest.mark.parametrize(
    ("closure", "reason"),
    [
        (
            ColumnEmulator(
                column_spec(LAYOUT), build("bilstm", LAYOUT, "tiny"), *normalizations(LAYOUT)
            ),
            "forward uses aten.mkldnn_rnn_layer, which the native engine does not know",
        ),
        (NeighbourMean(), "the native engine knows columns alone, not grids"),
    ],
)
def test_what_stays_on_torchscript_says_why(closure: Closure, reason: str, tmp_path: Path) -> None:
    report = hybrid.export(closure, tmp_path / "a.pt")
    assert report.native is not None
    assert report.native == read_manifest(tmp_path / "a.pt").native
    assert not report.native.expressed
    assert report.native.reason.startswith(reason)
    assert read_program(tmp_path / "a.pt") is None
    with zipfile.ZipFile(tmp_path / "a.pt") as file:
        assert not [name for name in file.namelist() if "native" in name]


def test_float64_is_compared_as_such() -> None:
    assert read_verdict(lambda x: torch.tanh(3.0 * x), "float64").expressed
    # Sums in float32 are rounded in another order, which an output in float64 shows.
    weight = torch.linspace(-1.0, 1.3, 64)

    def network(x: Tensor) -> Tensor:
        return (torch.tanh(x.float()[:, None] * weight) @ weight).double()

    verdict = read_verdict(network, "float64")
    assert not verdict.expressed
    assert re.fullmatch(
        r"the program of its forward differs by \S+ eps on scaled outputs, more than 64",
        verdict.reason,
    )


def test_what_there_is_of_float32_alone_keeps_float64_on_torchscript() -> None:
    reason = "forward computes gelu in float64, the native engine in float32 alone"
    verdict = read_verdict(torch.nn.functional.gelu, "float64")
    assert verdict == NativeVerdict(expressed=False, reason=reason)


def read_verdict(function: Callable[[Tensor], Tensor], dtype: str) -> NativeVerdict:
    verdict = part_of(One(function, dtype)).verdict
    assert verdict is not None
    return verdict


def test_a_program_that_computes_something_else_is_not_written() -> None:
    # Followed with a few columns, forward is another one than for all of them.
    part = part_of(One(lambda x: x if len(x) == N_COLUMN else 1.0001 * x))
    assert part.verdict is not None
    assert not part.verdict.expressed
    assert part.verdict.reason == (
        "the program of its forward differs by 839 eps on scaled outputs, more than 64"
    )
    assert not part.entries


def cancels(x: Tensor, shift: float) -> Tensor:
    """Return x with an error of up to half a unit in the last place of `shift`."""
    return (x + shift) - shift


def test_a_closure_far_from_itself_in_float64_may_have_a_program_as_far() -> None:
    # Half a unit of numbers up to 512 is 2^-15, which is 128 eps of an output of up to 2.
    rounded = One(lambda x: cancels(x, 511.3 if len(x) == N_COLUMN else 510.2))
    own = own_rounding_of(rounded)
    assert own == pytest.approx(128.0, rel=0.1)
    verdict = part_of(rounded).verdict
    assert verdict is not None
    assert verdict.expressed
    assert verdict.bound == 2.0 * own
    assert re.fullmatch(
        rf"within \d+ of {verdict.bound:.3g} eps of the Python closure on scaled outputs, twice "
        r"its own rounding, in \d+ steps",
        verdict.reason,
    )


def test_beyond_its_own_rounding_a_program_is_not_written() -> None:
    wrong = One(lambda x: cancels(x if len(x) == N_COLUMN else 1.0001 * x, 511.3))
    verdict = part_of(wrong).verdict
    assert verdict is not None
    assert not verdict.expressed
    assert verdict.reason.endswith(f"more than {2 * own_rounding_of(wrong):.3g}")


def test_what_is_larger_than_rounding_is_no_bound() -> None:
    # Half a unit of numbers up to 8192 is 1024 eps of an output of up to 2.
    coarse = One(lambda x: cancels(x, 8191.3 if len(x) == N_COLUMN else 8000.2))
    assert own_rounding_of(coarse) > 512
    verdict = part_of(coarse).verdict
    assert verdict is not None
    assert not verdict.expressed
    assert verdict.reason.endswith("more than 64")


@pytest.mark.parametrize("only", ["float64", "float32"])
def test_own_rounding_is_unknown_where_forward_runs_in_one_type_alone(only: str) -> None:
    weight = torch.ones(1, 1)
    closure = (
        One(lambda x: 2.0 * x, "float64")
        if only == "float64"
        else One(lambda x: (x[:, None] @ weight)[:, 0])
    )
    assert own_rounding(closure, closure.spec, reference_of(closure)) is None


class Cancels(Closure):
    """As `cancels`, with one shift in TorchScript and another in the program."""

    def __init__(self) -> None:
        inputs = (Field("x", "1", valid_min=-2.0, valid_max=2.0),)
        super().__init__(ClosureSpec("cancels", "1", inputs, (Field("y", "1"),)))
        self.skips_columns = True

    def forward(self, x: Tensor) -> tuple[Tensor]:
        shift = 510.2 if self.skips_columns else 511.3
        return ((x + shift) - shift,)


def own_rounding_of(closure: Closure) -> float:
    found = own_rounding(closure, closure.spec, reference_of(closure))
    assert found is not None
    return found


def test_the_bound_of_a_program_is_in_the_archive_and_verify_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    report = hybrid.export(Cancels(), path)
    assert report.native is not None
    assert report.native.bound is not None
    assert read_manifest(path).native == report.native
    bounds = {row.engine: row.bound for row in verify(path).rows}
    assert bounds["native program"] == report.native.bound
    assert bounds["torchscript"] == 4.0


def test_whatever_goes_wrong_is_a_reason_and_never_an_error() -> None:
    class StrangeError(Exception):
        pass

    calls = 0

    def fails_the_second_time(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise StrangeError("\x1b" + 300 * "long ")
        return x

    verdict = part_of(One(fails_the_second_time)).verdict
    assert verdict is not None
    assert not verdict.expressed
    assert verdict.reason.startswith("forward cannot be followed (StrangeError:  long long")
    assert verdict.reason.isprintable()
    assert len(verdict.reason) < 210


def test_columns_are_followed_by_a_number_that_no_axis_has() -> None:
    # Five features and five hidden ones: five columns would be mistaken for them.
    closure = ColumnNetwork(n_level=5, n_hidden=6)
    assert part_of(closure).verdict is not None
    program = program_of_closure(closure)
    reference = reference_of(closure, seed=3)
    for found, expected in zip(
        evaluate(program, list(reference.arguments.values())),
        reference.results[N_COLUMN].values(),
        strict=True,
    ):
        scale = np.abs(expected).max()
        assert np.abs(found.reshape(expected.shape) - expected).max() <= 1e-6 * scale


def test_a_manifest_may_say_nothing_of_it(column_archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(column_archive) as file:
        entries = {name.split("/", 1)[1]: file.read(name) for name in file.namelist()}
    old = manifest_text(ColumnNetwork().spec, "torchscript")
    path = tmp_path / "old.pt"
    path.write_bytes(
        sealed(column_archive.read_bytes(), old, entries["extra/hybrid.reference.npz"])
    )
    assert read_manifest(path).native is None


def test_a_damaged_program_is_refused(column_archive: Path, tmp_path: Path) -> None:
    def cut(added: dict[str, bytes]) -> None:
        added[TEXT] = added[TEXT][:-10]

    def other_result(added: dict[str, bytes]) -> None:
        data = json.loads(added[TEXT])
        data["results"] = data["results"][::-1]
        added[TEXT] = json.dumps(data).encode()

    path = rewritten(column_archive, tmp_path / "cut.pt", cut)
    with pytest.raises(ArchiveError, match=r"cut.pt: native.json: expected a native program, but"):
        read_program(path)
    path = rewritten(column_archive, tmp_path / "other.pt", other_result)
    with pytest.raises(ArchiveError, match=r"results: expected sizes \[5, 1\], got \[1, 5\]"):
        read_program(path)


def test_verify_notices_a_program_of_another_closure(column_archive: Path, tmp_path: Path) -> None:
    def faster(added: dict[str, bytes]) -> None:
        data = json.loads(added[TEXT])
        step = next(step for step in data["steps"] if step["op"] == "tanh")
        step["op"] = "silu"
        added[TEXT] = json.dumps(data).encode()

    path = rewritten(column_archive, tmp_path / "wrong.pt", faster)
    report = verify(path)
    assert {row.engine for row in report.rows if not row.ok} >= {"native program"}
    assert {row.engine for row in report.rows if not row.ok} <= {
        *("native program", "c, native", "fortran, native")
    }


def test_a_wrapped_network_runs_natively(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ELU(), nn.Linear(16, 2))
    torch.jit.script(network.eval()).save(tmp_path / "network.pt")  # type: ignore[no-untyped-call]
    spec = ClosureSpec(
        "foreign",
        "1",
        (
            Field("t", "K", ("level",), (3,), valid_min=-1.0, valid_max=1.0),
            Field("ps", "Pa", valid_min=-1.0, valid_max=1.0),
        ),
        (Field("tend", "K s-1", ("pair",), (2,)),),
    )
    report = wrap(tmp_path / "network.pt", spec, tmp_path / "out.pt")
    assert report.native is not None
    assert report.native.expressed, report.native
    program = read_program(tmp_path / "out.pt")
    assert program is not None
    assert [step.op for step in program.steps].count("linear") == 2
