"""What an ensemble in one archive costs, and a cascade and a student instead of it.

The ensemble is trained, on generated columns of the present climate, because what a cascade costs
depends on how often its first members are enough. Windows are calibrated on validation columns,
everything is measured on columns of other moments, a third of them four degrees warmer. Time is
that of a run of the bridge's binding, turn by turn and in one process.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import hybrid
from benchmarks.fidelity_closures import FULL_SETUP, QUICK_SETUP, Setup, TrainedClosures, trained
from benchmarks.fidelity_columns import SCALARS
from benchmarks.fidelity_scores import FidelityScores, fidelity_scores
from benchmarks.interleaved import FULL, Session, Work, interleave, often, on_processor
from benchmarks.interval import FEWEST, median_interval
from hybrid.runtime import CompiledClosure

TITLE = "Ensembles in one archive, cascades and students"
SIZES = (384,)
"""Columns of a step."""

ONE_ARCHIVE, APART, CASCADE, STUDENT = (
    "all members in one archive",
    "each member in an archive of its own",
    "cascade",
    "student",
)
PAIRS = ((ONE_ARCHIVE, APART), (CASCADE, ONE_ARCHIVE), (STUDENT, ONE_ARCHIVE))


@dataclass(frozen=True)
class EnsembleCost:
    """What one closure costs beside another.

    Parameters
    ----------
    closure, beside
        What is compared.
    n_member
        Members of the ensemble.
    n_column
        Columns of a run.
    reproducible
        Whether results do not depend on how many columns come along.
    seconds
        Median time of a run [s].
    ratio, low, high
        Median of the times by the other's, turn by turn, and its 95 % interval [1].
    scores
        How well it does, on test columns.
    """

    closure: str
    beside: str
    n_member: int
    n_column: int
    reproducible: bool
    seconds: float
    ratio: float
    low: float
    high: float
    scores: FidelityScores

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        scores = self.scores
        return {
            "closure": self.closure,
            "beside": self.beside,
            "columns": str(self.n_column),
            "reproducible": "yes" if self.reproducible else "no",
            "us/column": f"{1e6 * self.seconds / self.n_column:.2f}",
            "ratio": f"{self.ratio:.3f}",
            "at most": f"{self.high:.3f}",
            "flagged": f"{scores.flagged:.3f}",
            "same decision": f"{scores.agreement:.4f}",
            "of trusted": f"{scores.agreement_trusted:.4f}",
            "of flagged": f"{scores.agreement_flagged:.4f}",
            "CRPS": f"{scores.crps['present']:.4f}",
            "CRPS +4K": f"{scores.crps['p4k']:.4f}",
            "90 % covers": f"{scores.coverage90['present']:.3f}",
            "90 % covers +4K": f"{scores.coverage90['p4k']:.3f}",
        }


def measure(
    sizes: Sequence[int] = SIZES, session: Session = FULL, setup: Setup | None = None
) -> Iterator[EnsembleCost]:
    """Train, calibrate, distil, and time for each number of columns, reproducible and not."""
    is_full = session.rounds >= FULL.rounds
    setup = setup or (FULL_SETUP if is_full else QUICK_SETUP)
    made = trained(setup, session.progress)
    with tempfile.TemporaryDirectory() as folder:
        archives = _exported(made, Path(folder))
        one = {name: archives[name][0] for name in (ONE_ARCHIVE, CASCADE, STUDENT)}
        scores = fidelity_scores(made, one, ONE_ARCHIVE)
        for n_column in sizes:
            columns = made.test_columns(n_column)
            for reproducible in (True, False):
                candidates = {
                    name: _work(closures, columns, reproducible=reproducible)
                    for name, closures in archives.items()
                }
                label = f"{n_column} columns, reproducible {'on' if reproducible else 'off'}"
                rounds = replace(session, rounds=max(session.rounds, FEWEST))
                timings = interleave(candidates, rounds, label)
                for name, other in PAIRS:
                    ratios = zip(timings.rounds[name], timings.rounds[other], strict=True)
                    low, high = median_interval([a / b for a, b in ratios])
                    yield EnsembleCost(
                        name,
                        other,
                        setup.n_member,
                        n_column,
                        reproducible,
                        timings.median(name),
                        timings.ratio(name, other),
                        low,
                        high,
                        scores[name],
                    )


def _exported(made: TrainedClosures, folder: Path) -> dict[str, list[CompiledClosure]]:
    closures = {
        ONE_ARCHIVE: [made.full],
        CASCADE: [made.cascade],
        STUDENT: [made.student],
        APART: list(made.members),
    }
    found: dict[str, list[CompiledClosure]] = {}
    for name, group in closures.items():
        found[name] = []
        for i, closure in enumerate(group):
            path = folder / f"{name.replace(' ', '_')}_{i}.pt"
            hybrid.export(closure, path)
            found[name].append(hybrid.load(path))
    return found


def _work(
    closures: Sequence[CompiledClosure],
    columns: Mapping[str, NDArray[np.float32]],
    *,
    reproducible: bool,
) -> Work:
    n = len(columns[SCALARS[0]])
    bindings = []
    for closure in closures:
        binding = closure.create(n, reproducible=reproducible, policy="flag")
        for field in (*closure.spec.inputs, *closure.spec.outputs):
            array = columns.get(field.name)
            if array is None:
                array = np.zeros((n, *field.sizes), np.float32)
            dims = ",".join(("column", *field.dims))
            binding.bind(field.name, array, dims=dims, units=field.units)
        bindings.append(binding)

    def call() -> None:
        for binding in bindings:
            binding.run(0)

    return on_processor(often(call))
