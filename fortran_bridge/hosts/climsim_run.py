"""Run the ClimSim column host over files, on one process or several."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fortran_bridge.build import ensure_built
from fortran_bridge.errors import HostError
from fortran_bridge.hosts.program import run_host


@dataclass(frozen=True)
class ColumnRun:
    """What a run of the column host took, reading and writing left out.

    Parameters
    ----------
    n_column
        Columns evaluated, those of all files together.
    seconds
        Time of all evaluations on the wall, of the slowest process each [s].
    columns_per_second
        Median over the files [s-1].
    """

    n_column: int
    seconds: float
    columns_per_second: float


def run_columns(  # noqa: PLR0913 -- a setting each
    archive: Path,
    files: Iterable[tuple[Path, Path]],
    folder: Path,
    *,
    timestep: float = 1200.0,
    seed: int = 0,
    engine: str = "auto",
    reproducible: bool = True,
    launcher: Sequence[str] = (),
    on_progress: Callable[[float], None] | None = None,
) -> ColumnRun:
    """Let the Fortran host run a closure over mli files and write mlo files.

    Parameters
    ----------
    archive
        Compiled closure whose inputs a single mli file gives.
    files
        Each mli file and the mlo file to write, which is replaced if it is there.
    folder
        Working folder for settings and messages; made if missing.
    timestep
        Step over which the tendencies act [s].
    seed
        Seed of a stochastic closure.
    engine
        ``"auto"``, or the name of an engine.
    reproducible
        True: results do not depend on the number of processes.
    launcher
        What starts several processes, for example ``("mpirun", "-n", "4")``; each has a share
        of the columns. Empty: one process.
    on_progress
        Called with the fraction done.

    Raises
    ------
    HostError
        If the host ends with an error, or was built without MPI and `launcher` is given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{path.resolve()}\n" for pair in files for path in pair]
    (folder / "files.txt").write_text("".join(lines), encoding="utf-8")
    settings = {
        "archive": str(archive.resolve()),
        "file_list": "files.txt",
        "timestep": timestep,
        "seed": seed,
        "engine": engine,
        "reproducible": reproducible,
    }
    host = "climsim-mpi" if launcher else "climsim"
    if launcher and not ensure_built().host(host).is_file():
        raise HostError(
            "climsim host: expected a host with MPI to launch several processes, got one without; "
            "install libopenmpi-dev and run `hybrid bridge build --force`"
        )
    said = run_host(host, {"settings": settings}, folder, on_progress, launcher)
    numbers = dict(line.split() for line in said)
    return ColumnRun(
        int(numbers["columns"]), float(numbers["seconds"]), float(numbers["columns_per_second"])
    )
