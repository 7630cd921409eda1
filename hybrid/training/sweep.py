"""A search for better settings of a training, by Optuna."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from closures import atomic
from closures.columns.recipe import Recipe, RecipeError, make_recipe, plain_value, with_entries
from closures.training import EpochReport
from hybrid.errors import TrainError
from hybrid.training.case import Case
from hybrid.training.run import Run, trained
from hybrid.versions import versions

JOURNAL = "trials.log"
RECORD = "sweep.json"

Ranges = Mapping[str, Mapping[str, Any]]
"""Dotted name of a recipe's entry to ``low``, ``high`` and ``log``, or to ``choices``."""


@dataclass(frozen=True)
class Trial:
    """One training of a search.

    Parameters
    ----------
    number
        From 0 on.
    loss
        Least validation loss; None if the trial was given up or failed.
    settings
        What it was tried with, by dotted name.
    """

    number: int
    loss: float | None
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Search:
    """What is searched, and how long.

    Parameters
    ----------
    values
        Nested values of the recipe.
    ranges
        Entries to vary.
    n_trial
        Trainings in all, those of earlier calls among them.
    make_case
        Makes samples for a recipe.
    """

    values: Mapping[str, Any]
    ranges: Ranges
    n_trial: int
    make_case: Callable[[Recipe], tuple[Case, Recipe]]


def sweep(
    search: Search, run: Run, on_trial: Callable[[Trial], None] | None = None
) -> tuple[Trial, Path]:
    """Train with many settings, and return the best; trials that fall behind are given up.

    Finished trials are kept in the folder: the same call goes on with them.

    Parameters
    ----------
    search
        What is searched.
    run
        Folder and threads; called back after each epoch of each trial.
    on_trial
        Called after each trial.

    Returns
    -------
    Trial, Path
        The best trial, and ``sweep.json`` with all of them.

    Raises
    ------
    TrainError
        If Optuna is not installed, there are no validation samples, the folder holds another
        search, or no trial ended.
    RecipeError
        If a range is wrong.
    """
    optuna = _optuna()
    base = make_recipe(search.values)
    _check_ranges(base, search.ranges)
    run.out.mkdir(parents=True, exist_ok=True)
    study = _study(optuna, search, base, run.out)

    def objective(trial: Any) -> float:
        settings = {name: _suggested(trial, name, r) for name, r in search.ranges.items()}
        recipe = _with(search.values, settings)
        case, chosen = search.make_case(recipe)
        if case.validation is None:
            raise TrainError("sweep: expected validation samples to choose by, got none")

        def report(epoch: EpochReport) -> None:
            run.on_epoch(epoch)
            trial.report(epoch.best, epoch.epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        _, history = trained(case, chosen, replace(run, on_epoch=report), keep=False)
        return history.validation[history.best_epoch - 1]

    def tell(_study: Any, frozen: Any) -> None:
        if on_trial is not None:
            on_trial(_trial(frozen))

    finished = [each for each in study.trials if each.state.is_finished()]
    remaining = search.n_trial - len(finished)
    if remaining > 0:
        study.optimize(objective, n_trials=remaining, callbacks=[tell])
    return _recorded(study, search, run.out)


def parsed_range(text: str) -> tuple[str, dict[str, Any]]:
    """Return name and range of ``NAME=LOW:HIGH``, ``NAME=LOW:HIGH:log`` or ``NAME=A,B,C``.

    Raises
    ------
    RecipeError
        If it is none of these.

    Examples
    --------
    >>> parsed_range("training.learning_rate=1e-4:1e-2:log")
    ('training.learning_rate', {'low': 0.0001, 'high': 0.01, 'log': True})
    >>> parsed_range("preset=tiny,small")
    ('preset', {'choices': ['tiny', 'small']})
    """
    name, equals, value = text.partition("=")
    parts = value.split(":")
    try:
        if equals and len(parts) in {2, 3} and parts[2:] in ([], ["log"]):
            low, high = float(parts[0]), float(parts[1])
            return name, {"low": low, "high": high, "log": len(parts) == 3}
    except ValueError:
        pass
    if not equals or len(parts) > 1 or "," not in value:
        raise RecipeError(
            f"search: expected NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C, got {text!r}"
        )
    return name, {"choices": [plain_value(each) for each in value.split(",")]}


def _optuna() -> Any:
    if find_spec("optuna") is None:
        raise TrainError(
            "sweep: expected the package optuna, found none; install 'hybrid-closures[sweep]'"
        )
    optuna = import_module("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _check_ranges(base: Recipe, ranges: Ranges) -> None:
    known = base.flat()
    for name, found in ranges.items():
        ordered = "choices" in found or -math.inf < found["low"] < found["high"] < math.inf
        positive = not found.get("log", False) or found["low"] > 0.0
        if name not in known or not ordered or not positive:
            raise RecipeError(
                f"search: expected an entry of the recipe with low < high, above 0 for log, or "
                f"choices, got {name}: {dict(found)}"
            )


def _study(optuna: Any, search: Search, base: Recipe, folder: Path) -> Any:
    storages = import_module("optuna.storages")
    journal = import_module("optuna.storages.journal")
    storage = storages.JournalStorage(journal.JournalFileBackend(str(folder / JOURNAL)))
    study = optuna.create_study(
        study_name="sweep", storage=storage, direction="minimize", load_if_exists=True
    )
    settings = {**base.flat(), **{f"search.{k}": str(dict(v)) for k, v in search.ranges.items()}}
    before = study.user_attrs.get("settings", settings)
    if before != settings:
        differing = sorted(
            name for name in {*before, *settings} if before.get(name) != settings.get(name)
        )
        raise TrainError(
            f"{folder / JOURNAL}: expected a search with the same settings, got one that "
            f"differs in {', '.join(differing)}; choose another --out"
        )
    study.set_user_attr("settings", settings)
    # Another seed for each continuation, or it would try what was tried.
    seed = base.training.seed + len(study.trials)
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    study.pruner = optuna.pruners.MedianPruner(n_warmup_steps=max(1, base.training.n_epoch // 3))
    return study


def _suggested(trial: Any, name: str, found: Mapping[str, Any]) -> Any:
    if "choices" in found:
        return trial.suggest_categorical(name, list(found["choices"]))
    low, high, log = found["low"], found["high"], found.get("log", False)
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(name, low, high, log=log)
    return trial.suggest_float(name, low, high, log=log)


def _with(values: Mapping[str, Any], settings: Mapping[str, Any]) -> Recipe:
    return make_recipe(with_entries(values, settings))


def _trial(frozen: Any) -> Trial:
    ended = frozen.state.name == "COMPLETE"
    return Trial(frozen.number, frozen.value if ended else None, dict(frozen.params))


def _recorded(study: Any, search: Search, folder: Path) -> tuple[Trial, Path]:
    trials: Sequence[Trial] = [_trial(each) for each in study.trials]
    complete = [(each.loss, each) for each in trials if each.loss is not None]
    if not complete:
        raise TrainError(f"{folder}: expected a trial that ended, got none; ask for more trials")
    best = min(complete, key=lambda pair: pair[0])[1]
    record = {
        "best": {"number": best.number, "loss": best.loss, "settings": best.settings},
        "recipe": _with(search.values, best.settings).to_dict(),
        "ranges": {name: dict(found) for name, found in search.ranges.items()},
        "trials": [
            {"number": each.number, "loss": each.loss, "settings": each.settings} for each in trials
        ],
        "versions": versions(),
    }
    path = folder / RECORD
    atomic.write_text(path, json.dumps(record, indent=1, allow_nan=False) + "\n")
    return best, path
