"""What the runs over a given sea say."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import xarray as xr

from hybrid.experiments.plasim.guard_counts import share
from hybrid.experiments.plasim.jobs import Work
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE
from hybrid.experiments.plasim.responses import SCENARIOS, Response, response, response_name
from hybrid.experiments.plasim.scoring import compared
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.plasim.years import climate_of, report_of


@dataclass(frozen=True)
class Responses:
    """Responses of the model with its own radiation and with closures.

    Parameters
    ----------
    of
        ``native``, and ``closure`` unless one of its runs ended early.
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
    kinds = (NATIVE,) if endings else (NATIVE, CLOSURE)
    return Responses(
        {kind: response(_climates(work, kind, settings)) for kind in kinds},
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
