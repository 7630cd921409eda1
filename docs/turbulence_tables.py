"""Tables of the page on turbulence, from results of ``hybrid run smarl``."""

from typing import Any

from markdown_table import markdown_table

_SCORES = ("lse", "w1", "t3", "t4")

_CLOSURES = {
    "none": "no closure",
    "smagorinsky": "Smagorinsky, tuned",
    "leith": "Leith, tuned",
    "dynamic_smagorinsky": "dynamic Smagorinsky",
    "dynamic_leith": "dynamic Leith",
    "dynamic_leith_clipped": "dynamic Leith, numerator clipped",
    "backscatter": "biharmonic Leith with backscatter",
    "leith_biharmonic": "Leith + biharmonic Leith, tuned",
    "cma": "CMA-ES on the pair",
    "cma_plain": "CMA-ES from plain",
    "cma_c2": "CMA-ES, c2 alone",
    "eki": "EKI on the pair",
    "ppo": "PPO",
    "cma_spectrum": "CMA-ES, spectrum alone (apart)",
    "cma_published": "CMA-ES, published reward (apart)",
    "floor": "half of the truth beside the other",
}


def smarl_table(results: dict[str, Any]) -> str:
    """Return the scores in the regime that was trained in, medians over seeds."""
    n_seed = results["settings"]["n_seed"]
    header = [
        "closure",
        "spectrum error",
        "Wasserstein distance",
        "beyond 3 sd",
        "beyond 4 sd",
        "lost",
        f"seeds of {n_seed} that pass",
        "cost",
    ]
    rows = [
        [
            label,
            *(_number(results.get(f"{score}_{name}")) for score in _SCORES),
            _count(results.get(f"blowups_{name}")),
            _count(results.get(f"passed_{name}")),
            _cost(results.get(f"cost_{name}")),
        ]
        for name, label in _CLOSURES.items()
        if f"lse_{name}" in results
    ]
    return markdown_table(header, rows)


_REGIMES = {
    "": "k_f = 4 (trained in)",
    "_jets": "beta = 20",
    "_small": "k_f = 8",
    "_turbulent": "half the viscosity",
}


def smarl_transfer_table(results: dict[str, Any]) -> str:
    """Return errors of the spectrum, and Wasserstein distances, by regime."""
    rows = [
        [label, *(_pair(results, name, regime) for regime in _REGIMES)]
        for name, label in _CLOSURES.items()
        if f"lse_{name}" in results
    ]
    return markdown_table(["closure", *_REGIMES.values()], rows)


def smarl_gains_table(results: dict[str, Any]) -> str:
    """Return what learning has brought in single episodes, medians over seeds."""
    n_seed = results["settings"]["n_seed"]
    header = [
        "learner",
        "reward minus the start's",
        "minus the best constant Smagorinsky's",
        f"seeds of {n_seed} ahead of both",
    ]
    rows = [
        [
            _CLOSURES[name],
            *(f"{results[f'gain_{rival}_{name}']:.1f}" for rival in ("start", "constant")),
            _count(results[f"learned_{name}"]),
        ]
        for name in _CLOSURES
        if f"gain_start_{name}" in results
    ]
    return markdown_table(header, rows)


def _pair(results: dict[str, Any], name: str, regime: str) -> str:
    lse, w1 = (results.get(f"{score}_{name}{regime}") for score in ("lse", "w1"))
    if lse is None:
        lost = results.get(f"blowups_{name}{regime}")
        return f"{lost:.0f} lost" if lost else ""
    return f"{lse:.3f} ({w1:.3f})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _cost(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
