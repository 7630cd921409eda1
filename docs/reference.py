"""Write the reference pages of the C and Fortran interfaces from their sources.

Usage: python docs/reference.py. A test holds the pages to what this would write.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fortran_bridge.build import ensure_built

PAGES = Path(__file__).resolve().parent / "reference"

_C_INTRODUCTION = """# C interface

Generated from `hybrid.h` by `python docs/reference.py`. Every `int` function returns
`HYBRID_OK` or an error code; `hybrid_last_error()` then says what was wrong, what was expected,
what was found and what to do.
"""

_FORTRAN_INTRODUCTION = """# Fortran interface

Generated from module `hybrid` by `python docs/reference.py`. Where `stat` is optional and absent,
an error is `error stop` with the message; with it, `stat` is 0 or an error code of
[`hybrid.h`](c.md) and `errmsg` says what was wrong, what was expected, what was found and what to
do.
"""


@dataclass(frozen=True)
class Entry:
    """One name of an interface: how it is called, and what its source says of it."""

    section: str
    name: str
    declaration: str
    text: str

    def markdown(self, language: str) -> str:
        """Return the entry as a part of a page."""
        return f"### `{self.name}`\n\n```{language}\n{self.declaration}\n```\n\n{self.text}\n"


def c_entries() -> list[Entry]:
    """Return the functions of ``hybrid.h`` in their order."""
    header = (ensure_built().include / "hybrid.h").read_text()
    section, text, entries = "", "", []
    pattern = re.compile(
        r"/\* -+ (?P<section>.*?) -+ \*/|/\*(?P<text>.*?)\*/|HYBRID_API (?P<function>[^;]+);"
        r"|(?P<other>\btypedef\b[^;{]*;|#define[^\n]*)",
        re.DOTALL,
    )
    for match in pattern.finditer(header):
        if match["section"]:
            section, text = match["section"], ""
        elif match["text"]:
            text = re.sub(r"^ ?\* ?", "", match["text"].strip(), flags=re.MULTILINE)
        elif match["function"]:
            declaration = re.sub(r"\n\s+", "\n    ", match["function"])
            name = re.search(r"(\w+)\(", declaration)
            assert name is not None
            # Functions that stand together share the comment above them.
            entries.append(Entry(section, name[1], f"{declaration};", _paragraphs(text)))
    return entries


def fortran_entries() -> list[Entry]:
    """Return the public procedures of module ``hybrid``: of its types, then those of its own."""
    lines = ensure_built().fortran_source.read_text().splitlines()
    procedures = _procedures(lines)
    entries: dict[str, Entry] = {}
    targets: dict[str, list[str]] = {}
    for type_name, name, target in _type_bound(lines):
        targets.setdefault(f"{type_name}%{name}", []).append(target)
    for key, specific in targets.items():
        type_name, name = key.split("%")
        declaration, text = procedures[specific[0]]
        call = declaration.replace(specific[0], name)
        entries[key] = Entry(f"Type `{type_name}`", key, call, text + _arrays(specific))
    for name in _module_procedures(lines):
        declaration, text = procedures[name]
        entries[name] = Entry("Procedures", name, declaration, text)
    return list(entries.values())


def fortran_parameters() -> list[Entry]:
    """Return the public named constants of module ``hybrid``, a statement an entry."""
    lines = ensure_built().fortran_source.read_text().splitlines()
    entries = []
    for i, line in enumerate(lines):
        if not line.startswith("  integer, parameter, public :: "):
            continue
        last = i
        while "&" in lines[last].split("!<")[0]:
            last += 1
        statement = [part.removeprefix("  ") for part in lines[i : last + 1]]
        names = re.findall(r"(hybrid_\w+) = ", "\n".join(statement))
        first = i
        while lines[first - 1].startswith("  !> "):
            first -= 1
        text = [part.removeprefix("  !> ") for part in lines[first:i]]
        if names:
            name = f"{names[0]} ... {names[-1]}"
            entries.append(Entry("Parameters", name, "\n".join(statement), "\n".join(text)))
    return entries


def _arrays(targets: list[str]) -> str:
    """Return which arrays a generic procedure takes; empty if it is none of arrays."""
    found = [match for target in targets if (match := re.search(r"_(real\d+)_(\d)$", target))]
    # Of kind real128 there are procedures too, which say that it is refused.
    kinds = sorted({match[1] for match in found} - {"real128"})
    ranks = sorted({match[2] for match in found})
    if not found:
        return ""
    return f"\n\n`array` may be {' or '.join(kinds)}, of rank {ranks[0]} to {ranks[-1]}."


def _procedures(lines: list[str]) -> dict[str, tuple[str, str]]:
    """Map each procedure to its arguments with their declarations, and to the text above it."""
    start = re.compile(
        r"^\s+(?:impure elemental |pure |elemental )*"
        r"(?:\w+(?:\([^)]*\))? )?(?:subroutine|function) (\w+)\("
    )
    found: dict[str, tuple[str, str]] = {}
    text: list[str] = []
    for i, line in enumerate(lines):
        match = start.match(line)
        if line.lstrip().startswith("!>"):
            text.append(line.strip().removeprefix("!>").removeprefix(" "))
        elif match and match[1] not in found and "bind(c)" not in _statement(lines, i):
            declarations = _declarations(lines, i)
            found[match[1]] = ("\n".join(declarations), _paragraphs("\n".join(text)))
            text = []
        elif not match:
            text = []
    return found


def _statement(lines: list[str], first: int) -> str:
    parts = [lines[first].strip()]
    while parts[-1].endswith("&"):
        first += 1
        parts.append(lines[first].strip())
    return " ".join(part.rstrip("&").strip() for part in parts)


def _declarations(lines: list[str], first: int) -> list[str]:
    head = _statement(lines, first)
    arguments = head[head.index("(") + 1 : head.index(")")].replace("self, ", "")
    shown = [head.replace("(self, ", "(").replace("(self)", "()")]
    if len(shown[0]) > 96:
        shown[0] = shown[0].replace(f"({arguments}", f"( &\n    {arguments}", 1)
    for i in range(first, len(lines)):
        line = lines[i].strip()
        if "::" in line and "intent(" in line and not re.search(r":: self\b", line):
            shown.append(f"  {_statement(lines, i)}")
        if re.match(r"end (subroutine|function)", line):
            break
    return shown


def _type_bound(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield type, public name and specific procedure of all bindings of `*_t` types."""
    inside = ""
    bound = re.compile(r"\s+(?:procedure|generic) :: (\w+) => (\w+)")
    for line in lines:
        if match := re.match(r"\s+type(?:, public)? :: (closure_t|binding_t)$", line):
            inside = match[1]
        elif re.match(r"\s+end type", line):
            inside = ""
        elif inside and (match := bound.match(line)):
            yield inside, match[1], match[2]


def _module_procedures(lines: list[str]) -> Iterator[str]:
    last = len(lines) - 1 - lines[::-1].index("module hybrid")
    known = _procedures(lines)
    for i in range(last, len(lines)):
        if lines[i].strip().startswith("public ::"):
            names = _statement(lines, i).split("::")[1].split(",")
            yield from (name.strip() for name in names if name.strip() in known)


def _paragraphs(text: str) -> str:
    """Return a comment as markdown: lists of arguments, which are indented, stay as they are."""
    blocks = []
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        indented = [line.startswith("  ") for line in lines]
        if any(indented):
            plain = [line for line, is_in in zip(lines, indented, strict=True) if not is_in]
            listed = [line for line, is_in in zip(lines, indented, strict=True) if is_in]
            blocks.append("\n".join(plain))
            blocks.append("```text\n" + "\n".join(listed) + "\n```")
        else:
            blocks.append(block)
    return "\n\n".join(block for block in blocks if block)


def _page(introduction: str, entries: list[Entry], language: str) -> str:
    parts, section = [introduction], ""
    for entry in entries:
        if entry.section != section:
            section = entry.section
            parts.append(f"## {section[0].upper()}{section[1:]}\n")
        parts.append(entry.markdown(language))
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """Return the name and the content of each page."""
    return {
        "c.md": _page(_C_INTRODUCTION, c_entries(), "c"),
        "fortran.md": _page(
            _FORTRAN_INTRODUCTION, [*fortran_entries(), *fortran_parameters()], "fortran"
        ),
    }


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for page, content in pages().items():
        (PAGES / page).write_text(content)
