"""The default recipe of each model, from ``recipes.toml``."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, get_args

from closures.columns.objectives import Pointwise
from closures.columns.recipe import Recipe, RecipeError, make_recipe, merged, overridden

WATER = ("state_q0001", "state_q0002", "state_q0003", "state_qn")
"""Inputs whose spread has a floor, see `closures.climsim.emulator.HUMIDITY_FLOOR`."""

RAW = ("state_rh", "liq_partition")
"""Inputs that are taken as they are: of order 1, and tiny where their changes must not count."""


_NO_MODELS = ("defaults", "sets", "search")
_POINTWISE = get_args(Pointwise)


def model_names() -> tuple[str, ...]:
    """Return the models that have a recipe.

    Examples
    --------
    >>> model_names()[:3]
    ('ridge', 'mlp', 'cnn')
    """
    return tuple(name for name in _table() if name not in _NO_MODELS)


def recipe_values(model: str, settings: Iterable[str] = ()) -> dict[str, Any]:
    """Return the recipe of a model as nested plain values: defaults, then `settings`.

    Raises
    ------
    RecipeError
        If there is none.
    """
    if model not in model_names():
        raise RecipeError(f"model: expected one of {', '.join(model_names())}, got {model!r}")
    settings = tuple(settings)
    own = merged(merged({"model": model}, _table()["defaults"]), _table()[model])
    chosen = overridden(own, settings)
    of_set = _table()["sets"].get(chosen["variables"], {})
    base = {"scaling": of_set.get("scaling", {})}
    if chosen.get("loss", {}).get("kind") in _POINTWISE:
        base["loss"] = of_set.get("pointwise_loss", {})
    # What is set by name replaces a table as a whole: prune={} leaves nothing out.
    return overridden(merged(base, own), settings)


def recipe(model: str, settings: Iterable[str] = ()) -> Recipe:
    """Return the default recipe of a model, with some entries replaced.

    Parameters
    ----------
    model
        One of `model_names`.
    settings
        ``name=value``, see `closures.columns.recipe.overridden`.

    Raises
    ------
    RecipeError
        If there is no such model, or a setting is unknown or of the wrong kind.

    Examples
    --------
    >>> recipe("hsr", ["training.n_epoch=3"]).training.n_epoch
    3
    """
    return make_recipe(recipe_values(model, settings))


def search_ranges() -> Mapping[str, Mapping[str, Any]]:
    """Return the ranges of a search for better settings, by dotted name."""
    ranges: Mapping[str, Mapping[str, Any]] = _table()["search"]
    return ranges


@cache
def _table() -> dict[str, Any]:
    text = (files("closures.climsim") / "recipes.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
