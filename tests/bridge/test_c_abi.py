"""The header compiles as strict C, and every exported function is called from C."""

import ctypes
import re
import subprocess
from pathlib import Path

from fortran_bridge.build import Prefix
from fortran_bridge.c_library import library


def test_c_program(prefix: Prefix, persistence_archive: Path, tmp_path: Path) -> None:
    source = Path(__file__).parent / "c" / "minimal.c"
    program = tmp_path / "minimal"
    folder = str(prefix.library.parent)
    subprocess.run(
        [
            *("gcc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"),
            *(f"-I{prefix.include}", str(source), "-o", str(program)),
            *(f"-L{folder}", "-lhybrid", f"-Wl,-rpath,{folder}"),
        ],
        check=True,
    )
    result = subprocess.run(
        [str(program), str(persistence_archive)], capture_output=True, text=True, check=False
    )
    assert result.stdout == ""
    assert result.returncode == 0


def test_the_c_program_calls_every_function(prefix: Prefix) -> None:
    header = (prefix.include / "hybrid.h").read_text()
    declared = set(re.findall(r"HYBRID_API [^;(]*?\b(hybrid_\w+)\(", header))
    program = (Path(__file__).parent / "c" / "minimal.c").read_text()
    assert len(declared) == 19
    assert {name for name in declared if f"{name}(" not in program} == set()
    assert all(hasattr(library(), name) for name in declared)


def test_only_the_abi_is_exported(prefix: Prefix) -> None:
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", str(prefix.library)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    exported = {line.split()[-1] for line in symbols.splitlines() if " T " in line}
    assert {name for name in exported if not name.startswith("hybrid_")} == set()


def test_the_core_does_not_need_torch(prefix: Prefix) -> None:
    linked = subprocess.run(
        ["ldd", str(prefix.library)], capture_output=True, text=True, check=True
    ).stdout
    assert "torch" not in linked
    ctypes.CDLL(str(prefix.library))
