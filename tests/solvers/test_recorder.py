"""Runs that are written to disk, ended at any moment, and continued."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from solvers import TwoLayerQG, file_recorder, zarr_file
from solvers.file_recorder import FileRecorder
from solvers.resume import STEP

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
    assert fractions == []


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
def test_any_write_may_be_the_last_one(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ends a run before and after each single write to its file, with half of the data in it."""
    whole, options = tmp_path / f"whole{suffix}", {"steps": 6, "save_every": 2}
    MODEL.run(path=whole, **options).close()  # type: ignore[arg-type]
    expected = bytes_of(whole)
    form = file_recorder.file_format(whole)
    for last in range(1, 50):
        path = tmp_path / f"{last}{suffix}"
        writes = _WritesEnd(after=last)
        with monkeypatch.context() as patch:
            patch.setattr(file_recorder, "file_format", lambda p: writes.around(form, p))
            try:
                MODEL.run(path=path, **options).close()  # type: ignore[arg-type]
            except Killed:
                ended = True
            else:
                ended = False
        if path.exists():
            with form.read(path) as readable:
                n_time = readable.sizes["time"]
                with form.read(whole) as complete:
                    np.testing.assert_array_equal(readable.q, complete.q[:n_time])
        MODEL.run(path=path, resume=True, **options).close()  # type: ignore[arg-type]
        assert bytes_of(path) == expected, last
        if not ended:
            break
    # Four saves, each of a record, a journal, and three writes in place.
    assert last == 4 * 5 + 2


class _WritesEnd:
    """Lets a number of writes through, half of the one that follows, and ends the run."""

    def __init__(self, after: int) -> None:
        self.left = after

    def around(
        self, form: file_recorder.FileFormat, path: Path
    ) -> file_recorder.FileFormat:
        return form
