"""Windows of a cascade, from columns whose decisions are known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import binom
from torch import Tensor

from closures.columns.networks.member_statistics import member_statistics
from closures.multifidelity.cascade import Window
from closures.multifidelity.moments import scaled_deviation
from closures.multifidelity.network import FidelityEnsemble
from closures.multifidelity.trust import RelativeSpread

Spreads = NDArray[np.float32]

_COLUMNS = 384


@dataclass(frozen=True)
class Agreement:
    """How often a cascade must decide as all members do.

    Parameters
    ----------
    overall
        Share of all columns.
    each
        Share of the trusted, and of the flagged ones.
    certainty
        Probability that both hold for columns like those of the calibration.

    Raises
    ------
    ValueError
        If a value is not between 0 and 1.
    """

    overall: float = 0.99
    each: float = 0.97
    certainty: float = 0.95

    def __post_init__(self) -> None:
        for name in ("overall", "each", "certainty"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(
                    f"agreement: expected {name} between 0 and 1, got {getattr(self, name)}"
                )

    def allowed(self, n: int, share: float) -> int:
        """Return how many of n decisions may differ for the share to hold with certainty.

        Raises
        ------
        ValueError
            If n are too few to be certain, were they all the same.
        """
        known = 1.0 - self.certainty
        if binom.cdf(0, n, 1.0 - share) > known:
            raise ValueError(
                f"calibration: expected enough columns to be {self.certainty:g} certain that "
                f"{share:g} of the decisions agree, got {n} of a class; choose another threshold, "
                "or give more columns"
            )
        # The quantile is the least m whose probability reaches it.
        m = int(binom.ppf(known, n, 1.0 - share))
        return m if binom.cdf(m, n, 1.0 - share) <= known else m - 1


def member_spreads(
    ensemble: FidelityEnsemble, spread: RelativeSpread, features: Tensor, counts: Sequence[int]
) -> Spreads:
    """Return the relative spread by the first members, for several numbers of them.

    Parameters
    ----------
    ensemble
        All members.
    spread
        From standard deviations to the relative spread.
    features
        Normalised ``(n, n_feature)``.
    counts
        Numbers of members, each at least 2.

    Returns
    -------
    Spreads
        ``(len(counts), n)``, as `scaled_deviation` makes them comparable.
    """
    found = []
    with torch.no_grad():
        for part in torch.split(features, _COLUMNS):
            members = ensemble.members(part)
            rows = []
            for n in counts:
                _, scatter = member_statistics(members[:n])
                rows.append(spread(scaled_deviation(scatter, n, ensemble.n_member)))
            found.append(torch.stack(rows))
    values: Spreads = torch.cat(found, dim=1).numpy()
    return values


def calibrated_windows(
    spreads: Spreads, counts: Sequence[int], threshold: float, agreement: Agreement | None = None
) -> tuple[Window, ...]:
    """Return the windows that send the fewest columns on while decisions agree as asked.

    Each window has the same share of the decisions that may differ.

    Parameters
    ----------
    spreads
        `member_spreads` of columns like those to come, for `counts` and for all members
        ``(len(counts) + 1, n)``; not those that the members learned from.
    counts
        Members after which to look, ascending.
    threshold
        Relative spread above which a column is flagged.
    agreement
        How often decisions must agree; None for the defaults.

    Raises
    ------
    ValueError
        If there are too few trusted or flagged columns to be certain, or the sizes differ.
    """
    if spreads.ndim != 2 or len(spreads) != len(counts) + 1:
        raise ValueError(
            f"calibration: expected spreads of {len(counts)} numbers of members and of all, got "
            f"shape {spreads.shape}"
        )
    agreement = agreement or Agreement()
    flagged = spreads[-1] > threshold
    n, n_flagged = flagged.size, int(flagged.sum())
    # Flagged columns that are trusted, trusted ones that are flagged, both.
    allowed = np.array(
        [
            agreement.allowed(n_flagged, agreement.each),
            agreement.allowed(n - n_flagged, agreement.each),
            agreement.allowed(n, agreement.overall),
        ]
    )
    differing = np.zeros(3, dtype=np.int64)
    windows = []
    is_open = np.ones(n, dtype=np.bool_)
    for i, count in enumerate(counts):
        left = allowed * (i + 1) // len(counts) - differing
        values, is_flagged = spreads[i, is_open], flagged[is_open]
        low, high = _narrowest(values, is_flagged, threshold, left)
        windows.append(Window(count, low, high))
        below, above = spreads[i] < low, spreads[i] > high
        wrong = [(is_open & below & flagged).sum(), (is_open & above & ~flagged).sum()]
        differing += [*wrong, sum(wrong)]
        is_open &= ~below & ~above
    return tuple(windows)


def _narrowest(
    values: Spreads, flagged: NDArray[np.bool_], threshold: float, left: NDArray[np.int64]
) -> tuple[float, float]:
    """Return the ends between which the fewest values lie, with so many decisions to spare."""
    ordered = np.sort(values)
    # The first flagged columns from below, and the first trusted ones from above.
    lows = np.append(np.sort(values[flagged]), np.inf)
    highs = np.append(np.sort(values[~flagged])[::-1], -np.inf)
    best, fewest = (0.0, float("inf")), values.size + 1
    for from_below in range(int(min(left[0], left[2], lows.size - 1)) + 1):
        from_above = int(min(left[1], left[2] - from_below, highs.size - 1))
        low = min(float(lows[from_below]), threshold)
        high = max(float(highs[from_above]), threshold)
        within = np.searchsorted(ordered, high, "right") - np.searchsorted(ordered, low, "left")
        if within < fewest:
            best, fewest = (low, high), int(within)
    return best
