"""Build the sanitized core with the programs that drive it, and run them."""

import os
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from filelock import FileLock

SOURCE = Path(__file__).resolve().parent
BUILD = SOURCE.parents[2] / "build" / "sanitized"


def build(fortran_source: Path) -> Path:
    """Compile what is out of date; return the folder of the programs.

    Parameters
    ----------
    fortran_source
        The installed Fortran module.
    """
    return _build(SOURCE, BUILD, f"-DHYBRID_F90={fortran_source}")


def build_threads() -> Path:
    """Compile the program of many threads with ThreadSanitizer; return its folder."""
    return _build(SOURCE / "threads", BUILD.with_name("sanitized_threads"))


def _build(source: Path, folder: Path, *options: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    with FileLock(folder / ".lock"):
        for command in (
            [
                *("cmake", "-S", str(source), "-B", str(folder), *generator),
                *(*options, "-DCMAKE_BUILD_TYPE="),
            ],
            ["cmake", "--build", str(folder), "--parallel", "2"],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return folder


def environment(**asan: int) -> dict[str, str]:
    """Return the environment for a program; `asan` adds options of AddressSanitizer."""
    options: Mapping[str, int] = {
        "detect_leaks": 1,
        "detect_stack_use_after_return": 1,
        # A failed allocation has to be an error of the bridge, not an end of the program.
        "allocator_may_return_null": 1,
        **asan,
    }
    return {
        **os.environ,
        "HYBRID_ENGINE_FOLDER": str(BUILD),
        "ASAN_OPTIONS": ":".join(f"{key}={value}" for key, value in options.items()),
    }


class Probe:
    """A process that tries to load and use archives, see ``probe.cpp``.

    Parameters
    ----------
    asan
        Options of AddressSanitizer.
    """

    def __init__(self, **asan: int) -> None:
        self._process = subprocess.Popen(
            [BUILD / "probe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(**asan),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        _, report = self._process.communicate()
        if error is None:
            assert self._process.returncode == 0, report.decode(errors="replace")[-6000:]

    def load(self, archive: bytes, variant: int = 0) -> tuple[int, str]:
        """Try to load an archive, use it if that works; return status and message.

        Raises
        ------
        AssertionError
            If the process ended, with the sanitizer's report.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(struct.pack("=QQ", len(archive), variant) + archive)
            self._process.stdin.flush()
        except BrokenPipeError:
            self._fail()
        answer = self._process.stdout.readline()
        if self._process.stdout.readline() != b"done\n":
            self._fail()
        status, message = answer.split(b" ", 1)
        return int(status), message.decode("ascii").rstrip("\n")

    def _fail(self) -> None:
        _, report = self._process.communicate()
        raise AssertionError(report.decode(errors="replace")[-6000:])
