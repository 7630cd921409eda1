"""The equations in an archive: what a closure is in closed form."""

from pathlib import Path
from typing import TYPE_CHECKING

from hybrid.archive import read_document
from hybrid.errors import ArchiveError, EmitError

if TYPE_CHECKING:
    from closures.closed_form import ClosedForm
    from closures.model_error.equation import Equation

# As `closures.model_error.equation_file.ENTRY`, which only archives that have it need to import.
_ENTRY = "terms.json"
# As `closures.closed_form.ENTRY`.
_WRITTEN_OUT = "equation.json"


def read_equations(path: Path | str) -> "tuple[Equation, ...]":
    """Read the equations of an archive, one an output; empty if it holds none.

    Raises
    ------
    ArchiveError
        If the archive cannot be read, or its ``terms.json`` has another major version or makes no
        equations.
    """
    text = read_document(path, _ENTRY)
    if text is None:
        return ()
    from closures.model_error.equation_file import from_text
    from closures.model_error.errors import TermsError

    try:
        return from_text(text)
    except TermsError as error:
        raise ArchiveError(f"{path}: {error}") from error


def read_closed_form(path: Path | str) -> "ClosedForm | None":
    """Read what a closure that is no sum of terms has written of itself; None if it has not.

    Raises
    ------
    ArchiveError
        If the archive cannot be read, or its ``equation.json`` has another major version or is
        none.
    """
    text = read_document(path, _WRITTEN_OUT)
    if text is None:
        return None
    from closures.closed_form import ClosedForm
    from closures.errors import SpecError

    try:
        return ClosedForm.from_json(text)
    except SpecError as error:
        raise ArchiveError(f"{path}: {error}") from error


def required_equations(path: Path | str) -> "tuple[Equation, ...]":
    """Read the equations of an archive.

    Raises
    ------
    ArchiveError
        As `read_equations` does.
    EmitError
        If the archive holds none.
    """
    equations = read_equations(path)
    if not equations:
        raise EmitError(
            f"{path}: expected an archive that holds an equation ({_ENTRY}), got one without; "
            "closures of discovered terms have one, see closures.model_error.SpectralTerms; "
            "networks, and sums and multiples of closures, have none, and what is written out in "
            f"{_WRITTEN_OUT} alone can be printed by hybrid emit latex, not written as Fortran"
        )
    return equations
