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
            program.check_contract(spec)
    except ProgramError as error:
        raise ArchiveError(f"{path}: {error}") from error
    return program
