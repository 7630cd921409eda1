"""The direct reader gives what the netCDF library gives, or says what is wrong with a file."""

import contextlib
from pathlib import Path
from typing import Literal, get_args

import netCDF4
import numpy as np
import pytest

from closures.climsim import cdf5
from closures.climsim.errors import DataError
from closures.climsim.files import list_pairs
from closures.climsim.pair_files import MLI_PROFILES, MLI_SCALARS, MLO_PROFILES, MLO_SCALARS
from closures.climsim.reading import read_variables, read_with_library

Format = Literal["NETCDF4", "NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"]

NAMES = {
    "mli": ("ymd", "tod", *MLI_SCALARS, *MLI_PROFILES),
    "mlo": ("ymd", "tod", *MLO_SCALARS, *MLO_PROFILES),
}


@pytest.fixture
def mli(sample_folder: Path) -> Path:
    return list_pairs(sample_folder)[0].mli


def test_every_value_of_every_file_is_that_of_the_library(any_folder: Path) -> None:
    scratch = cdf5.Scratch()
    for pair in list_pairs(any_folder):
        for path, names in zip(pair.files, NAMES.values(), strict=True):
            found = cdf5.read(path, names, scratch)
            expected = read_with_library(path, names)
            assert list(found) != []
            assert found.keys() == expected.keys() == set(names)
            for name in names:
                assert found[name].dtype == expected[name].dtype
                assert found[name].dtype.isnative
                np.testing.assert_array_equal(found[name], expected[name], strict=True)


def test_files_of_one_kind_share_one_parsed_header(
    sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cdf5, "_known", [])
    pairs = list_pairs(sample_folder)
    for path in (path for pair in pairs for path in pair.files):
        cdf5.read(path, ("ymd",))
    assert len(cdf5._known) == 2


def test_variables_that_lie_together_are_read_together(
    mli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    preadv = cdf5.os.preadv  # type: ignore[attr-defined]

    def count(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        reads.append(offset)
        n: int = preadv(descriptor, buffers, offset)
        return n

    monkeypatch.setattr(cdf5.os, "preadv", count)  # type: ignore[attr-defined]
    cdf5.read(mli, MLI_SCALARS)
    assert len(reads) == 1
    cdf5.read(mli, ("state_t", "pbuf_SOLIN"))
    assert len(reads) == 3


def test_own_memory_is_kept_and_scratch_is_used_again(mli: Path) -> None:
    first, second = (read_variables(mli, ("state_t",))["state_t"] for _ in range(2))
    assert not np.shares_memory(first, second)
    scratch = cdf5.Scratch()
    first, second = (read_variables(mli, ("state_t",), scratch)["state_t"] for _ in range(2))
    assert np.shares_memory(first, second)


@pytest.mark.parametrize("file_format", get_args(Format))
@pytest.mark.parametrize("record", [False, True])
def test_other_formats_and_record_variables_go_through_the_library(
    tmp_path: Path, file_format: Format, record: bool
) -> None:
    path = tmp_path / "other.nc"
    values = np.random.default_rng(0).normal(size=(3, 5))
    with netCDF4.Dataset(path, "w", format=file_format) as file:
        file.createDimension("lev", None if record else 3)
        file.createDimension("ncol", 5)
        file.title = "odd"
        file.createVariable("small", "f4", ("ncol",))[...] = values[0]
        file.createVariable("flag", "i1", ("ncol",))[...] = [1, 0, -1, 2, 3]
        file.createVariable("state_t", "f8", ("lev", "ncol"))[...] = values
        file["state_t"].scale_factor = 2.0
    direct = file_format == "NETCDF3_64BIT_DATA" and not record
    if direct:
        cdf5.read(path, ("state_t",))
    else:
        with pytest.raises(cdf5.UnsupportedLayoutError):
            cdf5.read(path, ("state_t",))
    found = read_variables(path, ("state_t", "flag", "small"))
    expected = read_with_library(path, ("state_t", "flag", "small"))
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    assert list(found) == ["state_t", "flag", "small"]


@pytest.mark.parametrize("keep", [0, 3, 100, 2000, -8])
def test_a_file_that_is_cut_off(mli: Path, tmp_path: Path, keep: int) -> None:
    path = tmp_path / mli.name
    path.write_bytes(mli.read_bytes()[:keep])
    with pytest.raises(DataError, match=rf"{mli.name}: expected .*download") as error:
        read_variables(path, ("state_t",))
    if keep == -8:
        assert "bytes by its header, got" in str(error.value)
        assert "cut off" in str(error.value)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_header_is_an_error_or_read_like_by_the_library(
    mli: Path, tmp_path: Path, seed: int
) -> None:
    """Never another exception, and never an endless list."""
    rng = np.random.default_rng(seed)
    content = bytearray(mli.read_bytes())
    for at in rng.integers(0, 3000, size=3):
        content[at] = rng.integers(256)
    path = tmp_path / "damaged.nc"
    path.write_bytes(content)
    size = 0
    with contextlib.suppress(DataError):
        size = read_variables(path, ("state_t",))["state_t"].nbytes
    assert size <= len(content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent.nc: expected a file, found none"):
        read_variables(tmp_path / "absent.nc", ("state_t",))


def test_a_file_that_is_no_data(tmp_path: Path) -> None:
    path = tmp_path / "page.nc"
    path.write_text("<html>not found</html>")
    with pytest.raises(DataError, match="expected a netCDF file, got one that cannot be read"):
        read_variables(path, ("state_t",))


def test_a_missing_variable_is_named(mli: Path) -> None:
    with pytest.raises(DataError, match="expected a variable cam_out_NETSW, found none; choose"):
        read_variables(mli, ("state_t", "cam_out_NETSW"))
