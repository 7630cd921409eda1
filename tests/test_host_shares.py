"""How a host's steps are compared with a peer, turn by turn, in both benchmarks that do so."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks.interleaved import Timings
from benchmarks.interval import FEWEST, HostShare
from benchmarks.overhead import Share

RESULTS = Path(__file__).parents[1] / "docs" / "results"
PEER = [1.0, 2.0, 4.0, 1.0, 2.0, 4.0, 1.0]
RATIOS = [1.5, 1.0, 1.25, 3.0, 1.75, 1.1, 1.125]
TIMINGS = Timings({"host": [a * b for a, b in zip(PEER, RATIOS, strict=True)], "peer": PEER})


def committed(name: str, part: str) -> dict[str, Any]:
    records = json.loads((RESULTS / f"{name}.json").read_text())["records"]
    found: dict[str, Any] = records[0][part][0]
    return found


def test_ratios_are_those_of_the_same_turn() -> None:
    share = HostShare.of(TIMINGS, "host", "peer", reproducible=True)
    # Not the ratio of the medians, 3 / 2: turns that were slow for both count once.
    assert share == HostShare(
        reproducible=True, seconds=3.0, ratio=1.25, low=min(RATIOS), high=max(RATIOS)
    )


def test_results_have_the_shape_of_the_committed_ones() -> None:
    host = HostShare.of(TIMINGS, "host", "peer", reproducible=False)
    assert asdict(host).keys() == committed("climsim-emulators", "host").keys()
    bridge = Share.of(TIMINGS, "host", "peer", reproducible=False, contiguous="level")
    assert asdict(bridge).keys() == committed("bridge-overhead", "bridge").keys()
    assert Share(**json.loads(json.dumps(asdict(bridge)))) == bridge


def test_too_few_turns_are_refused() -> None:
    few = Timings({name: times[: FEWEST - 1] for name, times in TIMINGS.rounds.items()})
    with pytest.raises(ValueError, match="expected at least 6, got 5; do more rounds"):
        HostShare.of(few, "host", "peer", reproducible=True)
