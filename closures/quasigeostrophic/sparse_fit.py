"""Find a symbolic closure by sparse regression: which candidate terms matter, and how much."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.model_error.gram import Gram
from closures.model_error.relevance import Path, pruning_path
from closures.quasigeostrophic.snapshots import Snapshots
from closures.quasigeostrophic.sparse_symbolic import FIELDS, N_POWER, TERMS, SparseSymbolic

Array = NDArray[np.float64]

_NAMES = tuple(term.name for term in TERMS)


class Optimizer(Protocol):
    """A sparse regression as pysindy has them."""

    coef_: Any

    def fit(self, x_: Array, y: Array) -> Any:
        """Fit columns, shape ``(row, term)``, to a target, shape ``(row, 1)``."""


def fit_sparse_symbolic(
    pairs: xr.Dataset,
    *,
    within: float = 0.02,
    optimizer: Optimizer | None = None,
    largest: Mapping[str, float] | None = None,
) -> SparseSymbolic:
    """Return the sum of few candidate terms that fits subgrid tendencies, layer by layer.

    Parameters
    ----------
    pairs
        As of `Snapshots.of`: what `solvers.coarse_graining.tendency_pairs` returns.
    within
        Part of the variance of the target that the terms may leave more of than all 32 do: the
        fewest terms on the path of the relevance vector machine that leave no more than that, see
        `closures.model_error.pruning_path`. What is left is no noise here, but what no such
        closure can know, so that the evidence of many rows asks for nearly all terms.
    optimizer
        An optimizer of pysindy instead, for which `within` counts nothing. It gets columns and
        targets divided by their root mean squares, and all rows at once: 512 bytes for each grid
        point of a snapshot, so thin many snapshots out.
    largest
        As of `SparseSymbolic`.

    Raises
    ------
    ValueError
        If the pairs lack something, or `within` is negative.
    LibraryError
        If there are too few rows, or terms cannot be told apart.

    Examples
    --------
    With pysindy's sequentially thresholded least squares::

        from pysindy import STLSQ

        closure = fit_sparse_symbolic(pairs, optimizer=STLSQ(threshold=0.05, alpha=0.0))
        print(closure.equation(digits=3))
    """
    if not within >= 0.0:
        raise ValueError(f"within: expected a part of the variance, 0 or more, got {within}")
    snapshots = Snapshots.of(pairs)
    frame = SparseSymbolic(
        snapshots.spacing,
        np.zeros((2, len(FIELDS), N_POWER)),
        mean_flow=snapshots.mean_flow,
    )
    if optimizer is None:
        weights, method = _relevant(snapshots, frame, within), f"relevance, within {within:g}"
    else:
        weights, method = _optimized(snapshots, frame, optimizer), repr(optimizer)
    return SparseSymbolic(
        snapshots.spacing,
        weights.reshape(2, len(FIELDS), N_POWER),
        mean_flow=snapshots.mean_flow,
        largest=largest,
        provenance={
            "weights": f"sparse regression, {method}",
            "data": snapshots.source,
            "n_snapshot": str(len(snapshots)),
        },
    )


def _relevant(snapshots: Snapshots, frame: SparseSymbolic, within: float) -> Array:
    grams = [Gram(_NAMES), Gram(_NAMES)]
    for state, target in snapshots.batches():
        terms = frame.terms(*state).numpy()
        for layer, gram in enumerate(grams):
            gram.add(terms[:, :, layer].swapaxes(0, 1), target[:, layer])
    return np.array([_fewest(pruning_path(gram), within) for gram in grams])


def _fewest(path: Path, within: float) -> Array:
    most = path.fits[-1].residual ** 2 + within
    chosen = next(fit for fit in path.fits if fit.residual**2 <= most)
    return np.asarray(chosen.dense(len(TERMS)))


def _optimized(snapshots: Snapshots, frame: SparseSymbolic, optimizer: Optimizer) -> Array:
    batches = [(frame.terms(*state).numpy(), target) for state, target in snapshots.batches()]
    weights = np.zeros((2, len(TERMS)))
    for layer in range(2):
        columns = np.concatenate(
            [terms[:, :, layer].swapaxes(0, 1).reshape(len(TERMS), -1) for terms, _ in batches],
            axis=1,
        )
        wanted = np.concatenate([target[:, layer].ravel() for _, target in batches])
        sizes, size = np.sqrt(np.mean(columns**2, axis=1)), np.sqrt(np.mean(wanted**2))
        optimizer.fit((columns / sizes[:, np.newaxis]).T, wanted[:, np.newaxis] / size)
        weights[layer] = np.ravel(optimizer.coef_) * size / sizes
    return weights
