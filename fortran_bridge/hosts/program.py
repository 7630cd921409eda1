"""Run a Fortran host model as a program."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import f90nml

from fortran_bridge.build import ensure_built
from fortran_bridge.errors import HostError

_NEEDS = {"climsim-mpi": "MPI (libopenmpi-dev)", "quasigeostrophic": "FFTW 3 (libfftw3-dev)"}


def run_host(
    name: str,
    namelist: Mapping[str, Mapping[str, Any]],
    folder: Path,
    on_progress: Callable[[float], None] | None = None,
    launcher: Sequence[str] = (),
) -> list[str]:
    """Write the namelist into `folder` and run the host there until it ends.

    Parameters
    ----------
    name
        ``"barotropic"``, ``"lorenz96"``, ``"climsim"``, ``"climsim-mpi"`` (built where there is
        MPI), ``"quasigeostrophic"`` (built where there is FFTW 3) or ``"verify"``.
    namelist
        Groups of the namelist, normally one: ``{"settings": {...}}``.
    folder
        Working folder; it exists.
    on_progress
        Called with the fraction done whenever the host reports it.
    launcher
        Words of the command before the program, for example ``("mpirun", "-n", "4")``.

    Returns
    -------
    list of str
        What the host wrote to standard output, lines of progress left out.

    Raises
    ------
    HostError
        If the host was not built, or ends with an error; then the message is what it wrote to
        standard error.
    """
    program = ensure_built().host(name)
    if not program.exists():
        raise HostError(_absent(name, program))
    settings = folder / f"{name}.nml"
    f90nml.Namelist(namelist).write(settings, force=True)
    command = [*launcher, str(program), settings.name]
    said = []
    with (
        (folder / f"{name}.err").open("w+") as errors,
        subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                words = line.split()
                if len(words) != 2 or words[0] != "progress":
                    said.append(line.rstrip("\n"))
                elif on_progress:
                    on_progress(float(words[1]))
            status = process.wait()
        except BaseException:
            process.kill()
            raise
        errors.seek(0)
        message = errors.read().strip()
    if status:
        raise HostError(f"{name} host: ended with status {status}: {message or 'no message'}")
    return said


def _absent(name: str, program: Path) -> str:
    wanted = f"{name} host: expected the program {program}, got none"
    if name not in _NEEDS:
        known = sorted(path.name.split("-", 1)[1] for path in program.parent.glob("hybrid-*-host"))
        return f"{wanted}; there are {', '.join(part.removesuffix('-host') for part in known)}"
    return f"{wanted}; install {_NEEDS[name]} and run `hybrid bridge build --force`"
