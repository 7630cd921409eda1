"""The extension is built when it is asked for, and again when what it was made from changes."""

import importlib.util
import json
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from fortran_bridge import BuildError
from fortran_bridge.build import Prefix
from fortran_bridge.hosts import extension
from fortran_bridge.hosts.extension import ensure_extension
from fortran_bridge.installation import STAMP

pytestmark = pytest.mark.fortran


@pytest.fixture
def copy(prefix: Prefix, tmp_path: Path) -> Prefix:
    """The installation at another place."""
    for part in ("include", "lib", "share"):
        shutil.copytree(prefix.root / part, tmp_path / part, symlinks=True)
    shutil.copy(prefix.root / STAMP, tmp_path)
    return Prefix(tmp_path)


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were built, in place of building them."""
    folders = []

    def build(_: Prefix, folder: Path) -> None:
        folder.mkdir(parents=True)
        folders.append(folder)

    monkeypatch.setattr(extension, "_build", build)
    return folders


def test_it_is_built_once(copy: Prefix, builds: list[Path]) -> None:
    assert ensure_extension(copy) == ensure_extension(copy)
    assert len(builds) == 1


def test_a_changed_source_asks_for_a_build(copy: Prefix, builds: list[Path]) -> None:
    first = ensure_extension(copy)
    stamp = json.loads((copy.root / STAMP).read_text())
    (copy.root / STAMP).write_text(json.dumps({**stamp, "digest": "of changed sources"}))
    assert ensure_extension(copy) != first
    assert len(builds) == 2


@pytest.mark.parametrize("package", ["f90wrap", "numpy"])
def test_another_version_asks_for_a_build(
    package: str, copy: Prefix, builds: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ensure_extension(copy)
    monkeypatch.setattr(extension, "version", lambda name: version(name) + ".1" * (name == package))
    assert ensure_extension(copy) != first


def test_without_f90wrap(copy: Prefix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BuildError, match=r"expected the package f90wrap 0\.3, got none; pip insta"):
        ensure_extension(copy)


def test_without_the_headers_of_python(copy: Prefix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: "/nowhere")
    with pytest.raises(BuildError, match=r"expected the headers of this Python, got no /nowhere/P"):
        ensure_extension(copy)


def test_a_failing_step_shows_the_log_and_is_tried_again(
    copy: Prefix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "sources"
    folder = sources / "hosts" / "python"
    folder.mkdir(parents=True)
    (folder / "CMakeLists.txt").write_text('message(FATAL_ERROR "no such luck")\n')
    monkeypatch.setattr(extension, "SOURCE", sources)
    for _ in range(2):
        with pytest.raises(BuildError, match="Fortran hosts in Python: `cmake` failed") as caught:
            ensure_extension(copy)
        assert "no such luck" in str(caught.value)


def test_a_new_build_takes_the_place_of_old_ones_and_can_be_moved(
    prefix: Prefix, copy: Prefix, tmp_path: Path
) -> None:
    environment = ensure_extension(prefix).parent.name
    old = copy.root / "python" / environment / "of other sources"
    (old.parent / ".staging").mkdir(parents=True)
    old.mkdir()
    folder = ensure_extension(copy)
    assert not old.exists()
    assert list(folder.parent.iterdir()) == [folder]
    assert sorted(file.suffix for file in folder.iterdir()) == [".py", ".so"]
    moved = tmp_path / "moved"
    moved.mkdir()
    for part in ("lib", "python"):
        (copy.root / part).rename(moved / part)
    (compiled,) = moved.glob("python/*/*/*.so")
    linked = subprocess.run(["ldd", compiled], capture_output=True, text=True, check=True).stdout
    (library,) = re.findall(r"libhybrid\.so\.1 => (\S+)", linked)
    assert Path(library).resolve() == (moved / "lib" / "libhybrid.so.1").resolve()
