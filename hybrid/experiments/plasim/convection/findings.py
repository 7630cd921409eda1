"""What the runs of moist convection say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
import xarray as xr

from hybrid.experiments.plasim.columns import N_COLUMN
from hybrid.experiments.plasim.convection.offline import ConvectionScores
from hybrid.experiments.plasim.convection.runs import (
    CONVECTION,
    LEARNED,
    N_NATIVE,
    native_name,
    short_name,
)
from hybrid.experiments.plasim.jobs import GUARDED, SHADOW, Work
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE
from hybrid.experiments.plasim.noise import noise_floor
from hybrid.experiments.plasim.report import Report, share
from hybrid.experiments.plasim.scoring import COMPARED, Difference, differences, microseconds
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.plasim.years import climate_of, report_of
from hybrid.experiments.result import Table


@dataclass(frozen=True)
class ConvectionFindings:
    """Results of the run with the closure and of those beside it.

    Parameters
    ----------
    scores
        On recorded columns.
    differences
        Of global means, by the keys of `COMPARED`; empty if the run ended early.
    rain_rms
        Root mean square difference of the zonal-mean precipitation from the mean of the native
        runs, as a part of the global mean; NaN likewise [1].
    native_rms
        The same to be expected of another native run [1].
    native_us, closure_us
        Processor time of a column: of the scheme in the shadow run, with what is recorded of it,
        and of the closure in its own run, with what the model is handed back [us].
    flagged
        Part of the columns outside the envelope; NaN if the run ended early [1].
    fallback
        Part that the host's scheme computed in the guarded run; NaN if that ended early [1].
    endings
        Why runs ended early, by their names.
    rain
        Zonal-mean precipitation of each run, ``native`` and, if it did not end early, ``closure``
        [m s-1].
    """

    scores: ConvectionScores
    differences: Mapping[str, Difference]
    rain_rms: float
    native_rms: float
    native_us: float
    closure_us: float
    flagged: float
    fallback: float
    endings: Mapping[str, str]
    rain: Mapping[str, Sequence[xr.DataArray]]

    def metrics(self) -> dict[str, float]:
        """Return everything as flat numbers."""
        found = {
            "time_ratio": self.closure_us / self.native_us,
            "native_us": self.native_us,
            "closure_us": self.closure_us,
            "P_zonal_rms": 100.0 * self.rain_rms,
            "P_zonal_rms_native": 100.0 * self.native_rms,
            "flagged_share": self.flagged,
            "fallback_share": self.fallback,
            "blowups": float(LEARNED in self.endings),
            **{f"d{key}": each.difference for key, each in self.differences.items()},
        }
        found = {f"{CONVECTION}_{key}": value for key, value in found.items() if isfinite(value)}
        return {**found, **self.scores.metrics(CONVECTION)}


def collect_convection(work: Work, scores: ConvectionScores) -> ConvectionFindings:
    """Read what the runs have left.

    Parameters
    ----------
    work
        Where they are.
    scores
        Of the closure on recorded columns.
    """
    names = (LEARNED, short_name(SHADOW), short_name(GUARDED))
    endings = {name: text for name in names if (text := work.ended_early(name))}
    reports = {name: report_of(work.folder / name) for name in names if name not in endings}
    native = [climate_of(work.folder / native_name(i)) for i in range(N_NATIVE)]
    learned = [climate_of(work.folder / LEARNED)] if LEARNED in reports else []
    native_us, closure_us = (
        microseconds(reports[name][CONVECTION][kind], N_COLUMN) if name in reports else nan
        for name, kind in ((short_name(SHADOW), "native"), (LEARNED, "closure"))
    )
    return ConvectionFindings(
        scores=scores,
        differences=differences(native, learned) if learned else {},
        rain_rms=zonal_rain_rms(learned, native) if learned else nan,
        native_rms=noise_floor(native, 1, zonal_rain_rms),
        native_us=native_us,
        closure_us=closure_us,
        flagged=_share(reports, LEARNED, "flagged"),
        fallback=_share(reports, short_name(GUARDED), "fallback"),
        endings=endings,
        rain={
            kind: [each["precipitation"].mean("time") for each in runs]
            for kind, runs in ((NATIVE, native), (CLOSURE, learned))
        },
    )


def zonal_rain_rms(found: Sequence[xr.Dataset], native: Sequence[xr.Dataset]) -> float:
    """Return the difference of two means of zonal-mean precipitation, as a part of the global mean.

    Root mean square by area.

    Parameters
    ----------
    found, native
        Daily zonal means of runs, see `read_climate`; the first day, whose precipitation is partly
        that of the state they begin with, counts like others.
    """
    rain, truth = (
        np.mean([each["precipitation"].mean("time").to_numpy() for each in runs], axis=0)
        for runs in (found, native)
    )
    weight = native[0]["weight"].to_numpy()
    return float(np.sqrt((weight * (rain - truth) ** 2).sum()) / (weight * truth).sum())


def convection_table(findings: ConvectionFindings, settings: Settings) -> Table:
    """Return what the report says of moist convection."""
    scores = findings.scores
    rows = {
        "zonal-mean precipitation, rms of the global mean [%]": 100.0 * findings.rain_rms,
        "the same to be expected of a native run [%]": 100.0 * findings.native_rms,
        **{
            f"{key}, closure - native [{COMPARED[key][2]}]": each.difference
            for key, each in findings.differences.items()
        },
        "time of a column, of the native scheme's": findings.closure_us / findings.native_us,
        "columns that the guard flags [%]": 100.0 * findings.flagged,
        "columns left to the native scheme, guarded [%]": 100.0 * findings.fallback,
        "offline: columns that rain and are found [%]": 100.0 * scores.hit_rate,
        "offline: rain where there is none [%]": 100.0 * scores.false_alarms,
        "offline: bias of the precipitation [%]": 100.0 * scores.bias,
        "offline: precipitation R2": scores.precipitation_r2,
    }
    return Table(
        title="Moist convection",
        columns=("value",),
        rows={name: (value if isfinite(value) else None,) for name, value in rows.items()},
        note=f"A run of {settings.n_convection} days with the closure in the place of moist "
        f"convection, radiation being the model's own, beside {N_NATIVE} native runs; all go on "
        f"from the end of the {settings.n_convection} days in which columns were recorded. "
        f"{' '.join(findings.endings.values())}".rstrip(),
    )


def _share(reports: Mapping[str, Report], name: str, what: str) -> float:
    return share(reports[name], [CONVECTION], what) if name in reports else nan
