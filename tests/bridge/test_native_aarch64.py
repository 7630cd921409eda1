"""The kernels for aarch64: they compile without a warning, and sums are of vectors.

A cross compiler of LLVM comes with `pip install ziglang`; then `pytest -m slow` on this file.
"""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from fortran_bridge.build import SOURCE

pytestmark = pytest.mark.slow

TARGET = "aarch64-linux-gnu"
# As in cmake/NativeEngine.cmake.
FLAGS = ("-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math")


def test_kernels_are_compiled_for_neon(tmp_path: Path) -> None:
    if find_spec("ziglang") is None:
        pytest.skip("ziglang is not there: pip install ziglang")
    assembly = tmp_path / "kernels.s"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ziglang", "c++", "-target", TARGET, "-std=c++20", *FLAGS),
            *("-Wall", "-Wextra", "-Werror", "-Qunused-arguments", f"-I{SOURCE / 'include'}"),
            *("-S", str(SOURCE / "src" / "native" / "kernels.cpp"), "-o", str(assembly)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    fused = re.findall(rb"\bfmla\s+v\d+\.4s", assembly.read_bytes())
    # Of the products of whole panels: 8 outputs, 2 vectors, and more for their ends.
    assert len(fused) >= 16
