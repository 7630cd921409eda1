"""Tables of ClimSim's emulators: scores, what a column costs, runs with them."""

import json
from pathlib import Path
from typing import Any

from markdown_table import markdown_table
from table_numbers import microseconds, number

DOCS = Path(__file__).resolve().parent

_EMULATOR_COLUMNS = ("dT", "dq", "NETSW", "FLWDS", "PRECSC", "PRECC")

_EMULATOR_R2 = ("dT", "dq", "PRECC")


def emulator_costs_table(results: dict[str, Any]) -> str:
    """Return what each emulator costs in the Fortran column host.

    In brackets, the upper end of the 95 % interval of the ratio.
    """
    header = [
        "emulator",
        "preset",
        "parameters",
        "archive [MB]",
        "host [µs/column]",
        "bare call [µs/column]",
        "host / bare call",
        "`reproducible` off",
    ]
    rows = []
    for record in results["records"]:
        n_column = record["n_column"]
        on, off = (
            next(share for share in record["host"] if share["reproducible"] == reproducible)
            for reproducible in (True, False)
        )
        rows.append(
            [
                record["model"],
                record["preset"],
                f"{record['n_parameter']:,}",
                f"{1e-6 * record['archive_bytes']:.1f}",
                *(microseconds(s / n_column) for s in (on["seconds"], record["bare_seconds"])),
                *(f"{share['ratio']:.2f} ({share['high']:.2f})" for share in (on, off)),
            ]
        )
    return markdown_table(header, rows)


def emulator_scores_table(results: dict[str, Any], split: str) -> str:
    """Return errors of every emulator on one split, its size and what a column costs."""
    costs = json.loads((DOCS / "results" / "climsim-emulators.json").read_text())["records"]
    header = [
        "emulator",
        "inputs",
        *_EMULATOR_COLUMNS,
        *(f"R2 {label}" for label in _EMULATOR_R2),
        "CRPS / MAE of dT",
        "seeds",
        "parameters",
        "archive [MB]",
        "training [min]",
        "µs/column",
    ]
    rows = [
        ["climatology", "", *_errors(results, f"climatology_{split}"), "", "", "", "", "", ""],
        [
            "climatology by column and hour",
            "",
            *_errors(results, f"climatology_hourly_{split}"),
            *(6 * [""]),
        ],
    ]
    for name in _names(results, ""):
        key = f"{name}_{split}"
        ratio = results[f"crps_dT_{key}"] / results[f"mae_dT_{key}"]
        model, preset = (results["choices"][f"{what}_{name}"] for what in ("model", "preset"))
        cost = [r for r in costs if (r["model"], r["preset"]) == (model, preset)]
        rows.append(
            [
                results["choices"][f"label_{name}"],
                results["choices"][f"variables_{name}"],
                *_errors(results, key),
                f"{ratio:.2f}" if ratio < 1.0 else "",
                f"{results[f'n_seed_{key}']:.0f}",
                f"{results[f'parameters_{key}']:,.0f}",
                f"{1e-6 * results[f'archive_bytes_{key}']:.1f}",
                f"{results[f'training_seconds_{key}'] / 60:.1f}",
                microseconds(cost[0]["host"][0]["seconds"] / cost[0]["n_column"]) if cost else "",
            ]
        )
    return markdown_table(header, rows)


def emulator_ablation_table(results: dict[str, Any], split: str) -> str:
    """Return errors on validation steps of the MLP and of what differs from it in one thing."""
    header = ["MLP", *_EMULATOR_COLUMNS, *(f"R2 {label}" for label in _EMULATOR_R2)]
    rows = [
        [
            results["choices"][f"label_ablation_{name}"],
            *_errors(results, f"ablation_{name}_{split}"),
        ]
        for name in _names(results, "ablation_")
    ]
    return markdown_table(header, rows)


def emulator_rollout_table(results: dict[str, Any]) -> str:
    """Return how runs with emulators as physics of generated columns differ from the truth."""
    header = [
        f"after {results['settings']['days']} days",
        "T error [K]",
        "by spread",
        "T bias [K]",
        "q error [g/kg]",
        "R2 of heating, first 3 h",
        "rain [mm/day]",
        "energy residual [W m-2]",
        "columns lost [%]",
    ]
    rows = [
        [
            name,
            *(
                f"{run[key]:.2f}"
                for key in ("rmse_end_T", "relative_end_T", "bias_end_T", "rmse_end_q")
            ),
            f"{run['r2_start_T']:.2f}",
            f"{run['precipitation']:.2f}",
            f"{run['energy_residual_mean']:.0f}",
            f"{100 * run['lost']:.0f}",
        ]
        for name, run in results["summary"].items()
    ]
    return markdown_table(header, rows)


def _names(results: dict[str, Any], prefix: str) -> list[str]:
    start = f"label_{prefix}"
    found = [key.removeprefix(start) for key in results["choices"] if key.startswith(start)]
    return [name for name in found if prefix or not name.startswith("ablation_")]


def _errors(results: dict[str, Any], key: str) -> list[str]:
    return [
        *(number(results[f"mae_{label}_{key}"]) for label in _EMULATOR_COLUMNS),
        *(f"{results[f'r2_pooled_{label}_{key}']:.3f}" for label in _EMULATOR_R2),
    ]
