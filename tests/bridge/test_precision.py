"""Who may compute in bf16: the same answer from C, Fortran and Python."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from bridge.host_programs import compile_c_program, compile_program, run_program
from bridge.native_programs import Program
from bridge.stub_archives import manifest, with_hashes, zipped
from bridge.test_native_bf16 import NEEDS_BF16, has_bf16

from fortran_bridge.build import Prefix

PYTHON = """
import sys
from pathlib import Path
from fortran_bridge.errors import BridgeError
from fortran_bridge.native_closure import NativeClosure
path, engine, device, precision = sys.argv[1:]
options = {"engine": engine, "device": device, "precision": precision}
for load in (
    lambda: NativeClosure(path, **options),
    lambda: NativeClosure.from_bytes(Path(path).read_bytes(), **options),
):
    try:
        print(load().description)
    except BridgeError as error:
        print(error)
"""
REFUSED = (
    "stub: precision 'bf16': expected an archive that has shown to keep the host's climate in an "
    "online test, got {}; show that it does with 'hybrid precision', which keeps the evidence in "
    "the archive, or load it with precision 'float32'"
)
Lines = Callable[..., list[str]]


@pytest.fixture(scope="module")
def programs(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sequence[str]]:
    """Languages, and the command that each takes."""
    return {
        "C": [str(compile_c_program(prefix, tmp_path_factory.mktemp("c"), "precision"))],
        "Fortran": [str(compile_program(prefix, tmp_path_factory.mktemp("f"), "precision"))],
        "Python": [sys.executable, "-c", PYTHON],
    }


@pytest.fixture(params=["C", "Fortran", "Python"])
def lines(request: pytest.FixtureRequest, programs: dict[str, Sequence[str]]) -> Lines:
    """Load from a file and from memory; return what is said, which must be the same twice."""
    program, *arguments = programs[request.param]

    def said(
        path: Path,
        precision: str = "bf16",
        engine: str = "native",
        device: str = "cpu",
        isa: str = "",
    ) -> list[str]:
        asked: list[str | Path] = [*arguments, path, engine, device, precision]
        done = run_program(Path(program), *asked, HYBRID_ISA=isa)
        assert done.returncode == 0, done.stderr
        printed = done.stdout.splitlines()
        half = len(printed) // 2
        assert printed[:half] == printed[half:]
        return printed[:half]

    return said


def archive(folder: Path, verdict: str = "", reason: str = "", size: int = 16) -> Path:
    """Write an archive of one matrix; an empty verdict: it was never tested."""
    program = Program([size])
    result = program.linear(0, np.eye(size, dtype=np.float32))
    content = manifest(*program.fields([result]))
    if verdict:
        content["reduced_precision"] = {"bf16": {"verdict": verdict, "reason": reason}}
    entries = [
        ("data.pkl", b"stub"),
        ("extra/hybrid.json", json.dumps(content).encode()),
        ("extra/native.json", json.dumps(program.document([result])).encode()),
        ("extra/native.bin", program.weights),
    ]
    path = folder / "one_matrix.pt"
    path.write_bytes(zipped(with_hashes(entries)))
    return path


def test_without_a_test_bf16_is_refused(lines: Lines, tmp_path: Path) -> None:
    assert lines(archive(tmp_path)) == [REFUSED.format("one without such a test")]


def test_after_a_failed_test_bf16_is_refused(lines: Lines, tmp_path: Path) -> None:
    path = archive(tmp_path, "failed", "x: too far")
    assert lines(path) == [REFUSED.format("one that failed it: x: too far")]


def test_an_unknown_verdict_is_no_pass(lines: Lines, tmp_path: Path) -> None:
    path = archive(tmp_path, "PASSED", "by hand")
    assert lines(path) == [REFUSED.format("one that failed it: by hand")]


@NEEDS_BF16
def test_after_a_passed_test_bf16_is_computed_in(lines: Lines, tmp_path: Path) -> None:
    path = archive(tmp_path, "passed", "within the spread")
    assert lines(path)[1] == "  precision bf16 in 1 of 1 matrices"
    assert lines(path, engine="auto")[1] == "  precision bf16 in 1 of 1 matrices"
    assert not any("precision" in line for line in lines(path, "float32"))


@NEEDS_BF16
def test_what_is_on_trial_says_so(lines: Lines, tmp_path: Path) -> None:
    path = archive(tmp_path, "on trial", "a test is running")
    assert lines(path)[1] == "  precision bf16 in 1 of 1 matrices, on trial"


def test_other_processors_compute_in_float32_and_say_so(lines: Lines, tmp_path: Path) -> None:
    path = archive(tmp_path, "passed", "within the spread")
    assert lines(path, isa="base")[1] == "  precision float32, not bf16: HYBRID_ISA asks for 'base'"
    if not has_bf16():
        assert lines(path)[1] == "  precision float32, not bf16: this processor has no AVX512_BF16"


def test_an_unknown_precision_is_refused(lines: Lines, tmp_path: Path) -> None:
    path = archive(tmp_path, "passed", "within the spread")
    expected = "stub: precision: expected 'float32' or 'bf16', got 'float16'"
    assert lines(path, "float16") == [expected]


def test_bf16_is_for_the_native_engine(lines: Lines, tmp_path: Path) -> None:
    path = archive(tmp_path, "passed", "within the spread")
    expected = "stub: precision 'bf16': expected engine 'native', got 'torchscript'"
    remedy = "; load it with precision 'float32'"
    assert lines(path, engine="torchscript") == [expected + remedy]
    why = " (it computes on 'cpu', not on 'cuda:0')"
    assert lines(path, engine="auto", device="cuda:0") == [expected + why + remedy]


@pytest.mark.parametrize(
    "told", [{"bf16": {"verdict": 1, "reason": ""}}, {"bf16": {}}, {}, [], {"bf16": "passed"}]
)
def test_a_verdict_that_does_not_read_as_one_is_refused(
    lines: Lines, tmp_path: Path, told: object
) -> None:
    source = archive(tmp_path)
    program = Program([16])
    content = {**manifest(*program.fields([0])), "reduced_precision": told}
    source.write_bytes(
        zipped(
            with_hashes(
                [("data.pkl", b"stub"), ("extra/hybrid.json", json.dumps(content).encode())]
            )
        )
    )
    assert lines(source)[0].startswith("hybrid.json: expected a closure manifest, got text that")
