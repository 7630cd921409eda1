"""MEDIDA on two quasi-geostrophic layers: model error as equations, from every point or sensors."""

from hybrid.experiments.medida_qg.experiment import run

__all__ = ["run"]
