"""Many cycles of the core, under sanitizers: nothing leaks, nothing is touched that is not ours."""

import subprocess
from pathlib import Path

import pytest
from bridge.sanitized.programs import build, environment
from bridge.stub_archives import MANIFESTS, archive

from fortran_bridge.build import Prefix

pytestmark = [pytest.mark.fortran, pytest.mark.timeout(900)]

COUNTS = [1000, pytest.param(10_000, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def programs(prefix: Prefix) -> Path:
    """Folder of the sanitized programs."""
    return build(prefix.fortran_source)


@pytest.fixture
def archives(tmp_path: Path) -> tuple[Path, Path]:
    """An archive, and the same with one byte of an entry changed."""
    content = bytearray(archive(MANIFESTS["profiles"]))
    sound, damaged = tmp_path / "sound.pt", tmp_path / "damaged.pt"
    sound.write_bytes(content)
    content[content.index(b'"spec"') + 1] ^= 1
    damaged.write_bytes(content)
    return sound, damaged


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("program", ["cycles", "cycles_fortran"])
def test_cycles(programs: Path, archives: tuple[Path, Path], program: str, count: int) -> None:
    done = subprocess.run(
        [programs / program, str(count), *archives],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Every number of bytes at the end is that after a few cycles: checked by the program.
    assert f"{count} cycles" in done.stdout
    assert "Sanitizer" not in done.stderr
