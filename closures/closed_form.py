"""``equation.json``: what a closure computes, in formulas for people, beside its compiled code.

`fortran_bridge/FORMAT.md` documents the format.
"""

import json
from dataclasses import dataclass
from typing import Self

from closures.errors import SpecError

ENTRY = "equation.json"
"""Name of the file."""
MAJOR = 1
LARGEST = 2**22
"""Characters of the file."""


@dataclass(frozen=True)
class ClosedForm:
    r"""A closure written out, with every number and definition that is needed to enter it by hand.

    Parameters
    ----------
    text
        Plain text, a formula a line.
    latex
        The same as a display in LaTeX, which needs ``amsmath``.

    Raises
    ------
    SpecError
        If one of them is empty, or has characters that cannot be printed.

    Examples
    --------
    >>> print(ClosedForm("w_t = ... - 0.1 w", r"\partial_t \omega = \cdots - 0.1 \omega"))
    w_t = ... - 0.1 w
    """

    text: str
    latex: str

    def __post_init__(self) -> None:
        for name in ("text", "latex"):
            value = getattr(self, name)
            if not value or not all(line.isprintable() for line in value.split("\n")):
                raise SpecError(f"equation: expected {name} in printable lines, got {value[:80]!r}")

    def __str__(self) -> str:
        return self.text

    def to_json(self) -> str:
        """Return the content of ``equation.json``."""
        form = {"major": MAJOR, "minor": 0}
        return json.dumps({"format": form, "text": self.text, "latex": self.latex}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the content of ``equation.json``.

        Raises
        ------
        SpecError
            If it is none, or of another major version.
        """
        if len(text) > LARGEST:
            raise SpecError(
                f"{ENTRY}: expected at most {LARGEST >> 20} MiB, got {len(text)} characters"
            )
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError(
                f"{ENTRY}: expected JSON, but it does not read as such: {error}"
            ) from error
        if not isinstance(data, dict) or not isinstance(data.get("format"), dict):
            raise SpecError(f"{ENTRY}: expected format, text and latex; export the closure again")
        if data["format"].get("major") != MAJOR:
            raise SpecError(
                f"{ENTRY}: expected format {MAJOR}.x, got {data['format'].get('major')!r}; install "
                "a hybrid-closures that reads it, or export the closure again"
            )
        # A larger minor version may add keys.
        formulas, latex = data.get("text"), data.get("latex")
        if not isinstance(formulas, str) or not isinstance(latex, str):
            raise SpecError(f"{ENTRY}: expected text and latex; export the closure again")
        return cls(formulas, latex)
