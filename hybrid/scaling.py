"""Normalisation of fields, written by hand or published by ClimSim."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.climsim.published_normalization import published_normalization
from closures.columns.layout import ColumnLayout
from closures.field import Field
from closures.normalization import Normalization
from closures.spec import ClosureSpec
from hybrid.errors import WrapError

GROUPS = ("inputs", "outputs")
KEYS = ("mean", "spread")


def unscaled(layout: ColumnLayout) -> tuple[Normalization, Normalization]:
    """Return the normalisation that changes nothing, of inputs and of outputs."""
    sizes = (layout.n_input, layout.n_output)
    inputs, outputs = (Normalization(np.zeros(size), np.ones(size)) for size in sizes)
    return inputs, outputs


def read_scaling(path: Path, spec: ClosureSpec) -> tuple[Normalization, Normalization]:
    """Read the normalisation of inputs and outputs from JSON, or from ClimSim's folder.

    ``{"inputs": {NAME: {"mean": M, "spread": S}}, "outputs": {...}}``: the network sees
    ``(x - M) / S`` and ``y = M + S * result``. A number counts for all levels, a list has one a
    level; a mean that is left out is 0, a spread 1. Every field must be named. If `path` is a
    folder, it is one of ClimSim's published files.

    Raises
    ------
    WrapError
        If the file cannot be read, a field is missing or unknown, or numbers do not fit.
    SpecError
        If ClimSim's folder lacks a file or a field.
    """
    if path.is_dir():
        return published_normalization(path, spec)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        groups = {group: dict(data[group]) for group in GROUPS}
    except OSError as error:
        raise WrapError(f"{path}: expected a scaling, got '{error.strerror}'") from error
    except (ValueError, KeyError, TypeError) as error:
        raise WrapError(
            f"{path}: expected a scaling, a JSON object with 'inputs' and 'outputs', got "
            f"something else ({error})"
        ) from error
    found = []
    for group, entries in groups.items():
        fields: tuple[Field, ...] = getattr(spec, group)
        names = [field.name for field in fields]
        if set(names) != set(entries):
            raise WrapError(
                f"{path}: expected {group} {', '.join(names)}, got {', '.join(entries) or 'none'}; "
                "name every field of the contract"
            )
        mean, spread = (
            np.concatenate([_values(path, field, entries[field.name], key) for field in fields])
            for key in KEYS
        )
        try:
            found.append(Normalization(mean, spread))
        except ValueError as error:
            raise WrapError(f"{path}: {group}: {error}") from error
    return found[0], found[1]


def _values(path: Path, field: Field, entry: Any, key: str) -> NDArray[np.float64]:
    if not isinstance(entry, dict) or not set(entry) <= set(KEYS):
        raise WrapError(f"{path}: expected 'mean' and 'spread' of {field.name}, got {entry!r}")
    try:
        values = np.asarray(entry.get(key, float(key == "spread")), dtype=np.float64)
        return np.broadcast_to(values, (field.size,)).copy()
    except ValueError as error:
        raise WrapError(
            f"{path}: expected a number or {field.size} numbers as {key} of {field.name}, got "
            f"{error}"
        ) from error
