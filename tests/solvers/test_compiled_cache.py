"""What is compiled is compiled anew when a file that it calls has changed, and else never."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from numba import njit
from numba.core import caching

import solvers
from solvers import compiled_cache
from solvers.cache import CACHE_VARIABLE
from solvers.time_stepping import runge_kutta_4_stage

_PACKAGE = Path(solvers.__file__).parent
# A loop in one file calls what another file says of its method.
_PROGRAM = """
import gc
from numba.core.dispatcher import Dispatcher
import solvers
x = solvers.Lorenz96(n_k=8).run(steps=1).x.values[-1]
compiled = [
    each
    for each in gc.get_objects()
    if isinstance(each, Dispatcher) and each.py_func.__module__.startswith("solvers.")
]
print(solvers.__path__[0], sum(sum(each.stats.cache_misses.values()) for each in compiled))
print(x.tobytes().hex())
"""


@pytest.mark.parametrize("chosen", ["", "numba"], ids=["beside the files", "in a folder"])
def test_an_edited_callee_in_another_file(tmp_path: Path, chosen: str) -> None:
    copy = tmp_path / "solvers"
    shutil.copytree(_PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        CACHE_VARIABLE: str(tmp_path / "fft"),
        "NUMBA_CACHE_DIR": str(tmp_path / chosen) if chosen else "",
    }

    def run() -> tuple[int, str, set[str]]:
        """Return how many functions were compiled, the result, and the files that are kept."""
        output = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert output[0] == str(copy)
        kept = {path.name for suffix in ("nbi", "nbc") for path in tmp_path.rglob(f"*.{suffix}")}
        return int(output[1]), output[2], kept

    n_first, first, files = run()
    assert n_first > 0
    callee = copy / "time_stepping.py"
    text = callee.read_text()
    assert text.count("kind(0.5 * dt)") == 1
    callee.write_text(text.replace("kind(0.5 * dt)", "kind(0.4 * dt)"))
    n_second, second, files_then = run()
    assert n_second == n_first
    assert second != first
    # What was stale is overwritten, not kept beside the new.
    assert files_then == files
    assert run() == (0, second, files)


def test_only_functions_of_the_package_are_watched() -> None:
    @njit(cache=True)
    def other(x: float) -> float:
        return x

    def finder(function: Any) -> str:
        return type(function._cache._impl.locator).__module__

    assert finder(runge_kutta_4_stage) == compiled_cache.__name__
    assert finder(other) == caching.__name__


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of two files."""
    monkeypatch.setattr(compiled_cache, "_PACKAGE", tmp_path)
    (tmp_path / "part").mkdir()
    (tmp_path / "a.py").write_text("a = 1")
    (tmp_path / "part" / "b.py").write_text("b = 1")
    return tmp_path


@pytest.mark.parametrize("name", ["a.py", "part/b.py", "new.py", "part/new.py"])
def test_the_stamp_covers_every_source(package: Path, name: str) -> None:
    before = compiled_cache.package_stamp()
    (package / name).write_text("c = 2")
    assert compiled_cache.package_stamp() != before


def test_the_stamp_covers_the_names(package: Path) -> None:
    before = compiled_cache.package_stamp()
    (package / "a.py").rename(package / "c.py")
    assert compiled_cache.package_stamp() != before


def test_the_stamp_is_that_of_the_sources_alone(package: Path) -> None:
    before = compiled_cache.package_stamp()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "kept.py").write_text("d = 3")
    (package / "notes.txt").write_text("e = 4")
    os.utime(package / "a.py", (0, 0))
    assert compiled_cache.package_stamp() == before


def test_the_stamp_takes_milliseconds() -> None:
    seconds = []
    for _ in range(5):
        began = time.process_time()
        compiled_cache.package_stamp()
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.02


@pytest.mark.parametrize("internals", ["None", "()", "[object]"])
def test_another_numba_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, internals: str) -> None:
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", eval(internals))
    compiled_cache._install()
    assert caching.CacheImpl._locator_classes == eval(internals)


def test_a_numba_without_these_internals_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(caching, "CacheImpl")
    compiled_cache._install()
