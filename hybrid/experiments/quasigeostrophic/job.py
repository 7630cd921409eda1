"""Pieces of the experiment that processes share: runs, and datasets for offline scores."""

from dataclasses import dataclass

TRUTH = "truth"
"""Name of the truth among the models that are run."""


@dataclass(frozen=True)
class RunJob:
    """A run of a model, `TRUTH` or a candidate, in a configuration, from the state of a seed."""

    model: str
    configuration: str
    seed: int

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"climate_{self.model}_{self.configuration}_{self.seed}"


@dataclass(frozen=True)
class PairsJob:
    """States of a configuration, and what the coarse model misses there."""

    configuration: str

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"pairs_{self.configuration}"


@dataclass(frozen=True)
class SearchJob:
    """A search for coefficients, one of several."""

    number: int

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"search_{self.number}"


Job = RunJob | PairsJob | SearchJob
