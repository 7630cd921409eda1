"""The native library is built once, and again only when something it depends on changes."""

import re
from pathlib import Path

import pytest

from fortran_bridge import BuildError, HostError, build
from fortran_bridge.build import Prefix, default_prefix, ensure_built
from fortran_bridge.hosts import run_host


def test_a_second_build_does_nothing(prefix: Prefix) -> None:
    steps: list[str] = []
    assert ensure_built(on_step=steps.append) == prefix
    assert steps == []


def test_a_changed_source_asks_for_a_build(
    prefix: Prefix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pattern in ("src/spec.cpp", "include/hybrid.h"):
        target = tmp_path / pattern
        target.parent.mkdir(exist_ok=True)
        target.write_text((build.SOURCE / pattern).read_text())
    monkeypatch.setattr(build, "SOURCE", tmp_path)
    before = build._digest()
    assert before == build._digest()
    (tmp_path / "src" / "spec.cpp").write_text("// changed")
    assert build._digest() != before


def test_missing_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda tool: None if tool == "gfortran" else f"/bin/{tool}")
    with pytest.raises(BuildError, match="expected gfortran to be installed; needed are"):
        ensure_built(Prefix(tmp_path))


def test_failing_step_shows_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "CMakeLists.txt").write_text('message(FATAL_ERROR "no such luck")\n')
    monkeypatch.setattr(build, "SOURCE", source)
    prefix = Prefix(tmp_path / "prefix")
    with pytest.raises(BuildError, match=r"`cmake` failed; needed are .*") as caught:
        ensure_built(prefix)
    assert "no such luck" in str(caught.value)
    assert build._installed_digest(prefix) is None


def test_prefix_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRID_PREFIX", str(tmp_path))
    assert default_prefix().library == tmp_path / "lib" / "libhybrid.so"


@pytest.mark.fortran
def test_a_failing_host_reports_its_message(prefix: Prefix, tmp_path: Path) -> None:
    settings = {"settings": {"archive": "none.pt", "file": "none.nc", "n_column": 1}}
    with pytest.raises(HostError, match=r"verify host: ended with status 1: none.nc: No such file"):
        run_host("verify", settings, tmp_path)


def test_a_lost_library_is_built_again(prefix: Prefix, tmp_path: Path) -> None:
    copy = Prefix(tmp_path)
    (tmp_path / "build.json").write_text((prefix.root / "build.json").read_text())
    assert build._installed_digest(copy) is None
    assert build._installed_digest(prefix) == build._digest()


def test_every_engine_is_built_and_is_the_default_of_a_build_by_hand(prefix: Prefix) -> None:
    assert {path.name for path in (prefix.root / "lib").glob("libhybrid_*.so")} == {
        f"libhybrid_{engine}.so" for engine in build.ENGINES
    }
    by_hand = re.search(
        r"set\(HYBRID_ENGINES (.*) CACHE", (build.SOURCE / "CMakeLists.txt").read_text()
    )
    assert by_hand is not None
    assert sorted(by_hand[1].split()) == sorted(build.ENGINES)
