"""What an ensemble in one archive costs, and a cascade and a student instead of it.

The ensemble is trained, on generated columns of the present climate, because what a cascade costs
depends on how often its first members are enough. Windows are calibrated on validation columns,
everything is measured on columns of other moments, a third of them four degrees warmer. Time is
that of a run of the bridge's binding, turn by turn and in one process.

A reproducible run takes columns in blocks of sizes that the bridge has tested, and it tests only
what costs at most two seconds: an ensemble may then have smaller blocks than a member alone, which
cost more a column whatever is in the archive. What merging members costs is therefore measured
beside members in the same blocks too, and every record says how many columns were taken at once.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import hybrid
from benchmarks.comparison import Compared, Comparison
from benchmarks.ensemble_training import TrainingCost, training_cost
from benchmarks.fidelity_closures import FULL_SETUP, QUICK_SETUP, Setup, TrainedClosures, trained
from benchmarks.fidelity_columns import SCALARS
from benchmarks.fidelity_scores import FidelityScores, fidelity_scores
from benchmarks.interleaved import FULL, Session, Work, interleave, often, on_processor
from benchmarks.interval import FEWEST
from closures.multifidelity import Samples
from fortran_bridge.binding import Binding
from hybrid.runtime import CompiledClosure

TITLE = "One run of an ensemble in one archive, and of a cascade and a student instead"
SIZES = (384,)
"""Columns of a step."""

ONE_ARCHIVE, APART, ALIKE, CASCADE, STUDENT = (
    "all members in one archive",
    "each member in an archive of its own",
    "each member in an archive of its own, same blocks",
    "cascade",
    "student",
)
PAIRS = (
    (ONE_ARCHIVE, APART),
    (ONE_ARCHIVE, ALIKE),
    (CASCADE, ONE_ARCHIVE),
    (STUDENT, ONE_ARCHIVE),
)


@dataclass(frozen=True)
class EnsembleCost(Compared):
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
    block, block_beside
        Most columns that either evaluates at once.
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
    block: int
    block_beside: int
    seconds: float
    ratio: float
    low: float
    high: float
    scores: FidelityScores

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading; the file has all of it."""
        scores = self.scores
        return {
            "closure": self.closure,
            "beside": self.beside,
            "reproducible": "yes" if self.reproducible else "no",
            "at once": f"{self.block}, {self.block_beside}",
            "us/column": f"{1e6 * self.seconds / self.n_column:.2f}",
            "ratio": f"{self.ratio:.3f}",
            "at most": f"{self.high:.3f}",
            "flagged": f"{scores.flagged:.3f}",
            "same decision": f"{scores.agreement:.4f}",
            "CRPS": f"{scores.crps['present']:.4f}",
            "CRPS +4K": f"{scores.crps['p4k']:.4f}",
        }


def measure(
    sizes: Sequence[int] = SIZES, session: Session = FULL, setup: Setup | None = None
) -> Iterator[EnsembleCost | TrainingCost]:
    """Train, calibrate, distil, and time for each number of columns, reproducible and not.

    At last, the time of the training itself.
    """
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
                candidates, blocks = {}, {}
                for name, closures in archives.items():
                    candidates[name], blocks[name] = _work(
                        closures, columns, reproducible=reproducible
                    )
                if reproducible:
                    candidates[ALIKE], blocks[ALIKE] = _work(
                        archives[APART], columns, reproducible=True, at_once=blocks[ONE_ARCHIVE]
                    )
                label = f"{n_column} columns, reproducible {'on' if reproducible else 'off'}"
                rounds = replace(session, rounds=max(session.rounds, FEWEST))
                timings = interleave(candidates, rounds, label)
                for name, other in (pair for pair in PAIRS if candidates.keys() >= set(pair)):
                    found = Comparison.of(timings, name, other, what=f"{label}, {name}")
                    yield EnsembleCost(
                        name,
                        other,
                        setup.n_member,
                        n_column,
                        reproducible,
                        blocks[name],
                        blocks[other],
                        timings.median(name),
                        found.ratio,
                        found.low,
                        found.high,
                        scores[name],
                        comparisons=(found,),
                    )
    samples = Samples(
        made.scaling.features(made.test), made.scaling.targets(made.test), made.test.group
    )
    for training in setup.trainings:
        yield training_cost(samples, training, session)


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
            found[name].append(hybrid.load(path, "torchscript"))
    return found


def _work(
    closures: Sequence[CompiledClosure],
    columns: Mapping[str, NDArray[np.float32]],
    *,
    reproducible: bool,
    at_once: int | None = None,
) -> tuple[Work, int]:
    """Return a run of all closures, and most columns that one of them evaluates at once.

    With `at_once`, all closures evaluate so many columns before they go on to others.
    """
    n = len(columns[SCALARS[0]])
    starts = range(0, n, at_once or n)
    parts = [
        {name: values[i : i + starts.step] for name, values in columns.items()} for i in starts
    ]
    bindings = [
        _bound(closure, part, reproducible=reproducible) for part in parts for closure in closures
    ]

    def call() -> None:
        for binding in bindings:
            binding.run(0)

    most = max(_block(closure, starts.step, reproducible=reproducible) for closure in closures)
    return on_processor(often(call)), most


def _bound(
    closure: CompiledClosure,
    columns: Mapping[str, NDArray[np.float32]],
    *,
    reproducible: bool,
) -> Binding:
    n = len(columns[SCALARS[0]])
    binding = closure.create(n, reproducible=reproducible, policy="flag")
    for field in (*closure.spec.inputs, *closure.spec.outputs):
        array = columns.get(field.name)
        if array is None:
            array = np.zeros((n, *field.sizes), np.float32)
        dims = ",".join(("column", *field.dims))
        binding.bind(field.name, array, dims=dims, units=field.units)
    return binding


def _block(closure: CompiledClosure, n: int, *, reproducible: bool) -> int:
    """Return the largest block that n columns fill, of a closure that is bound already."""
    return max(size for size in closure.blocks if size <= n) if reproducible else n
