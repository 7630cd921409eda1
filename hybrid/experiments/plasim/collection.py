"""Read everything that the runs have left."""

from collections.abc import Callable, Mapping, Sequence
from math import nan
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.plasim.columns import N_COLUMN
from hybrid.experiments.plasim.drift import Drift
from hybrid.experiments.plasim.emulators import LINEAR
from hybrid.experiments.plasim.findings import Findings
from hybrid.experiments.plasim.first_days import first_days
from hybrid.experiments.plasim.jobs import GUARDED, RAMP, SHADOW, Work
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE
from hybrid.experiments.plasim.noise import noise_floor
from hybrid.experiments.plasim.rain import Maps, maps_of
from hybrid.experiments.plasim.rank_findings import collect_ranked
from hybrid.experiments.plasim.ranks import ranked_name
from hybrid.experiments.plasim.report import (
    Report,
    ShadowDifference,
    added,
    read_differences,
    read_report,
    share,
)
from hybrid.experiments.plasim.response_findings import collect_responses
from hybrid.experiments.plasim.schemes import layer_thickness
from hybrid.experiments.plasim.scoring import (
    COSTS,
    ZONAL,
    annual_means,
    compared,
    costs,
    differences,
    zonal_rms,
    zonal_rms_of,
)
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.plasim.timed import RIVALS, collect_days, timed_names
from hybrid.experiments.plasim.years import climate_of, report_of, year_folders


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
        for name in (*names[CLOSURE], SHADOW, RAMP, *timed_names(settings), *ranked)
        if (text := work.ended_early(name))
    }
    names[CLOSURE] = [name for name in names[CLOSURE] if name not in endings]
    whole = {kind: [climate_of(work.folder / name) for name in names[kind]] for kind in names}
    native, closure = (
        tuple(compared(run, settings.n_adjusting, settings.n_coupled) for run in whole[kind])
        for kind in (NATIVE, CLOSURE)
    )
    short = [name for name in (SHADOW, GUARDED, *RIVALS, LINEAR) if name not in endings]
    reports = {name: report_of(work.folder / name) for name in (*short, *names[CLOSURE])}
    thickness = layer_thickness(native[0].sizes["level"])
    return Findings(
        native=native,
        closure=closure,
        maps={kind: _maps(work, names[kind], settings) for kind in names} if closure else {},
        differences=differences(native, closure) if closure else {},
        zonal=zonal_rms(closure, native, thickness) if closure else {},
        zonal_native=_zonal_noise(native, len(closure), thickness) if closure else {},
        drift=Drift(
            [annual_means(run) for run in whole[NATIVE]],
            [annual_means(run) for run in whole[CLOSURE]],
            [_flagged_years(work.folder / name, settings) for name in names[CLOSURE]],
        ),
        first_days=first_days(
            work,
            names[NATIVE][0],
            [
                *names[CLOSURE][:1],
                *(name for name in short if name not in {SHADOW, GUARDED}),
                *names[NATIVE][1:2],
            ],
        ),
        shadow=_shadow(work, settings) if SHADOW in short else {},
        costs=costs(
            {
                name: each
                for name, each in reports.items()
                if name in {run for run, _ in COSTS.values()}
            },
            settings.schemes,
            N_COLUMN,
        ),
        days=collect_days(work, settings),
        flagged=_flagged([reports[name] for name in names[CLOSURE]], settings),
        fallback=share(reports[GUARDED], settings.schemes, "fallback")
        if GUARDED in reports
        else nan,
        responses=collect_responses(work, settings) if settings.n_response else None,
        ranked=collect_ranked(work, settings, archives),
        endings=endings,
    )


def _shadow(work: Work, settings: Settings) -> dict[str, Mapping[str, Sequence[ShadowDifference]]]:
    found = read_differences(year_folders(work.folder / SHADOW)[0])
    return {scheme: found[scheme] for scheme in settings.schemes}


def _zonal_noise(
    native: Sequence[xr.Dataset], n_found: int, thickness: NDArray[np.float64]
) -> dict[str, float]:
    def rms_of(key: str) -> Callable[[Sequence[xr.Dataset], Sequence[xr.Dataset]], float]:
        return lambda found, others: zonal_rms_of(key, found, others, thickness)

    return {key: noise_floor(native, n_found, rms_of(key)) for key in ZONAL}


def _flagged(reports: Sequence[Report], settings: Settings) -> float:
    return share(added(reports), settings.schemes, "flagged") if reports else nan


def _flagged_years(folder: Path, settings: Settings) -> list[float]:
    return [_flagged([read_report(year)], settings) for year in year_folders(folder)]


def _maps(work: Work, names: list[str], settings: Settings) -> Maps:
    folders = [work.folder / name for name in names]
    return maps_of(folders, settings.n_adjusting, settings.n_coupled)
