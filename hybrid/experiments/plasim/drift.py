"""How the global means of every run change from year to year, and what the guard makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import MaxNLocator

from hybrid.experiments.plasim.scoring import COMPARED, Array
from hybrid.experiments.result import Figure
from hybrid.figure_style import legend, line, new_figure

_SHOWN = ("Ts", "TOA", "PW")
_LABELS = {
    "Ts": "surface temperature [K]",
    "TOA": "net flux at the top [W m$^{-2}$]",
    "PW": "precipitable water [kg m$^{-2}$]",
}
_LEAST_YEARS = 2


@dataclass(frozen=True)
class Drift:
    """Annual means of whole runs, with the days before those that count.

    Parameters
    ----------
    native, closure
        Of each member by the keys of `COMPARED`, ``(year,)``.
    flagged
        Part of the column evaluations that the guard flagged, of each member with closures,
        ``(year,)``.
    """

    native: Sequence[Mapping[str, Array]]
    closure: Sequence[Mapping[str, Array]]
    flagged: Sequence[Sequence[float]]

    @property
    def n_year(self) -> int:
        """Years of the longest run."""
        return max(len(member["Ts"]) for member in (*self.native, *self.closure))

    def metrics(self) -> dict[str, float]:
        """Return global means of the last year, and flagged parts, of the longest with closures."""
        if not self.closure:
            return {}
        i = max(range(len(self.closure)), key=lambda member: len(self.closure[member]["Ts"]))
        longest = self.closure[i]
        n_year = len(longest["Ts"])
        found = {f"{key}_closure_year_{n_year}": float(longest[key][-1]) for key in COMPARED}
        flagged = enumerate(self.flagged[i], start=1)
        return found | {f"flagged_share_year_{year}": part for year, part in flagged}


def drift_figure(drift: Drift) -> tuple[Figure, ...]:
    """Annual means of every member; none of runs of a single year."""
    if drift.n_year < _LEAST_YEARS:
        return ()
    figure, axes = new_figure(2, 2)
    panels: list[Any] = [*axes[0], *axes[1]]
    *of_means, of_guard = panels
    for axis, key in zip(of_means, _SHOWN, strict=True):
        for members, role, label in (
            (drift.native, "truth", "PlaSim's own"),
            (drift.closure, "mlp", "closure"),
        ):
            for i, member in enumerate(members):
                look = line(role, label=label if i == 0 else "_nolegend_")
                years = range(1, len(member[key]) + 1)
                axis.plot(years, member[key], **{**look, "linewidth": 0.8})
        axis.set_ylabel(_LABELS[key])
    for flagged in drift.flagged:
        percent = [100.0 * part for part in flagged]
        of_guard.plot(range(1, len(flagged) + 1), percent, **{**line("mlp"), "linewidth": 0.8})
    of_guard.set_ylabel("columns that the guard flags [%]")
    for axis in panels:
        axis.set_xlabel("year after the common restart")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes[0, 0])
    return (
        Figure(
            name="drift",
            title="Annual means of every run",
            reading="All runs go on from one state. While lines of both kinds climb, the model is "
            "still on its way to its balance, and a difference between them is one of two "
            "transients. The further it goes from the years of the training, the more the guard "
            "flags.",
            figure=figure,
        ),
    )
