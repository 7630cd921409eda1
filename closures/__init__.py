"""The closure contract and the closure families. Knows no solver and no host model."""

from closures.base import Closure
from closures.errors import SpecError
from closures.field import Field
from closures.spec import ClosureSpec, Grid

__all__ = ["Closure", "ClosureSpec", "Field", "Grid", "SpecError"]
