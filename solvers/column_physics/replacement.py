"""What may take the place of the columns' own physics, and two that need no closure."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from solvers.column_physics.model import Columns, Scheme
from solvers.column_physics.step import PROFILES

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Fields = dict[str, Array]


@dataclass(frozen=True)
class Prediction:
    """What a physics makes of columns.

    Parameters
    ----------
    tendencies
        Of the profiles that it predicts, by name, ``(n_column, n_level)`` [unit of the profile
        per second].
    fluxes
        What the surface gets, as far as it predicts it, by name, ``(n_column,)``.
    flagged
        Columns in which it is not to be trusted ``(n_column,)``.
    """

    tendencies: Fields
    fluxes: Fields
    flagged: Mask


class Physics(Protocol):
    """A physics that can take the place of the columns' own."""

    @property
    def predicted(self) -> tuple[str, ...]:
        """Names of the profiles whose tendencies it gives."""

    def spin_up(self, before: Fields, after: Fields, step: int) -> None:
        """Look on at a step of the truth before the run begins."""

    def predict(self, before: Fields, step: int) -> Prediction:
        """Return the tendencies of columns, which hold for one step."""

    def record(self, before: Fields, after: Fields) -> None:
        """Remember a step of the run that is over: columns before and after the physics."""


@dataclass
class SchemePhysics:
    """One of the columns' own schemes, as a physics from outside.

    Parameters
    ----------
    columns
        Columns whose grid and time step it has.
    scheme
        Scheme to apply.
    """

    columns: Columns
    scheme: Scheme

    predicted: tuple[str, ...] = PROFILES

    def spin_up(self, before: Fields, after: Fields, step: int) -> None:
        """Do nothing: a scheme has no memory."""

    def predict(self, before: Fields, step: int) -> Prediction:
        """Return the change by the scheme, per second."""
        del step
        state = stacked(before)
        fluxes = self.columns.applied(self.scheme, before, state)
        timestep = self.columns.settings.timestep
        tendencies = {
            name: (state[:, i] - before[name]) / timestep for i, name in enumerate(PROFILES)
        }
        return Prediction(
            tendencies,
            {name: values for name, values in fluxes.items() if name not in PROFILES},
            np.zeros(len(state), dtype=np.bool_),
        )

    def record(self, before: Fields, after: Fields) -> None:
        """Do nothing: a scheme has no memory."""


@dataclass
class NoPhysics:
    """A physics that does nothing: what surface and flow alone make of the columns."""

    predicted: tuple[str, ...] = PROFILES

    def spin_up(self, before: Fields, after: Fields, step: int) -> None:
        """Do nothing."""

    def predict(self, before: Fields, step: int) -> Prediction:
        """Return tendencies of zero, and no precipitation."""
        del step
        none = np.zeros(len(before["temperature"]))
        return Prediction(
            {name: np.zeros_like(before[name]) for name in PROFILES},
            {"precipitation": none},
            none.astype(np.bool_),
        )

    def record(self, before: Fields, after: Fields) -> None:
        """Do nothing."""


def stacked(fields: Fields) -> Array:
    """Return the profiles of columns as one array ``(n_column, 6, n_level)``."""
    return np.stack([fields[name] for name in PROFILES], axis=1)
