"""Learners of eddy viscosities inside a running coarse model.

Each begins with the weights of a `closures.turbulence.LinearPolicy`, spends a budget of steps of
coarse models, and returns other weights and how it came to them.
"""

from hybrid.learners.learned import Learned

__all__ = ["Learned"]
