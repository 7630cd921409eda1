"""What the runs say, together."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import xarray as xr

from hybrid.experiments.plasim.climate import read_climate, read_report
from hybrid.experiments.plasim.columns import N_COLUMN
from hybrid.experiments.plasim.jobs import CLOSURE, NATIVE, RIVALS, SHADOW, Work
from hybrid.experiments.plasim.running import seconds_a_day
from hybrid.experiments.plasim.scoring import (
    Difference,
    costs,
    differences,
    rms,
    zonal_temperature,
)
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.plasim.training import layer_thickness


@dataclass(frozen=True)
class Findings:
    """Results of all runs.

    Parameters
    ----------
    native, closure
        Daily zonal means of the members; of those with closures only of the ones that ended well.
    differences
        Of global means; empty without a run with closures.
    zonal_t_rms
        Root mean square difference of the zonal-mean temperature [K]; NaN likewise.
    costs
        Of each scheme: ``native``, ``closure``, ``noop`` [us a column].
    days
        Processor time of a day by the name of the kind of run [s].
    flagged
        Part of the column evaluations that the guard flagged, of all schemes; NaN likewise.
    endings
        Why runs ended early, by their names.
    """

    native: tuple[xr.Dataset, ...]
    closure: tuple[xr.Dataset, ...]
    differences: Mapping[str, Difference]
    zonal_t_rms: float
    costs: Mapping[str, Mapping[str, float]]
    days: Mapping[str, float]
    flagged: float
    endings: Mapping[str, str]

    def metrics(self) -> dict[str, float]:
        """Return everything as flat numbers."""
        found = {"blowups": float(sum(name.startswith(CLOSURE) for name in self.endings))}
        for scheme, times in self.costs.items():
            found[f"{scheme}_time_ratio"] = times["closure"] / times["native"]
            found[f"{scheme}_noop_time_ratio"] = times["noop"] / times["native"]
            for kind, microseconds in times.items():
                found[f"{scheme}_{kind}_us"] = microseconds
        for kind, seconds in self.days.items():
            found[f"seconds_a_day_{kind}"] = seconds
        for key, each in self.differences.items():
            found[f"d{key}"] = each.difference
            if isfinite(each.in_spreads):
                found[f"d{key}_in_spreads"] = each.in_spreads
            found[f"{key}_native"] = each.native
        if self.closure:
            found["zonal_T_rms"] = self.zonal_t_rms
            found["flagged_share"] = self.flagged
        return found


def collect(work: Work, settings: Settings) -> Findings:
    """Read what the runs have left.

    Parameters
    ----------
    work
        Where they are.
    settings
        Which they are.
    """
    names = {
        NATIVE: [f"{NATIVE}_{i}" for i in range(settings.n_native)],
        CLOSURE: [f"{CLOSURE}_{i}" for i in range(settings.n_closure)],
    }
    endings = {
        name: text
        for name in (*names[CLOSURE], SHADOW, *RIVALS)
        if (text := work.ended_early(name))
    }
    whole = [name for name in names[CLOSURE] if name not in endings]
    native = tuple(read_climate(work.folder / name) for name in names[NATIVE])
    closure = tuple(read_climate(work.folder / name) for name in whole)
    reports = {
        name: read_report(work.folder / name) for name in (SHADOW, "noop") if name not in endings
    }
    timed = [names[NATIVE][0], *whole[:1], *(name for name in RIVALS if name not in endings)]
    return Findings(
        native=native,
        closure=closure,
        differences=differences(native, closure, settings.n_adjusting) if closure else {},
        zonal_t_rms=_temperature_rms(native, closure, settings) if closure else float("nan"),
        costs=costs(reports[SHADOW], reports["noop"], settings.schemes, N_COLUMN)
        if len(reports) == 2
        else {},
        days={name.removesuffix("_0"): seconds_a_day(work.folder / name) for name in timed},
        flagged=_flagged(work, whole, settings) if whole else float("nan"),
        endings=endings,
    )


def _temperature_rms(
    native: tuple[xr.Dataset, ...], closure: tuple[xr.Dataset, ...], settings: Settings
) -> float:
    difference = zonal_temperature(closure, settings.n_adjusting) - zonal_temperature(
        native, settings.n_adjusting
    )
    return rms(difference, native[0]["weight"], layer_thickness(native[0].sizes["level"]))


def _flagged(work: Work, names: list[str], settings: Settings) -> float:
    counts = [
        read_report(work.folder / name)[scheme]["flagged"]
        for name in names
        for scheme in settings.schemes
    ]
    return sum(each.seconds for each in counts) / sum(each.count for each in counts)
