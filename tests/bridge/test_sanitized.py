"""Many cycles of the core, under sanitizers: nothing leaks, nothing is touched that is not ours."""

import os
import subprocess
from pathlib import Path

import pytest
from bridge.sanitized.programs import SOURCE, build, build_threads, environment
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


# Compiling the core once more takes half a minute.
@pytest.mark.slow
def test_threads_do_not_race(archives: tuple[Path, Path]) -> None:
    folder = build_threads()
    suppressions = SOURCE / "threads" / "suppressions.txt"
    done = subprocess.run(
        [folder / "threads", archives[0], "60"],
        env={
            **os.environ,
            "HYBRID_ENGINE_FOLDER": str(folder),
            "TSAN_OPTIONS": f"suppressions={suppressions}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ThreadSanitizer" not in done.stderr
    assert done.stdout == "0 failures\n"
