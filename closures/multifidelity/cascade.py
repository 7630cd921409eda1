"""A few members first; the others only where it is not yet clear whether to trust them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from closures.columns.networks.interface import GuardedNetwork
from closures.columns.networks.member_statistics import member_statistics
from closures.multifidelity.guarded import MembersInTurn, check_guard, part_of, with_noise
from closures.multifidelity.moments import deviation_bias, joined_statistics
from closures.multifidelity.network import FidelityEnsemble
from closures.multifidelity.trust import RelativeSpread, confidence_of

BLOCK = 32
"""Columns of which the later members are evaluated at once."""


@dataclass(frozen=True)
class Window:
    """Between which spreads a decision is not yet clear.

    Parameters
    ----------
    n_member
        Members evaluated so far.
    low, high
        Of the relative spread of these, as `scaled_deviation` makes it comparable with that of
        all. A column goes on if it lies within, ends included.

    Raises
    ------
    ValueError
        If the ends are in the wrong order or there are fewer than two members.
    """

    n_member: int
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.n_member < 2 or not 0.0 <= self.low <= self.high:
            raise ValueError(
                "window: expected at least 2 members and 0 <= low <= high, got "
                f"{self.n_member}, {self.low} and {self.high}"
            )


class Cascade(GuardedNetwork):
    """An ensemble of which most columns need a few members only [1].

    The first members are evaluated for all columns. Where their relative spread is outside the
    window around the threshold, the column is done: mean and standard deviation are those of the
    members evaluated, the latter scaled by `scaled_deviation`. The others go on to more members,
    at last to all; for these the results are those of `GuardedEnsemble` to rounding.

    Columns that go on are gathered into blocks of one size, the last one filled up with copies:
    how many others go on then changes no bit of a column's result, as a matrix product of another
    size might.

    With `skips_columns` off, all members are evaluated for all columns and `torch.where` chooses;
    an engine may then leave out by itself what nobody asks for.

    A threshold that the host sets itself should lie within all windows: outside, early decisions
    are those of few members.

    Parameters
    ----------
    ensemble
        All members.
    spread
        From the members' standard deviations to the relative spread.
    threshold
        Relative spread above which the bridge's guard flags a column.
    windows
        After which numbers of members to look, ascending; see `calibrated_windows`.
    block
        Columns of which the later members are evaluated at once.

    Raises
    ------
    ValueError
        If the windows are not ascending, do not contain the threshold or leave no member, or the
        block has no column.

    References
    ----------
    .. [1] Xia & Bouganis 2023, Window-based early-exit cascades for uncertainty estimation: when
       deep ensembles are more efficient than single models, ICCV, arXiv 2303.08010.
    """

    def __init__(
        self,
        ensemble: FidelityEnsemble,
        spread: RelativeSpread,
        threshold: float,
        windows: Sequence[Window],
        block: int = BLOCK,
    ) -> None:
        super().__init__()
        check_guard(ensemble, threshold)
        _check(ensemble.n_member, threshold, windows, block)
        counts = [window.n_member for window in windows]
        ends = [*counts, ensemble.n_member]
        self.n_noise = self.n_output = ensemble.n_output
        self.spread = spread
        self.least_confidence = confidence_of(threshold)
        self.first = part_of(ensemble, 0, 1)
        self.early = MembersInTurn(ensemble, range(1, counts[0]))
        self.later = nn.ModuleList(
            MembersInTurn(ensemble, range(start, stop), block)
            for start, stop in zip(counts, ends[1:], strict=True)
        )
        self.block = block
        self.skips_columns = True
        self.counts: list[int] = ends
        self.low: list[float] = [window.low for window in windows]
        self.high: list[float] = [window.high for window in windows]
        full = deviation_bias(ensemble.n_member)
        self.factors: list[float] = [full / deviation_bias(n) / (n - 1) ** 0.5 for n in ends]

    def guarded(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean and standard deviation (with the noise), and the confidence."""
        early = torch.cat([self.first.members(features), self.early(features)])
        mean, scatter = member_statistics(early)
        deviation = torch.sqrt(scatter) * self.factors[0]
        spread = self.spread(deviation)
        is_open = torch.ones_like(spread, dtype=torch.bool)
        for i, members in enumerate(self.later):
            is_open = is_open & (spread >= self.low[i]) & (spread <= self.high[i])
            if self.skips_columns:
                rows = is_open.nonzero().squeeze(1)
                n_open = rows.shape[0]
                if n_open > 0:
                    n_block = (n_open + self.block - 1) // self.block
                    filling = rows[:1].expand(n_block * self.block - n_open)
                    seen = features.index_select(0, torch.cat([rows, filling]))
                    more = member_statistics(members(seen)[:, :n_open])
                    before = (mean.index_select(0, rows), scatter.index_select(0, rows))
                    joined, sums, widened = self._joined(i, before, more)
                    mean = mean.index_copy(0, rows, joined)
                    scatter = scatter.index_copy(0, rows, sums)
                    deviation = deviation.index_copy(0, rows, widened)
                    spread = spread.index_copy(0, rows, self.spread(widened))
            else:
                more = member_statistics(members(features))
                joined, sums, widened = self._joined(i, (mean, scatter), more)
                goes_on = is_open.unsqueeze(1)
                mean = torch.where(goes_on, joined, mean)
                scatter = torch.where(goes_on, sums, scatter)
                deviation = torch.where(goes_on, widened, deviation)
                spread = torch.where(is_open, self.spread(widened), spread)
        confidence = 1.0 / (1.0 + spread)
        return mean, with_noise(deviation, self.first.deviation(features)), confidence

    def _joined(
        self, i: int, before: tuple[Tensor, Tensor], more: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean, scatter and deviation of some members and those that follow them."""
        n, n_all = self.counts[i], self.counts[i + 1]
        joined, sums = joined_statistics(before[0], before[1], n, more, n_all - n)
        return joined, sums, torch.sqrt(sums) * self.factors[i + 1]


def _check(n_member: int, threshold: float, windows: Sequence[Window], block: int) -> None:
    counts = [window.n_member for window in windows]
    if not counts or counts != sorted(set(counts)) or counts[-1] >= n_member:
        raise ValueError(
            f"cascade: expected windows after ascending numbers of members, fewer than {n_member}, "
            f"got {counts}"
        )
    for window in windows:
        if not window.low <= threshold <= window.high:
            raise ValueError(
                f"cascade: expected windows that contain the threshold {threshold:g}, got "
                f"{window.low:g} to {window.high:g} after {window.n_member} members"
            )
    if block < 1:
        raise ValueError(f"cascade: expected blocks of at least one column, got {block}")
