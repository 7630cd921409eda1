"""What a call of each of ClimSim's emulators costs in the Fortran column host.

A host's step reads double-precision arrays in the units of the files, transposes, converts, checks
each value against the envelope, evaluates, checks and writes. It is compared, turn by turn and in
one process, with the bare TorchScript call of the very same module, frozen and in inference mode,
on float32 arrays that lie ready. Weights are random, on which the cost does not depend.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import hybrid
from benchmarks.column_host import host_step
from benchmarks.comparison import Compared, Comparison
from benchmarks.interleaved import FULL, Session, Timings, Work, interleave
from benchmarks.interval import FEWEST, HostShare
from benchmarks.networks import registered_network
from benchmarks.overhead_native import bare_call
from closures.base import Closure
from closures.columns.registry import ARCHITECTURES

TITLE = "One step of each of ClimSim's emulators in the Fortran column host"
SIZES = (384,)
"""Columns of a step: those of one of ClimSim's files."""

PRESETS = ("small", "published")
VARIABLES = "V1"
SLOW, TOO_SLOW, TOO_SLOW_FOR_QUICK = 0.1, 3.0, 0.15
"""A step that takes longer than the first is made as seldom as an interval allows; one that takes
longer than the second, in a quick run than the third, is left out, and said to be [s]."""

MODES = {"reproducible": True, "whole batch": False}


@dataclass(frozen=True)
class EmulatorCost(Compared):
    """What an emulator costs.

    Parameters
    ----------
    model, preset, variables
        What was evaluated.
    n_column
        Columns of a step.
    n_parameter
        Trainable numbers.
    archive_bytes
        Size of its file.
    bare_seconds
        Median time of the bare call [s].
    host
        Steps of the host, reproducible and not.
    """

    model: str
    preset: str
    variables: str
    n_column: int
    n_parameter: int
    archive_bytes: int
    bare_seconds: float
    host: tuple[HostShare, ...]

    def share(self, *, reproducible: bool) -> HostShare:
        """Return the steps of one mode."""
        (found,) = (share for share in self.host if share.reproducible == reproducible)
        return found

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        on, off = self.share(reproducible=True), self.share(reproducible=False)
        return {
            "model": self.model,
            "preset": self.preset,
            "parameters": str(self.n_parameter),
            "archive [MB]": f"{1e-6 * self.archive_bytes:.2f}",
            "columns": str(self.n_column),
            "host [us/column]": f"{1e6 * on.seconds / self.n_column:.2f}",
            "bare [us/column]": f"{1e6 * self.bare_seconds / self.n_column:.2f}",
            "host / bare": f"{on.ratio:.2f}",
            "at most": f"{on.high:.2f}",
            "whole batch": f"{off.ratio:.2f}",
            "at most, whole batch": f"{off.high:.2f}",
        }


def measure(
    sizes: Sequence[int] = SIZES,
    session: Session = FULL,
    models: Sequence[str] = tuple(ARCHITECTURES),
    presets: Sequence[str] | None = None,
) -> Iterator[EmulatorCost]:
    """Time each network at each preset for each number of columns; if quick, the first preset."""
    is_full = session.rounds >= FULL.rounds
    presets = presets or (PRESETS if is_full else PRESETS[:1])
    too_slow = TOO_SLOW if is_full else min(TOO_SLOW, TOO_SLOW_FOR_QUICK)
    cases = [(preset, model, n) for preset in presets for model in models for n in sizes]
    for number, (preset, model, n_column) in enumerate(cases):
        session.progress(f"{model}, {preset}", number / len(cases))
        closure = registered_network(model, preset, VARIABLES)
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / f"{model}.pt"
            hybrid.export(closure, archive)
            candidates = _candidates(closure, archive, n_column)
            # Twice, because the first call optimises.
            seconds = min(candidates["bare"](1) for _ in range(2))
            if seconds > too_slow:
                session.note(
                    f"{model}, {preset}: a call of {n_column} columns takes {seconds:.1f} s, more "
                    f"than {too_slow:g} s, and is not measured"
                )
                continue
            timings = (
                _seldom(candidates)
                if seconds > SLOW
                else interleave(candidates, _quiet(session), f"{model}, {preset}")
            )
            shares = tuple(
                HostShare.of(timings, name, "bare", reproducible=on) for name, on in MODES.items()
            )
            case = f"{model}, {preset}, {n_column} columns"
            yield EmulatorCost(
                model,
                preset,
                VARIABLES,
                n_column,
                sum(p.numel() for p in closure.parameters() if p.requires_grad),
                archive.stat().st_size,
                timings.median("bare"),
                shares,
                comparisons=tuple(
                    Comparison.of(timings, name, "bare", what=f"{case}, {name}", called="bare call")
                    for name in MODES
                ),
            )


def _candidates(closure: Closure, archive: Path, n_column: int) -> dict[str, Work]:
    spec = closure.spec
    features = np.random.default_rng(0).uniform(
        -2.0, 2.0, (n_column, sum(int(field.size) for field in spec.inputs))
    )
    inputs: list[NDArray[np.float32]] = []
    start = 0
    for field in spec.inputs:
        part = features[:, start : start + field.size]
        start += int(field.size)
        inputs.append(np.ascontiguousarray(part.reshape(n_column, *field.sizes), np.float32))
    outputs = [np.zeros((n_column, *field.sizes), np.float32) for field in spec.outputs]
    (n_level,) = {field.sizes[0] for field in spec.inputs if field.dims}
    return {
        "bare": bare_call(archive, inputs, outputs, frozen=True),
        **{
            name: host_step(archive, features, n_level, reproducible=on)
            for name, on in MODES.items()
        },
    }


def _quiet(session: Session) -> Session:
    # Fewer turns than these have no interval.
    rounds = max(2 * session.rounds + 1, FEWEST)
    return replace(session, rounds=rounds, progress=lambda *_: None)


def _seldom(candidates: dict[str, Work]) -> Timings:
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for work in candidates.values():
        work(1)
    for _ in range(FEWEST):
        for name, work in candidates.items():
            times[name].append(work(1))
    return Timings(times)
