"""Fit the weights of the symbolic closure by least squares."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from closures.quasigeostrophic.snapshots import Snapshots
from closures.quasigeostrophic.symbolic import N_TERM, HybridSymbolic


def fit_hybrid_symbolic(
    pairs: xr.Dataset, *, largest: Mapping[str, float] | None = None
) -> HybridSymbolic:
    """Return the symbolic closure that fits subgrid tendencies best, layer by layer.

    Least squares without intercept, over all snapshots and points; the pairs are read in batches.

    Parameters
    ----------
    pairs
        As of `Snapshots.of`: what `solvers.coarse_graining.tendency_pairs` returns.
    largest
        As of `HybridSymbolic`.

    Raises
    ------
    ValueError
        If the pairs lack something, or cannot tell the weights apart.
    """
    snapshots = Snapshots.of(pairs)
    frame = HybridSymbolic(snapshots.spacing, np.zeros((2, N_TERM)), mean_flow=snapshots.mean_flow)
    factors = [np.empty((0, N_TERM + 1)), np.empty((0, N_TERM + 1))]
    for state, target in snapshots.batches():
        terms = frame.terms(*state).numpy()
        for layer in range(2):
            columns = [terms[:, i, layer].ravel() for i in range(N_TERM)]
            rows = np.stack([*columns, target[:, layer].ravel()], axis=1)
            # Only the triangle of all rows so far is kept, which says all of least squares.
            factors[layer] = np.asarray(np.linalg.qr(np.vstack([factors[layer], rows]), mode="r"))
    provenance = {
        "weights": "least squares, fit_hybrid_symbolic",
        "data": snapshots.source,
        "n_snapshot": str(len(snapshots)),
    }
    return HybridSymbolic(
        snapshots.spacing,
        [_solution(factor) for factor in factors],
        mean_flow=snapshots.mean_flow,
        largest=largest,
        provenance=provenance,
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
