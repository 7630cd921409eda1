"""Source code made from an archive: what couples it to a model, or its equation.

A CCPP scheme or a Fortran module calls the bridge through its Fortran interface and is complete:
every field of the archive is an argument, with its units and dimensions. The equation of an archive
that holds one becomes Fortran that needs nothing else, or LaTeX. What is written belongs to whoever
emits it.
"""

from hybrid.emit.ccpp import scheme
from hybrid.emit.ccpp_options import SchemeOptions
from hybrid.emit.fortran import coupling
from hybrid.emit.source import Emission, write

__all__ = ["Emission", "SchemeOptions", "coupling", "scheme", "write"]
