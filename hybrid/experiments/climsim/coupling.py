"""The compiled closure inside the Fortran column host."""

from dataclasses import dataclass
from pathlib import Path

from closures.base import Closure
from closures.climsim.files import Columns, read_columns
from closures.climsim.grid import ColumnGrid
from closures.climsim.scoring import Score, score
from closures.climsim.variables import TIMESTEP, VariableSet
from closures.training import OnProgress
from fortran_bridge.hosts import run_columns
from hybrid.export import export


@dataclass(frozen=True)
class Coupled:
    """What the Fortran host wrote.

    Parameters
    ----------
    archive
        Compiled closure that the host ran.
    written
        Columns read back from the host's mlo files.
    scores
        Scores of those files, by label.
    """

    archive: Path
    written: Columns
    scores: dict[str, Score]


def run_in_fortran(
    closure: Closure,
    archive: Path,
    truth: Columns,
    variables: VariableSet,
    grid: ColumnGrid,
    on_progress: OnProgress,
) -> Coupled:
    """Compile a closure, run it over the mli files of `truth` in Fortran, score what comes out.

    Parameters
    ----------
    closure
        Trained closure.
    archive
        File to compile into; the host works in a folder of the same name without suffix.
    truth
        Test columns, whose pairs name the mli files.
    variables
        Variable set of the closure.
    grid
        Grid of the columns.
    on_progress
        Called with the fraction done.

    Raises
    ------
    fortran_bridge.errors.HostError
        If the host ends with an error.
    """
    export(closure, archive)
    folder = archive.with_suffix("")
    files = [(pair.mli, folder / pair.mlo.name) for pair in truth.pairs]
    run_columns(archive, files, folder, timestep=TIMESTEP, on_progress=on_progress)
    written = read_columns(truth.pairs, variables, folder)
    return Coupled(archive, written, score(written.outputs, truth, variables, grid))
