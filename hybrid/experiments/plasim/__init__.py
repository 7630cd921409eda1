"""A general circulation model with learned radiation: PlaSim, downloaded and built here."""

from hybrid.experiments.plasim.experiment import run, run_until

__all__ = ["run", "run_until"]
