"""Tables of the page on performance that no other page has."""

from typing import Any

from markdown_table import markdown_table


def of_groups(results: dict[str, Any], *groups: str) -> dict[str, Any]:
    """Return results with the records of some groups alone."""
    kept = [record for record in results["records"] if record["group"] in groups]
    return {**results, "records": kept}


def bridge_call_table(results: dict[str, Any]) -> str:
    """Return what a call from Python costs through the bridge, beside PyTorch's own."""
    header = [
        "closure",
        "columns",
        "PyTorch [µs]",
        "bridge [µs]",
        "bridge / PyTorch",
        "`reproducible` off / PyTorch",
    ]
    loose = "bridge, not reproducible"
    rows = [
        [
            record["closure"],
            str(record["n_column"]),
            microseconds(record["pytorch"]),
            microseconds(record["bridge"]),
            f"{record['bridge_by_pytorch']:.2f}{_interval(record, 'bridge')}",
            f"{record['not_reproducible_by_pytorch']:.2f}{_interval(record, loose)}",
        ]
        for record in results["records"]
    ]
    return markdown_table(header, rows)


def coupling_table(results: dict[str, Any]) -> str:
    """Return what a step of two-layer flow costs by the way its closure is called."""
    header = ["closure", "grid", "step [µs]", "step / step without"]
    rows = [
        [
            record["closure"],
            record["size"],
            microseconds(record["step"]),
            f"{record['step_by_bare_step']:.2f}",
        ]
        for record in results["records"]
    ]
    return markdown_table(header, rows)


def engines_table(results: dict[str, Any], net: str) -> str:
    """Return how many times as fast as the way by hand each way is, by number of columns."""
    records = [record for record in results["records"] if record["net"] == net]
    sizes = list(dict.fromkeys(record["n_column"] for record in records))
    header = [f"net {net}, columns", *map(str, sizes)]
    by_way: dict[str, dict[int, dict[str, Any]]] = {}
    for record in records:
        by_way.setdefault(way(record), {})[record["n_column"]] = record
    base, *others = by_way
    rows = [
        [f"{base} [µs]", *(microseconds(by_way[base][n]["seconds"]) for n in sizes)],
        *(
            [name, *(_times(found.get(n)) for n in sizes)]
            for name, found in ((name, by_way[name]) for name in others)
        ),
    ]
    return markdown_table(header, rows)


def closures_table(results: dict[str, Any]) -> str:
    """Return how many times as fast as TorchScript the native engine is, closure by closure."""
    records = results["records"]
    sizes = list(dict.fromkeys(record["n_column"] for record in records))
    by_closure: dict[str, dict[int, dict[str, Any]]] = {}
    for record in records:
        by_closure.setdefault(record["closure"], {})[record["n_column"]] = record
    header = ["closure, columns", *map(str, sizes)]
    rows = [[name, *(_times(found.get(n)) for n in sizes)] for name, found in by_closure.items()]
    return markdown_table(header, rows)


def loading_table(results: dict[str, Any]) -> str:
    """Return what a host pays before its first result, by engine."""
    header = ["net", "engine", "load to first result [ms]", "times faster", "resident [MB]"]
    rows = [
        [
            record["net"],
            record["engine"],
            f"{1e3 * record['seconds']:.3g}",
            _times(record),
            f"{record['resident'] / 1024.0:.0f}",
        ]
        for record in results["records"]
    ]
    return markdown_table(header, rows)


def threads_table(results: dict[str, Any]) -> str:
    """Return what a second thread gains, by net and number of columns."""
    header = ["net", "columns", "threads", "step [µs]", "times as fast as on one"]
    rows = [
        [
            record["net"],
            str(record["n_column"]),
            str(record["n_thread"]),
            microseconds(record["seconds"]),
            _times(record),
        ]
        for record in results["records"]
    ]
    return markdown_table(header, rows)


def way(record: dict[str, Any]) -> str:
    """Return what a record of the engines is called."""
    return f"{record['way']}, {record['isa']}" if record["isa"] else str(record["way"])


def moist_columns_table(results: dict[str, Any]) -> str:
    """Return what a step of a moist column costs in either scheme."""
    rows = [
        [record["size"], record["variant"], microseconds(record["step_by_work"])]
        for record in results["records"]
    ]
    return markdown_table(["columns", "scheme", "a column [µs]"], rows)


def microseconds(seconds: float) -> str:
    """Return a time to three digits.

    Examples
    --------
    >>> microseconds(1.234e-6), microseconds(0.012345)
    ('1.23', '12345')
    """
    return f"{1e6 * seconds:.0f}" if seconds >= 1e-4 else f"{1e6 * seconds:.3g}"


def _interval(record: dict[str, Any], name: str) -> str:
    """Return the upper end of an interval, which older reports lack."""
    for comparison in record.get("comparisons", ()):
        if comparison["what"].endswith(f"columns, {name}"):
            return f" ({comparison['high']:.2f})"
    return ""


def _times(record: dict[str, Any] | None) -> str:
    if record is None:
        return ""
    return f"{record['speed_up']:.2f} ({record['low']:.2f} to {record['high']:.2f})"
