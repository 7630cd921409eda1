"""Compiled emulators as predictors of whole time steps, through the library that Fortran calls."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from closures.climsim.errors import DataError
from closures.climsim.variables import VariableSet, variable_set
from closures.field import Field
from hybrid.errors import ScoreError
from hybrid.runtime import CompiledClosure, load

Array = NDArray[np.float64]

REALIZATION = "realization"
"""Dimension of an output that holds the members of an ensemble."""


class ArchiveModel:
    """One archive.

    Its outputs may be single predictions, may have a first dimension ``realization`` of members,
    or may depend on random numbers: then it is drawn from `n_sample` times. A closure with a
    memory starts each time step without one.

    Parameters
    ----------
    name
        Name in tables.
    path
        Archive.
    n_sample
        Draws from a closure with random numbers.

    Attributes
    ----------
    closure : CompiledClosure
        The loaded archive.
    n_member : int
        Number of predictions: 1, or the members or draws.

    Raises
    ------
    ScoreError
        If outputs disagree on the number of members, or there is but one.
    """

    def __init__(self, name: str, path: Path, n_sample: int) -> None:
        self.name = name
        self.path = path
        self.closure: CompiledClosure = load(path)
        spec = self.closure.spec
        sizes = {field.sizes[0] for field in spec.outputs if _has_members(field)}
        if len(sizes) > 1 or sizes == {1}:
            raise ScoreError(
                f"{path}: expected one number of members in all outputs, two or more, got "
                f"{sorted(sizes)}; export the mean for a single prediction"
            )
        self._stacks_members = bool(sizes)
        self._drawn = bool(spec.noise) and not sizes
        self.n_member = sizes.pop() if sizes else (n_sample if self._drawn else 1)

    @property
    def set_name(self) -> str:
        """Name of the variable set that the archive says it was trained on."""
        return str(self.closure.spec.provenance.get("variables", ""))

    def check(self, variables: VariableSet) -> None:
        """Make sure that inputs and outputs are those of `variables`.

        Raises
        ------
        ScoreError
            If the archive wants an input that the set lacks, or lacks an output of the set.
        """
        given = {v.field.name: v.field.sizes for v in variables.inputs}
        for field in self.closure.spec.inputs:
            if given.get(field.name) != field.sizes:
                raise ScoreError(
                    f"{self.path}: input {field.name}{list(field.sizes)}: expected a variable of "
                    f"{variables.name} with as many levels; score it with its own variable set"
                )
        made = {
            f.name: f.sizes[self._stacks_members :]
            for f in self.closure.spec.outputs
            if _has_members(f) == self._stacks_members
        }
        for variable in variables.outputs:
            field = variable.field
            if made.get(field.name) != field.sizes:
                raise ScoreError(
                    f"{self.path}: expected an output {field.name}{list(field.sizes)} as in "
                    f"{variables.name}, got {', '.join(made)}"
                )

    def predict(self, inputs: Array, variables: VariableSet, step: int = 0) -> Array:
        """Predict columns.

        Parameters
        ----------
        inputs
            Features ``(n, n_input)`` in the units of the fields.
        variables
            Variable set of the features and of what is returned.
        step
            Key of the random numbers.

        Returns
        -------
        ndarray
            ``(n, n_output)``, or ``(n_member, n, n_output)`` if there are several, float64.
        """
        ranges = variables.slices("inputs")
        arguments = {}
        for field in self.closure.spec.inputs:
            values = inputs[:, ranges[field.name]].astype(field.dtype)
            arguments[field.name] = np.ascontiguousarray(values if field.dims else values[:, 0])
        if self._drawn:
            draws = [
                self._stacked(self.closure.evaluate(arguments, step=step, seed=seed), variables)
                for seed in range(self.n_member)
            ]
            return np.stack(draws)
        return self._stacked(self.closure.evaluate(arguments, step=step), variables)

    def _stacked(self, outputs: dict[str, NDArray[np.floating]], variables: VariableSet) -> Array:
        parts = []
        for variable in variables.outputs:
            values = outputs[variable.field.name].astype(np.float64)
            if not variable.field.dims:
                values = values[..., None]
            parts.append(np.moveaxis(values, 1, 0) if self._stacks_members else values)
        return np.concatenate(parts, axis=-1)


def _has_members(field: Field) -> bool:
    return field.dims[:1] == (REALIZATION,)


def load_models(archives: Sequence[Path], n_sample: int) -> tuple[ArchiveModel, ...]:
    """Load archives under names that tell them apart.

    Raises
    ------
    ScoreError
        If the same file is named twice.
    """
    resolved = [path.resolve() for path in archives]
    for path in resolved:
        if resolved.count(path) > 1:
            raise ScoreError(f"{path}: expected each archive once, got it several times")
    stems = [path.stem for path in resolved]
    names = [
        path.stem if stems.count(path.stem) == 1 else f"{path.parent.name}/{path.stem}"
        for path in resolved
    ]
    if len(set(names)) < len(names):
        names = [str(path) for path in resolved]
    return tuple(
        ArchiveModel(name, path, n_sample) for name, path in zip(names, archives, strict=True)
    )


def common_variables(models: Sequence[ArchiveModel], n_level: int) -> VariableSet:
    """Return the variable set that all models say they were trained on, and check them.

    Raises
    ------
    ScoreError
        If they name different sets, or one that is not known.
    """
    names = {model.set_name for model in models}
    if len(names) > 1:
        raise ScoreError(
            f"archives: expected one variable set, got {', '.join(sorted(names))}; score archives "
            "of different sets one after the other"
        )
    name = names.pop()
    try:
        variables = variable_set(name, n_level)
    except DataError as error:
        raise ScoreError(
            f"{models[0].path}: expected a variable set in the provenance: {error}; see hybrid "
            "inspect"
        ) from error
    for model in models:
        model.check(variables)
    return variables
