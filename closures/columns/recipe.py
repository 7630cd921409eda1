"""A recipe: everything that decides which network a training gives, but for the data."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from closures.columns.emulator import Results
from closures.columns.objective_choice import LossSettings
from closures.columns.registry import Head, sizes_of
from closures.columns.scaling import Scaling
from closures.constraints.config import PhysicsConfig
from closures.training.settings import Training

RIDGE = "ridge"
"""Name of the linear baseline, which is solved for rather than trained."""


EXACT_LAYERS = "exact"
"""Stands for the physics layers that hold exactly in the data and whose fields are there."""


class RecipeError(ValueError):
    """A recipe has an unknown entry, or one of the wrong kind."""


@dataclass(frozen=True)
class Recipe:
    """Network, loss and training.

    Parameters
    ----------
    model
        Name in `closures.columns.registry.ARCHITECTURES`, or ``"ridge"``.
    preset, sizes
        Sizes by name, and single ones that replace those of the preset.
    head
        Second head, see `closures.columns.registry.build`.
    results
        What the closure returns, see `ColumnEmulator`.
    variables
        Variable set, for ClimSim.
    physics
        Physics layers by name, in any order; ``"exact"`` for those that hold exactly in the data
        and whose fields the variables have.
    training, loss, scaling
        Their settings.
    penalty
        Of ridge regression, in units of the variance of one normalised sample.

    Raises
    ------
    RecipeError
        If there is no such model, preset or size, or results do not go with the settings.
    """

    model: str
    preset: str = "small"
    sizes: Mapping[str, Any] = field(default_factory=dict)
    head: Head = ""
    results: Results = "mean"
    variables: str = "V1"
    physics: tuple[str, ...] = ()
    training: Training = field(default_factory=lambda: Training(n_epoch=10))
    loss: LossSettings = field(default_factory=LossSettings)
    scaling: Scaling = field(default_factory=Scaling)
    penalty: float = 100.0

    def __post_init__(self) -> None:
        if self.model != RIDGE:
            try:
                self.chosen_sizes()
            except (TypeError, ValueError) as error:
                raise RecipeError(f"recipe: {error}") from error
        try:
            PhysicsConfig(tuple(name for name in self.physics if name != EXACT_LAYERS))
        except ValueError as error:
            raise RecipeError(f"recipe: {error}") from error
        if self.penalty < 0.0:
            raise RecipeError(f"recipe: expected a penalty >= 0, got {self.penalty}")

    def chosen_sizes(self) -> Any:
        """Return the sizes of the network.

        Raises
        ------
        ValueError
            If there is no such model, preset or size.
        """
        sizes = sizes_of(self.model, self.preset)
        known = [each.name for each in fields(sizes)]
        unknown = sorted(set(self.sizes) - set(known))
        if unknown:
            raise ValueError(
                f"{self.model}: expected sizes out of {', '.join(known)}, got {', '.join(unknown)}"
            )
        return replace(sizes, **self.sizes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, nested as in a recipe file."""
        values: dict[str, Any] = _plain(asdict(self))
        return values

    def flat(self) -> dict[str, str]:
        """Return all values as text by dotted name, as ``--set`` takes them."""
        return dict(_flat(self.to_dict()))


def make_recipe(values: Mapping[str, Any]) -> Recipe:
    """Return the recipe of nested plain values.

    Raises
    ------
    RecipeError
        If a name is unknown, or a value of the wrong kind or out of its range.

    Examples
    --------
    >>> make_recipe({"model": "mlp", "training": {"n_epoch": 3}}).training.n_epoch
    3
    """
    try:
        recipe: Recipe = _made(Recipe, values, "")
    except ValueError as error:
        raise error if isinstance(error, RecipeError) else RecipeError(str(error)) from error
    return recipe


def overridden(values: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return nested values with some replaced.

    Parameters
    ----------
    values
        Values of a recipe.
    settings
        ``name=value`` with dots between nested names, values as in TOML; what is none is text.

    Raises
    ------
    RecipeError
        If a setting has no equals sign, or goes below a value.

    Examples
    --------
    >>> overridden({"training": {"n_epoch": 3}}, ["training.n_epoch=5", "preset=tiny"])
    {'training': {'n_epoch': 5}, 'preset': 'tiny'}
    """
    found = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip():
            raise RecipeError(
                f"setting: expected NAME=VALUE such as training.n_epoch=5, got {setting!r}"
            )
        found[name.strip()] = plain_value(text.strip())
    return with_entries(values, found)


def with_entries(values: Mapping[str, Any], entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values with some replaced, by dotted name.

    Raises
    ------
    RecipeError
        If a name goes below a value.
    """
    result = _copy(values)
    for name, value in entries.items():
        *path, last = name.split(".")
        place = result
        for step in path:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise RecipeError(f"setting {name}: expected a table at {step!r}, got a value")
        place[last] = value
    return result


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values with those of `more` in place of, or beside, those of `base`."""
    result = _copy(base)
    for name, value in more.items():
        before = result.get(name)
        both = isinstance(before, dict) and isinstance(value, Mapping)
        result[name] = merged(before, value) if both and before is not None else value
    return result


def _copy(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _copy(v) if isinstance(v, Mapping) else v for k, v in values.items()}


def plain_value(text: str) -> Any:
    """Return what a text says in TOML, None for ``none``, else the text itself.

    Examples
    --------
    >>> plain_value("1e-3"), plain_value("none"), plain_value("huber")
    (0.001, None, 'huber')
    """
    if text == "none":
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _made(kind: type[Any], values: Mapping[str, Any], place: str) -> Any:
    hints = get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise RecipeError(
            f"recipe: expected {place or 'names'} out of {', '.join(hints)}, got "
            f"{', '.join(unknown)}"
        )
    made = {}
    for name, value in values.items():
        hint = hints[name]
        if is_dataclass(hint) and isinstance(value, Mapping):
            made[name] = _made(hint, value, f"{place}{name}.")  # type: ignore[arg-type]
            continue
        if not _fits(value, hint):
            raise RecipeError(f"recipe: expected {place}{name} to be {_said(hint)}, got {value!r}")
        made[name] = _frozen(value)
    return kind(**made)


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return any(_fits(value, each) for each in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, list | tuple) and _items_fit(value, arguments)
    if origin is not None:
        return isinstance(value, Mapping) and all(_fits(v, arguments[1]) for v in value.values())
    if hint in {int, float}:
        # A number without a point is a number, but true and false are none.
        numbers = int if hint is int else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool)
    return hint is Any or isinstance(value, hint)


def _items_fit(values: Sequence[Any], hints: tuple[Any, ...]) -> bool:
    expected = hints[:1] * len(values) if hints[-1] is ... else hints
    return len(expected) == len(values) and all(
        _fits(value, hint) for value, hint in zip(values, expected, strict=True)
    )


def _said(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(repr(each) for each in get_args(hint))
    if get_origin(hint) in {Union, UnionType}:
        return " or ".join(_said(each) for each in get_args(hint))
    return "none" if hint is NoneType else str(getattr(hint, "__name__", hint))


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    if isinstance(value, Mapping):
        return {k: _frozen(v) for k, v in value.items()}
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _flat(values: Mapping[str, Any], place: str = "") -> Iterable[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{name}.")
        else:
            yield place + name, "none" if value is None else str(value)
