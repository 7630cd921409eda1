"""Tables of the benchmark of two-layer closures, from ``hybrid run quasigeostrophic``."""

from typing import Any

from markdown_table import markdown_table

from closures.quasigeostrophic.sparse_terms import TERMS
from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.learning.offline import LAYERS
from hybrid.experiments.quasigeostrophic.report.learning_tables import term_metric
from hybrid.experiments.quasigeostrophic.scores.ceilings import CEILINGS
from hybrid.experiments.quasigeostrophic.scores.similarity import DISTRIBUTIONAL
from hybrid.experiments.quasigeostrophic.settings import PRESETS

_FLOWS = ("eddy", "jet")
_FITTED_IN = tuple(PRESETS["full"].fitted_in)
_KINDS = ("mean", "min")
_ALL_KINDS = {"mean": "mean", "min": "worst", "distributional": "distr.", "spectral": "spectra"}


def two_layer_table(results: dict[str, Any]) -> str:
    """Return scores online and offline, and costs, of all models that were run."""
    header = [
        "model",
        *(f"{flow} {text}" for flow in _FLOWS for text in _ALL_KINDS.values()),
        "offline, upper / lower",
        "cost",
        "runs eddy / jet",
        "lost",
    ]
    rows = [
        [
            CANDIDATES[name].label + (" **(best)**" if name == results["choices"]["best"] else ""),
            *(_score(results, f"{flow}_{kind}_{name}") for flow in _FLOWS for kind in _ALL_KINDS),
            _offline(results, name),
            f"{results[f'cost_{name}']:.1f}",
            " / ".join(f"{results.get(f'runs_{flow}_{name}', 0):.0f}" for flow in _FLOWS),
            f"{sum(results.get(f'blowups_{flow}_{name}', 0) for flow in _FLOWS):.0f}",
        ]
        for name in CANDIDATES
        if f"cost_{name}" in results
    ]
    floors = [
        _number(results.get(f"similarity_{flow}_{kind}_floor"))
        for flow in _FLOWS
        for kind in _ALL_KINDS
    ]
    rows.append(["half of the truth, beside the other", *floors, *[""] * 4])
    return markdown_table(header, rows)


def two_layer_ahead_table(results: dict[str, Any]) -> str:
    """Return by how much the best closure is ahead of others, with 95 % intervals."""
    header = ["ahead of", *(f"{flow} {kind}" for flow in _FLOWS for kind in ("mean", "worst"))]
    rows = [
        [
            CANDIDATES[name].label,
            *(
                _interval(results, f"ahead_{flow}_{kind}_{name}")
                for flow in _FLOWS
                for kind in _KINDS
            ),
        ]
        for name in CANDIDATES
        if f"ahead_eddy_mean_{name}" in results
    ]
    return markdown_table(header, rows)


def two_layer_ceiling_table(results: dict[str, Any]) -> str:
    """Return what the coarse grid can hold of the truth, beside the best closure."""
    best = results["choices"]["best"]
    header = ["eddy, scores of distributions", "truth, truncated", "and filtered"]
    header.append(CANDIDATES[best].label)
    rows = [
        [
            metric.replace("_", " "),
            *(_number(results[f"ceiling_eddy_{metric}_{kind}"]) for kind in CEILINGS),
            _number(results[f"similarity_eddy_{metric}_{best}"]),
        ]
        for metric in DISTRIBUTIONAL
    ]
    return markdown_table(header, rows)


def two_layer_network_table(results: dict[str, Any]) -> str:
    """Return what networks were trained on and what they are offline, beside the published one."""
    header = [
        *("network", "weights", "samples", "hours of a core"),
        *(f"offline {flow}, upper / lower" for flow in _FLOWS),
    ]
    rows = [
        [
            CANDIDATES[name].label,
            f"{results[f'training_weights_{name}']:.0f}",
            f"{results[f'training_samples_{name}']:.0f}",
            f"{results[f'training_seconds_{name}'] / 3600.0:.2f}",
            _offline(results, name),
            _offline(results, name, "jet_"),
        ]
        for name in CANDIDATES
        if f"training_samples_{name}" in results
    ]
    rows.append(["FCNN as published, Ross et al. (2023)", *[""] * 3, "0.94 / 0.97", "0.92 / 0.89"])
    return markdown_table(header, rows)


def two_layer_exchange_table(results: dict[str, Any]) -> str:
    """Return the energy that closures give and take offline, in parts of the target's."""
    kinds = ("given", "taken")
    header = ["closure", *(f"{flow}, {kind}" for flow in _FLOWS for kind in kinds)]
    prefixes = ("offline", "offline_jet")
    rows = [
        [
            CANDIDATES[name].label,
            *(
                _number(results.get(f"{prefix}_energy_{kind}_{name}"))
                for prefix in prefixes
                for kind in kinds
            ),
        ]
        for name in CANDIDATES
        if f"offline_energy_given_{name}" in results
    ]
    rates = (f"{results[f'{p}_target_energy_{kind}']:.2g}" for p in prefixes for kind in kinds)
    rows.append(["subgrid tendency [m2 s-3]", *rates])
    return markdown_table(header, rows)


def two_layer_energy_table(results: dict[str, Any]) -> str:
    """Return the energy that closure and filter give and take in runs, beside the target's."""
    kinds = ("given", "taken")
    header = ["model, 1e-12 m2 s-3", *(f"{f}, {k}" for f in _FLOWS for k in (*kinds, "net"))]
    labels = {"truth": "truth, its own filter", **{n: c.label for n, c in CANDIDATES.items()}}
    labels["target"] = "subgrid tendency, second half of a run"
    rows = []
    for name, label in labels.items():
        if f"energy_eddy_given_{name}" not in results:
            continue
        row = [label]
        for flow in _FLOWS:
            found = [results.get(f"energy_{flow}_{kind}_{name}") for kind in kinds]
            if None in found:
                row += [""] * 3
                continue
            given, taken = (1e12 * value for value in found)
            row += [f"{value:.2f}" for value in (given, taken, given - taken)]
        rows.append(row)
    return markdown_table(header, rows)


def two_layer_fit_table(results: dict[str, Any]) -> str:
    """Return the coefficients that were fitted, round by round, with standard deviations."""
    rows: list[list[str]] = []
    while f"fit_{len(rows)}_c6" in results:
        fit = f"fit_{len(rows)}"
        values = (
            f"{results[f'{fit}_{name}']:.{digits}f} ± {results[f'{fit}_{name}_spread']:.{digits}f}"
            for name, digits in (("c6", 5), ("exponent", 2), ("returned", 2), ("cutoff", 3))
        )
        scores = (
            _number(results[f"{fit}_{name}_{flow}"])
            for flow in _FITTED_IN
            for name in ("mean", "worst")
        )
        rows.append([f"{len(rows) + 1}", *values, *scores, f"{results[f'{fit}_runs']:.0f}"])
    header = [
        *("round", "c6", "exponent", "energy returned", "filter from [pi / spacing]"),
        *(f"{flow}: fitted {name}" for flow in _FITTED_IN for name in ("mean", "worst")),
        "runs",
    ]
    return markdown_table(header, rows)


def two_layer_sparse_table(results: dict[str, Any]) -> str:
    """Return the terms that sparse regression found, with their coefficients."""
    rows = [
        [layer, term.name, f"{results[key]:.3g}", term.units]
        for layer in LAYERS
        for term in TERMS
        if (key := term_metric(layer, term)) in results
    ]
    return markdown_table(["layer", "term", "coefficient", "units"], rows)


def two_layer_hosted_table(results: dict[str, Any]) -> str:
    """Return the scores of closures in the compiled loop and in the Fortran host."""
    rows = []
    for name in CANDIDATES:
        for kind, text in _ALL_KINDS.items():
            if (hosted := results.get(f"hosted_{kind}_{name}")) is not None:
                key = f"hosted_difference_{kind}_{name}"
                scores = _number(hosted - results[key]), _number(hosted), _interval(results, key)
                floor = _number(results[f"hosted_floor_{kind}_{name}"])
                rows.append([f"{CANDIDATES[name].label}, {text}", *scores, floor])
    header = ["eddy", "compiled loop", "Fortran", "difference", "floor"]
    return markdown_table(header, rows)


def _score(results: dict[str, Any], key: str) -> str:
    return _interval(results, f"similarity_{key}")


def _interval(results: dict[str, Any], key: str) -> str:
    half = results.get(f"{key}_interval")
    return _number(results.get(key)) + (f" ± {half:.2f}" if half is not None else "")


def _offline(results: dict[str, Any], name: str, flow: str = "") -> str:
    found = [results.get(f"offline_{flow}corr_{layer}_{name}") for layer in ("upper", "lower")]
    return " / ".join(map(_number, found)) if any(value is not None for value in found) else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
