"""Write the tables of README.md and of the guide from the results of named runs in docs/results.

Usage: python docs/tables.py. A test holds these pages to what this would write.
"""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ensemble_tables import ensemble_costs_table, ensemble_training_table
from markdown_table import markdown_table
from model_error_tables import (
    jet_interpolator_table,
    jet_online_table,
    jet_table,
    medida_ks_table,
    sparse_regression_table,
)
from multifidelity_tables import CLIMSIM, GENERATED, LORENZ96, lead_table, shifted_table
from plasim_tables import plasim_climate_table, plasim_column_table, plasim_day_table
from turbulence_tables import (
    smarl_gains_table,
    smarl_table,
    smarl_transfer_table,
)
from two_layer_tables import two_layer_ahead_table, two_layer_ceiling_table, two_layer_table
from values import with_values

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"
COST = DOCS / "guide" / "cost.md"
COLUMN_HOST = DOCS / "column_host.md"
COLUMNS = DOCS / "column_physics.md"
EMULATORS = DOCS / "emulators.md"
MULTIFIDELITY = DOCS / "multifidelity.md"
MODEL_ERROR = DOCS / "model_error.md"
ENSEMBLES = DOCS / "ensembles.md"
TURBULENCE = DOCS / "turbulence.md"
LEARNED_TURBULENCE = DOCS / "learned_turbulence.md"
PARALLEL = DOCS / "guide" / "parallel.md"
PLASIM = DOCS / "plasim.md"
TWO_LAYER = DOCS / "quasigeostrophic_benchmark.md"
PAGES = (
    *(README, COST, COLUMN_HOST, COLUMNS, EMULATORS, MULTIFIDELITY, MODEL_ERROR, ENSEMBLES),
    TURBULENCE,
    LEARNED_TURBULENCE,
    PARALLEL,
    PLASIM,
    TWO_LAYER,
)

_LORENZ96_ROWS = {
    "floor": "another run of the truth",
    "none": "no closure",
    "cubic": "cubic",
    "cubic_ar1": "cubic + AR(1)",
    "mlp_ar1": "MLP + AR(1)",
}
_CLIMSIM_ROWS = {"climatology": "climatology", "ridge": "ridge", "mlp": "MLP"}
_EMULATOR_COLUMNS = ("dT", "dq", "NETSW", "FLWDS", "PRECSC", "PRECC")
_EMULATOR_R2 = ("dT", "dq", "PRECC")
_CLIMSIM_COLUMNS = ("dT", "dq", "NETSW", "FLWDS", "PRECC")

# Groups of benchmarks that time calls of closures, not solvers.
_CALLS = ("bridge", "coupling")

# What the C library does with large pieces of freed memory.
_MEMORIES = ("returned", "kept")


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
                _number(results[f"mae_{column}_{name}{suffix}"])
                for suffix in ("", "_season")
                for column in _CLIMSIM_COLUMNS
            ),
        ]
        for name, label in _CLIMSIM_ROWS.items()
    ]
    return markdown_table(header, rows)


def solver_speed_table(results: dict[str, Any]) -> str:
    """Return what a step of each solver costs, with its default FFT library and with others."""
    header = [
        "solver",
        "size",
        "step [µs]",
        "FFT",
        "compared with",
        "times faster",
        "with FFTW",
        "with rocket-fft",
    ]
    records = [record for record in results["records"] if record["group"] not in _CALLS]
    rows = []
    for record in records:
        if record["default"] is False:
            continue
        same = {
            other["variant"]: other["speed_up"]
            for other in records
            if all(other[key] == record[key] for key in ("model", "size", "peer"))
        }
        library = record["transforms"] is not None
        rows.append(
            [
                record["model"] if record["default"] else f"{record['model']}, {record['variant']}",
                record["size"],
                _microseconds(record["step"]),
                record["variant"] if library else "",
                record["peer"] or "",
                *(_ratio(same.get(name)) for name in (record["variant"], "fftw", "rocket-fft")),
            ]
        )
    return markdown_table(header, rows)


def overhead_table(results: dict[str, Any]) -> str:
    """Return how many times as long as its peers a step through the bridge takes.

    Of the orders of the host's arrays, the one that costs more; in brackets, the upper end of the
    95 % interval.
    """
    header = [
        "net",
        "columns",
        "beside",
        "which takes [µs]",
        *(
            f"`reproducible` {mode}, freed memory {memory}"
            for mode in ("off", "on")
            for memory in _MEMORIES
        ),
    ]
    by_case: dict[tuple[str, int, str], dict[str, dict[str, Any]]] = {}
    for record in results["records"]:
        if record["engine"] == "torchscript":
            case = (record["net"], record["n_column"], record["peer"])
            by_case.setdefault(case, {})[record["memory"]] = record
    rows = [
        [
            net,
            str(n_column),
            peer,
            _microseconds(by_memory[_MEMORIES[0]]["peer_seconds"]),
            *(
                _share(by_memory[memory], reproducible=reproducible)
                for reproducible in (False, True)
                for memory in _MEMORIES
            ),
        ]
        for (net, n_column, peer), by_memory in by_case.items()
    ]
    return markdown_table(header, rows)


def climsim_reading_table(results: dict[str, Any]) -> str:
    """Return what a time step of ClimSim, a sample in a batch and a conversion cost."""
    header = ["ClimSim's files", "variables", "way", "measured", "times direct"]
    rows = []
    for record in results["records"]:
        if record["task"] == "conversion":
            measured = f"{record['peak']:.0f} MiB at most"
        elif record["task"] == "batches":
            measured = f"{round(1e-4 / record['seconds']) / 100:.2f} million samples/s"
        else:
            measured = f"{1e3 * record['seconds']:.2f} ms"
        times = ""
        if record["by_ours_low"] is not None and record["way"] != "direct":
            low, high = record["by_ours_low"], record["by_ours_high"]
            times = f"{record['by_ours']:.1f} ({low:.1f} to {high:.1f})"
        rows.append([record["task"], record["variables"], record["way"], measured, times])
    return markdown_table(header, rows)


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
                *(_microseconds(s / n_column) for s in (on["seconds"], record["bare_seconds"])),
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
                _microseconds(cost[0]["host"][0]["seconds"] / cost[0]["n_column"]) if cost else "",
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
        *(_number(results[f"mae_{label}_{key}"]) for label in _EMULATOR_COLUMNS),
        *(f"{results[f'r2_pooled_{label}_{key}']:.3f}" for label in _EMULATOR_R2),
    ]


def column_rollout_table(results: dict[str, Any]) -> str:
    """Return errors of the references of a rollout by the damping time of the flow."""
    header = [
        f"day {results['days']}, by `--damping`",
        *(f"{score}, {damping}" for damping in results["damping"] for score in ("T [K]", "lost")),
    ]
    names = list(next(iter(results["damping"].values())))
    rows = [
        [
            name,
            *(text for runs in results["damping"].values() for text in _survived(runs[name])),
        ]
        for name in names
    ]
    return markdown_table(header, rows)


def column_budgets_table(results: dict[str, Any]) -> str:
    """Return what changes energy and water of the truth's columns, and what they store."""
    truth = results["truth"]
    rows = []
    for label, name in (
        ("energy [W m-2]", "energy_budget"),
        ("water [mm/day]", "water_budget"),
    ):
        terms = [truth[name][term] for term in ("physics", "surface", "flow")]
        rows.append([label, *(_number(term) for term in (*terms, sum(terms)))])
    return markdown_table(["truth", "physics", "surface", "flow", "stored"], rows)


def column_climate_table(results: dict[str, Any]) -> str:
    """Return means of the truth by thirds of the run."""
    truth = results["truth"]
    days = truth["days"] / 3
    header = ["mean of the truth", *(f"days {days * i:g} to {days * (i + 1):g}" for i in range(3))]
    temperature = [f"{value:.2f}" for value in truth["temperature_by_thirds"]]
    vapour = [f"{1000 * value:.3f}" for value in truth["vapour_by_thirds"]]
    return markdown_table(header, [["temperature [K]", *temperature], ["vapour [g/kg]", *vapour]])


def eddy_viscosity_table(results: dict[str, Any]) -> str:
    """Return what a step costs with each eddy viscosity, and in units of constant Leith."""
    rows = [
        [
            record["closure"],
            _number(1e6 * record["step"]),
            f"{record['ratio']:.2f}",
            f"{record['low']:.2f} to {record['high']:.2f}",
        ]
        for record in results["records"]
    ]
    return markdown_table(["closure", "µs/step", "of constant Leith", "95 % interval"], rows)


def with_tables(text: str) -> str:
    """Return the text of a page with its marked tables and values brought up to date."""
    for name, (file, table) in _TABLES.items():
        if f"<!-- table: {name} -->" not in text:
            continue
        results = json.loads((DOCS / "results" / file).read_text())
        block = f"<!-- table: {name} -->\n{table(results)}\n<!-- end of table -->"
        pattern = rf"<!-- table: {name} -->\n.*?<!-- end of table -->"
        # What follows a backslash in a replacement would be read as a group.
        text = re.sub(pattern, block.replace("\\", r"\\"), text, flags=re.DOTALL)
    return with_values(text)


_TABLES: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "lorenz96": ("lorenz96-quick.json", lorenz96_table),
    "climsim": ("climsim-quick.json", climsim_table),
    "climsim-reading": ("climsim-reading.json", climsim_reading_table),
    "solver-speed": ("solver-speed.json", solver_speed_table),
    "emulators": (
        "emulators-full.json",
        lambda results: emulator_scores_table(results, "interleaved"),
    ),
    "emulators-season": (
        "emulators-full.json",
        lambda results: emulator_scores_table(results, "season"),
    ),
    "ablation": (
        "emulators-full.json",
        lambda results: emulator_ablation_table(results, "interleaved"),
    ),
    "ablation-season": (
        "emulators-full.json",
        lambda results: emulator_ablation_table(results, "season"),
    ),
    "emulators-rollout": ("emulators-rollout.json", emulator_rollout_table),
    "multifidelity": ("multifidelity-full.json", partial(shifted_table, bed=GENERATED)),
    "multifidelity-leads": ("multifidelity-full.json", partial(lead_table, bed=GENERATED)),
    "multifidelity-lorenz96": ("multifidelity-full.json", partial(shifted_table, bed=LORENZ96)),
    "multifidelity-lorenz96-leads": ("multifidelity-full.json", partial(lead_table, bed=LORENZ96)),
    "multifidelity-climsim": ("multifidelity-full.json", partial(shifted_table, bed=CLIMSIM)),
    "multifidelity-climsim-leads": ("multifidelity-full.json", partial(lead_table, bed=CLIMSIM)),
    "medida-ks": ("medida-ks-full.json", medida_ks_table),
    "sparse-regression": ("sparse-regression.json", sparse_regression_table),
    "medida-qg": ("medida-qg-full.json", jet_table),
    "medida-qg-online": ("medida-qg-full.json", jet_online_table),
    "medida-qg-interpolators": ("medida-qg-full.json", jet_interpolator_table),
    "column-rollout": ("column-rollout.json", column_rollout_table),
    "column-budgets": ("column-rollout.json", column_budgets_table),
    "column-climate": ("column-rollout.json", column_climate_table),
    "bridge-overhead": ("bridge-overhead.json", overhead_table),
    "climsim-emulators": ("climsim-emulators.json", emulator_costs_table),
    "smarl": ("smarl-full.json", smarl_table),
    "plasim-quick-climate": ("plasim-quick.json", plasim_climate_table),
    "plasim-quick-column": ("plasim-quick.json", plasim_column_table),
    "plasim-quick-day": ("plasim-quick.json", plasim_day_table),
    "smarl-transfer": ("smarl-full.json", smarl_transfer_table),
    "smarl-gains": ("smarl-full.json", smarl_gains_table),
    "two-layer": ("quasigeostrophic-full.json", two_layer_table),
    "two-layer-ahead": ("quasigeostrophic-full.json", two_layer_ahead_table),
    "two-layer-ceiling": ("quasigeostrophic-full.json", two_layer_ceiling_table),
    "eddy-viscosity": ("eddy-viscosity.json", eddy_viscosity_table),
    "ensembles": ("ensembles.json", ensemble_costs_table),
    "ensemble-training": ("ensembles.json", ensemble_training_table),
}


def _survived(run: dict[str, float | None]) -> tuple[str, str]:
    error, lost = run["rmse_end_T"], run["lost"]
    assert lost is not None
    return "" if error is None else _number(error), f"{100 * lost:.0f} %"


def _number(value: float) -> str:
    return f"{value:.3g}"


def _microseconds(seconds: float) -> str:
    return f"{1e6 * seconds:.0f}" if seconds >= 1e-4 else _number(1e6 * seconds)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _share(record: dict[str, Any], *, reproducible: bool) -> str:
    shares = [share for share in record["bridge"] if share["reproducible"] == reproducible]
    slowest = max(shares, key=lambda share: float(share["high"]))
    return f"{slowest['ratio']:.2f} ({slowest['high']:.2f})"


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(with_tables(page.read_text()))
