"""The small Fortran host models: as programs, and in this process.

`run_host` runs a host as a program, `run_columns` that of ClimSim over files. `Lorenz96Host` and
`ClimsimHost` are hosts in this process, and `FortranClosure` and `FortranBinding` are the Fortran
interface of the bridge; these are built when first used and need f90wrap.
"""

from fortran_bridge.hosts.climsim import ClimsimHost
from fortran_bridge.hosts.climsim_run import ColumnRun, run_columns
from fortran_bridge.hosts.columns import FortranBinding, FortranClosure
from fortran_bridge.hosts.lorenz96 import Lorenz96Host
from fortran_bridge.hosts.program import run_host

__all__ = [
    "ClimsimHost",
    "ColumnRun",
    "FortranBinding",
    "FortranClosure",
    "Lorenz96Host",
    "run_columns",
    "run_host",
]
