"""The numbers that a rollout is told by: one row a run."""

import math
from collections.abc import Iterable, Mapping

import xarray as xr

from hybrid.climsim_rollout.settings import RolloutSettings
from hybrid.experiments.result import Table
from solvers.column_physics.rollout import COLDEST, TRUTH, WARMEST

LAST_SHARE = 0.25
"""Part of a run, at its end, over which its final errors are averaged."""
GRAM = 1e3
"""Grams of a kilogram."""
PROFILES = {"T": ("temperature", 1.0, "K"), "q": ("vapour", GRAM, "g/kg")}
"""Short name, profile, factor and unit of what the tables show."""


COLUMNS: tuple[dict[str, str], ...] = (
    {
        "T day 1 [K]": "rmse_day1_T",
        "T end [K]": "rmse_end_T",
        "T / spread [1]": "relative_end_T",
        "T drift [K]": "bias_end_T",
        "q day 1 [g/kg]": "rmse_day1_q",
        "q end [g/kg]": "rmse_end_q",
        "q / spread [1]": "relative_end_q",
        "q drift [g/kg]": "bias_end_q",
    },
    {
        "heating, first 3 h [1]": "r2_start_T",
        "heating, end [1]": "r2_end_T",
        "moistening, first 3 h [1]": "r2_start_q",
        "moistening, end [1]": "r2_end_q",
    },
    {
        "energy residual [W/m2]": "energy_residual_mean",
        "rms [W/m2]": "energy_residual_rms",
        "water residual [mm/day]": "water_residual_mean",
        "rms [mm/day]": "water_residual_rms",
        "rain [mm/day]": "precipitation",
        "flagged [%]": "flagged%",
        "lost [%]": "lost%",
        "blow-up [day]": "blow_up",
    },
)
"""Columns of the tables: heading, and number of the summary; ``%`` for per cent."""


def summary(scores: xr.Dataset) -> dict[str, dict[str, float]]:
    """Return the main numbers by run.

    Returns
    -------
    dict
        For each run and each of T [K] and q [g/kg]: ``rmse_day1_*``, ``rmse_end_*`` over the last
        quarter, ``relative_end_*`` [1], ``bias_end_*``; ``precipitation`` [mm day-1],
        ``water_residual_rms``, ``water_residual_mean`` and ``added_water`` [mm day-1],
        ``energy_residual_rms``, ``energy_residual_mean`` [W m-2], ``flagged`` and ``lost`` [1],
        ``blow_up`` [day], ``r2_start_*`` over the first interval and ``r2_end_*`` of
        tendencies [1]. NaN where there is nothing to tell.
    """
    time = scores["time"].values
    first = scores["time"] <= max(1.0, float(time[0]))
    last = scores["time"] > (1.0 - LAST_SHARE) * float(time[-1])
    rows: dict[str, dict[str, float]] = {}
    for name in scores["run"].values:
        run = scores.sel(run=name)
        row: dict[str, float] = {}
        for label, (profile, factor, _) in PROFILES.items():
            error = run["rmse_column"].sel(profile=profile)
            spread = float(scores["spread_column"].sel(profile=profile))
            end = float(error.where(last).mean())
            row[f"rmse_day1_{label}"] = factor * float(
                error.where(first).dropna("time")[-1:].mean()
            )
            row[f"rmse_end_{label}"] = factor * end
            row[f"relative_end_{label}"] = end / spread if spread > 0.0 else math.nan
            drift = run["mean"] - scores["mean"].sel(run=TRUTH)
            row[f"bias_end_{label}"] = factor * float(drift.sel(profile=profile).where(last).mean())
            explained = run["tendency_r2"].sel(tendency=profile)
            row[f"r2_start_{label}"] = float(explained[0])
            row[f"r2_end_{label}"] = float(explained.where(last).mean())
        for quantity in (
            "precipitation",
            "water_residual_mean",
            "energy_residual_mean",
            "added_water",
            "flagged",
        ):
            row[quantity] = float(run[quantity].mean())
        for quantity in ("water_residual_rms", "energy_residual_rms"):
            row[quantity] = float((run[quantity] ** 2).mean()) ** 0.5
        row["lost"] = float(run["lost"][-1])
        row["blow_up"] = float(run["blow_up"])
        rows[str(name)] = row
    return rows


def rollout_tables(scores: xr.Dataset, settings: RolloutSettings) -> tuple[Table, ...]:
    """Return the tables that the terminal shows."""
    rows = summary(scores)
    titles = (
        "Errors of temperature and vapour against the truth",
        "Tendencies against those of the truth's scheme from the same states",
        "Budgets and columns",
    )
    errors = (
        f"{settings.days} days under scheme {settings.scheme}, {settings.warming:+g} K; "
        f"{settings.damping_text}. Root mean square over columns and mass; end: the last "
        f"{LAST_SHARE * settings.days:g} days; drift: of the mean at the end; spread: standard "
        "deviation of the truth over time."
    )
    tendencies = (
        "R2 over columns and mass. The first three hours are nearly offline: all runs start from "
        "the truth."
    )
    budgets = (
        "Residuals: change of a column's enthalpy less that by the truth's scheme from the same "
        "state; change of its water, and precipitation. Columns that are lost have left "
        f"{COLDEST:g} to {WARMEST:g} K or are not finite, the first at the blow-up; other scores "
        "leave them out."
    )
    notes = errors, tendencies, budgets
    return tuple(
        Table(
            title,
            tuple(columns),
            {name: _values(row, columns.values()) for name, row in rows.items()},
            note,
        )
        for title, columns, note in zip(titles, COLUMNS, notes, strict=True)
    )


def _values(row: Mapping[str, float], names: Iterable[str]) -> tuple[float | None, ...]:
    values = []
    for name in names:
        value = 100.0 * row[name[:-1]] if name.endswith("%") else row[name]
        values.append(None if math.isnan(value) else value)
    return tuple(values)
