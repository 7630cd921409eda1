"""Write the tables of README.md from the results of named runs in docs/results.

Usage: python docs/tables.py. A test holds README.md to what this would write.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"

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
            *(_number(results[f"{column}_{name}{s}"]) for s in ("", "_c4") for column in columns),
        ]
        for name, label in _LORENZ96_ROWS.items()
    ]
    return _markdown(header, rows)


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
                _number(results[f"mae_{column}_{name}{suffix}"])
                for suffix in ("", "_season")
                for column in _CLIMSIM_COLUMNS
            ),
        ]
        for name, label in _CLIMSIM_ROWS.items()
    ]
    return _markdown(header, rows)


def with_tables(text: str) -> str:
    """Return README text with its marked tables brought up to date."""
    for name, table in (("lorenz96", lorenz96_table), ("climsim", climsim_table)):
        results = json.loads((DOCS / "results" / f"{name}-quick.json").read_text())
        block = f"<!-- table: {name} -->\n{table(results)}\n<!-- end of table -->"
        pattern = rf"<!-- table: {name} -->\n.*?<!-- end of table -->"
        text = re.sub(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
    return text


def _number(value: float) -> str:
    return f"{value:.3g}"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
