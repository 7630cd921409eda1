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


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _cost(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
