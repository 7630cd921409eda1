"""What threads of a Fortran host share without meaning to."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from bridge.host_programs import FORTRAN_FLAGS

from fortran_bridge.build import Prefix

pytestmark = pytest.mark.fortran
Run = Callable[..., CompletedProcess[str]]

# Tables of types; a flag of -fcheck=all that says whether a warning was printed; the host's log.
SHARED_ON_PURPOSE = ("vtab", "def_init", "print_warning", "hybrid_log_MOD_listener")


def test_threads_get_the_texts_they_ask_for(fortran_program: Run, column_archive: Path) -> None:
    result = fortran_program("texts_of_threads", column_archive, flags=(*FORTRAN_FLAGS, "-fopenmp"))
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "0 wrong texts"


@pytest.mark.parametrize("macros", [(), ("-DHYBRID_NO_ASSUMED_RANK",)])
def test_the_module_has_no_variables_that_threads_share(
    prefix: Prefix, tmp_path: Path, macros: tuple[str, ...]
) -> None:
    flags = (*FORTRAN_FLAGS, "-fopenmp", *macros, "-c", str(prefix.fortran_source))
    subprocess.run(["gfortran", *flags], check=True, cwd=tmp_path)
    symbols = subprocess.run(
        ["nm", "hybrid.o"], check=True, cwd=tmp_path, capture_output=True, text=True
    ).stdout
    kinds_and_names = [line.split()[-2:] for line in symbols.splitlines()]
    shared = [name for kind, name in kinds_and_names if kind in "BbDdC"]
    assert shared, "nm shows no data at all"
    assert not [name for name in shared if not any(part in name for part in SHARED_ON_PURPOSE)]
