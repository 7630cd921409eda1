"""What closures compiled into the time loop ask of a model of two layers."""

from collections.abc import Sequence

from solvers.errors import TendencyError
from solvers.tendency_source import GridField

_FIELDS = (("q", "s-1"), ("u", "m s-1"), ("v", "m s-1"))
_TENDENCIES = (("q_tendency", "s-2"),)


def require_two_layers(
    name: str, fields: Sequence[GridField], tendencies: Sequence[GridField]
) -> None:
    """Raise `TendencyError` unless the fields are those of `TwoLayerQG`.

    Parameters
    ----------
    name
        What messages call the closure.
    fields, tendencies
        What a model gives its closure, and takes.
    """
    found = tuple(
        tuple((field.name, field.units) for field in part) for part in (fields, tendencies)
    )
    if found != (_FIELDS, _TENDENCIES) or fields[0].dims != ("layer", "y", "x"):
        names = ", ".join(f"{field.name} [{field.units}]" for field in fields)
        raise TendencyError(
            f"{name}: expected q [s-1], u [m s-1], v [m s-1] of two layers, as solvers.TwoLayerQG "
            f"has them, got {names} with dims {', '.join(fields[0].dims)}"
        )
