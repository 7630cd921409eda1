"""Run the benchmarks and print what they measured: ``python -m benchmarks``."""

import tempfile
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.bridge_call import Cost, measure
from benchmarks.networks import networks


def table(costs: list[Cost]) -> Table:
    """Return the measurements, one row a closure and number of columns."""
    result = Table(
        title="One call through the bridge beside the bare PyTorch call: median microseconds",
        caption="ratio: bridge / PyTorch; one thread",
    )
    result.add_column("closure")
    for heading in ("columns", "PyTorch", "bridge", "ratio", "not reproducible", "ratio"):
        result.add_column(heading, justify="right")
    for cost in costs:
        result.add_row(
            cost.closure,
            str(cost.n_column),
            f"{1e6 * cost.eager:.1f}",
            f"{1e6 * cost.bridge:.1f}",
            f"{cost.bridge / cost.eager:.2f}",
            f"{1e6 * cost.bridge_not_reproducible:.1f}",
            f"{cost.bridge_not_reproducible / cost.eager:.2f}",
        )
    return result


def main() -> None:
    """Measure every network and print the table."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        costs = [cost for network in networks() for cost in measure(network, Path(folder))]
    Console().print(table(costs))


if __name__ == "__main__":
    main()
