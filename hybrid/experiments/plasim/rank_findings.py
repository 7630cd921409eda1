"""What the runs as one and as several processes say."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid.experiments.plasim.jobs import Work
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE
from hybrid.experiments.plasim.ranks import differing_columns, ranked_name
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.plasim.years import seconds_a_day_of, year_folders


@dataclass(frozen=True)
class Ranked:
    """Runs as one number of processes.

    Parameters
    ----------
    native, closure
        Processor time of a day of the whole model, the sum over processes [s].
    n_column, n_differing
        Recorded columns of all schemes, and those of them that differ in any bit from what the
        archives make of the same inputs in one batch.
    """

    native: float
    closure: float
    n_column: int
    n_differing: int

    def metrics(self, n_rank: int) -> dict[str, float]:
        """Return everything as flat numbers."""
        return {
            f"columns_differing_{n_rank}_ranks": float(self.n_differing),
            f"seconds_a_day_{NATIVE}_{n_rank}_ranks": self.native,
            f"seconds_a_day_{CLOSURE}_{n_rank}_ranks": self.closure,
        }


def collect_ranked(
    work: Work, settings: Settings, archives: Mapping[str, Path]
) -> dict[int, Ranked]:
    """Return the findings by the number of processes.

    Parameters
    ----------
    work
        Where the runs are.
    settings
        Which they are; one that ended early is left out.
    archives
        Closures of these runs, by scheme.
    """
    return {
        n_rank: _ranked(work, n_rank, archives)
        for n_rank in settings.ranks
        if not work.ended_early(ranked_name(CLOSURE, n_rank))
    }


def _ranked(work: Work, n_rank: int, archives: Mapping[str, Path]) -> Ranked:
    native, closure = (work.folder / ranked_name(kind, n_rank) for kind in (NATIVE, CLOSURE))
    (recorded,) = year_folders(closure)
    counts = [differing_columns(recorded, scheme, path) for scheme, path in archives.items()]
    return Ranked(
        float(np.mean(seconds_a_day_of(native))),
        float(np.mean(seconds_a_day_of(closure))),
        sum(n for _, n in counts),
        sum(n for n, _ in counts),
    )
