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

# Groups of benchmarks that time calls of closures, not solvers.
_CALLS = ("bridge", "coupling")


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
    return _markdown(header, rows)


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
    return _markdown(header, rows)


def with_tables(text: str) -> str:
    """Return README text with its marked tables brought up to date."""
    for name, (file, table) in _TABLES.items():
        results = json.loads((DOCS / "results" / file).read_text())
        block = f"<!-- table: {name} -->\n{table(results)}\n<!-- end of table -->"
        pattern = rf"<!-- table: {name} -->\n.*?<!-- end of table -->"
        # What follows a backslash in a replacement would be read as a group.
        text = re.sub(pattern, block.replace("\\", r"\\"), text, flags=re.DOTALL)
    return text


_TABLES = {
    "lorenz96": ("lorenz96-quick.json", lorenz96_table),
    "climsim": ("climsim-quick.json", climsim_table),
    "climsim-reading": ("climsim-reading.json", climsim_reading_table),
    "solver-speed": ("solver-speed.json", solver_speed_table),
}


def _number(value: float) -> str:
    return f"{value:.3g}"


def _microseconds(seconds: float) -> str:
    return f"{1e6 * seconds:.0f}" if seconds >= 1e-4 else _number(1e6 * seconds)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
