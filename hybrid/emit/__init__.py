"""Source code made from an archive: a CCPP scheme, or a Fortran module that couples it.

What is written belongs to whoever emits it, calls the bridge through its Fortran interface, and
is complete: every field of the archive is an argument, with its units and dimensions.
"""

from hybrid.emit.ccpp import scheme
from hybrid.emit.ccpp_options import SchemeOptions
from hybrid.emit.fortran import coupling
from hybrid.emit.source import Emission, write

__all__ = ["Emission", "SchemeOptions", "coupling", "scheme", "write"]
