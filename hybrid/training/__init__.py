"""From data and a recipe to one verified archive."""

from hybrid.training.climsim import train_climsim
from hybrid.training.columns import train_columns
from hybrid.training.run import Run, Trained

__all__ = ["Run", "Trained", "train_climsim", "train_columns"]
