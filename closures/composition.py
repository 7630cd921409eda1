"""The specification of sums and multiples of closures."""

from dataclasses import replace
from typing import Any

from closures.errors import SpecError
from closures.field import Bound, Field
from closures.spec import ClosureSpec


def sum_spec(a: ClosureSpec, b: ClosureSpec) -> tuple[ClosureSpec, list[list[str]]]:
    """Return the spec of ``a + b``, and for each part the names of its arguments in it.

    Outputs of the same name are summed, others passed on. Inputs of the same name are shared and
    their training envelopes intersected. Names of state and noise, and keys of the provenance,
    are prefixed with the name of their part.

    Raises
    ------
    SpecError
        If a shared field differs in units, dims, shape or dtype, or localities differ.
    """
    if a.locality != b.locality or a.grid != b.grid:
        raise SpecError(
            f"{a.name} + {b.name}: expected the same locality and grid, "
            f"got {a.locality!r} and {b.locality!r}"
        )
    prefixes = (a.name, b.name if b.name != a.name else f"{b.name}_2")
    parts = [
        replace(
            part,
            state=_prefixed(part.state, prefix),
            noise=_prefixed(part.noise, prefix),
            provenance={f"{prefix}.{key}": value for key, value in part.provenance.items()},
        )
        for part, prefix in zip((a, b), prefixes, strict=True)
    ]
    first, second = parts
    spec = ClosureSpec(
        name=f"{a.name}_plus_{b.name}",
        version=f"{a.version}+{b.version}",
        inputs=_union(a.inputs, b.inputs),
        outputs=_unbounded(_union(a.outputs, b.outputs)),
        state=(*first.state, *second.state),
        noise=(*first.noise, *second.noise),
        locality=a.locality,
        grid=a.grid,
        description=f"{a.description} + {b.description}".strip(" +"),
        references=tuple(dict.fromkeys(a.references + b.references)),
        provenance={**first.provenance, **second.provenance},
    )
    arguments = [
        [field.name for field in (*part.inputs, *part.state, *part.noise)] for part in parts
    ]
    return spec, arguments


def scaled_spec(spec: ClosureSpec, factor: float) -> ClosureSpec:
    """Return the spec of ``factor * closure``: outputs are scaled, state is not."""
    return replace(
        spec,
        name=f"{spec.name}_scaled",
        description=f"{factor:g} * ({spec.description or spec.name})",
        outputs=_unbounded(spec.outputs),
    )


def _unbounded(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    return tuple(replace(field, valid_min=None, valid_max=None) for field in fields)


def _prefixed(fields: tuple[Field, ...], prefix: str) -> tuple[Field, ...]:
    return tuple(replace(field, name=f"{prefix}_{field.name}") for field in fields)


def _union(first: tuple[Field, ...], second: tuple[Field, ...]) -> tuple[Field, ...]:
    merged = {field.name: field for field in first}
    for field in second:
        other = merged.get(field.name)
        if other is None:
            merged[field.name] = field
        elif other.interface() != field.interface():
            raise SpecError(
                f"{field.name}: expected the same units, dims, shape and dtype in both "
                f"closures, got {other.interface()[1:]} and {field.interface()[1:]}"
            )
        else:
            merged[field.name] = replace(
                field,
                valid_min=_tighter(other.valid_min, field.valid_min, max, field.size),
                valid_max=_tighter(other.valid_max, field.valid_max, min, field.size),
            )
    return tuple(merged.values())


def _tighter(first: Bound, second: Bound, pick: Any, size: int) -> Bound:
    if first is None or second is None:
        return second if first is None else first
    if not isinstance(first, tuple) and not isinstance(second, tuple):
        return float(pick(first, second))
    a = first if isinstance(first, tuple) else (first,) * size
    b = second if isinstance(second, tuple) else (second,) * size
    return tuple(float(pick(x, y)) for x, y in zip(a, b, strict=True))
