"""Tables of what solvers, calls of closures and reading of data cost."""

from typing import Any

from markdown_table import markdown_table
from table_numbers import microseconds, number

# Groups of benchmarks that time calls of closures, not solvers.
_CALLS = ("bridge", "coupling")

# What the C library does with large pieces of freed memory.
_MEMORIES = ("returned", "kept")


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
                microseconds(record["step"]),
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
            microseconds(by_memory[_MEMORIES[0]]["peer_seconds"]),
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


def eddy_viscosity_table(results: dict[str, Any]) -> str:
    """Return what a step costs with each eddy viscosity, and in units of constant Leith."""
    rows = [
        [
            record["closure"],
            number(1e6 * record["step"]),
            f"{record['ratio']:.2f}",
            f"{record['low']:.2f} to {record['high']:.2f}",
        ]
        for record in results["records"]
    ]
    return markdown_table(["closure", "µs/step", "of constant Leith", "95 % interval"], rows)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _share(record: dict[str, Any], *, reproducible: bool) -> str:
    shares = [share for share in record["bridge"] if share["reproducible"] == reproducible]
    slowest = max(shares, key=lambda share: float(share["high"]))
    return f"{slowest['ratio']:.2f} ({slowest['high']:.2f})"
