"""The file ``results.json``: the numbers of one run, and what they depend on.

Metrics stand flat at the top level, so that ``json.load(stream)["hellinger_none"]`` works; the
other top-level keys are reserved. JSON has no NaN and no infinity: a metric or setting that is
not finite is written as ``null`` and read back as NaN. Keys have a stable order: the reserved
ones first, then the metrics by name.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from closures import atomic
from hybrid.versions import versions

RESERVED = ("experiment", "preset", "seed", "headline", "choices", "settings", "versions")
"""Top-level keys that are not metrics."""


class ResultsError(ValueError):
    """Results that cannot be written, merged or read."""


@dataclass(frozen=True)
class Results:
    """Content of ``results.json``.

    Parameters
    ----------
    experiment, preset, seed
        Which run this is.
    headline
        What was run, on which data; says so when the data are generated.
    metrics
        Metric name to number; units are part of the experiment's documentation.
    settings
        What the numbers depend on.
    choices
        Strings found by the run, such as which closure is ``best``.
    versions
        Software the run used.

    Raises
    ------
    ResultsError
        If a metric has a reserved name.
    """

    experiment: str
    preset: str
    seed: int
    headline: str
    metrics: Mapping[str, float]
    settings: Mapping[str, str | float]
    choices: Mapping[str, str]
    versions: Mapping[str, str] = field(default_factory=versions)

    def __post_init__(self) -> None:
        reserved = sorted(set(RESERVED) & set(self.metrics))
        if reserved:
            raise ResultsError(
                f"{self.experiment}: expected metric names other than {', '.join(RESERVED)}; "
                f"got {', '.join(reserved)}; rename them in the experiment"
            )


def write_results(path: Path, results: Results) -> None:
    """Write `results` to `path`, completely or not at all.

    Raises
    ------
    ResultsError
        If a metric is not a number, or a setting neither a number nor a string.
    """
    document: dict[str, Any] = {
        "experiment": results.experiment,
        "preset": results.preset,
        "seed": results.seed,
        "headline": results.headline,
        "choices": {key: str(results.choices[key]) for key in sorted(results.choices)},
        "settings": {
            key: value if isinstance(value := results.settings[key], str) else _number(key, value)
            for key in sorted(results.settings)
        },
        "versions": dict(results.versions),
        **{key: _number(key, results.metrics[key]) for key in sorted(results.metrics)},
    }
    atomic.write_text(path, json.dumps(document, indent=2, allow_nan=False) + "\n")


def read_results(path: Path) -> Results:
    """Read a file that `write_results` wrote.

    Raises
    ------
    ResultsError
        If the file is missing, is not JSON, or lacks a reserved key.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(
            f"{path}: expected a results file, found none; make one with 'hybrid run'"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path}: expected JSON, got {error}; run it again") from None
    missing = [key for key in RESERVED if not isinstance(document, dict) or key not in document]
    if missing:
        raise ResultsError(
            f"{path}: expected the keys {', '.join(RESERVED)}; {', '.join(missing)} missing; "
            "this is not a results file of this project"
        )
    return Results(
        **{key: document[key] for key in RESERVED if key != "settings"},
        settings={key: _or_nan(value) for key, value in document["settings"].items()},
        metrics={key: _or_nan(value) for key, value in document.items() if key not in RESERVED},
    )


def _number(key: str, value: object) -> int | float | None:
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else None
    raise ResultsError(
        f"{key}: expected a number, got {value!r} of type {type(value).__name__}; "
        "strings belong into settings or choices"
    )


def _or_nan(value: Any) -> Any:
    return math.nan if value is None else value
