"""Tables of the page on PlaSim, from results of ``hybrid run plasim``."""

from typing import Any

from markdown_table import markdown_table

_MEANS = {
    "Ts": "surface temperature [K]",
    "OLR": "outgoing longwave [W m-2]",
    "TOA": "net flux at the top [W m-2]",
    "SFC": "net flux at the surface [W m-2]",
    "PW": "precipitable water [kg m-2]",
    "P": "precipitation [mm day-1]",
}
_RELATIVE = ("PW", "P")
_PROFILES = {
    "T": "temperature [K]",
    "q": "specific humidity [g kg-1]",
    "u": "eastward wind [m s-1]",
}
_SCHEMES = {"longwave": "longwave", "shortwave": "sunlight", "convection": "moist convection"}
_BY = {
    "": "the closure",
    "linear_": "linear closure of the same features",
    "noop_": "no-op: fluxes of the first step",
}
_DAYS = {
    "closure": "the closures",
    "guarded": "the closures, flagged columns left to PlaSim",
    "linear": "linear closures",
    "noop": "no-op",
    "every_2": "own schemes at every 2nd step",
    "every_3": "own schemes at every 3rd step",
}
_RESPONSES = {
    "feedback": "feedback [W m-2 K-1]",
    "shortwave_feedback": "of which sunlight",
    "forcing": "forcing by twice the carbon dioxide [W m-2]",
}
_CHEAP = {"betts_miller": "Betts-Miller", "adjustment": "adjustment"}


def plasim_climate_table(results: dict[str, Any]) -> str:
    """Return global means of the model, and what the closures change."""
    header = ["global mean", "PlaSim", "closure - PlaSim", "[%]", "standard error", "p"]
    header.append("in sd of a year")
    rows = [
        [
            label,
            f"{results[f'{name}_native']:.2f}",
            f"{results[f'd{name}']:+.3f}",
            f"{100 * results[f'd{name}'] / results[f'{name}_native']:+.1f}"
            if name in _RELATIVE
            else "",
            _known(results, f"d{name}_error", ".3f"),
            _known(results, f"d{name}_p", ".3f"),
            f"{results[f'd{name}_in_spreads']:+.1f}",
        ]
        for name, label in _MEANS.items()
        if f"d{name}" in results
    ]
    return markdown_table(header, rows)


def plasim_trend_table(results: dict[str, Any]) -> str:
    """Return by how much global means change in a year."""
    rows = [
        [label, *(f"{results[f'{name}_trend_{kind}']:+.3f}" for kind in ("native", "closure"))]
        for name, label in _MEANS.items()
    ]
    return markdown_table(["change in a year", "PlaSim", "with closures"], rows)


def plasim_zonal_table(results: dict[str, Any]) -> str:
    """Return differences of zonal means by level."""
    rows = [
        [
            label,
            *(_known(results, f"zonal_{name}_rms{suffix}", ".2f") for suffix in ("", "_native")),
        ]
        for name, label in _PROFILES.items()
    ]
    header = ["zonal means, rms difference", "closure - PlaSim", "expected of PlaSim alone"]
    return markdown_table(header, rows)


def plasim_column_table(results: dict[str, Any]) -> str:
    """Return what a column costs, beside the model's own scheme."""
    schemes = [name for name in _SCHEMES if f"{name}_time_ratio" in results]
    rows = [
        [label, *(_known(results, f"{name}_{by}time_ratio", ".3f") for name in schemes)]
        for by, label in _BY.items()
        if any(f"{name}_{by}time_ratio" in results for name in schemes)
    ]
    return markdown_table(["a column, by", *(_SCHEMES[name] for name in schemes)], rows)


def plasim_day_table(results: dict[str, Any]) -> str:
    """Return what a day of the model costs, beside the model with its own schemes."""
    rows = [
        [
            label,
            *(f"{results[f'day_ratio_{name}{which}']:.2f}" for which in ("", "_least", "_most")),
            _known(results, f"day_ratio_{name}_expected", ".2f"),
        ]
        for name, label in _DAYS.items()
        if f"day_ratio_{name}" in results
    ]
    header = [
        "a day of the whole model, with",
        "of PlaSim's time",
        "least round",
        "most",
        "by its columns",
    ]
    return markdown_table(header, rows)


def plasim_response_table(results: dict[str, Any]) -> str:
    """Return feedback and forcing with their standard errors."""
    rows = [
        [
            label,
            *(
                f"{results[f'{name}_{kind}']:.2f} ± {results[f'{name}_{kind}_error']:.2f}"
                for kind in ("native", "closure")
            ),
        ]
        for name, label in _RESPONSES.items()
    ]
    return markdown_table(["with its standard error", "PlaSim", "with closures"], rows)


def plasim_fidelity_table(results: dict[str, Any]) -> str:
    """Return R2 of closures of moist convection, by the scheme of low fidelity."""
    header = ["closure, from two schemes"]
    header += [f"{label}, {climate}" for label in _CHEAP.values() for climate in ("now", "+4 K")]
    labels = {
        name.removeprefix("label_"): label
        for name, label in results["choices"].items()
        if name.startswith("label_")
    }
    rows = [
        [
            label,
            *(
                " / ".join(
                    f"{results[f'convection_{cheap}_r2_{variable}_{climate}_{name}']:.2f}"
                    for variable in ("heating", "moistening")
                )
                for cheap in _CHEAP
                for climate in ("present", "p4k")
            ),
        ]
        for name, label in labels.items()
    ]
    return markdown_table(header, rows)


def _known(results: dict[str, Any], name: str, form: str) -> str:
    return format(results[name], form) if name in results else ""
