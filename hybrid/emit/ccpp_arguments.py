"""Arguments of a CCPP scheme: those of fields, and those that the framework or the host gives."""

from dataclasses import dataclass

from hybrid.errors import EmitError


@dataclass(frozen=True)
class Argument:
    """One argument of a phase, written to the Fortran and to the metadata.

    `top_at_one` says that the first level is the top, which capgen otherwise takes for the ground.
    """

    name: str
    standard_name: str
    long_name: str
    units: str
    type: str
    intent: str
    kind: str = ""
    dimensions: tuple[str, ...] = ()
    top_at_one: bool = False

    @property
    def declaration(self) -> str:
        """The declaration in Fortran."""
        keyword = "" if self.kind.startswith("len=") else "kind="
        kind = f"({keyword}{self.kind})" if self.kind else ""
        shape = f"({', '.join(':' * len(self.dimensions))})" if self.dimensions else ""
        return f"{self.type}{kind}, intent({self.intent}) :: {self.name}{shape}"


@dataclass(frozen=True)
class FieldUse:
    """A field, and how the scheme hands it over.

    Parameters
    ----------
    name
        Of the field.
    argument
        What the host passes.
    dims
        As the bridge wants them.
    sizes
        Elements along each axis after the column.
    accumulate
        Whether results are added.
    packed
        Name of the variable that holds a state field as the bridge wants it; else empty.
    """

    name: str
    argument: Argument
    dims: str
    sizes: tuple[int, ...]
    accumulate: bool = False
    packed: str = ""


ERRORS = (
    Argument(
        name="errmsg",
        standard_name="ccpp_error_message",
        long_name="error message for error handling in CCPP",
        units="none",
        type="character",
        kind="len=*",
        intent="out",
    ),
    Argument(
        name="errflg",
        standard_name="ccpp_error_code",
        long_name="error code for error handling in CCPP",
        units="1",
        type="integer",
        intent="out",
    ),
)

COLUMNS = Argument(
    name="n_column",
    standard_name="horizontal_loop_extent",
    long_name="number of columns of this call",
    units="count",
    type="integer",
    intent="in",
)

STEP = Argument(
    name="step",
    standard_name="index_of_timestep",
    long_name="model step, which with the column keys the random numbers",
    units="index",
    type="integer",
    intent="in",
)


def archive(scheme: str, closure: str) -> Argument:
    """Return the path of the archive."""
    return Argument(
        name="archive",
        standard_name=f"filename_of_{scheme}_archive",
        long_name=f"path of the archive of closure {closure}",
        units="none",
        type="character",
        kind="len=*",
        intent="in",
    )


def seed(scheme: str) -> Argument:
    """Return the seed of the random numbers."""
    return Argument(
        name="seed",
        standard_name=f"random_seed_of_{scheme}",
        long_name="seed of the random numbers, the same on every process",
        units="1",
        type="integer",
        intent="in",
    )


def extent(name: str, dim: str, standard_name: str) -> Argument:
    """Return the extent of a dimension, which is compared with the archive's."""
    return Argument(
        name=name,
        standard_name=standard_name,
        long_name=f"number of elements along {dim}",
        units="count",
        type="integer",
        intent="in",
    )


def column_id(scheme: str) -> Argument:
    """Return the number of each column in the whole model."""
    return Argument(
        name="column_id",
        standard_name=f"global_column_number_for_{scheme}",
        long_name="number of each column, the same on any number of processes",
        units="index",
        type="integer",
        intent="in",
        dimensions=("horizontal_loop_extent",),
    )


def untouched(scheme: str) -> Argument:
    """Return the mark of columns where the host's own scheme has to act."""
    return Argument(
        name="untouched",
        standard_name=f"flag_for_column_untouched_by_{scheme}",
        long_name="true where the closure left the column to the host",
        units="flag",
        type="logical",
        intent="out",
        dimensions=("horizontal_loop_extent",),
    )


def check_unique(arguments: list[Argument]) -> None:
    """Raise `EmitError` if two arguments of a phase have the same standard name."""
    seen: dict[str, str] = {}
    for argument in arguments:
        other = seen.setdefault(argument.standard_name, argument.name)
        if other != argument.name:
            raise EmitError(
                f"{argument.name}: expected a standard name of its own, got "
                f"{argument.standard_name!r}, which {other} has too; CCPP allows each name once, "
                f"so give another with --standard-name {argument.name}=NAME"
            )
