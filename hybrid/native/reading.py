"""The native program of an archive."""

from pathlib import Path

from hybrid.archive import read_manifest, verified_entries
from hybrid.errors import ArchiveError
from hybrid.native.errors import ProgramError
from hybrid.native.program import Program
from hybrid.native.program_file import program_of


def read_program(path: Path | str) -> Program | None:
    """Read the program that an archive carries for the native engine; None if it carries none.

    Raises
    ------
    ArchiveError
        As `read_manifest` does, and if the program is damaged or does not fit the spec.
    """
    path = Path(path)
    spec = read_manifest(path).spec
    try:
        program = program_of(verified_entries(path))
        if program is not None:
            program.check_fits([a.size for a in spec.arguments], [r.size for r in spec.results])
            program.check_types([a.dtype for a in spec.arguments], [r.dtype for r in spec.results])
    except ProgramError as error:
        raise ArchiveError(f"{path}: {error}") from error
    return program
