"""Run PlaSim in a folder, unless it has run there before."""

import json
import os
import re
import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from closures.atomic import write_text
from hybrid.experiments.plasim.building import Host
from hybrid.experiments.plasim.climate import n_day_written
from hybrid.experiments.plasim.errors import HostRunError
from hybrid.experiments.plasim.model_run import Run, warmed

RESTART = "plasim_status"
"""File that a run leaves, and that another one goes on from."""

FINISHED = "finished.json"
"""What a finished run was, and how long it took."""

_SEA = "*_surf_0169.sra"
_POLL = 0.5

# What the model leaves where it stops by itself, with status 0.
_ABORTED = "Abort_Message"

# Other implementations of MPI start more processes than cores, and as root, without being asked;
# processes that wait leave the core to others.
_OPEN_MPI = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
}
_N_LINE = 4
_NOISE = re.compile(r"#\d|at |At line|Error termination|Backtrace|Fortran runtime warning")

OnProgress = Callable[[float], None]


def run_model(host: Host, run: Run, folder: Path, on_progress: OnProgress) -> Path:
    """Run the model in `folder`, unless it has run there before.

    Parameters
    ----------
    host
        The compiled model.
    run
        What to run.
    folder
        Where everything that the run writes stays; emptied before a run.
    on_progress
        Called with the fraction of the days done.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    HostRunError
        If the model ends before its time; the message says after which day.
    """
    identity = _identity(host, run)
    finished = folder / FINISHED
    if not (finished.exists() and json.loads(finished.read_text())["run"] == identity):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _prepare(host, run, folder)
        before = _seconds_of_children()
        _execute(host, run, folder, on_progress)
        seconds = _seconds_of_children() - before
        write_text(finished, json.dumps({"run": identity, "seconds": seconds}))
    on_progress(1.0)
    return folder


def _content(archive: Path) -> str:
    """Return the digest of an archive, or nothing where there is none: the model says so."""
    return sha256(archive.read_bytes()).hexdigest() if archive.exists() else ""


def seconds_a_day(folder: Path) -> float:
    """Return the processor time that a finished run took for one of its days [s]."""
    finished = json.loads((folder / FINISHED).read_text())
    return float(finished["seconds"]) / n_day_written(folder)


def _seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _identity(host: Host, run: Run) -> dict[str, Any]:
    known = {**asdict(run), "host": host.key}
    known["namelists"] = {name: str(groups) for name, groups in run.namelists().items()}
    if run.restart is not None:
        known["restart"] = [str(run.restart), run.restart.stat().st_mtime_ns]
    archives = [Path(scheme["archive"]) for scheme in run.schemes.values() if "archive" in scheme]
    known["archives"] = [_content(path) for path in archives]
    identity: dict[str, Any] = json.loads(json.dumps(known))
    return identity


def _prepare(host: Host, run: Run, folder: Path) -> None:
    for path in host.data.glob("*.sra"):
        shutil.copy(path, folder)
    if run.sea_warmer is not None:
        sea = next(folder.glob(_SEA))
        sea.write_text(warmed(sea.read_text(), run.sea_warmer))
    for name, groups in run.namelists().items():
        groups.write(folder / name)
    (folder / "hybrid_namelist").write_text(run.hooks())
    if run.restart is not None:
        shutil.copy(run.restart, folder / "plasim_restart")


def _command(host: Host) -> list[str]:
    launcher = ["mpirun", "-n", str(host.n_rank)] if host.n_rank > 1 else []
    return [*launcher, str(host.program)]


def _execute(host: Host, run: Run, folder: Path, on_progress: OnProgress) -> None:
    with (
        (folder / "errors").open("w") as errors,
        (folder / "log").open("w") as log,
        subprocess.Popen(
            _command(host), cwd=folder, stdout=log, stderr=errors, env={**os.environ, **_OPEN_MPI}
        ) as process,
    ):
        try:
            while process.poll() is None:
                time.sleep(_POLL)
                on_progress(n_day_written(folder) / run.n_day)
        except BaseException:
            process.kill()
            raise
    n_day = n_day_written(folder)
    if process.returncode or n_day != run.n_day or not (folder / RESTART).exists():
        said = (_ABORTED, "errors")
        texts = [path.read_text(errors="replace") for n in said if (path := folder / n).exists()]
        raise HostRunError(
            f"PlaSim in {folder}: expected {run.n_day} days, ended with status "
            f"{process.returncode} after day {n_day}: {_message(''.join(texts))}"
        )


def _message(said: str) -> str:
    """Return the first lines that tell something: no backtrace, no warnings of temporaries."""
    lines = [line.strip() for line in said.splitlines()]
    telling = [line for line in lines if line and not _NOISE.match(line)]
    return " ".join(telling[:_N_LINE]) or "no message"
