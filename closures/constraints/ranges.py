"""Where the fields of a column lie in the packed features that a layer sees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from closures.errors import SpecError
from closures.field import Field
from closures.spec import ClosureSpec

Group = Literal["inputs", "outputs"]


class Sliced(Protocol):
    """What knows the feature range of its fields, such as a ClimSim variable set."""

    def slices(self, group: Group) -> dict[str, slice]:
        """Return the feature range of each field of `group`, by field name."""


class MissingFieldError(SpecError):
    """A layer needs fields that the closure does not have.

    Parameters
    ----------
    layer
        Name of the layer.
    missing
        Names of the fields.
    remedy
        What to do.
    """

    def __init__(self, layer: str, missing: tuple[str, ...], remedy: str) -> None:
        super().__init__(
            f"{layer}: expected inputs and outputs with {', '.join(missing)}, which are missing; "
            f"{remedy}"
        )
        self.missing = missing


def ranges_of(fields: Iterable[Field]) -> dict[str, slice]:
    """Return the feature range of each field by name, fields packed in their order."""
    ranges, start = {}, 0
    for field in fields:
        ranges[field.name] = slice(start, start + field.size)
        start += field.size
    return ranges


@dataclass(frozen=True)
class FieldRanges:
    """Feature range of each field by name, in packed inputs and in packed outputs.

    Parameters
    ----------
    inputs, outputs
        Field name to the consecutive features of that field; together they leave no gap.

    Raises
    ------
    SpecError
        If the ranges leave a gap or overlap.

    Examples
    --------
    >>> ranges = FieldRanges({"t": slice(0, 60), "ps": slice(60, 61)}, {"rain": slice(0, 1)})
    >>> ranges.n_input, ranges.n_output
    (61, 1)
    """

    inputs: Mapping[str, slice]
    outputs: Mapping[str, slice]

    def __post_init__(self) -> None:
        for group in (self.inputs, self.outputs):
            start = 0
            for name, part in group.items():
                if part.start != start or part.stop <= start:
                    raise SpecError(
                        f"{name}: expected features from {start}, got {part.start} to "
                        f"{part.stop}; give ranges in feature order, without gaps"
                    )
                start = part.stop

    @classmethod
    def of_variables(cls, variables: Sliced) -> Self:
        """Return the ranges of a variable set."""
        return cls(variables.slices("inputs"), variables.slices("outputs"))

    @classmethod
    def of_spec(cls, spec: ClosureSpec) -> Self:
        """Return the ranges of the fields of a column closure in the order of its contract."""
        return cls(ranges_of(spec.inputs), ranges_of(spec.outputs))

    @property
    def n_input(self) -> int:
        """Number of packed input features."""
        return max((part.stop for part in self.inputs.values()), default=0)

    @property
    def n_output(self) -> int:
        """Number of packed output features."""
        return max((part.stop for part in self.outputs.values()), default=0)

    def require(
        self,
        layer: str,
        inputs: Iterable[str] = (),
        outputs: Iterable[str] = (),
        remedy: str = "choose a variable set that has them, or leave the layer out",
    ) -> None:
        """Raise `MissingFieldError` if a field is not there.

        Parameters
        ----------
        layer
            Name for the message.
        inputs, outputs
            Names of the fields that the layer reads and changes.
        remedy
            What to do, for the message.
        """
        missing = [name for name in inputs if name not in self.inputs]
        missing += [name for name in outputs if name not in self.outputs]
        if missing:
            raise MissingFieldError(layer, tuple(missing), remedy)

    def profile_size(self, layer: str, names: Iterable[str]) -> int:
        """Return the common number of levels of output fields.

        Raises
        ------
        SpecError
            If they differ.
        """
        sizes = {name: self.outputs[name].stop - self.outputs[name].start for name in names}
        if len(set(sizes.values())) != 1:
            raise SpecError(f"{layer}: expected profiles on the same levels, got {sizes}")
        return int(next(iter(sizes.values())))
