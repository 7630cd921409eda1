"""Closures of two-layer quasi-geostrophic flow in the benchmark of Ross et al. (2023)."""
