"""The source archive: unpacked if it is the known one, refused otherwise."""

import io
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from hybrid.experiments.plasim import source
from hybrid.experiments.plasim.errors import SourceError


def write_archive(path: Path) -> str:
    with tarfile.open(path, "w:gz") as tar:
        for name in (
            "exoplasim-3.4.2/exoplasim/plasim/src/radmod.f90",
            "exoplasim-3.4.2/exoplasim/most_compiler",
            "exoplasim-3.4.2/exoplasim/pyburn.py",
        ):
            member = tarfile.TarInfo(name)
            member.size = len(name)
            tar.addfile(member, io.BytesIO(name.encode()))
    return sha256(path.read_bytes()).hexdigest()


def test_what_the_build_needs_is_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "exoplasim-3.4.2.tar.gz"
    source.unpack(archive, tmp_path / "tree", write_archive(archive))
    found = sorted(path.relative_to(tmp_path / "tree") for path in tmp_path.glob("tree/**/*.*"))
    assert found == [Path("plasim/src/radmod.f90")]
    assert (tmp_path / "tree" / "most_compiler").exists()


def test_another_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "exoplasim-3.4.2.tar.gz"
    found = write_archive(archive)
    with pytest.raises(SourceError, match=f"SHA-256 {source.SHA256}, got {found}"):
        source.unpack(archive, tmp_path / "tree", source.SHA256)


def test_no_network_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "ERROR: No matching distribution")

    monkeypatch.setattr("subprocess.run", fails)
    with pytest.raises(
        SourceError, match=r"got: ERROR: No matching .* first run needs the network"
    ):
        source.source_tree(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_tree_that_is_there_is_not_downloaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / f"exoplasim-{source.VERSION}"
    tree.mkdir()
    monkeypatch.setattr(source, "_download", None)
    assert source.source_tree(tmp_path) == tree
