"""Which engine runs an archive by 'auto': one rule, the same from C, Fortran and Python.

From C, Fortran and plain Python, TorchScript is played by the stub engine, which runs any archive.
"""

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from bridge import stub_archives
from bridge.host_programs import (
    compile_c_program,
    compile_program,
    compile_stub_engine,
    run_program,
)
from bridge.native_programs import Program

import hybrid
from fortran_bridge.build import Prefix
from hybrid.archive import read_manifest
from hybrid.coupling import couple
from hybrid.engine_choice import engine_by_auto

PYTHON = """
import sys
from fortran_bridge.errors import BridgeError
from fortran_bridge.native_closure import NativeClosure
path, engine, device = sys.argv[1:]
try:
    print(NativeClosure(path, engine, device).description)
except BridgeError as error:
    print(error)
"""
NATIVE = "stub 1.0: column closure, engine native "
STUB = "stub 1.0: column closure, engine stub 1.0 on cpu"
Describe = Callable[..., list[str]]


@pytest.fixture(scope="module")
def hosts(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sequence[str]]:
    """Languages, and the command that each takes."""
    c = compile_c_program(prefix, tmp_path_factory.mktemp("c"), "engine_choice")
    fortran = compile_program(prefix, tmp_path_factory.mktemp("fortran"), "engine_choice")
    return {
        "C": [str(c)],
        "Fortran": [str(fortran)],
        "Python": [sys.executable, "-c", PYTHON],
    }


@pytest.fixture(scope="module")
def engines(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of engines: the stub in the place of TorchScript's, the native one, and both."""
    folders = {}
    stub = compile_stub_engine(prefix, tmp_path_factory.mktemp("stub"))
    each = {"stub": [stub], "native": [prefix.engine("native")]}
    for name, found in {**each, "both": [*each["stub"], *each["native"]]}.items():
        folders[name] = tmp_path_factory.mktemp(name)
        for engine in found:
            (folders[name] / engine.name).symlink_to(engine)
    return folders


@pytest.fixture(params=["C", "Fortran", "Python"])
def describe(
    request: pytest.FixtureRequest, hosts: dict[str, Sequence[str]], engines: dict[str, Path]
) -> Describe:
    """Load an archive from a language; return the lines of its description, or of the error."""
    program, *arguments = hosts[request.param]

    def lines(
        path: Path,
        engine: str = "auto",
        device: str = "cpu",
        *,
        having: str = "both",
        isa: str = "",
    ) -> list[str]:
        asked: list[str | Path] = [*arguments, path, engine, device]
        done = run_program(
            Path(program),
            *asked,
            HYBRID_ENGINE_FOLDER=str(engines[having]),
            HYBRID_ISA=isa,
        )
        assert done.returncode == 0, done.stderr
        return [line for line in done.stdout.splitlines() if not re.match("(warning|info): ", line)]

    return lines


def with_program(folder: Path, **changes: object) -> Path:
    """Write an archive that holds a program, and in which the stub finds what it needs too."""
    program = Program([3])
    document = {**program.document([program.unary("relu", 0)]), **changes}
    text = json.dumps(document).encode()
    manifest = json.dumps(stub_archives.manifest(*program.fields([1]))).encode()
    entries = [
        ("data.pkl", b"stub"),
        ("extra/hybrid.json", manifest),
        ("extra/native.json", text),
    ]
    path = folder / "program.pt"
    path.write_bytes(stub_archives.zipped(stub_archives.with_hashes(entries)))
    return path


def without_program(folder: Path, **told: object) -> Path:
    """Write an archive without a program."""
    path = folder / "plain.pt"
    path.write_bytes(stub_archives.archive({**stub_archives.MANIFESTS["scalar"], **told}))
    return path


REFUSAL = 'native.json: expected native program format 1.x to 3.x, got {"major":4,"minor":0}'


def later(folder: Path) -> Path:
    """Write an archive whose program a later version wrote."""
    return with_program(folder, format={"major": 4, "minor": 0})


def test_a_program_is_run_by_the_native_engine(describe: Describe, tmp_path: Path) -> None:
    lines = describe(with_program(tmp_path))
    assert lines[0].startswith(NATIVE)
    assert not any("not native" in line for line in lines)


def test_without_a_program_the_archives_engine_runs_it(describe: Describe, tmp_path: Path) -> None:
    lines = describe(without_program(tmp_path))
    assert lines[0].startswith(STUB)
    assert lines[1] == "  not native: the archive holds no program for it"
    reason = "forward uses aten.cumsum, which the native engine does not know"
    told = without_program(tmp_path, native={"expressed": False, "reason": reason})
    assert describe(told)[1] == f"  not native: {reason}"


def test_on_a_gpu_the_archives_engine_runs_it(describe: Describe, tmp_path: Path) -> None:
    # The stub knows one device and says so: it was asked.
    (line,) = describe(with_program(tmp_path), device="cuda:0")
    assert line == "stub: engine stub could not load it: stub: expected device cpu"


def test_a_library_without_the_native_engine(describe: Describe, tmp_path: Path) -> None:
    lines = describe(with_program(tmp_path), having="stub")
    assert lines[0].startswith(STUB)
    assert lines[1] == "  not native: this library was built without it"


def test_a_library_of_the_native_engine_alone(describe: Describe, tmp_path: Path) -> None:
    assert describe(with_program(tmp_path), having="native")[0].startswith(NATIVE)
    (line,) = describe(without_program(tmp_path), having="native")
    assert line.startswith(
        "stub: not for the native engine (the archive holds no program for it), and "
        "engine torchscript: could not be opened"
    )


@pytest.mark.parametrize("asked", ["torchscript", "native"])
def test_what_is_asked_for_is_taken(describe: Describe, tmp_path: Path, asked: str) -> None:
    path = with_program(tmp_path)
    lines = describe(path, asked)
    assert lines[0].startswith(NATIVE if asked == "native" else STUB)
    assert not any("not native" in line for line in lines)
    if asked == "native":
        (line,) = describe(path, asked, having="stub")
        assert line.startswith("engine native: could not be opened")


def test_a_program_of_a_later_version_is_left(describe: Describe, tmp_path: Path) -> None:
    path = later(tmp_path)
    lines = describe(path)
    assert lines[0].startswith(STUB)
    assert lines[1].startswith(f"  not native: {REFUSAL}; install a hybrid-closures that reads it")
    (line,) = describe(path, "native")
    assert line.startswith(f"stub: engine native could not load it: {REFUSAL}")


def test_a_program_that_is_left_is_told_to_the_host(
    hosts: dict[str, Sequence[str]], engines: dict[str, Path], tmp_path: Path
) -> None:
    (program,) = hosts["C"]
    arguments = (later(tmp_path), "auto", "cpu")
    done = run_program(Path(program), *arguments, HYBRID_ENGINE_FOLDER=str(engines["both"]))
    warning, info = [line for line in done.stdout.splitlines() if re.match("(warn|info)", line)]
    assert warning.startswith(f"warning: stub: engine native could not load it: {REFUSAL}")
    assert warning.endswith("; engine 'torchscript' runs it instead")
    assert info.startswith(f"info: {STUB}")


def test_an_instruction_set_that_is_not_there_is_an_error(
    describe: Describe, tmp_path: Path
) -> None:
    (line,) = describe(with_program(tmp_path), isa="v9")
    assert "HYBRID_ISA: expected an instruction set that this processor and build have" in line


def test_python_says_beforehand_what_the_library_chooses(
    column_archive: Path, periodic_archive: Path, tmp_path: Path
) -> None:
    for path in (column_archive, periodic_archive):
        engine, reason = engine_by_auto(path, read_manifest(path))
        first, second = hybrid.load(path).description.splitlines()[:2]
        assert f", engine {engine} " in first
        assert (second == f"  not native: {reason}") == (engine != "native")
    manifest = read_manifest(column_archive)
    on_gpu = engine_by_auto(column_archive, manifest, "cuda:0")
    assert on_gpu == ("torchscript", "it computes on 'cpu', not on 'cuda:0'")
    partial = Prefix(tmp_path)
    partial.library.parent.mkdir()
    partial.library.touch()
    engine, reason = engine_by_auto(column_archive, manifest, prefix=partial)
    assert (engine, reason) == ("torchscript", f"the library in {tmp_path} was built without it")


def test_a_solver_is_coupled_by_the_same_rule(column_archive: Path, periodic_archive: Path) -> None:
    assert "engine native" in couple(column_archive).closure.description
    assert "engine torchscript" in couple(periodic_archive).closure.description
    asked = couple(hybrid.load(column_archive, "torchscript"))
    assert "engine torchscript" in asked.closure.description
