"""Multi-fidelity closures: right in a climate that their accurate data do not come from."""

from hybrid.experiments.multifidelity.experiment import run

__all__ = ["run"]
