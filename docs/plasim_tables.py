"""Tables of the page on PlaSim, from results of ``hybrid run plasim``."""

from typing import Any

from markdown_table import markdown_table

_MEANS = {
    "Ts": "surface temperature [K]",
    "OLR": "outgoing longwave [W m-2]",
    "TOA": "net flux at the top [W m-2]",
    "PW": "precipitable water [kg m-2]",
    "P": "precipitation [mm day-1]",
}

_RIVALS = {
    "closure": "the closure",
    "noop": "no-op: fluxes of the first step",
    "every_2": "own scheme at every 2nd step",
    "every_3": "own scheme at every 3rd step",
}


def plasim_climate_table(results: dict[str, Any]) -> str:
    """Return global means of the model, and what the closure changes."""
    header = ["global mean", "PlaSim", "closure - PlaSim", "in sd of its ensemble"]
    rows = [
        [
            label,
            f"{results[f'{name}_native']:.2f}",
            f"{results[f'd{name}']:+.3f}",
            f"{results[f'd{name}_in_spreads']:+.1f}",
        ]
        for name, label in _MEANS.items()
    ]
    return markdown_table(header, rows)


def plasim_cost_table(results: dict[str, Any]) -> str:
    """Return what the scheme and a day of the model cost, beside the model's own scheme."""
    day = results["seconds_a_day_native"]
    ratios = {
        "closure": results["longwave_time_ratio"],
        "noop": results["longwave_noop_time_ratio"],
    }
    rows = [
        [
            label,
            f"{ratios[name]:.3f}" if name in ratios else "",
            f"{results[f'seconds_a_day_{name}'] / day:.2f}",
        ]
        for name, label in _RIVALS.items()
    ]
    return markdown_table(["longwave by", "a column", "a day of the whole model"], rows)
