"""The committed overheads are those of a whole run, and hold the bars of the bridge."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.overhead import BARE, HONEST, HONEST_SIZES, MEMORY, NETS, SIZES

FILE = Path(__file__).parents[1] / "docs" / "results" / "bridge-overhead.json"
BLOCKS = (16, 64, 384, 4096)


@pytest.fixture
def records() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(FILE.read_text())["records"]
    return found


def highest(records: list[dict[str, Any]], peer: str, *, reproducible: bool) -> dict[int, float]:
    """Return the highest upper end of an interval, of any net, memory and order, by columns."""
    found: dict[int, float] = {}
    for record in records:
        if record["peer"] != peer:
            continue
        for share in record["bridge"]:
            assert share["low"] <= share["ratio"] <= share["high"]
            if share["reproducible"] == reproducible:
                n_column = record["n_column"]
                found[n_column] = max(found.get(n_column, 0.0), share["high"])
    return found


def test_everything_was_run(records: list[dict[str, Any]]) -> None:
    report = json.loads(FILE.read_text())
    assert report["threads"] == 1
    assert report["machine"]
    assert report["versions"]["torch"].startswith("2.13")
    cases = {(r["memory"], r["net"], r["peer"], r["n_column"]) for r in records}
    bare = {(memory, net, BARE, n) for memory in MEMORY for net in NETS for n in SIZES}
    honest = {(memory, "A", HONEST, n) for memory in MEMORY for n in HONEST_SIZES}
    assert cases == bare | honest
    for record in records:
        orders = {(share["contiguous"], share["reproducible"]) for share in record["bridge"]}
        contiguous = ("level", "column") if record["peer"] == BARE else ("column",)
        assert orders == {(order, mode) for order in contiguous for mode in (False, True)}


def test_a_step_costs_little_more_than_the_bare_call(records: list[dict[str, Any]]) -> None:
    off = highest(records, BARE, reproducible=False)
    assert max(off.values()) <= 1.05, off
    on = highest(records, BARE, reproducible=True)
    assert max(on[n_column] for n_column in BLOCKS) <= 1.1, on


def test_a_step_costs_less_than_what_a_host_writes_by_hand(records: list[dict[str, Any]]) -> None:
    for reproducible in (False, True):
        assert max(highest(records, HONEST, reproducible=reproducible).values()) <= 0.8
