"""Which features of a column are profiles and which scalars, and in which order they stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

from closures.errors import SpecError
from closures.field import Field

Kind = Literal["profile", "scalar"]
Group = Literal["inputs", "outputs"]


@dataclass(frozen=True)
class ColumnLayout:
    """Order of the features that a network reads and predicts.

    A profile takes `n_level` consecutive features, model top first, a scalar takes one.

    Parameters
    ----------
    n_level
        Number of levels of every profile.
    inputs, outputs
        Kind of each variable in feature order; profiles and scalars may stand in any order.

    Raises
    ------
    ValueError
        If there are no levels, no inputs, no outputs, or an unknown kind.

    Examples
    --------
    >>> layout = ColumnLayout.profiles_first(60, inputs=(2, 4), outputs=(2, 8))
    >>> layout.n_input, layout.n_output
    (124, 128)
    """

    n_level: int
    inputs: tuple[Kind, ...]
    outputs: tuple[Kind, ...]

    def __post_init__(self) -> None:
        if self.n_level < 1 or not self.inputs or not self.outputs:
            raise ValueError(
                "layout: expected at least one level, one input and one output, got "
                f"{self.n_level}, {len(self.inputs)} and {len(self.outputs)}"
            )
        unknown = {*self.inputs, *self.outputs} - {"profile", "scalar"}
        if unknown:
            raise ValueError(
                f"layout: expected kinds 'profile' and 'scalar', got {sorted(unknown)}"
            )

    @classmethod
    def profiles_first(
        cls, n_level: int, inputs: tuple[int, int], outputs: tuple[int, int]
    ) -> Self:
        """Return the layout with all profiles before all scalars.

        Parameters
        ----------
        n_level
            Number of levels.
        inputs, outputs
            Number of profiles and of scalars.
        """

        def kinds(counts: tuple[int, int]) -> tuple[Kind, ...]:
            return tuple("profile" if i < counts[0] else "scalar" for i in range(sum(counts)))

        return cls(n_level, kinds(inputs), kinds(outputs))

    @classmethod
    def of_fields(cls, inputs: Iterable[Field], outputs: Iterable[Field]) -> Self:
        """Return the layout of fields in the order of their contract.

        Raises
        ------
        SpecError
            If a field has more than one dimension, profiles differ in length, or there are none.
        """
        inputs, outputs = tuple(inputs), tuple(outputs)
        levels = {field.shape for field in (*inputs, *outputs) if field.dims}
        if len(levels) != 1 or len(next(iter(levels))) != 1 or None in next(iter(levels)):
            raise SpecError(
                "layout: expected scalars and profiles on the same levels, at least one profile, "
                f"got shapes {sorted(levels, key=str)}; regrid the profiles to the same levels"
            )
        ((n_level,),) = levels

        def kinds(fields: tuple[Field, ...]) -> tuple[Kind, ...]:
            return tuple("profile" if field.dims else "scalar" for field in fields)

        return cls(n_level or 0, kinds(inputs), kinds(outputs))

    @property
    def n_input(self) -> int:
        """Number of input features."""
        return self.n_feature("inputs")

    @property
    def n_output(self) -> int:
        """Number of output features."""
        return self.n_feature("outputs")

    def n_feature(self, group: Group) -> int:
        """Return the number of features of `group`."""
        return self.count(group, "profile") * self.n_level + self.count(group, "scalar")

    def count(self, group: Group, kind: Kind) -> int:
        """Return how many variables of `group` are of this kind."""
        kinds: tuple[Kind, ...] = getattr(self, group)
        return kinds.count(kind)

    def n_channel(self, group: Group) -> int:
        """Return the number of variables of `group`, each of which is one channel."""
        return self.count(group, "profile") + self.count(group, "scalar")

    def features(self, group: Group, kind: Kind) -> tuple[int, ...]:
        """Return the feature numbers of all variables of this kind, in order."""
        numbers: list[int] = []
        start = 0
        kinds: tuple[Kind, ...] = getattr(self, group)
        for each in kinds:
            size = self.n_level if each == "profile" else 1
            if each == kind:
                numbers.extend(range(start, start + size))
            start += size
        return tuple(numbers)
