"""The online test: runs of a host in both precisions."""

import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from hybrid.reduced_precision.archive_entry import content_digest, put_on_trial
from hybrid.reduced_precision.climates import LEAST_RUNS, Climate, compare
from hybrid.reduced_precision.errors import PrecisionError
from hybrid.reduced_precision.evidence import Evidence
from hybrid.runtime import load
from hybrid.versions import versions

Run = Callable[[Path, str, int], Climate]
"""A run of a host: archive, precision to load it with, seed, to the values of its variables."""

SEEDS = tuple(range(6))
_DESCRIBED = "  precision "


def assess(
    path: Path | str,
    run: Run,
    *,
    host: str,
    seeds: Sequence[int] = SEEDS,
    kept: Path | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Evidence:
    """Run a host with an archive in float32 and in bf16, and compare the climates.

    Parameters
    ----------
    path
        Archive with a native program; it is not changed, see `hybrid.reduced_precision.keep`.
    run
        ``run(archive, precision, seed)`` runs the host with ``hybrid.load(archive,
        precision=precision)`` and returns the values that each variable took, without the spin-up.
        Another seed is another initial state or weather, as between the members of an ensemble. A
        run that blows up returns values that are not finite.
    host
        What `run` runs, for the record: the model, its settings and the length of a run.
    seeds
        One run in each precision for each of them.
    kept
        Folder in which finished runs are kept until all of them are, so that a test that was
        interrupted goes on; it must exist. Default: none are.
    on_progress
        Called with the fraction that is done.

    Raises
    ------
    ArchiveError, BridgeError
        If the archive cannot be read or loaded.
    PrecisionError
        If it would not be computed in bf16 here, seeds are few or repeated, or climates cannot be
        compared.
    """
    path = Path(path)
    seeds = tuple(seeds)
    if len(set(seeds)) < max(LEAST_RUNS, len(seeds)):
        raise PrecisionError(f"seeds: expected at least {LEAST_RUNS}, all different, got {seeds}")
    digest = content_digest(path)
    with tempfile.TemporaryDirectory() as folder:
        # The name of the archive may be part of what a host says.
        trial = Path(folder) / path.name
        put_on_trial(path, trial)
        computed = _computed(trial)
        runs: dict[str, list[Climate]] = {"float32": [], "bf16": []}
        files = []
        for number, seed in enumerate(seeds):
            for i, (precision, climates) in enumerate(runs.items()):
                name = f"{precision}-{seed}-{_key(digest, host, computed)}.npz"
                file = None if kept is None else kept / name
                files.append(file)
                climates.append(_climate(trial, run, precision, seed, file))
                if on_progress:
                    on_progress((number + (i + 1) / len(runs)) / len(seeds))
    # Another test makes its own: the host may be another by then.
    for file in files:
        if file is not None:
            file.unlink()
    variables = compare(runs["float32"], runs["bf16"])
    return Evidence(digest, host, seeds, computed, variables, versions())


def _computed(trial: Path) -> str:
    """Return what the native engine makes of bf16 here, in its words."""
    lines = load(trial, engine="native", precision="bf16").description.splitlines()
    text = next(line for line in lines if line.startswith(_DESCRIBED))
    text = text.removeprefix(_DESCRIBED).removesuffix(", on trial")
    if not text.startswith("bf16"):
        raise PrecisionError(
            f"{trial.name}: expected bf16 to be computed in for a test of it, got {text}; test it "
            "on a processor with AVX512_BF16, without HYBRID_ISA"
        )
    return text


def _key(*parts: str) -> str:
    return sha256("\n".join((*parts, *versions().values())).encode()).hexdigest()[:16]


def _climate(trial: Path, run: Run, precision: str, seed: int, file: Path | None) -> Climate:
    if file is not None and file.exists():
        with np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    climate = run(trial, precision, seed)
    if file is not None:
        unfinished = file.with_name(f"unfinished-{file.name}")
        np.savez(unfinished, **climate)  # type: ignore[arg-type]  # names are the keywords
        unfinished.replace(file)
    return climate
