"""Run a Fortran host model as a program."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import f90nml

from fortran_bridge.build import ensure_built
from fortran_bridge.errors import HostError


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
        MPI) or ``"verify"``.
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
        If the host ends with an error; the message is what it wrote to standard error.
    """
    settings = folder / f"{name}.nml"
    f90nml.Namelist(namelist).write(settings, force=True)
    command = [*launcher, str(ensure_built().host(name)), settings.name]
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
