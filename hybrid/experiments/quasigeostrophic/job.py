"""Pieces of the experiment that processes share: runs, and datasets for offline scores."""

from dataclasses import dataclass

from hybrid.experiments.quasigeostrophic.learning.plan import DataKind, Plan

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
class HostedJob:
    """The same run of the Fortran program, which calls the archive of the model's closure."""

    model: str
    configuration: str
    seed: int

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"hosted_{self.model}_{self.configuration}_{self.seed}"


@dataclass(frozen=True)
class PairsJob:
    """States of a configuration, and what the coarse model misses there."""

    configuration: str

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"pairs_{self.configuration}"


TRIAL = "trial"
"""Name of the model whose coefficients are looked for, among those of a `TrialJob`."""


@dataclass(frozen=True)
class TrialJob:
    """A run for fits of coefficients: of `TRIAL`, of `TRUTH` or of the model without closure."""

    model: str
    configuration: str
    number: int

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"calibration_{self.model}_{self.configuration}_{self.number}"


@dataclass(frozen=True)
class FitJob:
    """A fit of coefficients to the runs of a round."""

    number: int

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"fit_{self.number}"


@dataclass(frozen=True)
class DataJob:
    """A run of the truth that networks learn from, one of several."""

    kind: DataKind
    number: int

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"{self.kind}_{self.number}"


@dataclass(frozen=True)
class TrainingJob:
    """The training of a network."""

    plan: Plan

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"network_{self.plan.name}"


@dataclass(frozen=True)
class RegressionJob:
    """A sparse regression that finds a symbolic closure, of whitened fields or of others."""

    whiten: bool

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"sparse_regression{'' if self.whiten else '_unwhitened'}"


Job = RunJob | HostedJob | PairsJob | TrialJob | FitJob | DataJob | TrainingJob | RegressionJob
