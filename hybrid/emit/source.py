"""From templates to source files."""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from closures import atomic
from hybrid.errors import EmitError

WIDTH = 100
"""Characters that a line of emitted Fortran aims at; the standard allows 132."""


@dataclass(frozen=True)
class Emission:
    """Source files, not yet written.

    Parameters
    ----------
    files
        Name to content.
    warnings
        What whoever uses the files should look at first.
    """

    files: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def render(template: str, **values: Any) -> str:
    """Return the text of a template of `hybrid/templates`."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hybrid"),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["literal"] = literal
    environment.globals["call"] = call
    environment.globals["comment"] = comment
    return environment.get_template(template).render(**values)


def literal(text: str) -> str:
    """Return a Fortran character literal.

    Examples
    --------
    >>> literal("arc'")
    "'arc'''"
    """
    return "'" + text.replace("'", "''") + "'"


def call(start: str, arguments: Iterable[str], indent: int) -> str:
    """Return ``start(arguments)``, broken into lines, indented by `indent` blanks.

    Examples
    --------
    >>> print(call("call f", ["a" * 60, "b" * 60], 2))
      call f(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, &
             bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb)
    """
    words = list(arguments)
    lines = [" " * indent + start + "("]
    hanging = len(lines[0])
    if hanging + max((len(word) for word in words), default=0) + 3 > WIDTH:
        # Beneath the bracket there is no room: begin on a line of its own.
        lines[0] += "&"
        hanging = indent + 4
        lines.append(" " * hanging)
    for i, word in enumerate(words):
        piece = word + (")" if i == len(words) - 1 else ",")
        blank = "" if lines[-1].endswith(("(", " ")) else " "
        if lines[-1].strip() and len(lines[-1] + blank + piece) + 2 > WIDTH and blank:
            lines[-1] += " &"
            lines.append(" " * hanging)
            blank = ""
        lines[-1] += blank + piece
    return "\n".join(lines) if words else lines[0] + ")"


def comment(text: str, start: str = "!! ") -> str:
    """Return `text` as lines of a comment; empty for an empty text.

    An archive's own words are only ever a comment: nothing in them reaches the preprocessor.
    """
    harmless = text.replace("/*", "/ *").replace("\\", "/")
    harmless = "".join(c if c.isprintable() else " " for c in harmless)
    return "\n".join(start + line for line in textwrap.wrap(harmless, WIDTH - len(start)))


def write(emission: Emission, folder: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Write the files into `folder`, which is made if it is not there.

    Raises
    ------
    EmitError
        If one of the files exists and `force` is false; then none is written.
    """
    paths = {folder / name: text for name, text in emission.files.items()}
    there = [path for path in paths if path.exists()]
    if there and not force:
        raise EmitError(
            f"{there[0]}: expected no such file, got one; give --force to write it anew, "
            "or another --out or --name"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in paths.items():
        atomic.write_text(path, text)
    return tuple(paths)
