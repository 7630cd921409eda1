"""Fit the weights of the symbolic closure by least squares."""

from collections.abc import Mapping

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from closures.quasigeostrophic.symbolic import N_TERM, HybridSymbolic

_DIMS = ("layer", "y", "x")
_BATCH = 16


def fit_hybrid_symbolic(
    pairs: xr.Dataset, *, largest: Mapping[str, float] | None = None
) -> HybridSymbolic:
    """Return the symbolic closure that fits subgrid tendencies best, layer by layer.

    Least squares without intercept, over all snapshots and points; the pairs are read in batches.

    Parameters
    ----------
    pairs
        Variables ``q`` [s-1], ``u``, ``v`` [m s-1] without the mean flow and ``q_tendency``
        [s-2], dims ``(..., layer, y, x)``; coordinates ``x`` and ``y`` [m] with even spacing; and
        attributes ``u1`` and ``u2`` [m s-1], the mean flow. What
        `solvers.coarse_graining.tendency_pairs` returns.
    largest
        As of `HybridSymbolic`.

    Raises
    ------
    ValueError
        If the pairs lack one of these, or cannot tell the weights apart.
    """
    _require(pairs)
    spacing = (_spacing(pairs, "y"), _spacing(pairs, "x"))
    mean_flow = (float(pairs.attrs["u1"]), float(pairs.attrs["u2"]))
    frame = HybridSymbolic(spacing, np.zeros((2, N_TERM)), mean_flow=mean_flow)
    snapshots = {name: _snapshots(pairs[name]) for name in ("q", "u", "v", "q_tendency")}
    n = len(snapshots["q"])
    factors = [np.empty((0, N_TERM + 1)), np.empty((0, N_TERM + 1))]
    for first in range(0, n, _BATCH):
        batch = {
            name: np.asarray(values[first : first + _BATCH], np.float64)
            for name, values in snapshots.items()
        }
        target = batch.pop("q_tendency")
        terms = frame.terms(*(torch.from_numpy(batch[name]) for name in "quv")).numpy()
        for layer in range(2):
            columns = [terms[:, i, layer].ravel() for i in range(N_TERM)]
            rows = np.stack([*columns, target[:, layer].ravel()], axis=1)
            # Only the triangle of all rows so far is kept, which says all of least squares.
            factors[layer] = np.asarray(np.linalg.qr(np.vstack([factors[layer], rows]), mode="r"))
    weights = [_solution(factor) for factor in factors]
    provenance = {
        "weights": "least squares, fit_hybrid_symbolic",
        "data": str(pairs.attrs.get("source", "unknown")),
        "n_snapshot": str(n),
    }
    return HybridSymbolic(
        spacing, weights, mean_flow=mean_flow, largest=largest, provenance=provenance
    )


def _solution(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    triangle, right = factor[:N_TERM, :N_TERM], factor[:N_TERM, N_TERM]
    size = np.linalg.norm(triangle, axis=0)
    # Of unit columns: how far each is from the span of those before it.
    apart = np.abs(np.diag(triangle)) / np.where(size > 0.0, size, 1.0)
    if len(triangle) < N_TERM or apart.min() < 1e-10:
        raise ValueError(
            f"pairs: expected fields in which all {N_TERM} terms differ, got some that depend on "
            "each other; give turbulent fields, and more of them"
        )
    return np.asarray(solve_triangular(triangle, right))


def _require(pairs: xr.Dataset) -> None:
    for name in ("q", "u", "v", "q_tendency"):
        if name not in pairs or not set(_DIMS) <= set(pairs[name].dims):
            raise ValueError(f"pairs: expected a variable {name!r} with dims {_DIMS} among others")
        if pairs[name].sizes["layer"] != 2:
            raise ValueError(f"{name}: expected 2 layers, got {pairs[name].sizes['layer']}")
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


def _snapshots(variable: xr.DataArray) -> NDArray[np.float64]:
    """Return a variable as ``(snapshot, layer, y, x)``."""
    ordered = variable.transpose(..., *_DIMS).to_numpy()
    return np.asarray(ordered.reshape(-1, *ordered.shape[-3:]))
