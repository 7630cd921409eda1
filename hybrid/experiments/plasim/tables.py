"""Tables of the report."""

from collections.abc import Mapping
from math import isfinite, isnan, nan

from hybrid.experiments.plasim.findings import Findings
from hybrid.experiments.plasim.offline import Offline
from hybrid.experiments.plasim.rank_findings import Ranked
from hybrid.experiments.plasim.response_findings import Responses
from hybrid.experiments.plasim.responses import DOUBLED, KELVIN, N_DAY_OF_BLOCK
from hybrid.experiments.plasim.scoring import COMPARED, ZONAL
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.result import Table

_RELATIVE = ("PW", "P")
"""Global means whose differences are told in percent as well."""


def climate_table(findings: Findings, settings: Settings) -> Table:
    """Return global means of both ensembles and their differences."""
    rows: dict[str, tuple[float | None, ...]] = {
        f"{key} [{COMPARED[key][2]}]": (
            each.native,
            each.closure,
            each.difference,
            100.0 * each.difference / each.native if key in _RELATIVE else None,
            _known(each.error),
            _known(each.p),
            _known(each.spread),
            _known(each.in_spreads),
            _known(each.native_trend),
            _known(each.closure_trend),
        )
        for key, each in findings.differences.items()
    }
    return Table(
        title=f"Global means of days {settings.n_adjusting} to {settings.n_coupled}",
        columns=(
            "native",
            "closure",
            "difference",
            "% of native",
            "standard error",
            "p",
            "spread",
            "difference in spreads",
            "native a year",
            "closure a year",
        ),
        rows=rows,
        note=f"All runs go on from one state, {settings.n_spin_up} days after a cold start, and "
        "differ by less in the first years than later. Standard error and p: of the difference, by "
        f"Welch's t test of the means of {settings.n_native} native runs, whose first fluxes "
        f"differ by at most 1 in 1000, and of {settings.n_closure} with closures (a single one has "
        "no p, and is taken for as uncertain as a native run). Spread: standard "
        "deviation over native runs of the mean of a single year; less than a year counts as one. "
        "A year: slope of the line through the annual means; "
        "where it is not small, the model is on its way to its balance. Ts: surface temperature; "
        "OLR: outgoing longwave; "
        "TOA, SFC: net downward flux at the top and at the surface; PW: precipitable water; P: "
        f"precipitation. The guard flagged {_share(findings.flagged)} of the columns as outside "
        "the envelope of the training.",
    )


def zonal_table(findings: Findings) -> Table:
    """Return the differences of zonal means by level and latitude."""
    return Table(
        title="Zonal means by level and latitude, root mean square differences",
        columns=("closure - native", "native - native, expected"),
        rows={
            f"{key} [{units}]": tuple(
                _known(differences.get(key, nan))
                for differences in (findings.zonal, findings.zonal_native)
            )
            for key, (_, _, units) in ZONAL.items()
        },
        note="Of means over the days that count and over members, by area and mass. Expected: of "
        "two ensembles of these sizes that differ by weather alone, from each native run's "
        "difference from the mean of the others. T: temperature, q: specific humidity, u: eastward "
        "wind.",
    )


def cost_table(findings: Findings, settings: Settings) -> Table:
    """Return times of the schemes, and of days of the model with each."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for scheme, times in findings.costs.items():
        native = times.get("native")
        for kind, microseconds in times.items():
            ratio = microseconds / native if native else None
            rows[f"{scheme}, {kind}"] = (microseconds, ratio, None, None, None, None)
    expected = findings.expected_days
    for kind, days in findings.days.items():
        values = (days.ratio, *days.span, expected.get(kind), days.second)
        rows[f"whole model, {kind}"] = (None, *values)
    return Table(
        title="Processor time",
        columns=("us a column", "of native", "least", "most", "expected", "s a day"),
        rows=rows,
        note="Scheme and closure are timed in turn on the same columns of a shadow run of "
        f"{settings.n_timing} days, with the model's own compiler flags, on one core. noop: fluxes "
        "of the first step are held, the least that a closure could cost; every_2, every_3: the "
        "native scheme at every second and third step; linear: a closure without hidden layers; "
        f"guarded: columns that the guard flags, {_share(findings.fallback)}, are left to the "
        f"native scheme. Days of the whole model: runs of {settings.n_timing} days, one after "
        f"another in {settings.n_round} rounds; ratios to the native run of the round, their "
        "median, least and most; expected: what the times of the columns alone would make of the "
        "native day.",
    )


def offline_table(offline: Mapping[str, Offline]) -> Table:
    """Return the errors on recorded columns that were left out of the training."""
    return Table(
        title="Offline, recorded columns of days that were left out",
        columns=(
            "fluxes RMSE [W m-2]",
            "net top RMSE",
            "net surface RMSE",
            "net top bias",
            "net surface bias",
            "heating R2 mean",
            "heating R2 least",
            "energy residual",
        ),
        rows={
            name: (
                each.flux_rmse,
                *each.net_rmse,
                *each.net_bias,
                float(each.heating_r2.mean()),
                float(each.heating_r2.min()),
                each.energy_residual,
            )
            for name, each in offline.items()
        },
        note="The last fifth of each quarter of the recorded time; where a quarter is longer than "
        "a season, not all seasons are in it. Heating: the net flux that each of the 10 layers "
        "keeps; energy residual: the largest of a "
        "column [W m-2], in single precision, of what layers keep less what enters and leaves "
        "at both ends, and of sunlight at the top less the insolation; linear: without hidden "
        "layers, of the same features. Sunlight: columns that the sun shines on.",
    )


def rank_table(ranked: Mapping[int, Ranked]) -> Table:
    """Return the runs as one and as several processes."""
    return Table(
        title="As several processes",
        columns=("native [s a day]", "closure [s a day]", "ratio", "columns", "differing"),
        rows={
            f"{n_rank} rank{'s' * (n_rank > 1)}": (
                each.native,
                each.closure,
                each.closure / each.native,
                float(each.n_column),
                float(each.n_differing),
            )
            for n_rank, each in ranked.items()
        },
        note="Processor time, the sum over processes, of runs from a cold start; processes that "
        "wait for another count as busy. Differing: recorded columns in which the closure's fluxes "
        "are not, to the bit, those of the archive evaluated in one batch on the same inputs.",
    )


def response_table(responses: Responses, settings: Settings) -> Table:
    """Return feedback and forcing, with their errors."""
    columns = ("feedback [W m-2 K-1]", "of sunlight", "forcing [W m-2]")
    rows: dict[str, tuple[float | None, ...]] = {}
    for kind, each in responses.of.items():
        estimates = each.feedback, each.shortwave_feedback, each.forcing
        rows[kind] = tuple(estimate.value for estimate in estimates)
        rows[f"{kind}, standard error"] = tuple(estimate.error for estimate in estimates)
    shares = ", ".join(f"{name} {part:.1%}" for name, part in responses.fallback.items())
    return Table(
        title="Response to a warmer sea and to carbon dioxide",
        columns=columns,
        rows=rows,
        note=f"Open water is given: its climatology, or {KELVIN:.0f} K warmer; sea ice is the "
        f"model's. Days {settings.n_response_adjusting} to {settings.n_response} from 1 January. "
        "Feedback: change of the net downward flux at the top for each kelvin of the surface. "
        f"Forcing: its change by twice the carbon dioxide, {DOUBLED:.0f} ppmv, with what land and "
        f"ice make of it. Errors: of means of {N_DAY_OF_BLOCK} days, in which the seasons of the "
        "response are; those of the difference of both models, month by month, are without them. "
        "Columns that the guard flagged were left to the "
        f"model's own schemes: {shares}.",
    )


def _known(value: float) -> float | None:
    return value if isfinite(value) else None


def _share(part: float) -> str:
    return "none counted" if isnan(part) else f"{part:.1%}"
