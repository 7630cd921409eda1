"""A general circulation model with learned radiation: PlaSim, downloaded and built here."""

from hybrid.experiments.plasim.experiment import run

__all__ = ["run"]
