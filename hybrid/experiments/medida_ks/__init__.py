"""MEDIDA on the Kuramoto-Sivashinsky equation: model error as equations, from observations."""

from hybrid.experiments.medida_ks.experiment import run

__all__ = ["run"]
