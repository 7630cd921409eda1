"""Compare runs with closures with native ones, in spreads of the native ensemble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import ttest_ind_from_stats

from hybrid.experiments.plasim.climate import global_means
from hybrid.experiments.plasim.report import Calls, Report
from hybrid.experiments.plasim.years import N_DAY

Array = NDArray[np.float64]

COMPARED = {
    "Ts": ("surface_temperature", 1.0, "K"),
    "OLR": ("outgoing_longwave", 1.0, "W m-2"),
    "TOA": ("net_top", 1.0, "W m-2"),
    "SFC": ("net_surface", 1.0, "W m-2"),
    "PW": ("precipitable_water", 1.0, "kg m-2"),
    "P": ("precipitation", 86400.0e3, "mm d-1"),
}
"""Global means: variable, factor to the units shown, and these units."""

ZONAL = {
    "T": ("temperature", 1.0, "K"),
    "q": ("specific_humidity", 1e3, "g kg-1"),
    "u": ("eastward_wind", 1.0, "m s-1"),
}
"""Zonal means by level and latitude, likewise."""

COSTS = {
    "native": ("shadow", "native"),
    "closure": ("shadow", "closure"),
    "noop": ("noop", "held"),
    "linear": ("linear", "closure"),
}
"""Kinds of cost: the run, and the calls in its report."""

LEAST_MEMBERS = 2
"""Of an ensemble with a spread."""


@dataclass(frozen=True)
class Difference:
    """A global mean over the days that count.

    Parameters
    ----------
    native, closure
        Means over the members.
    spread
        Standard deviation of annual means over native members; NaN for a single one.
    error
        Standard error of the difference, from the standard deviations of the means of the members
        of each ensemble, a single closure being taken for as uncertain as a native run; NaN
        likewise.
    p
        Of Welch's t test of these means: how probable it is that one model's ensembles differ by as
        much; NaN where either has a single member.
    native_trend, closure_trend
        Change in a year, of the line through the annual means; NaN for a single year.
    """

    native: float
    closure: float
    spread: float
    error: float
    p: float
    native_trend: float
    closure_trend: float

    @property
    def difference(self) -> float:
        """Closure minus native."""
        return self.closure - self.native

    @property
    def in_spreads(self) -> float:
        """The difference as a multiple of the spread; NaN without one."""
        return self.difference / self.spread if self.spread > 0.0 else float("nan")


def compared(days: xr.Dataset, first: int, last: int) -> xr.Dataset:
    """Return the days that count, ``first`` to ``last`` of a run."""
    return days.isel(time=slice(first, last))


def annual_means(climate: xr.Dataset) -> dict[str, Array]:
    """Return the global mean of each year by the keys of `COMPARED`.

    Less than a year counts as one, and what is left after whole years is left out.
    """
    n = climate.sizes["time"]
    n_year = max(n // N_DAY, 1)
    daily = global_means(climate.isel(time=slice(n if n < N_DAY else n_year * N_DAY)))
    return {
        key: daily[name].to_numpy().reshape(n_year, -1).mean(axis=1) * factor
        for key, (name, factor, _) in COMPARED.items()
    }


def differences(
    native: Sequence[xr.Dataset], closure: Sequence[xr.Dataset]
) -> dict[str, Difference]:
    """Return the difference of each global mean, by the keys of `COMPARED`.

    The spread is that of one year: the root mean square over years of the standard deviation over
    native members.

    Parameters
    ----------
    native, closure
        Daily zonal means of the members, those days that count, see `read_climate`.
    """
    of_native, of_closure = (
        [annual_means(each) for each in members] for members in (native, closure)
    )
    found = {}
    for key in COMPARED:
        ours, theirs = (np.stack([each[key] for each in of]) for of in (of_closure, of_native))
        enough = len(theirs) >= LEAST_MEMBERS
        spread = np.sqrt(theirs.var(axis=0, ddof=1).mean()) if enough else np.nan
        found[key] = Difference(
            float(theirs.mean()),
            float(ours.mean()),
            float(spread),
            *_significance(ours.mean(axis=1), theirs.mean(axis=1)),
            _trend(theirs),
            _trend(ours),
        )
    return found


def _significance(ours: Array, theirs: Array) -> tuple[float, float]:
    """Return the standard error of the difference of two means, and p of Welch's t test."""
    if len(theirs) < LEAST_MEMBERS:
        return np.nan, np.nan
    several = len(ours) >= LEAST_MEMBERS
    spreads = [float(each.std(ddof=1)) for each in (theirs, ours if several else theirs)]
    error = np.hypot(spreads[0] / np.sqrt(len(theirs)), spreads[1] / np.sqrt(len(ours)))
    if not (several and error > 0.0):
        return float(error), np.nan
    of_theirs, of_ours = (
        (each.mean(), spread, len(each))
        for each, spread in zip((theirs, ours), spreads, strict=True)
    )
    return float(error), float(ttest_ind_from_stats(*of_theirs, *of_ours, equal_var=False).pvalue)


def _trend(annual: Array) -> float:
    """Return the slope of the mean over members, ``(member, year)``."""
    years = np.arange(annual.shape[1])
    return float(np.polyfit(years, annual.mean(axis=0), 1)[0]) if len(years) > 1 else np.nan


def zonal_rms(
    found: Sequence[xr.Dataset], native: Sequence[xr.Dataset], thickness: np.ndarray
) -> dict[str, float]:
    """Return the difference of the zonal means of two ensembles, by the keys of `ZONAL`.

    Root mean square over latitude and level, by area and mass.

    Parameters
    ----------
    found, native
        Daily zonal means of the members, those days that count.
    thickness
        Layers' part of the surface pressure.
    """
    return {key: zonal_rms_of(key, found, native, thickness) for key in ZONAL}


def zonal_rms_of(
    key: str, found: Sequence[xr.Dataset], native: Sequence[xr.Dataset], thickness: np.ndarray
) -> float:
    """Return one of `zonal_rms`, by its key."""
    name, factor, _ = ZONAL[key]
    difference = cross_section(found, name) - cross_section(native, name)
    return factor * rms(difference, native[0]["weight"], thickness)


def cross_section(members: Sequence[xr.Dataset], name: str) -> xr.DataArray:
    """Return the mean of a profile over members and days (level, latitude)."""
    each = [member[name].mean("time", keep_attrs=True) for member in members]
    return xr.concat(each, "member").mean("member", keep_attrs=True)


def rms(difference: xr.DataArray, weight: xr.DataArray, thickness: np.ndarray) -> float:
    """Return the root mean square over latitude and level, by area and mass."""
    by_mass = xr.DataArray(thickness, dims="level")
    # What is unknown somewhere is unknown, and not nothing.
    total = (difference**2 * weight * by_mass).sum(skipna=False)
    return float(np.sqrt(total / by_mass.sum()))


def microseconds(calls: Calls, n_column: int) -> float:
    """Return the time of a scheme for one column [us]."""
    return 1e6 * calls.seconds / (calls.count * n_column)


def costs(
    reports: Mapping[str, Report],
    schemes: Sequence[str],
    n_column: int,
) -> dict[str, dict[str, float]]:
    """Return for each scheme what a column costs [us], as far as there are reports.

    Native scheme and closure are timed in turn on the same columns, in the shadow run.

    Parameters
    ----------
    reports
        Calls by scheme, of the runs that ended well among `COSTS`.
    schemes
        What to look for.
    n_column
        Columns of a call.
    """
    return {
        name: {
            kind: microseconds(reports[run][name][calls], n_column)
            for kind, (run, calls) in COSTS.items()
            if run in reports
        }
        for name in schemes
    }
