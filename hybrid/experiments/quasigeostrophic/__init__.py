"""Closures of two-layer quasi-geostrophic flow in the benchmark of Ross et al. (2023)."""

from hybrid.experiments.quasigeostrophic.experiment import run, run_until

__all__ = ["run", "run_until"]
