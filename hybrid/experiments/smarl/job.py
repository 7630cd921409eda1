"""Pieces of the experiment that processes share: truths, searches, and scored runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TruthJob:
    """A trajectory of the truth."""

    regime: str
    part: str

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"truth_{self.regime}_{self.part}"


@dataclass(frozen=True)
class Training:
    """A search for a closure, or its training, with one seed.

    Parameters
    ----------
    candidate, seed
        Name and seed.
    n_snapshot
        How many states of the truth it sees, evenly spaced; None: all of them.
    """

    candidate: str
    seed: int
    n_snapshot: int | None = None

    @property
    def name(self) -> str:
        """Name of the stage."""
        few = "" if self.n_snapshot is None else f"_from_{self.n_snapshot}"
        return f"{self.candidate}_{self.seed}{few}"


@dataclass(frozen=True)
class ClimateJob:
    """Runs of a closure in a regime; without a seed, of one that is given."""

    candidate: str
    seed: int | None
    regime: str
    n_snapshot: int | None = None

    @property
    def name(self) -> str:
        """Name of the stage."""
        few = "" if self.n_snapshot is None else f"_from_{self.n_snapshot}"
        return f"climate_{self.candidate}_{self.seed}_{self.regime}{few}"


Job = TruthJob | Training | ClimateJob
