"""What the runs over a given sea say."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import xarray as xr

from hybrid.experiments.plasim.jobs import Work
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE
from hybrid.experiments.plasim.report import share
from hybrid.experiments.plasim.responses import (
    SCENARIOS,
    Response,
    response,
    response_difference,
    response_name,
)
from hybrid.experiments.plasim.scoring import compared
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.plasim.years import climate_of, report_of

DIFFERENCE = "difference"


@dataclass(frozen=True)
class Responses:
    """Responses of the model with its own radiation and with closures.

    Parameters
    ----------
    of
        ``native``, and, unless a run with closures ended early, ``closure`` and ``difference``,
        closure less native.
    fallback
        Part of the column evaluations that the host's own schemes computed, by scenario.
    endings
        Why runs ended early, by scenario.
    """

    of: Mapping[str, Response]
    fallback: Mapping[str, float]
    endings: Mapping[str, str]

    def metrics(self) -> dict[str, float]:
        """Return everything as flat numbers."""
        found = {"response_blowups": float(len(self.endings))}
        for kind, each in self.of.items():
            for name, estimate in asdict(each).items():
                found[f"{name}_{kind}"] = estimate["value"]
                found[f"{name}_{kind}_error"] = estimate["error"]
        return found | {f"fallback_share_{name}": part for name, part in self.fallback.items()}

    def choices(self) -> dict[str, str]:
        """Return why runs ended early, by their names."""
        return {response_name(CLOSURE, key): text for key, text in self.endings.items()}


def collect_responses(work: Work, settings: Settings) -> Responses:
    """Read what the runs have left.

    Parameters
    ----------
    work
        Where they are.
    settings
        Which days count, and whose columns.
    """
    names = {scenario: response_name(CLOSURE, scenario) for scenario in SCENARIOS}
    endings = {key: text for key, name in names.items() if (text := work.ended_early(name))}
    ended_well = {key: name for key, name in names.items() if key not in endings}
    native = _climates(work, NATIVE, settings)
    of = {NATIVE: response(native)}
    if not endings:
        learned = _climates(work, CLOSURE, settings)
        of |= {CLOSURE: response(learned), DIFFERENCE: response_difference(learned, native)}
    return Responses(
        of,
        {
            key: share(report_of(work.folder / name), settings.schemes, "fallback")
            for key, name in ended_well.items()
        },
        endings,
    )


def _climates(work: Work, kind: str, settings: Settings) -> dict[str, xr.Dataset]:
    return {
        scenario: compared(
            climate_of(work.folder / response_name(kind, scenario)),
            settings.n_response_adjusting,
            settings.n_response,
        )
        for scenario in SCENARIOS
    }
