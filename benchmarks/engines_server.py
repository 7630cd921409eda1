"""Measures engines in a process of its own: requests and answers are lines of JSON.

A request names `net`, `n_column`, `only`, an engine beside which nothing but the way by hand is
wanted, or null, `rounds` and `seconds_a_turn`. The answer has `ways`, each with its name, `seconds`
and `speed_up`, `low`, `high` beside the way by hand, and `missing`, why other ways are not there.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.engine_nets import PeerMissingError, peers
from benchmarks.engines import BF16, BRIDGE, BY_HAND, NATIVE, TORCHSCRIPT
from benchmarks.ftorch_peer import FTORCH, FTorchMissingError, ftorch_net
from benchmarks.interleaved import Session, Work, interleave
from benchmarks.interval import median_interval
from benchmarks.overhead_native import (
    KELVIN,
    HonestEquivalent,
    Net,
    bare_call,
    bridge_step,
    torchscript_net,
)
from benchmarks.overhead_server import Archives, Host, loaded, temperatures
from fortran_bridge.errors import BridgeError
from hybrid.reduced_precision.archive_entry import put_on_trial

ENGINES = ("torchscript", NATIVE)
"""Engines that may take the archive; those that do not are passed over, and said to be."""

_EQUAL = (
    f"the {TORCHSCRIPT} does what it does, and took the same time within 3 % where both were "
    "measured"
)


class Ways:
    """The ways to do a step of one net and one number of columns.

    Parameters
    ----------
    archives
        Where networks are.
    net, n_column
        Which one, and of what size.
    """

    def __init__(self, archives: Archives, net: str, n_column: int) -> None:
        self._archives, self._net, self._n_column = archives, net, n_column
        self._closure, self._archive = archives.closure(net)
        self.missing: list[str] = []

    def by_hand(self, net: Net | None = None) -> HonestEquivalent:
        """Return loops in Fortran around a network, TorchScript's with reused tensors if None."""
        kelvin = temperatures(self._closure, self._n_column)
        tendency = np.zeros((self._n_column, self._closure.spec.outputs[0].size), order="F")
        return HonestEquivalent(
            net or torchscript_net(self._archives.bare(self._net), reused=True),
            np.array(kelvin - KELVIN, order="F"),
            tendency,
            self._closure.scaling,
        )

    def without_bridge(self) -> Iterator[tuple[str, Work]]:
        """Yield the TorchScript call alone, and the way by hand around other networks."""
        spec = self._closure.spec
        features = np.random.default_rng(0).uniform(
            -2.5, 2.5, (self._n_column, spec.inputs[0].size)
        )
        results = np.zeros((self._n_column, spec.outputs[0].size), np.float32)
        path = self._archives.bare(self._net)
        yield TORCHSCRIPT, bare_call(path, [features.astype(np.float32)], [results], reused=True)
        try:
            yield f"{BY_HAND}, {FTORCH}", self.by_hand(ftorch_net(path))
        except FTorchMissingError as error:
            self.missing.append(f"{error}; {_EQUAL}")
        for name, make in peers(self._closure.network, self._archives.folder).items():
            try:
                yield f"{BY_HAND}, {name}", self.by_hand(make())
            except PeerMissingError as error:
                self.missing.append(str(error))

    def through_bridge(self, engines: tuple[str, ...]) -> Iterator[tuple[str, Work]]:
        """Yield steps by each engine that takes the archive.

        Blocks that round alike are asked for (`reproducible`), the default. Where that costs an
        engine something, a step without stands beside it.
        """
        for engine in engines:
            host = partial(
                Host, self._archive, engine, self._closure, self._n_column, contiguous="column"
            )
            try:
                yield f"{BRIDGE}{engine}", bridge_step(host(reproducible=True).binding)
            except BridgeError as error:
                self.missing.append(f"engine {engine}: {error}")
                continue
            if engine != NATIVE:
                name = f"{BRIDGE}{engine}, not reproducible"
                yield name, bridge_step(host(reproducible=False).binding)

    def in_bf16(self) -> Iterator[tuple[str, Work]]:
        """Yield the step in bf16, as in a test: how good the results are is not the question."""
        trial = self._archive.with_suffix(".trial.pt")
        try:
            if not trial.is_file():
                put_on_trial(self._archive, trial)
            description = loaded(trial, NATIVE, BF16).description
        except BridgeError as error:
            self.missing.append(f"{BF16}: {error}")
            return
        if "\n  precision bf16 in " not in description:
            self.missing.append(
                f"{BF16}: it is for processors with AVX512_BF16, without HYBRID_ISA"
            )
            return
        host = Host(
            *(trial, NATIVE, self._closure, self._n_column),
            contiguous="column",
            reproducible=True,
            precision=BF16,
        )
        yield f"{BRIDGE}{NATIVE}, {BF16}", bridge_step(host.binding)


def answer(archives: Archives, request: dict[str, Any]) -> dict[str, Any]:
    """Return what a request asks for."""
    ways = Ways(archives, request["net"], request["n_column"])
    candidates: dict[str, Work] = {BY_HAND: ways.by_hand()}
    only = request["only"]
    candidates |= dict(ways.through_bridge((only,) if only else ENGINES))
    if only is None:
        candidates |= dict(ways.in_bf16())
        candidates |= dict(ways.without_bridge())
    session = Session(request["rounds"], request["seconds_a_turn"])
    timings = interleave(candidates, session, "")
    found = []
    for name in candidates:
        low, high = median_interval(timings.ratios(BY_HAND, name))
        found.append(
            {
                "way": name,
                "seconds": timings.median(name),
                "speed_up": timings.ratio(BY_HAND, name),
                "low": low,
                "high": high,
            }
        )
    return {"ways": found, "missing": ways.missing}


def main() -> None:
    """Answer requests until the input ends."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        archives = Archives(Path(folder))
        for line in sys.stdin:
            print(json.dumps(answer(archives, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
