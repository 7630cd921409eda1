"""Engines side by side: what a host's step costs with ours, and with what it may use instead.

A step reads double-precision arrays in the host's units, normalises, evaluates the network,
denormalises and writes double precision. It is done

- by hand: loops in Fortran around a TorchScript call in C++ whose tensors are made once; nothing
  is checked. All else is compared with this;
- by hand around another evaluation of the network: FTorch, ONNX Runtime, one sgemm of OpenBLAS a
  layer, loops in Fortran, as far as they are installed;
- through the bridge, by each engine that takes the archive, with each value checked against its
  envelope; by the native one in bf16 too where the processor can.

The TorchScript call alone, on float32 arrays that lie ready, stands beside them: it is what FTorch
does, to whose time it was equal within 3 % where both were measured.

One process, one thread, turn by turn. The C library keeps freed memory, which makes TorchScript's
calls with many columns cheaper; see `benchmarks.overhead.MEMORY`.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.child import Child
from benchmarks.comparison import Compared, Comparison
from benchmarks.interleaved import FULL, Session
from benchmarks.interval import FEWEST
from benchmarks.overhead import MEMORY
from fortran_bridge.build import ensure_built

TITLE = "One step of a host by each engine, and without the bridge"
SIZES = (1, 16, 48, 128, 384, 4096)
"""Columns of a step."""

NETS = ("A", "B")
BY_HAND = "by hand"
TORCHSCRIPT = "TorchScript call alone"
BRIDGE = "bridge, "
"""What the names of ways through the bridge begin with; an engine follows."""

NATIVE, BF16 = "native", "bf16"
ISA = "HYBRID_ISA"
LOWER_ISA = "v3"
"""An instruction set that the native engine may be confined to: without AVX-512."""

SECONDS_A_TURN = 0.02


@dataclass(frozen=True)
class EngineCost(Compared):
    """A step done in one way.

    Parameters
    ----------
    net, n_column
        What was evaluated.
    way
        How.
    isa
        Instruction set that the native engine was confined to; empty: it chose.
    seconds
        Median time of a step [s].
    speed_up, low, high
        Median of the times by hand by this way's, turn by turn, and its 95 % interval [1].
    """

    net: str
    n_column: int
    way: str
    isa: str
    seconds: float
    speed_up: float
    low: float
    high: float

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        return {
            "net": self.net,
            "columns": str(self.n_column),
            "way": f"{self.way}, {ISA}={self.isa}" if self.isa else self.way,
            "step [us]": f"{1e6 * self.seconds:.3g}",
            f"{BY_HAND} / step": f"{self.speed_up:.2f}",
            "95 % interval": f"{self.low:.2f} to {self.high:.2f}",
        }


def measure(
    sizes: Sequence[int] = SIZES, session: Session = FULL, nets: Sequence[str] = NETS
) -> Iterator[EngineCost]:
    """Time every way that is there for both nets and each number of columns."""
    # Here, because the process that measures would do it in silence.
    ensure_built()
    said: set[str] = set()
    is_native = False
    for isa in ("", LOWER_ISA):
        if isa and not is_native:
            break
        variables = MEMORY["kept"] | ({ISA: isa} if isa else {})
        with Child([sys.executable, "-m", "benchmarks.engines_server"], variables) as child:
            for number, (net, n_column) in enumerate((net, n) for net in nets for n in sizes):
                label = f"net {net}, {n_column} columns{f', {isa}' if isa else ''}"
                session.progress(label, number / (len(nets) * len(sizes)))
                answer = child.ask(
                    net=net,
                    n_column=n_column,
                    only=NATIVE if isa else None,
                    rounds=max(2 * session.rounds + 1, FEWEST),
                    seconds_a_turn=min(session.seconds_a_turn, SECONDS_A_TURN),
                )
                for note in answer["missing"]:
                    if note not in said:
                        session.note(note)
                        said.add(note)
                costs = [_cost(net, n_column, isa, way) for way in answer["ways"]]
                yield from costs
                is_native = is_native or any(cost.way == BRIDGE + NATIVE for cost in costs)


def _cost(net: str, n_column: int, isa: str, way: dict[str, float | str]) -> EngineCost:
    name = str(way["way"])
    seconds, speed_up, low, high = (float(way[k]) for k in ("seconds", "speed_up", "low", "high"))
    what = f"net {net}, {n_column} columns, {name}{f', {isa}' if isa else ''}"
    # What is not ours may become slower without anything being wrong here.
    ours = name.startswith(BRIDGE)
    beside = (Comparison(what, BY_HAND, 1.0 / speed_up, 1.0 / high, 1.0 / low),) if ours else ()
    return EngineCost(net, n_column, name, isa, seconds, speed_up, low, high, comparisons=beside)
