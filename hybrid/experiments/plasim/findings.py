"""What the runs say, together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import xarray as xr

from hybrid.experiments.plasim.drift import Drift
from hybrid.experiments.plasim.first_days import FirstDays
from hybrid.experiments.plasim.model_run import NATIVE
from hybrid.experiments.plasim.rain import Maps
from hybrid.experiments.plasim.rank_findings import Ranked
from hybrid.experiments.plasim.report import ShadowDifference
from hybrid.experiments.plasim.response_findings import Responses
from hybrid.experiments.plasim.scoring import Difference
from hybrid.experiments.plasim.timed import Days, expected_ratios, is_rival


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
        The same to be expected of an ensemble of native runs, see `noise_floor`; empty likewise.
    drift
        Annual means of whole runs.
    first_days
        What other radiation changes in the first days.
    shadow
        Differences of each scheme and output on the same columns; empty if that run ended early.
    costs
        Of each scheme, by the keys of `COSTS` [us a column].
    days
        Processor time of a day of the whole model, by its name in `timed.KINDS`.
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
    drift: Drift
    first_days: FirstDays
    shadow: Mapping[str, Mapping[str, Sequence[ShadowDifference]]]
    costs: Mapping[str, Mapping[str, float]]
    days: Mapping[str, Days]
    flagged: float
    fallback: float
    responses: Responses | None
    ranked: Mapping[int, Ranked]
    endings: Mapping[str, str]

    def metrics(self) -> dict[str, float]:
        """Return everything that is known, as flat numbers."""
        found = {"blowups": float(sum(not is_rival(name) for name in self.endings))}
        found |= self._of_costs()
        for kind, days in self.days.items():
            found[f"seconds_a_day_{kind}"] = days.second
            found[f"day_ratio_{kind}"] = days.ratio
            found[f"day_ratio_{kind}_least"], found[f"day_ratio_{kind}_most"] = days.span
        found |= {f"day_ratio_{kind}_expected": e for kind, e in self.expected_days.items()}
        for key, each in self.differences.items():
            found[f"d{key}"] = each.difference
            found[f"d{key}_in_spreads"] = each.in_spreads
            found[f"d{key}_error"] = each.error
            found[f"d{key}_p"] = each.p
            found[f"{key}_native"] = each.native
            found[f"{key}_trend_native"] = each.native_trend
            found[f"{key}_trend_closure"] = each.closure_trend
        found |= {f"zonal_{key}_rms": value for key, value in self.zonal.items()}
        found |= {f"zonal_{key}_rms_native": value for key, value in self.zonal_native.items()}
        found["flagged_share"] = self.flagged
        found["fallback_share"] = self.fallback
        for n_rank, ranked in self.ranked.items():
            found |= ranked.metrics(n_rank)
        found |= self.drift.metrics()
        found |= self.responses.metrics() if self.responses else {}
        return {name: value for name, value in found.items() if isfinite(value)}

    @property
    def expected_days(self) -> Mapping[str, float]:
        """Days of the whole model beside the native one, were columns all that differs."""
        return expected_ratios(self.costs, self.days[NATIVE].second)

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
