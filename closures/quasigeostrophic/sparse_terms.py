"""Candidate terms of a symbolic closure: Laplacians of the flow and of what it advects."""

from itertools import product, starmap
from typing import NamedTuple


class Candidate(NamedTuple):
    """A field of which Laplacians are candidate terms.

    Parameters
    ----------
    name, latex
        In equations.
    time, length
        Powers of s and m in the units of the coefficient of the field itself, which gives s-2.
    """

    name: str
    latex: str
    time: int
    length: int


FIELDS = (
    Candidate("q", "q", -1, 0),
    Candidate("vorticity", r"\zeta", -1, 0),
    Candidate("v", "v", -1, -1),
    Candidate("q_x", r"\partial_x q", -1, 1),
    Candidate("A q", "A q", 0, 0),
    Candidate("A vorticity", r"A \zeta", 0, 0),
    Candidate("A A q", "A^2 q", 1, 0),
    Candidate("A A vorticity", r"A^2 \zeta", 1, 0),
)
"""Potential and relative vorticity, velocity and gradient along the shear, and advected fields."""

N_POWER = 4
"""Powers of the Laplacian, from none on."""


class Term(NamedTuple):
    """A candidate term.

    Parameters
    ----------
    field
        Number of the field.
    power
        Of its Laplacian.
    """

    field: int
    power: int

    @property
    def name(self) -> str:
        """In plain text, such as ``lap^2 A q``."""
        return ("", "lap ", "lap^2 ", "lap^3 ")[self.power] + FIELDS[self.field].name

    @property
    def latex(self) -> str:
        """The same in LaTeX."""
        return (rf"\nabla^{2 * self.power} " if self.power else "") + FIELDS[self.field].latex

    @property
    def units(self) -> str:
        """Units of its coefficient."""
        written = (f"{name}{n if n != 1 else ''}" for name, n in self._powers.items())
        return " ".join(written) or "1"

    @property
    def latex_units(self) -> str:
        """The same in LaTeX, with a blank in front; nothing where there are none."""
        written = (f"{name}^{{{n}}}" if n != 1 else name for name, n in self._powers.items())
        joined = r"\,".join(written)
        return rf"\ \mathrm{{{joined}}}" if joined else ""

    @property
    def _powers(self) -> dict[str, int]:
        field = FIELDS[self.field]
        powers = {"m": field.length + 2 * self.power, "s": field.time}
        return {name: n for name, n in powers.items() if n}


TERMS = tuple(starmap(Term, product(range(len(FIELDS)), range(N_POWER))))
"""All candidate terms."""
