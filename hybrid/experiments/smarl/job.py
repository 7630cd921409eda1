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
    """A search for a closure, or its training, with one seed."""

    candidate: str
    seed: int

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"{self.candidate}_{self.seed}"


@dataclass(frozen=True)
class ClimateJob:
    """Runs of a closure in a regime; without a seed, of one that is given."""

    candidate: str
    seed: int | None
    regime: str

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"climate_{self.candidate}_{self.seed}_{self.regime}"


Job = TruthJob | Training | ClimateJob
