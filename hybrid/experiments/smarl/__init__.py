"""Learned eddy viscosities of two-dimensional turbulence, beside classical ones."""

from hybrid.experiments.smarl.experiment import run

__all__ = ["run"]
