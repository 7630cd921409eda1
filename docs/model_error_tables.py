"""Tables of the page on model error, from results of named runs."""

from statistics import median
from typing import Any

from markdown_table import markdown_table

from hybrid.experiments.medida_qg.cases import LABELS
from hybrid.experiments.medida_qg.settings import INTERPOLATORS

_ENDS = ("", "_sparse")


def medida_ks_table(results: dict[str, Any]) -> str:
    """Return what was found of every model error of the Kuramoto-Sivashinsky study."""
    ways = ("n05", "n1", "n2", "n1_unknown")
    header = [
        "model error",
        "eps [%]",
        "noise-free",
        *(f"{text} noise" for text in ("0.5 %", "1 %", "2 %", "1 %, unknown")),
        "1 %, as published",
        "c / s.e., 1 %",
        "forecast, noise-free",
        "forecast, 1 %",
        "climate, uncorrected",
        "climate, 1 %",
    ]
    rows = []
    for case in results["choices"]["cases"].split(", "):
        found = [f"{results[f'eps_{case}']:.1g}"]
        for way in (*ways, "n1_published"):
            share = 100 * results[f"terms_ok_{case}_{way}"]
            found.append(f"{results[f'eps_{case}_{way}']:.2g} ({share:.0f} %)")
        compared = [results.get(f"error_ratio_{case}{suffix}") for suffix in ("", "_n1")]
        compared += [results.get(f"w1_{model}_{case}") for model in ("uncorrected", "corrected_n1")]
        rows.append(
            [
                case,
                f"{results[f'eps_before_{case}']:.3g}",
                *found,
                f"{results[f'strength_{case}_n1']:.0f}",
                *("" if value is None else f"{value:.2g}" for value in compared),
            ]
        )
    return markdown_table(header, rows)


def jet_table(results: dict[str, Any]) -> str:
    """Return errors of the coefficients of each imperfect jet, before and after correction [%]."""
    header = ["model", "what is wrong", "error", "every point", "its worst", "sensors", "its worst"]
    rows = []
    for case, label in LABELS.items():
        right = [bool(results[f"terms_ok_{case}{end}"]) for end in ("", "_sparse")]
        found = [
            results[f"{score}_{case}{end}"] for end in ("", "_sparse") for score in ("eps", "worst")
        ]
        marks = [f"{value:.2g}" for value in found]
        marks = [m if right[i // 2] else f"{m} (wrong terms)" for i, m in enumerate(marks)]
        rows.append([case, label, f"{results[f'eps_model_{case}']:.1f}", *marks])
    return markdown_table(header, rows)


def jet_online_table(results: dict[str, Any]) -> str:
    """Return how forecasts and climates of the corrected jets compare with the truth."""
    header = [
        "model",
        "error, uncorrected",
        "every point",
        "sensors",
        "every point, fine steps",
        "sensors, fine steps",
        "climate, uncorrected",
        "every point",
        "sensors",
    ]
    rows = []
    for case in LABELS:
        keys = [
            f"forecast_uncorrected_{case}",
            *(f"{kind}_{case}{end}" for kind in ("forecast", "forecast_fine") for end in _ENDS),
            *(f"climate_{case}{end}" for end in ("_uncorrected", *_ENDS)),
        ]
        values = [results.get(key) for key in keys]
        rows.append([case, *("" if value is None else f"{value:.2g}" for value in values)])
    return markdown_table(header, rows)


def jet_interpolator_table(results: dict[str, Any]) -> str:
    """Return in how many models each interpolator leads to the right terms, and its errors."""
    header = [
        "state from",
        "right terms",
        "and within 10 %",
        "error of psi [%]",
        "of q [%]",
        "waves",
    ]
    rows = [
        [
            label,
            *(f"{results[f'{score}_{name}']:.0f}" for score in ("cases_right", "cases_good")),
            *(f"{results[f'{score}_error_{name}']:.1f}" for score in ("psi", "q")),
            f"{results[f'waves_{name}']:.0f}",
        ]
        for name, label in INTERPOLATORS.items()
        if f"cases_right_{name}" in results
    ]
    return markdown_table(header, rows)


def sparse_regression_table(results: dict[str, Any]) -> str:
    """Return how each regression did with each library, on the finest grid.

    In how many cases it found the right terms, with the median error of the coefficients [%], and
    the time of a fit relative to that of ours, median over the libraries.
    """
    records = results["records"]
    finest = max(record["size"] for record in records)
    by_name: dict[str, dict[str, dict[str, Any]]] = {}
    for record in records:
        if record["size"] == finest:
            by_name.setdefault(record["regression"], {})[record["library"]] = record
    ours = by_name["RVM"]
    rows = []
    for name, found in by_name.items():
        scores = [
            f"{found[library]['right']} of {found[library]['cases']} "
            f"({found[library]['error']:.2g} %)"
            for library in ours
        ]
        times = median(found[library]["seconds"] / ours[library]["seconds"] for library in ours)
        rows.append([name, *scores, f"{times:.2g}"])
    return markdown_table(["regression", *ours, "time / RVM"], rows)
