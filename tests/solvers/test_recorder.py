"""Runs that are written to disk, ended at any moment, and continued."""

import errno
import gc
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Hashable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import killed_runs
import netCDF4
import numpy as np
import pytest
import xarray as xr
import zarr
from killed_runs import RUN

from solvers import TwoLayerQG, file_recorder, netcdf_file
from solvers.continuation import STEP
from solvers.file_recorder import FileRecorder
from solvers.recorder import MemoryRecorder

MODEL = TwoLayerQG(nx=16, fft="scipy")
FORMATS = pytest.mark.parametrize("suffix", [".nc", ".zarr"])


class Killed(BaseException):
    """Stands for the end of the process: nothing handles it."""


def bytes_of(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def stop_at(fraction: float) -> Callable[[float], None]:
    def stop(done: float) -> None:
        if done >= fraction:
            raise Killed

    return stop


@FORMATS
def test_a_file_holds_what_memory_would(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"run{suffix}"
    written = MODEL.run(days=5, seed=1, n_member=2, path=path)
    xr.testing.assert_identical(written.load(), MODEL.run(days=5, seed=1, n_member=2))
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name]


@FORMATS
def test_values_stay_in_the_file_until_they_are_asked_for(tmp_path: Path, suffix: str) -> None:
    with MODEL.run(steps=6, path=tmp_path / f"run{suffix}") as written:
        assert not any(written[name].variable._in_memory for name in written.data_vars)
        np.testing.assert_array_equal(written.q[-1], MODEL.run(steps=6).q[-1])


@FORMATS
def test_memory_does_not_grow_with_the_number_of_saves(tmp_path: Path, suffix: str) -> None:
    names = count()

    def peak(n_save: int) -> int:
        gc.collect()
        tracemalloc.start()
        MODEL.run(steps=n_save, save_every=1, path=tmp_path / f"{next(names)}{suffix}").close()
        traced = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return traced

    # The first dozens of saves fill what the garbage collector then keeps at that size.
    peak(60)
    fields = MODEL.run(steps=1, save_every=1).isel(time=-1)[["q", "u", "v", "psi"]].nbytes
    assert peak(120) - peak(60) < 10 * fields


@FORMATS
def test_float32_stays_float32(tmp_path: Path, suffix: str) -> None:
    model = TwoLayerQG(nx=16, fft="scipy", dtype="float32")
    with model.run(steps=3, path=tmp_path / f"run{suffix}") as written:
        assert written.q.dtype == np.float32


@FORMATS
def test_a_file_on_disk_can_be_continued_from(tmp_path: Path, suffix: str) -> None:
    MODEL.run(steps=10, path=tmp_path / f"run{suffix}").close()
    with file_recorder.file_format(tmp_path / f"run{suffix}").read(
        tmp_path / f"run{suffix}"
    ) as first:
        second = MODEL.run(steps=7, initial=first, path=tmp_path / f"second{suffix}")
    whole = MODEL.run(steps=17)
    np.testing.assert_array_equal(second.q[-1], whole.q[-1])
    # The beginning of the second run is the end of the first.
    np.testing.assert_array_equal(second.time, whole.time[11:])


@FORMATS
@pytest.mark.parametrize("fraction", [0.0, 0.01, 0.3, 0.5, 1.0])
def test_a_run_that_was_stopped_continues_bit_for_bit(
    tmp_path: Path, suffix: str, fraction: float
) -> None:
    whole, parts = tmp_path / f"whole{suffix}", tmp_path / f"parts{suffix}"
    MODEL.run(days=5, save_every=0.25, seed=2, path=whole).close()
    with pytest.raises(Killed):
        MODEL.run(days=5, save_every=0.25, seed=2, path=parts, on_progress=stop_at(fraction))
    MODEL.run(days=5, save_every=0.25, seed=2, path=parts, resume=True).close()
    assert bytes_of(parts) == bytes_of(whole)


@FORMATS
def test_only_the_remaining_steps_are_made(tmp_path: Path, suffix: str) -> None:
    path, fractions = tmp_path / f"run{suffix}", list[float]()
    with pytest.raises(Killed):
        MODEL.run(steps=100, save_every=10, path=path, on_progress=stop_at(0.55))
    MODEL.run(steps=100, save_every=10, path=path, resume=True, on_progress=fractions.append)
    # Chunks of 1, 2, 4 and 3 steps end at the next save; 50 steps were there.
    assert fractions[0] == 0.51
    assert fractions[-1] == 1.0
    fractions.clear()
    MODEL.run(steps=100, save_every=10, path=path, resume=True, on_progress=fractions.append)
    assert fractions == [1.0]


def test_resume_begins_a_run_that_never_began(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    xr.testing.assert_identical(
        MODEL.run(steps=5, path=path, resume=True).load(), MODEL.run(steps=5)
    )


def test_a_finished_run_can_be_made_longer(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    MODEL.run(steps=20, save_every=5, path=path).close()
    longer = MODEL.run(steps=40, save_every=5, path=path, resume=True)
    xr.testing.assert_identical(longer.load(), MODEL.run(steps=40, save_every=5))


def test_a_dataset_that_is_open_does_not_hide_what_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    before = MODEL.run(steps=20, save_every=5, path=path)
    after = MODEL.run(steps=40, save_every=5, path=path, resume=True)
    assert (before.sizes["time"], after.sizes["time"]) == (5, 9)
    np.testing.assert_array_equal(before.q[4], after.q[4])


@FORMATS
@pytest.mark.parametrize(
    ("first", "stride"),
    [(3, 31), *(pytest.param(first, 9, marks=pytest.mark.slow) for first in range(1, 10))],
)
def test_a_run_may_be_killed_at_any_line(
    tmp_path: Path, suffix: str, first: int, stride: int
) -> None:
    form = file_recorder.file_format(Path(f"run{suffix}"))
    with killed_runs.MODEL.run(**RUN, path=tmp_path / f"whole{suffix}") as dataset:
        whole, expected = dataset.load(), bytes_of(tmp_path / f"whole{suffix}")
    script = Path(killed_runs.__file__)
    subprocess.run(
        [sys.executable, script, tmp_path, suffix, str(first), str(stride)],
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    left = [p for p in tmp_path.glob(f"*{suffix}") if p.name[0].isdigit()]
    assert len(left) > 5
    for path in left:
        with form.read(path) as readable:
            n_time = readable.sizes["time"]
            np.testing.assert_array_equal(readable.q, whole.q[:n_time])
            np.testing.assert_array_equal(readable.time, whole.time[:n_time])
        killed_runs.MODEL.run(**RUN, path=path, resume=True).close()
        assert bytes_of(path) == expected, path
    assert [p.name for p in tmp_path.glob(".*.restart")] == []


@FORMATS
def test_a_run_is_killed_while_it_runs(tmp_path: Path, suffix: str) -> None:
    path, run = tmp_path / f"run{suffix}", "steps=400_000, save_every=100"
    program = f"""
from solvers import TwoLayerQG
TwoLayerQG(nx=8, fft="scipy").run({run}, path={str(path)!r})
"""
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        deadline = time.monotonic() + 60.0
        form = file_recorder.file_format(path)
        n_time = 0
        while n_time < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
            if path.exists():
                with form.read(path) as readable:
                    n_time = readable.sizes["time"]
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    with form.read(path) as readable:
        n_time = readable.sizes["time"]
        left = readable.isel(time=-1).load()
    assert 5 <= n_time < 4000
    step = round(float(left.time) / killed_runs.MODEL.dt)
    whole = killed_runs.MODEL.run(steps=step, save_every=step)
    np.testing.assert_array_equal(left.q, whole.q[-1])
    with killed_runs.MODEL.run(
        steps=step + 100, save_every=100, path=path, resume=True
    ) as continued:
        assert continued.sizes["time"] == n_time + 1
        whole = killed_runs.MODEL.run(steps=step + 100, save_every=100)
        np.testing.assert_array_equal(continued.q, whole.q)


@FORMATS
def test_an_interrupt_leaves_a_file_that_is_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"run{suffix}"

    def interrupt(done: float) -> None:
        if done > 0.5:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        MODEL.run(steps=60, save_every=10, path=path, on_progress=interrupt)
    with file_recorder.file_format(path).read(path) as left:
        assert left.sizes["time"] == 4
        np.testing.assert_array_equal(left.q, MODEL.run(steps=60, save_every=10).q[:4])
    MODEL.run(steps=60, save_every=10, path=path, resume=True).close()


def test_an_interrupt_waits_until_what_is_written_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = tmp_path / "run.nc", netcdf_file.NetcdfFile.write_records

    def interrupted(self: netcdf_file.NetcdfFile, first: int, fields: xr.Dataset) -> None:
        signal.raise_signal(signal.SIGINT)
        write(self, first, fields)

    monkeypatch.setattr(netcdf_file.NetcdfFile, "write_records", interrupted)
    with pytest.raises(KeyboardInterrupt):
        MODEL.run(steps=6, path=path)
    with netcdf_file.read_netcdf(path) as left:
        assert left.sizes["time"] == 1
        assert left[STEP] == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("write", [5, 20])
def test_a_disk_that_is_full_leaves_what_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    path, overwrite = tmp_path / "run.nc", netcdf_file.NetcdfFile.overwrite
    calls = []

    def full(self: netcdf_file.NetcdfFile, values: dict[Hashable, xr.Variable]) -> None:
        calls.append(values)
        if len(calls) == write:
            raise OSError(errno.ENOSPC, "No space left on device")
        overwrite(self, values)

    monkeypatch.setattr(netcdf_file.NetcdfFile, "overwrite", full)
    with pytest.raises(OSError, match="No space left on device"):
        MODEL.run(steps=6, path=path)
    monkeypatch.undo()
    # A save, here the second or the last, wrote its restart variables: the journal has them.
    with netcdf_file.read_netcdf(path) as left:
        assert left[STEP] == -1
    written = MODEL.run(steps=6, path=path, resume=True)
    xr.testing.assert_identical(written.load(), MODEL.run(steps=6))


def test_moments_may_come_many_at_a_time(tmp_path: Path) -> None:
    run = MODEL.run(steps=20, save_every=2)
    restart = {name: run[name] for name in run.data_vars if str(name).startswith("restart_")}
    for recorder in (
        MemoryRecorder(),
        FileRecorder(tmp_path / "run.nc", run, list(range(0, 21, 2))),
        FileRecorder(tmp_path / "run.zarr", run, list(range(0, 21, 2))),
    ):
        for part in (slice(0, 3), slice(3, 4), slice(4, 11)):
            recorder.save(run.isel(time=part).assign(restart))
        assert recorder.n_saved == 11
        xr.testing.assert_identical(recorder.dataset().load(), run)


def test_small_moments_share_a_chunk(tmp_path: Path) -> None:
    MODEL.run(steps=3, path=tmp_path / "small.zarr").close()
    chunks = {
        name: array.chunks for name, array in zarr.open_group(tmp_path / "small.zarr").arrays()
    }
    # 2 layers of 16 x 16 numbers of 8 bytes: 16 of them are 64 KiB.
    assert chunks["q"] == (16, 1, 2, 16, 16)
    TwoLayerQG(nx=64, fft="scipy").run(steps=3, path=tmp_path / "large.zarr").close()
    large = zarr.open_group(tmp_path / "large.zarr")
    assert dict(large.arrays())["q"].chunks == (1, 1, 2, 64, 64)


def test_a_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    path.write_text("precious")
    with pytest.raises(FileExistsError) as caught:
        MODEL.run(steps=1, path=path)
    assert str(caught.value) == (
        f"path: {path} exists; give resume=True to continue the run that wrote it, or another path"
    )
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"seed": 1},
            "resume: seed: {path} was written with 0, this run has 1; give the same para",
        ),
        (
            {"n_member": 3},
            "resume: member: {path} was written with 1, this run has 3; give the sam",
        ),
        (
            {"steps": 40},
            "resume: {path} ends with step 60 and has saved 13 times; this run would s",
        ),
        (
            {"save_every": 10},
            (
                "resume: {path} ends with step 60 and has saved 13 times; this run would save "
                "after steps 0, 10, 20, ... 60; give the initial state, the duration and "
                "save_every that it was begun with"
            ),
        ),
    ],
)
def test_another_run_does_not_continue_a_file(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    path = tmp_path / "run.nc"
    MODEL.run(steps=60, save_every=5, path=path).close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="resume") as caught:
        MODEL.run(**{"steps": 60, "save_every": 5, "path": path, "resume": True, **changed})
    assert str(caught.value).startswith(message.format(path=path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"beta": 2e-11},
            "resume: beta: {path} was written with 1.5e-11, this run has 2e-11; give",
        ),
        (
            {"dtype": "float32"},
            "resume: dtype: {path} was written with float64, this run has float",
        ),
        (
            {"nx": 32},
            "resume: nx: {path} was written with 16, this run has 32; give the same param",
        ),
    ],
)
def test_other_parameters_do_not_continue_a_file(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    path = tmp_path / "run.nc"
    MODEL.run(steps=2, path=path).close()
    with pytest.raises(ValueError, match="resume") as caught:
        replace(MODEL, ny=None, length_y=None, **changed).run(steps=2, path=path, resume=True)
    assert str(caught.value).startswith(message.format(path=path))


def test_other_versions_continue_a_file_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    MODEL.run(steps=2, path=path).close()
    with netCDF4.Dataset(path, "r+") as file:
        versions = file.versions
        # Of equal length, so that the header keeps its size.
        file.versions = versions.replace("numpy 2", "numpy 0")
    with pytest.warns(
        UserWarning, match="was begun with .* numpy 0.* and continues with .* numpy 2"
    ):
        MODEL.run(steps=2, path=path, resume=True)


def test_a_file_of_someone_else_is_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "other.nc"
    xr.Dataset({"t": ("x", [1.0, 2.0])}).to_netcdf(path)
    message = "expected a file that run\\(\\) wrote: it has no restart_step"
    with pytest.raises(ValueError, match=message):
        MODEL.run(steps=1, path=path, resume=True)


def test_a_journal_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    MODEL.run(steps=2, path=path).close()
    with netCDF4.Dataset(path, "r+") as file:
        file[STEP][...] = -1
    with pytest.raises(
        ValueError, match=r"expected them in .*/\.run\.nc\.restart, which is missing"
    ):
        MODEL.run(steps=2, path=path, resume=True)


def test_a_journal_that_is_left_over_is_not_believed(tmp_path: Path) -> None:
    path, journal = tmp_path / "run.nc", tmp_path / ".run.nc.restart"
    journal.write_text("of an earlier file of this name")
    MODEL.run(steps=2, save_every=1, path=path).close()
    assert not journal.exists()
    journal.write_text("as if the process had ended before it was needed")
    longer = MODEL.run(steps=3, save_every=1, path=path, resume=True)
    xr.testing.assert_identical(longer.load(), MODEL.run(steps=3, save_every=1))
    assert not journal.exists()


@FORMATS
@pytest.mark.parametrize("resume", [False, True])
def test_a_file_that_is_being_written_is_left_alone(
    tmp_path: Path, suffix: str, resume: bool
) -> None:
    path, refused = tmp_path / f"run{suffix}", list[str]()

    def begin_again(_done: float) -> None:
        before = bytes_of(path)
        with pytest.raises(RuntimeError, match="another process") as caught:
            MODEL.run(steps=4, save_every=1, path=path, resume=resume)
        assert bytes_of(path) == before
        refused.append(str(caught.value))

    written = MODEL.run(steps=4, save_every=1, path=path, on_progress=begin_again)
    message = "is being written by another process; wait until it has ended, or give another path"
    assert set(refused) == {f"path: {path} {message}"}
    xr.testing.assert_identical(written.load(), MODEL.run(steps=4, save_every=1))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_another_process_may_not_write_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    program = f"""
from solvers import TwoLayerQG
TwoLayerQG(nx=16, fft="scipy").run(steps=4, save_every=1, path={str(path)!r}, resume=True)
"""
    ended = list[subprocess.CompletedProcess[str]]()

    def begin_again(done: float) -> None:
        if done == 0.5:
            command = [sys.executable, "-c", program]
            ended.append(subprocess.run(command, capture_output=True, text=True, check=False))

    MODEL.run(steps=4, save_every=1, path=path, on_progress=begin_again).close()
    assert ended[0].returncode == 1
    assert f"RuntimeError: path: {path} is being written by another process" in ended[0].stderr


def test_a_run_that_is_refused_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    MODEL.run(steps=1, path=path).close()
    for seed, resume, error in ((0, False, FileExistsError), (1, True, ValueError)):
        with pytest.raises(error):
            MODEL.run(steps=1, path=path, seed=seed, resume=resume)
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["run.grib", "run", "run.nc.gz"])
def test_an_unknown_format(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="path: expected a name that ends in") as caught:
        MODEL.run(steps=1, path=tmp_path / name)
    assert str(caught.value) == (f"path: expected a name that ends in .nc or .zarr, got {name!r}")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        MODEL.run(steps=1, path=tmp_path / "nowhere" / "run.nc")
    assert str(caught.value) == f"path: {tmp_path / 'nowhere'}: no such folder; make it first"


def test_resume_needs_a_path() -> None:
    with pytest.raises(ValueError, match="resume: expected the path of the file to continue"):
        MODEL.run(steps=1, resume=True)


def test_an_attribute_that_netcdf_cannot_keep(tmp_path: Path) -> None:
    start = MODEL.run(steps=1).assign_attrs(forcing=object)
    with pytest.raises(TypeError, match="forcing: expected a text or numbers, which netCDF can"):
        FileRecorder(tmp_path / "run.nc", start, [0, 1])
    assert list(tmp_path.iterdir()) == []


def test_positions_that_are_not_dimensions_stay_coordinates(tmp_path: Path) -> None:
    run = MODEL.run(steps=1).assign_coords(latitude=("y", np.linspace(10.0, 50.0, 16)))
    recorder = FileRecorder(tmp_path / "run.nc", run, [0, 1])
    recorder.save(run)
    xr.testing.assert_identical(recorder.dataset().load(), run)
