"""Days of the whole model, timed in short runs that are made one after another, in rounds.

Other work on the machine makes hours differ by more than closures do: what is compared is of one
round.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from hybrid.experiments.plasim.columns import N_COLUMN
from hybrid.experiments.plasim.emulators import LINEAR
from hybrid.experiments.plasim.jobs import GUARDED, STEPS_A_DAY, Job, Work, learned
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE, Run
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.plasim.years import seconds_a_day_of

RIVALS: Mapping[str, Mapping[str, Any]] = {
    "noop": {"mode": "noop"},
    "every_2": {"every": 2},
    "every_3": {"every": 3},
}
"""What a closure competes with: nothing at all, and the host's scheme called more rarely."""

KINDS = (NATIVE, CLOSURE, *RIVALS, LINEAR, GUARDED)
"""Models whose days are timed; the runs of the first round have their names."""

_ROUND = "_round_"


@dataclass(frozen=True)
class Days:
    """Processor time of a day of one model, round by round.

    Parameters
    ----------
    seconds
        Of a day [s].
    ratios
        The same beside the native run of the round.
    """

    seconds: tuple[float, ...]
    ratios: tuple[float, ...]

    @property
    def second(self) -> float:
        """Median of the days [s]."""
        return median(self.seconds)

    @property
    def ratio(self) -> float:
        """Median of the ratios."""
        return median(self.ratios)

    @property
    def span(self) -> tuple[float, float]:
        """Least and greatest of the ratios."""
        return min(self.ratios), max(self.ratios)


def timed_jobs(
    settings: Settings,
    restart: Path,
    archives: Mapping[str, Path],
    linear: Mapping[str, Path],
) -> list[Job]:
    """Return the runs of all rounds, in the order in which they are to be made.

    Parameters
    ----------
    settings
        Sizes.
    restart
        Where all of them go on from.
    archives, linear
        Closures, and linear ones, by scheme.
    """
    schemes: dict[str, Mapping[str, Mapping[str, Any]]] = {
        NATIVE: {},
        CLOSURE: learned(archives, mode="closure"),
        **{name: dict.fromkeys(settings.schemes, changed) for name, changed in RIVALS.items()},
        LINEAR: learned(linear, mode="closure"),
        GUARDED: learned(archives, mode="closure", policy="host"),
    }
    return [
        Job(_name(kind, i), Run(settings.n_timing, schemes[kind], restart), kind != NATIVE)
        for i in range(settings.n_round)
        for kind in KINDS
    ]


def timed_names(settings: Settings) -> tuple[str, ...]:
    """Return the names of the runs of all rounds."""
    return tuple(_name(kind, i) for i in range(settings.n_round) for kind in KINDS)


def is_rival(name: str) -> bool:
    """Return whether a run is that of a rival, not of the closure that is judged."""
    return name.partition(_ROUND)[0] in {*RIVALS, LINEAR}


def collect_days(work: Work, settings: Settings) -> dict[str, Days]:
    """Return what was timed, by model, of those that came to their end in every round."""
    found = {}
    native = [_seconds(work, NATIVE, i) for i in range(settings.n_round)]
    for kind in KINDS:
        if any(work.ended_early(_name(kind, i)) for i in range(settings.n_round)):
            continue
        seconds = tuple(_seconds(work, kind, i) for i in range(settings.n_round))
        ratios = tuple(own / other for own, other in zip(seconds, native, strict=True))
        found[kind] = Days(seconds, ratios)
    return found


def expected_ratios(
    costs: Mapping[str, Mapping[str, float]], native_day: float
) -> dict[str, float]:
    """Return what days would be beside the native one, were columns all that differs.

    Parameters
    ----------
    costs
        Of a column by scheme and kind [us].
    native_day
        A day of the native model [s].
    """
    found = {}
    for kind in (CLOSURE, *RIVALS, LINEAR):
        saved = [each for of in costs.values() if (each := _saved(of, kind)) is not None]
        if costs and len(saved) == len(costs):
            found[kind] = 1.0 - 1e-6 * sum(saved) * N_COLUMN * STEPS_A_DAY / native_day
    return found


def _saved(of_scheme: Mapping[str, float], kind: str) -> float | None:
    """Return what a kind saves of a scheme's time on a column [us]; None where it is not known."""
    every = RIVALS.get(kind, {}).get("every", 0)
    paid = "noop" if every else kind
    if not {NATIVE, paid} <= of_scheme.keys():
        return None
    saved = of_scheme[NATIVE] - of_scheme[paid]
    return saved * (every - 1) / every if every else saved


def _name(kind: str, n_round: int) -> str:
    return f"{kind}{_ROUND}{n_round}" if n_round else kind


def _seconds(work: Work, kind: str, n_round: int) -> float:
    (seconds,) = seconds_a_day_of(work.folder / _name(kind, n_round))
    return seconds
