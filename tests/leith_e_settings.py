"""A coarse model of two layers, and Leith's diffusion with an energy budget that is made for it."""

from typing import Any

from solvers import TwoLayerQG

MODEL = TwoLayerQG(nx=48, dt=7200.0, u1=0.05)
SPACING = MODEL.grid.dy, MODEL.grid.dx

BUDGET: dict[str, Any] = {
    "c2": (-1.0, -0.5),
    "c4": (0.006, 0.004),
    "returned": 0.7,
    "largest_factor": 10.0,
    "delta": MODEL.delta,
}
OF_STRAIN: dict[str, Any] = {**BUDGET, "fields": ("strain", "vorticity")}
OF_SIXTH_ORDER: dict[str, Any] = {
    **BUDGET,
    "c4": (0.0, 0.0),
    "c6": (0.001, 0.002),
    "fields": ("laplacian", "q"),
}
OF_MOMENTUM: dict[str, Any] = {**BUDGET, "fields": ("laplacian", "vorticity")}
