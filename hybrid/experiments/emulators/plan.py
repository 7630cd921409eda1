"""Which emulators are trained and scored, at each preset."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from closures.climsim.splits import SplitName
from hybrid.experiments.result import Preset


@dataclass(frozen=True)
class Entry:
    """One row of a table: a model and how it differs from its recipe.

    Parameters
    ----------
    label
        Name in tables, figures and file names.
    model
        Name of its recipe.
    settings
        ``name=value``, see `closures.columns.recipe.overridden`.
    n_seed
        Number of trainings with seeds of their own.
    """

    label: str
    model: str
    settings: tuple[str, ...] = ()
    n_seed: int = 1


@dataclass(frozen=True)
class Plan:
    """The trainings of a preset.

    Parameters
    ----------
    splits
        Which time steps train and test.
    emulators
        Trained on training and validation steps, scored on test steps.
    ablation
        Trained on training steps, scored on validation steps; the first one is what the others
        differ from in one thing.
    learning
        Emulators of the learning curve.
    shares
        Parts of the training steps along that curve.
    study_splits
        Splits that have an ablation and a learning curve.
    """

    splits: tuple[SplitName, ...]
    emulators: tuple[Entry, ...]
    ablation: tuple[Entry, ...] = ()
    learning: tuple[Entry, ...] = ()
    shares: tuple[float, ...] = ()
    study_splits: tuple[SplitName, ...] = ()


def plan(preset: Preset) -> Plan:
    """Return what is trained at a preset.

    Examples
    --------
    >>> [entry.label for entry in plan("test").emulators]
    ['ridge', 'mlp']
    """
    table = _table()
    emulators = _entries(table["emulator"])
    chosen = table["preset"][preset]
    kept = emulators
    if "emulators" in chosen:
        by_label = {entry.label: entry for entry in emulators}
        kept = tuple(by_label[label] for label in chosen["emulators"])
    more, splits = tuple(chosen.get("set", ())), tuple(chosen["splits"])
    if not chosen["studies"]:
        return Plan(splits, tuple(replace(entry, n_seed=1) for entry in _set(kept, more)))
    learning = table["learning"]
    return Plan(
        splits,
        _set(kept, more),
        _set(_entries(table["ablation"]), more),
        _set(_entries(learning["emulator"]), more),
        tuple(learning["shares"]),
        tuple(chosen["studies"]),
    )


def _set(entries: Sequence[Entry], settings: tuple[str, ...]) -> tuple[Entry, ...]:
    # Ridge regression is solved for: it has no epochs.
    return tuple(
        entry if entry.model == "ridge" else replace(entry, settings=entry.settings + settings)
        for entry in entries
    )


def _entries(rows: Sequence[Mapping[str, Any]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(row["label"], row["model"], tuple(row.get("set", ())), row.get("seeds", 1))
        for row in rows
    )


@cache
def _table() -> dict[str, Any]:
    text = (files("hybrid.experiments.emulators") / "plan.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
