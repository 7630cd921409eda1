"""Compare runs with closures with native ones, in spreads of the native ensemble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from hybrid.experiments.plasim.climate import Calls, global_means

COMPARED = {
    "Ts": ("surface_temperature", 1.0, "K"),
    "OLR": ("outgoing_longwave", 1.0, "W m-2"),
    "TOA": ("net_top", 1.0, "W m-2"),
    "PW": ("precipitable_water", 1.0, "kg m-2"),
    "P": ("precipitation", 86400.0e3, "mm d-1"),
}
"""Global means: variable, factor to the units shown, and these units."""

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
        Standard deviation over native members; NaN for a single one.
    """

    native: float
    closure: float
    spread: float

    @property
    def difference(self) -> float:
        """Closure minus native."""
        return self.closure - self.native

    @property
    def in_spreads(self) -> float:
        """The difference as a multiple of the spread; NaN without one."""
        return self.difference / self.spread if self.spread > 0.0 else float("nan")


def means(climate: xr.Dataset, n_adjusting: int) -> dict[str, float]:
    """Return the global means of one run after the first days, by the keys of `COMPARED`."""
    later = global_means(climate.isel(time=slice(n_adjusting, None))).mean("time")
    return {key: float(later[name]) * factor for key, (name, factor, _) in COMPARED.items()}


def differences(
    native: Sequence[xr.Dataset], closure: Sequence[xr.Dataset], n_adjusting: int
) -> dict[str, Difference]:
    """Return the difference of each global mean, by the keys of `COMPARED`.

    Parameters
    ----------
    native, closure
        Daily zonal means of the members, see `read_climate`.
    n_adjusting
        Days at the beginning that do not count.
    """
    of_native = [means(each, n_adjusting) for each in native]
    of_closure = [means(each, n_adjusting) for each in closure]
    found = {}
    for key in COMPARED:
        values = np.array([each[key] for each in of_native])
        spread = values.std(ddof=1) if len(values) >= LEAST_MEMBERS else np.nan
        mean = float(np.mean([each[key] for each in of_closure]))
        found[key] = Difference(float(values.mean()), mean, float(spread))
    return found


def zonal_temperature(members: Sequence[xr.Dataset], n_adjusting: int) -> xr.DataArray:
    """Return the mean temperature over members and the days that count (level, latitude) [K]."""
    each = [m["temperature"].isel(time=slice(n_adjusting, None)).mean("time") for m in members]
    return xr.concat(each, "member").mean("member", keep_attrs=True)


def rms(difference: xr.DataArray, weight: xr.DataArray, thickness: np.ndarray) -> float:
    """Return the root mean square over latitude and level, by area and mass."""
    by_mass = xr.DataArray(thickness, dims="level")
    return float(np.sqrt((difference**2 * weight * by_mass).sum() / by_mass.sum()))


def microseconds(calls: Calls, n_column: int) -> float:
    """Return the time of a scheme for one column [us]."""
    return 1e6 * calls.seconds / (calls.count * n_column)


def costs(
    shadow: Mapping[str, Mapping[str, Calls]],
    noop: Mapping[str, Mapping[str, Calls]],
    schemes: Sequence[str],
    n_column: int,
) -> dict[str, dict[str, float]]:
    """Return for each scheme the times ``native``, ``closure`` and ``noop`` of a column [us].

    Native scheme and closure are timed in turn on the same columns, in the shadow run.
    """
    return {
        name: {
            "native": microseconds(shadow[name]["native"], n_column),
            "closure": microseconds(shadow[name]["closure"], n_column),
            "noop": microseconds(noop[name]["held"], n_column),
        }
        for name in schemes
    }
