"""Finding files below a folder: links, loops, and many files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from closures.climsim.errors import DataError
from closures.climsim.files import file_name, find_pairs, list_pairs
from closures.climsim.folders import files_by_folder
from closures.climsim.grid import find_grid


def month_of_pairs(folder: Path, month: int, n: int = 2) -> None:
    """Make `n` pairs of empty files."""
    folder.mkdir(parents=True)
    for day in range(1, n + 1):
        for kind in ("mli", "mlo"):
            (folder / file_name(kind, 1, month, day, 0)).touch()


def test_months_that_are_links_are_found(tmp_path: Path) -> None:
    month_of_pairs(tmp_path / "data" / "train" / "0001-03", 3)
    month_of_pairs(tmp_path / "elsewhere" / "a", 2)
    (tmp_path / "elsewhere" / "grid").mkdir()
    (tmp_path / "elsewhere" / "grid" / "low-res_grid-info.nc").touch()
    (tmp_path / "data" / "train" / "0001-02").symlink_to(tmp_path / "elsewhere" / "a")
    (tmp_path / "data" / "grid_info").symlink_to("../elsewhere/grid")
    pairs = list_pairs(tmp_path / "data")
    assert [pair.month for pair in pairs] == [2, 2, 3, 3]
    assert pairs[0].mli.parent == tmp_path / "data" / "train" / "0001-02"
    assert find_grid(tmp_path / "data") == (
        tmp_path / "data" / "grid_info" / "low-res_grid-info.nc"
    )


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    month_of_pairs(tmp_path / "elsewhere", 1)
    (tmp_path / "data").symlink_to("elsewhere")
    assert [pair.mli.parent for pair in list_pairs(tmp_path / "data")] == [tmp_path / "data"] * 2


def test_loops_end_and_each_folder_comes_once_under_its_own_path(tmp_path: Path) -> None:
    month_of_pairs(tmp_path / "z" / "0001-01", 1)
    (tmp_path / "a").symlink_to("z")
    (tmp_path / "z" / "0001-01" / "up").symlink_to(tmp_path)
    (tmp_path / "z" / "self").symlink_to(tmp_path / "z")
    (tmp_path / "endless").symlink_to("endless")
    found = [place for place, _ in files_by_folder(tmp_path)]
    assert sorted(found) == [tmp_path, tmp_path / "z", tmp_path / "z" / "0001-01"]
    assert [pair.day for pair in list_pairs(tmp_path)] == [1, 2]


def test_links_to_files_count_and_links_to_nothing_do_not(tmp_path: Path) -> None:
    month_of_pairs(tmp_path / "blobs", 5)
    data = tmp_path / "data"
    data.mkdir()
    for path in sorted((tmp_path / "blobs").iterdir()):
        (data / path.name).symlink_to(path)
    (tmp_path / "blobs" / file_name("mlo", 1, 5, 2, 0)).unlink()
    pairs, alone = find_pairs(data)
    assert [pair.day for pair in pairs] == [1]
    assert alone == (data / file_name("mli", 1, 5, 2, 0),)


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    month_of_pairs(tmp_path / "0001-01", 1)
    month_of_pairs(tmp_path / "0001-02", 2)
    scandir = os.scandir

    def scan(path: Path) -> Iterator[os.DirEntry[str]]:
        if path.name == "0001-02":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(PermissionError, match="0001-02"):
        list_pairs(tmp_path)


def test_several_grid_files_are_named(tmp_path: Path) -> None:
    for name in ("low-res_grid-info.nc", "high-res_grid-info.nc"):
        (tmp_path / name).touch()
    expected = r"found 2 \(high-res_grid-info.nc, low-res_grid-info.nc\); put .* and no other"
    with pytest.raises(DataError, match=expected):
        find_grid(tmp_path)


def test_files_are_not_asked_for_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    month_of_pairs(tmp_path / "0001-01", 1, 28)
    asked: list[Path] = []
    stat = Path.stat

    def counted(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        asked.append(path)
        return stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", counted)
    assert len(list_pairs(tmp_path)) == 28
    assert asked == [tmp_path, tmp_path / "0001-01"]
