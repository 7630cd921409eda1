"""What the runs say, together."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import xarray as xr

from hybrid.experiments.plasim.columns import N_COLUMN
from hybrid.experiments.plasim.guard_counts import counted, share
from hybrid.experiments.plasim.jobs import GUARDED, RAMP, SHADOW, TIMED, Work
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE
from hybrid.experiments.plasim.rain import Maps, maps_of
from hybrid.experiments.plasim.rank_findings import Ranked, collect_ranked
from hybrid.experiments.plasim.ranks import ranked_name
from hybrid.experiments.plasim.response_findings import Responses, collect_responses
from hybrid.experiments.plasim.schemes import layer_thickness
from hybrid.experiments.plasim.scoring import (
    COSTS,
    Difference,
    compared,
    costs,
    differences,
    zonal_rms,
)
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.plasim.years import climate_of, report_of, seconds_a_day_of


@dataclass(frozen=True)
class Findings:
    """Results of all runs.

    Parameters
    ----------
    native, closure
        Daily zonal means of the members, of the days that count; of those with closures only of the
        ones that ended well.
    maps
        Of native runs and of those with closures; empty without a run with closures.
    differences
        Of global means; empty likewise.
    zonal
        Root mean square differences of zonal means by level, by the keys of `ZONAL`; empty
        likewise.
    zonal_native
        The same of the first native run from the others; empty without others.
    costs
        Of each scheme, by the keys of `COSTS` [us a column].
    days
        Processor time of a day by the name of the kind of run [s].
    flagged
        Part of the column evaluations that the guard flagged, of all schemes; NaN likewise.
    fallback
        Part of them that the host's own schemes computed in the run whose guard leaves flagged
        columns to them; NaN if it ended early.
    responses
        To a warmer sea and to carbon dioxide; None without such runs.
    ranked
        Of runs as several processes, by their number.
    endings
        Why runs ended early, by their names.
    """

    native: tuple[xr.Dataset, ...]
    closure: tuple[xr.Dataset, ...]
    maps: Mapping[str, Maps]
    differences: Mapping[str, Difference]
    zonal: Mapping[str, float]
    zonal_native: Mapping[str, float]
    costs: Mapping[str, Mapping[str, float]]
    days: Mapping[str, float]
    flagged: float
    fallback: float
    responses: Responses | None
    ranked: Mapping[int, Ranked]
    endings: Mapping[str, str]

    def metrics(self) -> dict[str, float]:
        """Return everything as flat numbers."""
        found = {"blowups": float(sum(name.startswith(CLOSURE) for name in self.endings))}
        found |= self._of_costs()
        for kind, seconds in self.days.items():
            found[f"seconds_a_day_{kind}"] = seconds
        for key, each in self.differences.items():
            found[f"d{key}"] = each.difference
            if isfinite(each.in_spreads):
                found[f"d{key}_in_spreads"] = each.in_spreads
            found[f"{key}_native"] = each.native
            if isfinite(each.closure_trend):
                found[f"{key}_trend_native"] = each.native_trend
                found[f"{key}_trend_closure"] = each.closure_trend
        for key, value in self.zonal.items():
            found[f"zonal_{key}_rms"] = value
        for key, value in self.zonal_native.items():
            found[f"zonal_{key}_rms_native"] = value
        if isfinite(self.flagged):
            found["flagged_share"] = self.flagged
        if isfinite(self.fallback):
            found["fallback_share"] = self.fallback
        for n_rank, ranked in self.ranked.items():
            found |= ranked.metrics(n_rank)
        return found | (self.responses.metrics() if self.responses else {})

    def _of_costs(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for scheme, times in self.costs.items():
            for kind, microseconds in times.items():
                found[f"{scheme}_{kind}_us"] = microseconds
                if kind != "native" and "native" in times:
                    infix = "" if kind == "closure" else f"{kind}_"
                    found[f"{scheme}_{infix}time_ratio"] = microseconds / times["native"]
        if self.costs and all({"noop", "native"} <= times.keys() for times in self.costs.values()):
            noop, native = (
                sum(times[kind] for times in self.costs.values()) for kind in ("noop", "native")
            )
            found["noop_time_ratio"] = noop / native
        return found


def collect(work: Work, settings: Settings, archives: Mapping[str, Path]) -> Findings:
    """Read what the runs have left.

    Parameters
    ----------
    work
        Where they are.
    settings
        Which they are.
    archives
        Closures of the first run with closures, by scheme.
    """
    names = {
        NATIVE: [f"{NATIVE}_{i}" for i in range(settings.n_native)],
        CLOSURE: [f"{CLOSURE}_{i}" for i in range(settings.n_closure)],
    }
    ranked = [ranked_name(CLOSURE, n_rank) for n_rank in settings.ranks]
    endings = {
        name: text
        for name in (*names[CLOSURE], SHADOW, RAMP, *TIMED, *ranked)
        if (text := work.ended_early(name))
    }
    names[CLOSURE] = [name for name in names[CLOSURE] if name not in endings]
    native, closure = (
        tuple(_days(work, name, settings) for name in names[kind]) for kind in (NATIVE, CLOSURE)
    )
    short = [name for name in (SHADOW, *TIMED) if name not in endings]
    reports = {name: report_of(work.folder / name) for name in (*short, *names[CLOSURE])}
    timed = [names[NATIVE][0], *names[CLOSURE][:1], *(name for name in short if name != SHADOW)]
    flags = [counted(reports[name], settings.schemes, "flagged") for name in names[CLOSURE]]
    thickness = layer_thickness(native[0].sizes["level"])
    return Findings(
        native=native,
        closure=closure,
        maps={kind: _maps(work, names[kind], settings) for kind in names} if closure else {},
        differences=differences(native, closure) if closure else {},
        zonal=zonal_rms(closure, native, thickness) if closure else {},
        zonal_native=zonal_rms(native[:1], native[1:], thickness) if native[1:] else {},
        costs=costs(
            {
                name: each
                for name, each in reports.items()
                if name in {run for run, _ in COSTS.values()}
            },
            settings.schemes,
            N_COLUMN,
        ),
        days={name.removesuffix("_0"): seconds_a_day_of(work.folder / name) for name in timed},
        flagged=sum(each.seconds for each in flags) / sum(each.count for each in flags)
        if flags
        else float("nan"),
        fallback=share(reports[GUARDED], settings.schemes, "fallback")
        if GUARDED in reports
        else float("nan"),
        responses=collect_responses(work, settings) if settings.n_response else None,
        ranked=collect_ranked(work, settings, archives),
        endings=endings,
    )


def _days(work: Work, name: str, settings: Settings) -> xr.Dataset:
    return compared(climate_of(work.folder / name), settings.n_adjusting, settings.n_coupled)


def _maps(work: Work, names: list[str], settings: Settings) -> Maps:
    folders = [work.folder / name for name in names]
    return maps_of(folders, settings.n_adjusting, settings.n_coupled)
