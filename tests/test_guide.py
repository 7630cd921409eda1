"""Every program of the guide for model maintainers compiles and runs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fortran_bridge.build import Prefix

GUIDE = Path(__file__).parents[1] / "docs" / "guide"
FORTRAN = ("gfortran", "-g", "-std=f2018", "-Wall", "-fcheck=all", "-fopenmp")

# Page and number of the program in it: what it prints.
PRINTED = {
    ("couple", 0): "mm/day",
    ("couple", 1): "mm/day",
    ("couple", 2): "convection 1.0",
    ("couple", 3): "convection: nowhere.pt: expected a readable archive file",
    ("couple", 4): "K/day",
    ("grids", 0): "sum of tendencies  0.00000 s-2",
    ("layouts", 0): "K/s",
    ("guard", 0): "1 too warm of 6",
    ("guard", 1): "closure: first flagged columns, at step 1: convection 1.0: 1 of 6",
    ("modes", 0): "level 5: rms difference",
    ("parallel", 0): "E-",
    ("parallel", 1): "engine native",
    ("restart", 0): ".",
    ("restart", 1): "largest tendency ",
}


def programs() -> list[tuple[str, int, str, str]]:
    """Return page, number, language and text of every program in the guide."""
    found = []
    for page in sorted(GUIDE.glob("*.md")):
        blocks = re.findall(r"```(fortran|fortran-mpi|c)\n(.*?)```", page.read_text(), re.DOTALL)
        whole = [block for block in blocks if "program " in block[1] or "int main" in block[1]]
        found += [(page.stem, i, *block) for i, block in enumerate(whole)]
    return found


def test_every_link_leads_somewhere() -> None:
    for page in GUIDE.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the archives that the guide's own Python makes."""
    folder = tmp_path_factory.mktemp("archives")
    (script,) = re.findall(r"```python\n(.*?)```", (GUIDE / "archives.md").read_text(), re.DOTALL)
    (folder / "archives.py").write_text(script)
    command = [sys.executable, "archives.py"]
    paths = {"PYTHONPATH": os.pathsep.join([str(GUIDE.parents[1]), *sys.path])}
    subprocess.run(command, cwd=folder, env={**os.environ, **paths}, check=True, timeout=120)
    return folder


def test_every_program_is_expected_to_print_something() -> None:
    assert {(page, number) for page, number, _, _ in programs()} >= set(PRINTED)


@pytest.mark.fortran
@pytest.mark.parametrize(
    ("page", "number", "language", "text"),
    [pytest.param(*program, id=f"{program[0]}-{program[1]}") for program in programs()],
)
def test_program(
    page: str,
    number: int,
    language: str,
    text: str,
    prefix: Prefix,
    archives: Path,
    tmp_path: Path,
) -> None:
    for archive in archives.glob("*.pt"):
        shutil.copy(archive, tmp_path)
    source = tmp_path / ("program.c" if language == "c" else "program.f90")
    source.write_text(text)
    folder = prefix.library.parent
    link = (f"-L{folder}", "-lhybrid", f"-Wl,-rpath,{folder}")
    module = str(prefix.fortran_source)
    command = {
        "c": ("cc", "-Wall", "-Werror", f"-I{prefix.include}", source.name),
        "fortran": (*FORTRAN, module, source.name),
        "fortran-mpi": ("mpif90", *FORTRAN[1:], "-fallow-argument-mismatch", module, source.name),
    }[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    subprocess.run([*command, "-o", "program", *link], cwd=tmp_path, check=True)
    result = subprocess.run(
        ["./program"], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert PRINTED[page, number] in result.stdout
