"""Short runs as one and as several processes: what they cost, and that closures do not notice.

A build for several processes cannot go on from the state of another one, so these runs begin cold.
What a closure was given and what it made of it are recorded; the archive, evaluated in one batch on
the same columns, must give the same bits, whichever process they belonged to.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid.experiments.plasim.columns import read_columns
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE
from hybrid.runtime import load

RECORDED: Mapping[str, Any] = {"recorded": True, "interval": 53, "stride": 8}
"""What is recorded of the runs with closures."""


def ranked_name(kind: str, n_rank: int) -> str:
    """Return the name of a run of a kind, ``native`` or ``closure``, as `n_rank` processes."""
    return f"ranks_{n_rank}_{kind}"


def ranked_schemes(learned: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what does the radiation in the runs of each kind, as of `Run`.

    Parameters
    ----------
    learned
        What does it in other runs with closures.
    """
    recorded = {name: {**settings, **RECORDED} for name, settings in learned.items()}
    return {NATIVE: {}, CLOSURE: recorded}


def differing_columns(folder: Path, scheme: str, archive: Path) -> tuple[int, int]:
    """Return how many recorded columns differ in any bit from the archive's, and of how many.

    Parameters
    ----------
    folder
        Of a run with the closure and with `RECORDED`.
    scheme
        Its scheme.
    archive
        The closure.
    """
    columns = read_columns(folder, scheme, RECORDED["stride"])
    closure = load(archive)
    given = {f.name: columns[f.name].to_numpy() for f in closure.spec.inputs}
    differs = np.zeros(columns.sizes["column"], bool)
    for name, values in closure.evaluate(given).items():
        differs |= (_bits(values) != _bits(columns[name].to_numpy())).any(axis=1)
    return int(differs.sum()), len(differs)


def _bits(values: NDArray[np.float32]) -> NDArray[np.int32]:
    return np.ascontiguousarray(values).view(np.int32).reshape(len(values), -1)
