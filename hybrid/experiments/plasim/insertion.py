"""Put hooks into a working copy of a Fortran model.

A scheme is a subroutine without arguments that reads and writes variables of modules. It gets
another name, and a subroutine of ours takes the old one. So callers stay as they are, and the
difference in the host is two lines a scheme.
"""

import re
from dataclasses import dataclass

from hybrid.experiments.plasim.errors import SourceError

SUFFIX = "_phys"
"""What is added to the name of the host's own scheme."""


@dataclass(frozen=True)
class Interface:
    """How a scheme is recognised.

    Parameters
    ----------
    file
        Source file of the host.
    name
        Name of the subroutine.
    module
        Module that it uses.
    reads, writes
        Variables of modules: those that it reads without setting them, and those whose whole or
        sections it sets.
    """

    file: str
    name: str
    module: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


SCHEMES = {
    "longwave": Interface(
        "radmod.f90", "lwr", "radmod",
        reads=("dt", "dq", "dql", "dcc", "dqo3", "dqco2", "dp", "dls"),
        writes=("dftu", "dftd", "dlwfl"),
    ),
    "shortwave": Interface(
        "radmod.f90", "swr", "radmod",
        reads=("dt", "dq", "dql", "dcc", "dqo3", "dp", "dls", "dicec", "gmu0", "gsol0", "gdist2"),
        writes=("dfu", "dfd", "dswfl"),
    ),
}  # fmt: skip
"""The radiation of PlaSim that hooks stand in for, by the names that the hooks use."""

CONVECTION = {
    "convection": Interface(
        "rainmod.f90", "kuo", "rainmod",
        reads=("dt", "dq", "dqt", "dp", "deltsec2"),
        writes=("dtdt", "dqdt", "dprcl", "dprscl", "icclev", "icctot"),
    ),
}  # fmt: skip
"""Its moist convection, likewise."""

ALTERNATIVES = (
    Interface(
        "rainmod_bm.f90", "mkbm", "rainmod",
        reads=("dt", "dq", "dp", "deltsec2"),
        writes=("dtdt", "dqdt", "dprc"),
    ),
    Interface(
        "rainmod_mca.f90", "mca", "rainmod",
        reads=("dt", "dq", "dp", "deltsec2"),
        writes=("dtdt", "dqdt", "dprc"),
    ),
)  # fmt: skip
"""Other schemes of moist convection in PlaSim's source: Betts and Miller's, and moist convective
adjustment. The model is compiled with one file in the place of another; see `alone`."""


def with_hook(text: str, interface: Interface) -> str:
    r"""Return the source with the scheme renamed.

    Parameters
    ----------
    text
        Fortran source, free form.
    interface
        The scheme.

    Raises
    ------
    SourceError
        If the source has no such subroutine, or one of another interface.

    Examples
    --------
    >>> scheme = Interface("physics.f90", "rain", "state", reads=("q",), writes=("dqdt",))
    >>> source = "subroutine rain\nuse state\ndqdt(:) = -q(:)\nend subroutine rain\n"
    >>> with_hook(source, scheme).splitlines()
    ['subroutine rain_phys', 'use state', 'dqdt(:) = -q(:)', 'end subroutine rain_phys']
    """
    begin, end = located(text, interface)
    return "".join(
        (
            *(text[: begin.end(1)], SUFFIX, text[begin.end(1) : end.end(1)]),
            *(SUFFIX, text[end.end(1) :]),
        )
    )


def located(text: str, interface: Interface) -> tuple[re.Match[str], re.Match[str]]:
    """Return the first and the last line of a scheme; the first group of each is its name.

    Parameters
    ----------
    text
        Fortran source, free form.
    interface
        The scheme.

    Raises
    ------
    SourceError
        If the source has no such subroutine, or one of another interface.
    """
    begin = _only(text, interface, rf"^[ \t]*subroutine[ \t]+({interface.name})\b(.*)$")
    end = _only(text, interface, rf"^[ \t]*end[ \t]*subroutine[ \t]+({interface.name})\b(.*)$")
    arguments = _statement(begin[2]).strip().strip("()").strip()
    if arguments:
        raise _other(interface, f"no arguments, got {arguments!r}")
    if end.start() < begin.end():
        raise _other(interface, "its end after its beginning")
    _check_body(text[begin.end() : end.start()], interface)
    return begin, end


def alone(text: str, interface: Interface) -> str:
    r"""Return a scheme and the module that it uses, under a name of its own.

    So it can be compiled into a model whose own scheme has variables of the same names.

    Parameters
    ----------
    text
        Fortran source, free form, of the module and of more than this scheme.
    interface
        The scheme.

    Raises
    ------
    SourceError
        As of `located`, or if the module is not in the source.

    Examples
    --------
    >>> scheme = Interface("other.f90", "storm", "state", reads=("q",), writes=("dqdt",))
    >>> source = "module state\nend module state\nsubroutine rain\nend subroutine rain\n"
    >>> source += "subroutine storm\nuse state\ndqdt(:) = -q(:)\nend subroutine storm\n"
    >>> alone(source, scheme).splitlines()[:4]
    ['module state_storm', 'end module state_storm', 'subroutine storm', 'use state_storm']
    """
    begin, end = located(text, interface)
    first = _only(text, interface, rf"^[ \t]*module[ \t]+({interface.module})\b(.*)$")
    last = _only(text, interface, rf"^[ \t]*end[ \t]*module[ \t]+({interface.module})\b(.*)$")
    parts = (text[first.start() : last.end()], text[begin.start() : end.end()])
    own = f"{interface.module}_{interface.name}"
    code = "\n".join(parts) + "\n"
    return re.sub(rf"\b{interface.module}\b", own, code, flags=re.IGNORECASE)


def _only(text: str, interface: Interface, pattern: str) -> re.Match[str]:
    found = list(re.finditer(pattern, text, re.IGNORECASE | re.MULTILINE))
    if len(found) != 1:
        raise _other(interface, f"one beginning and one named end of it, got {len(found)}")
    return found[0]


def _check_body(body: str, interface: Interface) -> None:
    code = "\n".join(_statement(line) for line in body.splitlines())
    if not re.search(rf"^\s*use\s+{interface.module}\b", code, re.IGNORECASE | re.MULTILINE):
        raise _other(interface, f"it to use module {interface.module}")
    lines = re.IGNORECASE | re.MULTILINE
    for name in interface.writes:
        if not re.search(rf"^\s*{name}\s*\([^=]*\)\s*=", code, lines):
            raise _other(interface, f"it to set {name}")
    for name in interface.reads:
        if not re.search(rf"\b{name}\b", code, re.IGNORECASE):
            raise _other(interface, f"it to read {name}")
    declared = re.findall(r"^\s*(?:real|integer|logical)\b[^!\n]*::\s*(.*)$", code, lines)
    local = {name.lower() for line in declared for name in re.findall(r"\b[a-z]\w*", line.lower())}
    shadowed = sorted(local & {*interface.reads, *interface.writes})
    if shadowed:
        raise _other(interface, f"variables of modules, got own ones named {', '.join(shadowed)}")


def _statement(line: str) -> str:
    """Return a line without its comment; none of the known lines has '!' inside a string."""
    return line.partition("!")[0]


def _other(interface: Interface, expected: str) -> SourceError:
    return SourceError(
        f"{interface.file}, subroutine {interface.name}: expected {expected}; the source is not "
        "the version that the hooks know"
    )
