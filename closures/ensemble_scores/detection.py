"""Whether the spread tells a climate that the closure has not seen from one that it has."""

import numpy as np
from numpy.typing import ArrayLike

from closures.ensemble_scores.errors import ScoreError


def detection_auroc(
    seen: ArrayLike,
    unseen: ArrayLike,
    seen_area: ArrayLike | None = None,
    unseen_area: ArrayLike | None = None,
) -> float:
    """Return the area under the receiver operating characteristic of the spread as a detector.

    It is the probability that a column of the unseen climate has more spread than one of the seen
    climate, equal ones counting half: 0.5 for a spread that says nothing, 1 for one that
    separates the climates.

    Parameters
    ----------
    seen, unseen
        Spread of each column, for example a row of ``Scores.column_epistemic``, ``(n_column,)``;
        their numbers may differ.
    seen_area, unseen_area
        Weights of the columns; None for 1.

    Raises
    ------
    ScoreError
        If an array is empty or not finite, or weights do not fit.

    References
    ----------
    .. [1] Fawcett 2006, An introduction to ROC analysis, Pattern Recognit. Lett. 27.

    Examples
    --------
    >>> detection_auroc([1.0, 2.0], [2.0, 3.0])
    0.875
    """
    # Takes a second to import, and most who score need no detector.
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    spreads, weights = [], []
    for name, given, area in (("seen", seen, seen_area), ("unseen", unseen, unseen_area)):
        spread = np.asarray(given, dtype=np.float64)
        weight = np.ones(spread.shape) if area is None else np.asarray(area, dtype=np.float64)
        if spread.ndim != 1 or spread.size == 0 or not np.isfinite(spread).all():
            raise ScoreError(
                f"detection: {name}: expected finite spreads of columns on one axis, got shape "
                f"{spread.shape}"
            )
        if weight.shape != spread.shape or not weight.sum() > 0.0 or (weight < 0.0).any():
            raise ScoreError(
                f"detection: {name}: expected {spread.size} weights of 0 or more, some positive"
            )
        spreads.append(spread)
        weights.append(weight)
    label = np.repeat([False, True], [s.size for s in spreads])
    together = np.concatenate(spreads)
    return float(roc_auc_score(label, together, sample_weight=np.concatenate(weights)))
