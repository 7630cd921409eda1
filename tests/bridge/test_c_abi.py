"""The header compiles as strict C, and every exported function is called from C."""

import ctypes
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from bridge.host_programs import C_FOLDER, compile_c_program, compile_stub_engine
from bridge.stub_archives import archive, field, manifest

from fortran_bridge.build import Prefix
from fortran_bridge.c_library import SIGNATURES, library

PROGRAMS = {
    "library": None,
    "closure": "persistence_archive",
    "binding": "persistence_archive",
    "put_get": "column_archive",
    "grid": "periodic_archive",
    "floating": "guarded_archive",
}
"""C programs by name, and the fixture of the archive that each is given."""


def compile_and_run(
    prefix: Prefix,
    name: str,
    folder: Path,
    *arguments: Path | str,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Compile a program of tests/bridge/c, run it, and see that it has nothing to say."""
    program = compile_c_program(prefix, folder, name)
    result = subprocess.run(
        [str(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert result.stdout + result.stderr == ""
    assert result.returncode == 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_c_program(
    prefix: Prefix, name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    fixture = PROGRAMS[name]
    arguments = [] if fixture is None else [request.getfixturevalue(fixture)]
    compile_and_run(prefix, name, tmp_path, *arguments)


@pytest.fixture
def stub_engine(prefix: Prefix, tmp_path: Path) -> dict[str, str]:
    """The environment in which archives are run by the stub engine."""
    compile_stub_engine(prefix, tmp_path)
    return {"HYBRID_ENGINE_FOLDER": str(tmp_path)}


def test_a_step_allocates_nothing(
    prefix: Prefix, stub_engine: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "column.pt"
    profile = (60,)
    inputs = [field("t", profile, valid_max=400.0), field("ps", units="Pa")]
    outputs = [field("t_tendency", profile, units="K s-1"), field("rain", units="m s-1")]
    state = [field("memory", profile)]
    noise = [field("shock", profile, units="1")]
    path.write_bytes(archive(manifest(inputs, outputs, state=state, noise=noise)))
    compile_and_run(prefix, "allocations", tmp_path, path, environment=stub_engine)


@pytest.mark.parametrize(("elements", "block"), [(2**19, 1), (43_700, 1), (43_690, 32)])
def test_the_self_test_keeps_to_its_memory(
    prefix: Prefix, stub_engine: dict[str, str], tmp_path: Path, elements: int, block: int
) -> None:
    # Of x and y together, 128 columns three times are 128 MiB for 43691 elements each.
    path = tmp_path / "large.pt"
    x, y = field("x", (elements,), valid_max=400.0), field("y", (elements,))
    path.write_bytes(archive(manifest([x], [y])))
    said = (path, str(elements), str(block))
    compile_and_run(prefix, "self_test_memory", tmp_path, *said, environment=stub_engine)


def test_the_c_programs_call_every_function(prefix: Prefix) -> None:
    header = (prefix.include / "hybrid.h").read_text()
    declared = set(re.findall(r"HYBRID_API [^;(]*?\b(hybrid_\w+)\(", header))
    programs = "".join((C_FOLDER / f"{name}.c").read_text() for name in PROGRAMS)
    programs += (C_FOLDER / "expect.h").read_text()
    assert {name for name in declared if f"{name}(" not in programs} == set()
    assert declared == set(SIGNATURES)
    assert all(hasattr(library(), name) for name in declared)


def test_only_the_abi_is_exported(prefix: Prefix) -> None:
    header = (prefix.include / "hybrid.h").read_text()
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", str(prefix.library)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    exported = {line.split()[-1].split("@")[0] for line in symbols.splitlines() if " T " in line}
    assert exported == set(re.findall(r"HYBRID_API [^;(]*?\b(hybrid_\w+)\(", header))


def test_the_core_does_not_need_torch(prefix: Prefix) -> None:
    linked = subprocess.run(
        ["ldd", str(prefix.library)], capture_output=True, text=True, check=True
    ).stdout
    assert "torch" not in linked
    ctypes.CDLL(str(prefix.library))
