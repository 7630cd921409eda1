"""The page on f90wrap: its project is built by the book, and its Python runs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fortran_bridge.build import Prefix

PAGE = Path(__file__).parents[1] / "docs" / "guide" / "f90wrap.md"
BLOCKS = re.findall(r"```(fortran|text|cmake|python)\n(.*?)```", PAGE.read_text(), re.DOTALL)
FILES = {"fortran": "model.f90", "text": "kinds.txt", "cmake": "CMakeLists.txt"}
PYTHON = [text for language, text in BLOCKS if language == "python"]

pytestmark = pytest.mark.fortran


def run(folder: Path, *command: str | Path) -> str:
    """Run a command and return what it printed."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_model_of_ones_own(prefix: Prefix, column_archive: Path, tmp_path: Path) -> None:
    for language, name in FILES.items():
        (text,) = (text for found, text in BLOCKS if found == language)
        (tmp_path / name).write_text(text)
    chosen = (f"-Dhybrid_DIR={prefix.cmake}", f"-DPython_EXECUTABLE={sys.executable}")
    run(tmp_path, "cmake", "-B", "build", *chosen)
    run(tmp_path, "cmake", "--build", "build")
    build = tmp_path / "build"
    shutil.copy(column_archive, build / "convection.pt")
    (build / "use.py").write_text(PYTHON[0])
    said = run(build, sys.executable, "-W", "error", "use.py")
    assert re.match(r"\(100, 5\) [0-9.]+ mm/day", said)
    (build / "use.py").write_text(PYTHON[0].replace("convection.pt", "nowhere.pt"))
    failed = subprocess.run(
        [sys.executable, "use.py"], cwd=build, capture_output=True, text=True, check=False
    )
    assert failed.returncode == 1
    assert "RuntimeError: nowhere.pt: expected a readable archive file" in failed.stderr


@pytest.mark.parametrize(
    ("number", "printed"), [(1, r"[0-9.]+ mm/day"), (2, r"x at step 100 \[.*\]")]
)
def test_the_bridges_own_hosts(
    number: int, printed: str, prefix: Prefix, column_archive: Path, tmp_path: Path
) -> None:
    assert len(PYTHON) == 3
    shutil.copy(column_archive, tmp_path / "convection.pt")
    (tmp_path / "drive.py").write_text(PYTHON[number])
    said = run(tmp_path, sys.executable, "-W", "error", "drive.py")
    assert re.match(printed, said, re.DOTALL), said
