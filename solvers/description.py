"""What is known of a numerical model without running it."""

from abc import ABC, abstractmethod
from dataclasses import fields
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np
import xarray as xr


class Description(ABC):
    """Name, time step, coordinates and attributes of a numerical model.

    Attributes
    ----------
    title : str
        Name of the model in data and messages.
    time_units : str
        ``"s"``, or ``"1"`` for dimensionless models.
    dt : float
        Time step [`time_units`].
    """

    title: ClassVar[str]
    time_units: ClassVar[str]
    dt: float

    @property
    @abstractmethod
    def order(self) -> int:
        """Order of accuracy in time."""

    @abstractmethod
    def coordinates(self) -> dict[str, xr.Variable]:
        """Return the coordinates of the fields, with units, without time and member."""

    def attributes(self) -> dict[str, Any]:
        """Return parameters and versions as attributes of a dataset."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return {
            "model": self.title,
            **{name: _attribute(value) for name, value in values.items() if value is not None},
            "versions": ", ".join(f"{name} {version(name)}" for name in _VERSIONS),
            "Conventions": "CF-1.11",
        }

    def require_finite(self) -> None:
        """Raise a ValueError if a parameter is not a finite number."""
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, float) and not np.isfinite(value):
                raise ValueError(f"{field.name}: expected a finite number, got {value}")


_VERSIONS = ("hybrid-closures", "numba", "numpy")


def _attribute(value: Any) -> Any:
    # netCDF attributes are numbers and texts.
    return int(value) if isinstance(value, bool) else value
