"""Measures overheads in a process of its own: requests and answers are lines of JSON.

A process of its own, because what freed memory does is decided before it starts, and because the
compared calls must share one process with nothing else in it.
"""

import json
import sys
import tempfile
import warnings
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

import hybrid
from benchmarks.interleaved import Session, Work, interleave
from benchmarks.networks import BareNetwork, TemperatureClosure, large_network, small_network
from benchmarks.overhead import BARE, HONEST, Share
from benchmarks.overhead_native import (
    KELVIN,
    HonestEquivalent,
    bare_call,
    bridge_step,
    torchscript_net,
)
from fortran_bridge.binding import Binding
from hybrid.runtime import CompiledClosure

Array = NDArray[np.float64]

_NETWORKS = {"A": small_network, "B": large_network}


class Host:
    """The host's double-precision arrays, in its units, and their binding.

    Parameters
    ----------
    archive, engine
        The closure, and the engine that runs it.
    closure
        The closure in Python.
    n_column
        Number of columns.
    contiguous, reproducible
        As in `benchmarks.overhead.Share`.
    precision
        As in `hybrid.load`.
    """

    def __init__(
        self,
        archive: Path,
        engine: str,
        closure: TemperatureClosure,
        n_column: int,
        *,
        contiguous: str,
        reproducible: bool,
        precision: str = "float32",
    ) -> None:
        order: Literal["C", "F"] = "C" if contiguous == "level" else "F"
        kelvin = temperatures(closure, n_column)
        self.temperature = np.array(kelvin - KELVIN, order=order)
        n_output = int(closure.spec.outputs[0].size)
        self.tendency = np.zeros((n_column, n_output), order=order)
        self.binding: Binding = loaded(archive, engine, precision).create(
            n_column, reproducible=reproducible, policy="host"
        )
        self.binding.bind("temperature", self.temperature, dims="column,level", units="degC")
        self.binding.bind("temperature_tendency", self.tendency, dims="column,layer", units="K/day")


@cache
def loaded(archive: Path, engine: str, precision: str = "float32") -> CompiledClosure:
    """Load an archive once."""
    return hybrid.load(archive, engine, precision=precision)


def temperatures(closure: TemperatureClosure, n_column: int) -> Array:
    """Return temperatures inside the envelope [K], ``(n_column, n_input)``."""
    scaling = closure.scaling
    feature = np.random.default_rng(0).uniform(-2.5, 2.5, (n_column, scaling.input_mean.size))
    return scaling.input_mean + feature / scaling.input_scale


@dataclass(frozen=True)
class Archives:
    """What is compared.

    Parameters
    ----------
    folder
        Where the files are written.
    """

    folder: Path

    def closure(self, net: str) -> tuple[TemperatureClosure, Path]:
        """Return a closure and its archive."""
        closure = _NETWORKS[net]()
        path = self.folder / f"{closure.spec.name}.pt"
        if not path.is_file():
            hybrid.export(closure, path)
        return closure, path

    def bare(self, net: str) -> Path:
        """Return the network alone, without normalisation, as a TorchScript file."""
        closure = _NETWORKS[net]()
        path = self.folder / f"{closure.spec.name}_bare.pt"
        if not path.is_file():
            with warnings.catch_warnings():
                warnings.filterwarnings(
                    "ignore", message=".*torch.jit.*", category=DeprecationWarning
                )
                scripted = torch.jit.script(BareNetwork(closure).eval())
                torch.jit.save(scripted, path)
        return path


def beside_bare_call(
    archives: Archives, net: str, engine: str, n_column: int
) -> tuple[Work, dict[tuple[str, bool], Work]]:
    """Return the bare call of the same module, normalisation inside, and steps of hosts."""
    closure, archive = archives.closure(net)
    inputs = temperatures(closure, n_column).astype(np.float32)
    outputs = np.zeros((n_column, closure.spec.outputs[0].size), np.float32)
    hosts: dict[tuple[str, bool], Work] = {
        (contiguous, reproducible): bridge_step(
            Host(
                archive,
                engine,
                closure,
                n_column,
                contiguous=contiguous,
                reproducible=reproducible,
            ).binding
        )
        for contiguous in ("level", "column")
        for reproducible in (False, True)
    }
    return bare_call(archive, [inputs], [outputs]), hosts


def beside_honest_equivalent(
    archives: Archives, net: str, engine: str, n_column: int
) -> tuple[Work, dict[tuple[str, bool], Work]]:
    """Return the hand-written Fortran around the bare network, and steps of hosts alike."""
    closure, archive = archives.closure(net)
    hosts = {
        ("column", reproducible): Host(
            archive,
            engine,
            closure,
            n_column,
            contiguous="column",
            reproducible=reproducible,
        )
        for reproducible in (False, True)
    }
    any_host = next(iter(hosts.values()))
    equivalent = HonestEquivalent(
        torchscript_net(archives.bare(net)),
        any_host.temperature.copy(order="F"),
        np.zeros_like(any_host.tendency),
        closure.scaling,
    )
    return equivalent, {key: bridge_step(host.binding) for key, host in hosts.items()}


PEERS = {BARE: beside_bare_call, HONEST: beside_honest_equivalent}


def shares(
    peer: Work, hosts: dict[tuple[str, bool], Work], session: Session
) -> tuple[float, list[Share]]:
    """Time a peer and steps of hosts in turn; return the peer's median [s] and the shares."""
    names = {key: f"{key[0]}, {'on' if key[1] else 'off'}" for key in hosts}
    works = {"peer": peer, **{names[key]: host for key, host in hosts.items()}}
    timings = interleave(works, session, "")
    found = [
        Share.of(timings, names[key], "peer", reproducible=key[1], contiguous=key[0])
        for key in hosts
    ]
    return timings.median("peer"), found


def main() -> None:
    """Answer requests until the input ends.

    A request names `net`, `engine`, `n_column`, `peer`, `rounds` and `seconds_a_turn`; the answer
    is `peer_seconds` and `bridge`, a list of shares.
    """
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        archives = Archives(Path(folder))
        for line in sys.stdin:
            request = json.loads(line)
            case = PEERS[request["peer"]](
                archives, request["net"], request["engine"], request["n_column"]
            )
            session = Session(request["rounds"], request["seconds_a_turn"])
            seconds, found = shares(*case, session)
            answer = {"peer_seconds": seconds, "bridge": [asdict(share) for share in found]}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
