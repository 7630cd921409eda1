"""Systems so small that Python between their saved states would take longer than the steps."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.description import Description
from solvers.errors import TendencyError
from solvers.integration import Integration, Snapshot


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


class _Wanted(NamedTuple):
    """Where a call saves, every how many steps, and from which on; 0: nothing is saved."""

    records: Records
    every: int
    first_step: int


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
        self.records = self._none = self._empty_records(0)
        self._wanted = _Wanted(self._none, 0, 0)

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
        records = self._empty_records(n_save)
        self._wanted = _Wanted(records, save_every, self.step)
        try:
            self.advance(n_save * save_every)
        finally:
            self._wanted = _Wanted(self._none, 0, 0)
            self.records, self.save_every = self._none, 0
        return self._labelled(records)

    def _chunk(self, end: int) -> int:
        n_step, every = super()._chunk(end), self._wanted.every
        if every == 0:
            return n_step
        since_save = (self.step - self._wanted.first_step) % every
        if since_save == 0 and n_step >= every:
            return n_step - n_step % every
        return min(n_step, every - since_save)

    def _advance_chunk(self, n_step: int, before: Snapshot) -> None:
        records, every, first_step = self._wanted
        if every == 0:
            super()._advance_chunk(n_step, before)
            return
        # The time loop saves by itself in chunks of whole intervals between saves.
        whole = n_step % every == 0
        n_saved, n_save = (self.step - first_step) // every, n_step // every
        self.records = tuple(values[n_saved : n_saved + n_save] for values in records)
        self.save_every = every if whole else 0
        super()._advance_chunk(n_step, before)
        if not whole and (self.step - first_step) % every == 0:
            self._save(tuple(values[n_saved : n_saved + 1] for values in records))

    def _find_blow_up(self, n_step: int) -> None:
        saving, self.save_every = self.save_every > 0, 0
        super()._find_blow_up(n_step)
        if saving:
            raise TendencyError(
                f"{self.model.title}: step {self.step}: expected a closure that returns the same "
                "when a step is taken again, got a state that is finite the second time only"
            )

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
