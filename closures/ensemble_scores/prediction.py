"""Predictions and the truth, checked and in blocks of columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.ensemble_scores.errors import ScoreError

Array = NDArray[np.float64]

# Numbers of a block of columns, 1 MB of them: the fair CRPS takes all differences of members.
_BLOCK = 2**17


@dataclass(frozen=True)
class Prediction:
    """An ensemble and what happened, for some columns.

    Parameters
    ----------
    truth
        ``(n_column, n_output)``.
    members
        ``(n_member, n_column, n_output)``.
    noise
        Standard deviation of the members' noise, like `members` or like `truth`; None without.
    area
        Weight of each column ``(n_column,)``.
    """

    truth: NDArray[Any]
    members: NDArray[Any]
    noise: NDArray[Any] | None
    area: NDArray[Any]

    def blocks(self) -> Iterator["Prediction"]:
        """Yield blocks of columns in float64, with noise by member.

        Raises
        ------
        ScoreError
            If a value is not finite, or a standard deviation or weight is negative.
        """
        size = self.members.shape[0] * self.members.shape[2]
        step = max(1, _BLOCK // size)
        for start in range(0, len(self.truth), step):
            chosen = slice(start, start + step)
            members = self.members[:, chosen].astype(np.float64)
            noise = self.noise
            if noise is not None:
                noise = np.broadcast_to(noise[..., chosen, :].astype(np.float64), members.shape)
            block = Prediction(
                self.truth[chosen].astype(np.float64),
                members,
                noise,
                self.area[chosen].astype(np.float64),
            )
            _check_values(block, start)
            yield block


def checked_prediction(
    truth: ArrayLike,
    members: ArrayLike,
    noise: ArrayLike | None,
    area: ArrayLike | None,
    size: tuple[int, int],
) -> Prediction:
    """Return a prediction whose shapes fit; `size` is ``(n_member, n_output)``.

    Raises
    ------
    ScoreError
        If an array has another shape.
    """
    y, x = np.asarray(truth), np.asarray(members)
    s = None if noise is None else np.asarray(noise)
    n_member, n_output = size
    n_column = len(y) if y.ndim else 0
    weight = np.ones(n_column) if area is None else np.asarray(area)
    single = (n_column, n_output)
    for name, array, allowed in (
        ("truth", y, [single]),
        ("members", x, [(n_member, *single)]),
        ("noise", s, [single, (n_member, *single)]),
        ("area", weight, [(n_column,)]),
    ):
        if array is not None and array.shape not in allowed:
            expected = " or ".join(str(shape) for shape in allowed)
            raise ScoreError(f"scores: {name}: expected shape {expected}, got {array.shape}")
    return Prediction(y, x, s, weight)


def _check_values(block: Prediction, start: int) -> None:
    where = f"in columns {start} to {start + len(block.truth) - 1}"
    for name in ("truth", "members", "noise", "area"):
        values = getattr(block, name)
        if values is None:
            continue
        if not np.isfinite(values).all():
            raise ScoreError(
                f"scores: {name}: expected finite values, got NaN or infinity {where}; scores of "
                "the rest would flatter the closure"
            )
        if name in {"noise", "area"} and (values < 0.0).any():
            raise ScoreError(f"scores: {name}: expected 0 or more, got {values.min():g} {where}")
