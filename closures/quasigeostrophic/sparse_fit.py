"""Find a symbolic closure by sparse regression: which candidate terms matter, and how much."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.model_error.errors import LibraryError
from closures.model_error.gram import Gram
from closures.model_error.relevance import Path, pruning_path
from closures.quasigeostrophic.snapshots import Snapshots
from closures.quasigeostrophic.sparse_symbolic import SparseSymbolic
from closures.quasigeostrophic.sparse_terms import FIELDS, N_POWER, TERMS
from closures.quasigeostrophic.whitening import Whitening

Array = NDArray[np.float64]

WITHIN = 0.02
"""Part of the variance of the target that a closure may leave more of than all candidates do."""

_NAMES = tuple(term.name for term in TERMS)


class Optimizer(Protocol):
    """A sparse regression as pysindy has them."""

    coef_: Any

    def fit(self, x_: Array, y: Array) -> Any:
        """Fit columns, shape ``(row, term)``, to a target, shape ``(row, 1)``."""


def fit_sparse_symbolic(
    pairs: xr.Dataset,
    *,
    within: float = WITHIN,
    whiten: bool = True,
    optimizer: Optimizer | None = None,
    largest: Mapping[str, float] | None = None,
) -> SparseSymbolic:
    """Return the sum of few candidate terms that fits subgrid tendencies, layer by layer.

    Parameters
    ----------
    pairs
        As of `Snapshots.of`: what `solvers.coarse_graining.tendency_pairs` returns.
    within
        Part of the variance of the target, its mean square, whitened or not, that the terms may
        leave more of than all 32 do: the fewest terms, one at least, on the path of the relevance
        vector machine that leave no more than that, see `closures.model_error.pruning_path`. What
        is left is no noise here, but what no such closure can know, so that the evidence of many
        rows asks for nearly all terms.
    whiten
        Whether waves of all lengths count alike, one by one: those of terms and target are divided
        by the root mean square amplitude of the target's at the wavenumber. Otherwise the shortest
        decide, which have most of the variance of a tendency of q, and a closure that correlates
        with the target may take energy out where the target puts it in. Noise of the target is
        raised where it has little else: to find the very terms of a known closure in noisy data, or
        with a threshold, do without.
    optimizer
        An optimizer of pysindy instead, for which `within` counts nothing. It gets columns and
        targets divided by their root mean squares, and all rows at once: some 2 kB for each grid
        point of a snapshot, so thin many snapshots out.
    largest
        As of `SparseSymbolic`.

    Raises
    ------
    ValueError
        If the pairs lack something, `within` is no part, or, with `whiten`, a plane has a target in
        a part of it alone.
    TypeError
        If the optimizer is none.
    LibraryError
        If a layer has no target, or this or a term is 0 everywhere; without an optimizer also if
        there are too few rows, or terms cannot be told apart.

    Notes
    -----
    Points at which the target is NaN are left out; with `whiten` these are to be whole planes.
    What the closure explains of the variance of the target, whitened or not, is in its provenance.

    Examples
    --------
    With a greedy regression of pysindy's::

        from pysindy import FROLS

        closure = fit_sparse_symbolic(pairs, optimizer=FROLS(max_iter=5))
        print(closure.equation(digits=3))
    """
    if not 0.0 <= within < 1.0:
        raise ValueError(f"within: expected a part of the variance, from 0 to 1, got {within}")
    if isinstance(optimizer, type) or (not hasattr(optimizer, "fit") and optimizer is not None):
        raise TypeError(f"optimizer: expected one that is made, as STLSQ(), got {optimizer!r}")
    snapshots = Snapshots.of(pairs)
    whole = _target_squares(snapshots)
    frame = SparseSymbolic(
        snapshots.spacing,
        np.zeros((2, len(FIELDS), N_POWER)),
        mean_flow=snapshots.mean_flow,
    )
    whitening = Whitening.of(snapshots) if whiten else None
    if optimizer is None:
        weights = _relevant(_rows(snapshots, frame, whitening), within)
        method = f"relevance, within {within:g}"
    else:
        weights, method = _optimized(_rows(snapshots, frame, whitening), optimizer), repr(optimizer)
    weights = weights.reshape(2, len(FIELDS), N_POWER)
    return SparseSymbolic(
        snapshots.spacing,
        weights,
        mean_flow=snapshots.mean_flow,
        largest=largest,
        provenance={
            "weights": f"sparse regression, {method}{', all waves alike' if whiten else ''}",
            "data": snapshots.source,
            "n_snapshot": str(len(snapshots)),
            "explained": _explained(snapshots, weights, whole),
        },
    )


def _target_squares(snapshots: Snapshots) -> Array:
    """Return the sum of squares of the target of both layers."""
    squares, n = np.zeros(2), np.zeros(2)
    for _, target in snapshots.batches():
        squares += np.nansum(target**2, axis=(0, 2, 3))
        n += np.sum(~np.isnan(target), axis=(0, 2, 3))
    for layer, (square, many) in enumerate(zip(squares, n, strict=True), start=1):
        if not square > 0.0:
            raise LibraryError(
                f"pairs: expected a target that is not 0 everywhere, got "
                f"{'0' if many else 'NaN'} in layer {layer} for the target; give states in which "
                "the coarse model misses something"
            )
    return squares


def _explained(snapshots: Snapshots, weights: Array, whole: Array) -> str:
    """Return in words which part of the mean square of the target the closure explains."""
    closure = SparseSymbolic(snapshots.spacing, weights, mean_flow=snapshots.mean_flow)
    left = np.zeros(2)
    for state, target in snapshots.batches():
        (made,) = closure(*state)
        left += np.nansum((target - made.numpy()) ** 2, axis=(0, 2, 3))
    upper, lower = 1.0 - left / whole
    return f"{upper:.3f} of the upper layer's target, {lower:.3f} of the lower one's"


def _rows(
    snapshots: Snapshots, frame: SparseSymbolic, whitening: Whitening | None
) -> Iterator[tuple[Array, Array]]:
    """Yield terms, shape ``(n, 32, 2, y, x)``, and targets, ``(n, 2, y, x)``."""
    for state, target in snapshots.batches():
        terms = frame.terms(*state).numpy()
        yield (terms, target) if whitening is None else (whitening(terms), whitening(target))


def _relevant(rows: Iterable[tuple[Array, Array]], within: float) -> Array:
    grams = [Gram(_NAMES), Gram(_NAMES)]
    for terms, target in rows:
        for layer, gram in enumerate(grams):
            gram.add(terms[:, :, layer].swapaxes(0, 1), target[:, layer])
    return np.array([_fewest(pruning_path(gram), within) for gram in grams])


def _fewest(path: Path, within: float) -> Array:
    most = path.fits[-1].residual ** 2 + within
    chosen = next(fit for fit in path.fits if fit.residual**2 <= most)
    return np.asarray(chosen.dense(len(TERMS)))


def _optimized(rows: Iterable[tuple[Array, Array]], optimizer: Optimizer) -> Array:
    weights = np.zeros((2, len(TERMS)))
    parts = list(rows)
    for layer in range(2):
        columns, target = _of_layer(parts, layer)
        sizes, size = np.sqrt(np.mean(columns**2, axis=0)), np.sqrt(np.mean(target**2))
        zero = [name for name, n in zip(_NAMES, sizes, strict=True) if not n > 0.0]
        if zero:
            raise LibraryError(
                f"pairs: expected terms that are not 0 everywhere, got 0 in layer {layer + 1} for "
                f"{', '.join(zero)}; give turbulent fields"
            )
        columns /= sizes
        optimizer.fit(columns, target[:, np.newaxis] / size)
        weights[layer] = np.ravel(optimizer.coef_) * size / sizes
    return weights


def _of_layer(parts: Sequence[tuple[Array, Array]], layer: int) -> tuple[Array, Array]:
    """Return the columns of a layer, shape ``(row, term)``, and its target, where there is one."""
    columns, targets = [], []
    for terms, target in parts:
        seen = ~np.isnan(target[:, layer])
        columns.append(np.moveaxis(terms[:, :, layer], 1, -1)[seen])
        targets.append(target[:, layer][seen])
    return np.concatenate(columns), np.concatenate(targets)
