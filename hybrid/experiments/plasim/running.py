"""Run PlaSim in a folder: what it does with its radiation, from where, for how long."""

import json
import re
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import f90nml

from hybrid.experiments.plasim.building import Host
from hybrid.experiments.plasim.climate import n_day_written
from hybrid.experiments.plasim.errors import HostRunError

RESTART = "plasim_status"
"""File that a run leaves, and that another one goes on from."""

_FINISHED = "finished.json"
_POLL = 0.5
_N_LINE = 4
_NOISE = re.compile(r"#\d|at |At line|Error termination|Backtrace|Fortran runtime warning")

# Parts of the model that read a namelist of their own.
_PARTS = (
    "aero",
    "carbonmod",
    "fluxmod",
    "glacier",
    "hurricane",
    "icemod",
    "landmod",
    "miscmod",
    "oceanmod",
    "planet",
    "radmod",
    "rainmod",
    "seamod",
    "surfmod",
    "vegmod",
)

OnProgress = Callable[[float], None]


@dataclass(frozen=True)
class Run:
    """One run of the model.

    Parameters
    ----------
    n_day
        Days to run.
    schemes
        For ``longwave`` and ``shortwave`` what the hooks are told: ``mode``, ``archive``, ... as in
        ``hooks/scheme.f90``; a scheme that is not named is the host's own.
    restart
        File to go on from; None: a cold start on 1 January, at rest, with a little noise.
    member
        Number in an ensemble; members other than 0 have their first fluxes changed a little.
    seed
        Of the model's own random numbers in a cold start.
    """

    n_day: int
    schemes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    restart: Path | None = None
    member: int = 0
    seed: int = 1

    def namelists(self) -> dict[str, f90nml.Namelist]:
        """Return the namelist files by name."""
        plasim = {
            "noutput": 0,
            "n_start_year": 1,
            "n_days_per_year": 360,
            "n_run_years": 0,
            "n_run_days": self.n_day,
            "kick": 1,
            "seed": [self.seed, *[0] * 7],
            "mpstep": 30.0,
            "nveg": 0,
            # Steps between outputs: none are written, but the model divides by it at the end.
            "nstpw": 48,
        }
        files: dict[str, Any] = {f"{part}_namelist": {f"{part}_nl": {}} for part in _PARTS}
        files["plasim_namelist"] = {"plasim_nl": plasim}
        return {name: f90nml.Namelist(groups) for name, groups in files.items()}

    def hooks(self) -> str:
        """Return the namelist file of the hooks: one group a scheme."""
        groups: list[tuple[str, dict[str, Any]]] = [("run_nl", {"member": self.member})]
        groups += [
            ("scheme_nl", {"scheme": name, **settings}) for name, settings in self.schemes.items()
        ]
        return "".join(f"{f90nml.Namelist({name: group})}\n" for name, group in groups)


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
    finished = folder / _FINISHED
    if not (finished.exists() and json.loads(finished.read_text())["run"] == identity):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _prepare(host, run, folder)
        before = _seconds_of_children()
        _execute(host, run, folder, on_progress)
        seconds = _seconds_of_children() - before
        finished.write_text(json.dumps({"run": identity, "seconds": seconds}))
    on_progress(1.0)
    return folder


def _content(archive: Path) -> str:
    """Return the digest of an archive, or nothing where there is none: the model says so."""
    return sha256(archive.read_bytes()).hexdigest() if archive.exists() else ""


def seconds_a_day(folder: Path) -> float:
    """Return the processor time that a finished run took for one of its days [s]."""
    finished = json.loads((folder / _FINISHED).read_text())
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
    for name, groups in run.namelists().items():
        groups.write(folder / name)
    (folder / "hybrid_namelist").write_text(run.hooks())
    if run.restart is not None:
        shutil.copy(run.restart, folder / "plasim_restart")


def _execute(host: Host, run: Run, folder: Path, on_progress: OnProgress) -> None:
    with (
        (folder / "errors").open("w") as errors,
        (folder / "log").open("w") as log,
        subprocess.Popen([host.program], cwd=folder, stdout=log, stderr=errors) as process,
    ):
        try:
            while process.poll() is None:
                time.sleep(_POLL)
                on_progress(n_day_written(folder) / run.n_day)
        except BaseException:
            process.kill()
            raise
    if process.returncode or not (folder / RESTART).exists():
        raise HostRunError(
            f"PlaSim in {folder}: expected {run.n_day} days, ended with status "
            f"{process.returncode} after day {n_day_written(folder)}: "
            f"{_message((folder / 'errors').read_text(errors='replace'))}"
        )


def _message(said: str) -> str:
    """Return the first lines that tell something: no backtrace, no warnings of temporaries."""
    lines = [line.strip() for line in said.splitlines()]
    telling = [line for line in lines if line and not _NOISE.match(line)]
    return " ".join(telling[:_N_LINE]) or "no message"
