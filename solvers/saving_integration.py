"""Systems so small that Python between their saved states would take longer than the steps."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.description import Description
from solvers.integration import Integration


class SavedField(NamedTuple):
    """A field that the time loop saves.

    Parameters
    ----------
    dims, shape
        Axes of one member and their sizes.
    units, long_name
        Attributes in the data.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    units: str
    long_name: str


Records = tuple[NDArray[Any], ...]


class SavingIntegration(Integration):
    """An integration whose compiled time loop also saves.

    A subclass names what it saves in `saved_fields`; its `_advance` writes them into `records`,
    one array of shape ``(n_save, n_member, ...)`` each, after every `save_every` steps.

    Attributes
    ----------
    records : tuple of ndarray
        Where the time loop saves.
    save_every : int
        Steps between saved states; 0: none is saved.
    """

    def __init__(self, model: Description, n_member: int, n_thread: int = 1) -> None:
        super().__init__(model, n_member, n_thread)
        self.save_every = 0
        self.records = self._empty_records(0)

    @property
    @abstractmethod
    def dtype(self) -> str:
        """Precision, ``float64`` or ``float32``."""

    @property
    @abstractmethod
    def saved_fields(self) -> Mapping[str, SavedField]:
        """What is saved, by name; the fields that users see."""

    @abstractmethod
    def _save(self, records: Records) -> None:
        """Write the fields of this moment into the first place of records."""

    def fields(self) -> dict[str, xr.Variable]:
        """Return the fields of this moment, dims ``(member, ...)``."""
        records = self._empty_records(1)
        self._save(records)
        return {
            name: xr.Variable(variable.dims[1:], variable.values[0], variable.attrs)
            for name, variable in self._labelled(records).items()
        }

    def advance_and_save(self, n_save: int, save_every: int) -> dict[str, xr.Variable]:
        """Advance all members, and keep their fields on the way.

        Parameters
        ----------
        n_save
            Number of moments to keep.
        save_every
            Steps from one of them to the next.

        Returns
        -------
        dict of Variable
            The fields after every `save_every` steps, dims ``(time, member, ...)``.

        Raises
        ------
        SolverBlewUp, TendencyError
            As `advance`.
        """
        records = self.records = self._empty_records(n_save)
        self.save_every = save_every
        try:
            self.advance(n_save * save_every)
        finally:
            self.records, self.save_every = self._empty_records(0), 0
        return self._labelled(records)

    def _find_blow_up(self, n_step: int) -> None:
        self.save_every = 0  # what was saved on the way is lost
        super()._find_blow_up(n_step)

    def _empty_records(self, n_save: int) -> Records:
        return tuple(
            np.empty((n_save, self.n_member, *field.shape), dtype=self.dtype)
            for field in self.saved_fields.values()
        )

    def _labelled(self, records: Records) -> dict[str, xr.Variable]:
        return {
            name: xr.Variable(
                ("time", "member", *field.dims),
                values,
                {"units": field.units, "long_name": field.long_name},
            )
            for (name, field), values in zip(self.saved_fields.items(), records, strict=True)
        }
