"""Lorenz-96: stochastic closures of the fast variables, run inside a Fortran model.

The two-scale system of Wilks (2005) is the truth. Closures of its fast variables are fitted to
it, compiled, and run in the Fortran model of the slow variables; climate and ensemble forecasts
of those runs are scored against the truth, beside what sampling alone does to a score (the
floor) and beside the model without a closure.
"""

from hybrid.experiments.lorenz96.experiment import run

__all__ = ["run"]
