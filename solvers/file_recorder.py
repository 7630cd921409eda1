"""Write a run to a file while it runs, so that it may be interrupted at any moment.

The order of writes is what makes that safe:

1. the fields of the new moment, which readers see when they are complete;
2. the restart variables, to a file beside it (the journal), which is then put in its place;
3. ``restart_step = -1``, the restart variables, ``restart_step``; then the journal is removed.

A process that is killed during 3 leaves a journal to restart from. One that is killed earlier
leaves the restart variables of the moment before; a run that resumes there writes the fields of
the new moment again, bit for bit where the same FFT library runs on the same type of machine. None
of this waits for the disk: it protects from the end of the process, not from that of the machine.

A lock beside the file keeps other processes from writing it, for as long as this one does.
"""

import shutil
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import xarray as xr

from solvers.continuation import STEP
from solvers.interrupts import interrupts_wait
from solvers.restart_variables import RESTART
from solvers.resume import check_resumable, saved_before

_BEING_WRITTEN = -1


class SnapshotFile(Protocol):
    """A file that is open for writing."""

    def write_records(self, first: int, fields: xr.Dataset) -> None:
        """Write fields with dims ``(time, ...)`` into the records that begin with `first`."""

    def overwrite(self, values: dict[Hashable, xr.Variable]) -> None:
        """Replace the values of variables without time; they are in the file when it returns."""

    def close(self) -> None:
        """Close the file."""


class FileFormat(NamedTuple):
    """How to make, write and read files of a format."""

    create: Callable[[Path, xr.Dataset], None]
    write: Callable[[Path], SnapshotFile]
    read: Callable[[Path], xr.Dataset]


class FileRecorder:
    """Keeps everything in a file.

    Parameters
    ----------
    path
        File to write, ``.nc`` or ``.zarr``.
    start
        Snapshot at the beginning of the run: what the file is made for, or compared with.
    steps
        Steps after which the run saves.
    resume
        Continue with what there is at `path`, if there is anything.

    Attributes
    ----------
    n_saved : int
        How many of `steps` are in the file.
    restart : Dataset or None
        What the run is to be continued from.

    Raises
    ------
    FileExistsError
        If there is something at `path`, and `resume` is not set.
    FileNotFoundError
        If the folder of `path` does not exist.
    RuntimeError
        If another process is writing it.
    ValueError
        If the format is unknown, or what is at `path` is not of this run.
    """

    def __init__(
        self, path: Path, start: xr.Dataset, steps: Sequence[int], *, resume: bool = False
    ) -> None:
        self._path, self._format = path, file_format(path)
        self._journal = path.with_name(f".{path.name}.restart")
        self.n_saved = 0
        self.restart: xr.Dataset | None = None
        if not path.parent.is_dir():
            raise FileNotFoundError(f"path: {path.parent}: no such folder; make it first")
        with ExitStack() as opened:
            self._lock(opened)
            torn = self._prepare(start, steps, resume=resume)
            self._file = self._format.write(path)
            opened.callback(self._file.close)
            if torn is not None:
                self._overwrite(torn)
            self._journal.unlink(missing_ok=True)
            self._opened = opened.pop_all()

    def save(self, snapshot: xr.Dataset) -> None:
        """Append the fields of one moment or more; restart variables replace those of the last."""
        restart = _restart(snapshot)
        fields = snapshot.drop_vars(list(restart))
        with interrupts_wait():
            self._file.write_records(self.n_saved, fields)
            _create(self._journal, restart, file_format(Path("journal.nc")).create)
            self._overwrite(restart)
        self.n_saved += fields.sizes["time"]

    def close(self) -> None:
        """Close the file; others may write it then."""
        self._opened.close()

    def dataset(self) -> xr.Dataset:
        """Return everything that was saved; values are read when they are asked for."""
        self.close()
        return self._format.read(self._path)

    def _lock(self, opened: ExitStack) -> None:
        # It takes long to import, and most runs stay in memory.
        from filelock import FileLock, Timeout  # noqa: PLC0415

        place = self._path.with_name(f".{self._path.name}.lock")
        lock = FileLock(place, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise RuntimeError(
                f"path: {self._path} is being written by another process; wait until it has ended, "
                "or give another path"
            ) from error
        opened.callback(lock.release)
        # Nobody who waits for this file can take it for the lock once it has lost its name.
        opened.callback(_remove_lock, place)

    def _prepare(
        self, start: xr.Dataset, steps: Sequence[int], *, resume: bool
    ) -> xr.Dataset | None:
        """Make the file, or find where to continue; return restart variables that are torn."""
        path = self._path
        if not path.exists():
            self._journal.unlink(missing_ok=True)
            _create(path, start, self._format.create)
            return None
        if not resume:
            raise FileExistsError(
                f"path: {path} exists; give resume=True to continue the run that wrote it, "
                "or another path"
            )
        with self._format.read(path) as old:
            check_resumable(path, old, start)
            self.restart = self._restart_of(old)
            self.n_saved = saved_before(path, old, self.restart, start, steps)
            return self.restart if int(old[STEP]) == _BEING_WRITTEN else None

    def _overwrite(self, restart: xr.Dataset) -> None:
        arrays = {name: restart.variables[name] for name in restart.variables if name != STEP}
        self._file.overwrite({STEP: xr.Variable((), np.int64(_BEING_WRITTEN))})
        self._file.overwrite(arrays)
        self._file.overwrite({STEP: restart.variables[STEP]})
        self._journal.unlink()

    def _restart_of(self, old: xr.Dataset) -> xr.Dataset:
        if int(old[STEP]) != _BEING_WRITTEN:
            return _restart(old).load()
        if not self._journal.exists():
            raise ValueError(
                f"resume: {self._path}: its process ended while it wrote the restart variables; "
                f"expected them in {self._journal}, which is missing; move it there too"
            )
        with file_format(Path("journal.nc")).read(self._journal) as journal:
            return journal.load()


def recorded_attributes(path: Path) -> dict[str, Any]:
    """Return the attributes of what is at a path; none if there is nothing."""
    if not path.exists():
        return {}
    with file_format(path).read(path) as old:
        return dict(old.attrs)


def file_format(path: Path) -> FileFormat:
    """Return the format that the name of a file asks for.

    Raises
    ------
    ValueError
        If it is unknown.
    """
    # Both libraries take long to import, and most runs stay in memory.
    if path.suffix == ".nc":
        from solvers import netcdf_file as netcdf  # noqa: PLC0415

        return FileFormat(netcdf.create_netcdf, netcdf.NetcdfFile, netcdf.read_netcdf)
    if path.suffix == ".zarr":
        from solvers import zarr_file as zarr  # noqa: PLC0415

        return FileFormat(zarr.create_zarr, zarr.ZarrFile, zarr.read_zarr)
    raise ValueError(f"path: expected a name that ends in .nc or .zarr, got {path.name!r}")


def _restart(snapshot: xr.Dataset) -> xr.Dataset:
    names = [name for name in snapshot.data_vars if str(name).startswith(RESTART)]
    return xr.Dataset({name: snapshot.variables[name] for name in names})


def _create(path: Path, dataset: xr.Dataset, create: Callable[[Path, xr.Dataset], None]) -> None:
    # Either complete or not there.
    partial = path.with_name(f".{path.name.lstrip('.')}.partial")
    try:
        create(partial, dataset)
        partial.replace(path)
    finally:
        _remove(partial)


def _remove_lock(place: Path) -> None:
    # Where an open file cannot be removed, the release of the lock removes it.
    with suppress(OSError):
        place.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
