"""Tables of README.md: the quick presets of Lorenz-96 and ClimSim."""

from typing import Any

from markdown_table import markdown_table
from table_numbers import number

_LORENZ96_ROWS = {
    "floor": "another run of the truth",
    "none": "no closure",
    "cubic": "cubic",
    "cubic_ar1": "cubic + AR(1)",
    "mlp_ar1": "MLP + AR(1)",
}

_CLIMSIM_ROWS = {"climatology": "climatology", "ridge": "ridge", "mlp": "MLP"}

_CLIMSIM_COLUMNS = ("dT", "dq", "NETSW", "FLWDS", "PRECC")


def lorenz96_table(results: dict[str, Any]) -> str:
    """Return the climate and forecast scores in the Fortran host, for c = 10 and c = 4."""
    columns = ("hellinger", "wasserstein", "crps")
    header = [
        "in the Fortran model",
        *(f"{name}, c={c}" for c in (10, 4) for name in ("Hellinger", "Wasserstein", "CRPS")),
    ]
    rows = [
        [
            label,
            *(number(results[f"{column}_{name}{s}"]) for s in ("", "_c4") for column in columns),
        ]
        for name, label in _LORENZ96_ROWS.items()
    ]
    return markdown_table(header, rows)


def climsim_table(results: dict[str, Any]) -> str:
    """Return mean absolute errors [W m-2] on both splits."""
    header = [
        "MAE [W m-2]",
        *(f"{column}{s}" for s in ("", ", season") for column in _CLIMSIM_COLUMNS),
    ]
    rows = [
        [
            label,
            *(
                number(results[f"mae_{column}_{name}{suffix}"])
                for suffix in ("", "_season")
                for column in _CLIMSIM_COLUMNS
            ),
        ]
        for name, label in _CLIMSIM_ROWS.items()
    ]
    return markdown_table(header, rows)
