"""How the global means of every run change from year to year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    """

    native: Sequence[Mapping[str, Array]]
    closure: Sequence[Mapping[str, Array]]

    @property
    def n_year(self) -> int:
        """Years of the longest run."""
        return max(len(member["Ts"]) for member in (*self.native, *self.closure))

    def metrics(self) -> dict[str, float]:
        """Return each global mean of the last year of the longest run with closures."""
        if not self.closure:
            return {}
        longest = max(self.closure, key=lambda member: len(member["Ts"]))
        n_year = len(longest["Ts"])
        return {f"{key}_closure_year_{n_year}": float(longest[key][-1]) for key in COMPARED}


def drift_figure(drift: Drift) -> tuple[Figure, ...]:
    """Annual means of every member; none of runs of a single year."""
    if drift.n_year < _LEAST_YEARS:
        return ()
    figure, axes = new_figure(1, len(_SHOWN))
    for axis, key in zip(axes[0], _SHOWN, strict=True):
        for members, role, label in (
            (drift.native, "truth", "PlaSim's own"),
            (drift.closure, "mlp", "closure"),
        ):
            for i, member in enumerate(members):
                look = line(role, label=label if i == 0 else "_nolegend_")
                years = range(1, len(member[key]) + 1)
                axis.plot(years, member[key], **{**look, "linewidth": 0.8})
        axis.set_xlabel("year after the common restart")
        axis.set_ylabel(_LABELS[key])
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes[0, 0])
    return (
        Figure(
            name="drift",
            title="Annual means of every run",
            reading="All runs go on from one state. While lines of both kinds climb, the model is "
            "still on its way to its balance, and a difference between them is one of two "
            "transients.",
            figure=figure,
        ),
    )
