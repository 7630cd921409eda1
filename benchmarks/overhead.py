"""What the bridge adds to the call that it is there for.

A host's step through the bridge reads double-precision arrays in the host's units, converts,
checks each value against the envelope, evaluates, checks, converts back and writes. It is
compared, turn by turn and in one process, with

- the bare call that FTorch makes of the very same TorchScript module, normalisation inside, on
  float32 arrays that lie ready in the units of the closure;
- what a host writes by hand without a bridge: Fortran that reads, normalises, makes the bare call
  of the network alone, denormalises and writes, and checks nothing.

Everything is timed inside native code by the processor's clock of one thread.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.child import Child, ChildEndedError
from benchmarks.comparison import Compared, Comparison
from benchmarks.interleaved import FULL, Session
from benchmarks.interval import FEWEST, HostShare
from fortran_bridge.build import ensure_built

TITLE = "One step through the bridge beside the bare TorchScript call"
SIZES = (1, 16, 17, 64, 100, 384, 4096)
"""Columns of a call: multiples of a vector's width, and two that are none."""

NETS = ("A", "B")
BARE = "bare call"
HONEST = "by hand"
HONEST_SIZES = (1, 16)

MEMORY = {
    "returned": {},
    "kept": {"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=1073741824:"
             "glibc.malloc.mmap_threshold=33554432"},
}  # fmt: skip
"""What happens to freed memory: the C library gives large pieces back to the system, and takes
new ones in the next call, as it decides by itself; or, told by its variables, it keeps them."""

SECONDS_A_TURN = 0.02


class OverheadError(Exception):
    """The process that measures has ended."""


@dataclass(frozen=True)
class Share(HostShare):
    """A step through the bridge, beside its peer.

    Parameters
    ----------
    contiguous
        What lies side by side in the host's arrays: ``"level"``, as in the bare call's tensors,
        or ``"column"``, which is transposed on the way.
    """

    contiguous: str

    @property
    def name(self) -> str:
        """What a report calls it."""
        return f"{self.contiguous} contiguous, reproducible {'on' if self.reproducible else 'off'}"


@dataclass(frozen=True)
class OverheadCost(Compared):
    """What a step through the bridge costs beside one peer.

    Parameters
    ----------
    engine, net, n_column
        What was evaluated.
    memory
        What happens to freed memory, a key of `MEMORY`.
    peer
        `BARE` or `HONEST`.
    peer_seconds
        Its median time [s].
    bridge
        Steps in both orders of the host's arrays (beside `HONEST`: in its order), reproducible
        or not.
    """

    engine: str
    net: str
    n_column: int
    memory: str
    peer: str
    peer_seconds: float
    bridge: tuple[Share, ...]

    def slowest(self, *, reproducible: bool) -> Share:
        """Return the share of the order of arrays that costs more."""
        shares = (share for share in self.bridge if share.reproducible == reproducible)
        return max(shares, key=lambda share: share.high)

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        off, on = self.slowest(reproducible=False), self.slowest(reproducible=True)
        return {
            "engine": self.engine,
            "net": self.net,
            "columns": str(self.n_column),
            "freed memory": self.memory,
            "peer": self.peer,
            "peer [us]": f"{1e6 * self.peer_seconds:.1f}",
            "step / peer": f"{off.ratio:.2f}",
            "at most": f"{off.high:.2f}",
            "reproducible": f"{on.ratio:.2f}",
            "at most, reproducible": f"{on.high:.2f}",
        }


def measure(
    sizes: Sequence[int] = SIZES,
    session: Session = FULL,
    nets: Sequence[str] = NETS,
    memories: Sequence[str] = tuple(MEMORY),
    engines: Sequence[str] = ("torchscript",),
) -> Iterator[OverheadCost]:
    """Time both nets beside both peers for each number of columns."""
    # Here, because the processes that measure would do it in silence.
    ensure_built()
    cases = [
        (engine, memory, net, peer, n_column)
        for engine in engines
        for memory in memories
        for net in nets
        for peer in (BARE, HONEST)
        for n_column in sizes
        if peer == BARE or (net == NETS[0] and n_column in HONEST_SIZES)
    ]
    for memory in memories:
        with Measuring(memory) as measuring:
            for case in cases:
                if case[1] == memory:
                    done = cases.index(case) / len(cases)
                    session.progress(f"net {case[2]}, {case[4]} columns", done)
                    yield measuring.cost(*case, session)


class Measuring(Child):
    """A process that measures on request; use it in a ``with`` statement.

    Parameters
    ----------
    memory
        What happens to freed memory in it, a key of `MEMORY`.
    """

    def __init__(self, memory: str) -> None:
        super().__init__([sys.executable, "-m", "benchmarks.overhead_server"], MEMORY[memory])

    def cost(
        self, engine: str, memory: str, net: str, peer: str, n_column: int, session: Session
    ) -> OverheadCost:
        """Measure one case.

        Raises
        ------
        OverheadError
            If the process has ended; what it wrote to standard error says why.
        """
        # Fewer turns than these have no interval; shorter ones follow each other more closely.
        request = {
            "engine": engine,
            "net": net,
            "peer": peer,
            "n_column": n_column,
            "rounds": max(2 * session.rounds + 1, FEWEST),
            "seconds_a_turn": min(session.seconds_a_turn, SECONDS_A_TURN),
        }
        try:
            answer = self.ask(**request)
        except ChildEndedError as error:
            raise OverheadError(
                f"overhead: the process that measures ended with status {error.status} "
                f"at {request}; the reason stands above"
            ) from error
        shares = tuple(Share(**share) for share in answer["bridge"])
        case = f"net {net}, {n_column} columns, {engine}, freed memory {memory}"
        return OverheadCost(
            engine,
            net,
            n_column,
            memory,
            peer,
            answer["peer_seconds"],
            shares,
            comparisons=tuple(
                Comparison(f"{case}, {share.name}", peer, share.ratio, share.low, share.high)
                for share in shares
            ),
        )
