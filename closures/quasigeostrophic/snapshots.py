"""Pairs of a coarse state and what a coarse model misses there, as regressions read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]

_DIMS = ("layer", "y", "x")
_VARIABLES = ("q", "u", "v", "q_tendency")
_BATCH = 16


@dataclass(frozen=True)
class Snapshots:
    """Snapshots of two-layer flow, whatever dims they come in.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    mean_flow
        Of the upper and of the lower layer, along x [m s-1].
    fields
        ``q`` [s-1], ``u``, ``v`` [m s-1] without the mean flow and ``q_tendency`` [s-2], shape
        ``(snapshot, layer, y, x)``.
    source
        Where they come from.
    """

    spacing: tuple[float, float]
    mean_flow: tuple[float, float]
    fields: dict[str, NDArray[np.floating]]
    source: str

    @classmethod
    def of(cls, pairs: xr.Dataset) -> Self:
        """Return those of what `solvers.coarse_graining.tendency_pairs` returns.

        Parameters
        ----------
        pairs
            The four variables, dims ``(..., layer, y, x)``; coordinates ``x`` and ``y`` [m] with
            even spacing; and attributes ``u1`` and ``u2`` [m s-1], the mean flow.

        Raises
        ------
        ValueError
            If the pairs lack one of these.
        """
        _require(pairs)
        order = [dim for dim in pairs["q"].dims if dim not in _DIMS] + [*_DIMS]
        return cls(
            (_spacing(pairs, "y"), _spacing(pairs, "x")),
            (float(pairs.attrs["u1"]), float(pairs.attrs["u2"])),
            {name: _flat(pairs[name].transpose(*order)) for name in _VARIABLES},
            str(pairs.attrs.get("source", "unknown")),
        )

    def __len__(self) -> int:
        return len(self.fields["q"])

    def batches(self) -> Iterator[tuple[tuple[Tensor, Tensor, Tensor], Array]]:
        """Yield q, u and v, and the tendencies, of some snapshots at a time, in float64."""
        for first in range(0, len(self), _BATCH):
            batch = {
                name: np.asarray(values[first : first + _BATCH], np.float64)
                for name, values in self.fields.items()
            }
            q, u, v = (torch.from_numpy(batch[name]) for name in "quv")
            yield (q, u, v), batch["q_tendency"]


def _require(pairs: xr.Dataset) -> None:
    for name in _VARIABLES:
        if name not in pairs or not set(_DIMS) <= set(pairs[name].dims):
            raise ValueError(
                f"pairs: expected a variable {name!r} with dims {_DIMS} among others, got "
                f"{', '.join(map(str, pairs.data_vars))}; rename the one that is meant"
            )
        if pairs[name].sizes["layer"] != 2:
            raise ValueError(f"{name}: expected 2 layers, got {pairs[name].sizes['layer']}")
        if set(pairs[name].dims) != set(pairs["q"].dims):
            raise ValueError(
                f"{name}: expected the dims of q, {pairs['q'].dims}, got {pairs[name].dims}"
            )
    if "operator" in pairs["q"].dims:
        raise ValueError(
            "pairs: expected those of one operator, whose targets are its own, got "
            f"{pairs.sizes['operator']}; choose one with .sel(operator=1)"
        )
    for name in ("u1", "u2"):
        if name not in pairs.attrs:
            raise ValueError(
                f"pairs: expected an attribute {name!r}, the mean flow of a layer [m s-1], 0 if "
                "there is none"
            )


def _spacing(pairs: xr.Dataset, dim: str) -> float:
    steps = np.diff(pairs[dim].to_numpy()) if dim in pairs.coords else np.empty(0)
    if not (steps.size and steps[0] > 0.0 and np.allclose(steps, steps[0])):
        raise ValueError(f"pairs: expected a coordinate {dim!r} [m] that grows in even steps")
    return float(steps.mean())


def _flat(variable: xr.DataArray) -> NDArray[np.floating]:
    """Return a variable, its last dims `_DIMS`, as ``(snapshot, layer, y, x)``."""
    ordered = variable.to_numpy()
    return np.asarray(ordered.reshape(-1, *ordered.shape[-3:]))
