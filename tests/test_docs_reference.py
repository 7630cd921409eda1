"""Every exported C function and public Fortran procedure has a reference page and a test."""

import re
import subprocess
from pathlib import Path

import reference

from fortran_bridge.build import Prefix

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"


def test_pages_are_those_of_the_sources() -> None:
    for name, content in reference.pages().items():
        assert (DOCS / "reference" / name).read_text() == content, "run python docs/reference.py"


def test_every_exported_function_has_a_page_and_a_test(prefix: Prefix) -> None:
    command = ["nm", "-D", "--defined-only", str(prefix.library)]
    symbols = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    exported = set(re.findall(r" T (hybrid_\w+)", symbols))
    entries = {entry.name: entry for entry in reference.c_entries()}
    assert exported == set(entries)
    assert [name for name, entry in entries.items() if not entry.text] == []
    programs = "".join(path.read_text() for path in (TESTS / "bridge" / "c").glob("*.c"))
    assert [name for name in sorted(exported) if f"{name}(" not in programs] == []


def test_fortran_page_says_which_arrays_and_which_parameters() -> None:
    page = (DOCS / "reference" / "fortran.md").read_text()
    for name in ("bind", "put", "get"):
        (text,) = re.findall(rf"### `binding_t%{name}`\n(.*?)\n###", page, re.DOTALL)
        assert "`array` may be real32 or real64, of rank 1 to 5." in text
    for parameter in ("hybrid_below = 1", "hybrid_untouched = 7", "hybrid_log_warning = 2"):
        assert page.count(parameter) == 1


def test_c_functions_that_stand_together_have_texts_of_their_own() -> None:
    entries = {entry.name: entry.text for entry in reference.c_entries()}
    assert "for example" in entries["hybrid_version"]
    assert "for example" not in entries["hybrid_abi_version"]


def test_every_fortran_procedure_has_a_page_and_a_test() -> None:
    entries = {entry.name: entry for entry in reference.fortran_entries()}
    assert {"closure_t%load", "binding_t%put", "read_bytes"} <= set(entries)
    assert [name for name, entry in entries.items() if not entry.text] == []
    programs = "".join(
        path.read_text() for path in (TESTS / "bridge" / "fortran").glob("*.[fF]90")
    ).lower()
    untested = []
    for name in entries:
        if name == "log_procedure":  # an abstract interface: what log_to is given
            continue
        call = name.split("%")[-1]
        mark = "%" if "%" in name else r"\b"
        if not re.search(rf"{mark}{call}\s*\(", programs):
            untested.append(name)
    assert untested == []
