"""The subjects of the page on performance: what is compared, and what shows it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import Any

from cost_tables import (
    climsim_reading_table,
    eddy_viscosity_table,
    overhead_table,
    solver_speed_table,
)
from emulator_tables import emulator_costs_table
from ensemble_tables import ensemble_costs_table, ensemble_training_table
from model_error_tables import sparse_regression_table
from performance_tables import (
    bridge_call_table,
    closures_table,
    coupling_table,
    engines_table,
    loading_table,
    moist_columns_table,
    of_groups,
    threads_table,
)

_SOLVERS = (
    "two-layer",
    "barotropic",
    "kuramoto-sivashinsky",
    "shallow-water",
    "lorenz96",
)

Table = Callable[[dict[str, Any]], str]


@dataclass(frozen=True)
class Section:
    """A subject of the page.

    Parameters
    ----------
    title
        Its heading.
    file
        Results, a file in docs/results.
    groups
        What was measured for them; the command names these.
    text
        What is compared, without numbers that were measured.
    tables
        What makes its tables of the results.
    shown
        The groups that the tables show, of more that the file has; empty: all.
    figure
        Name of a figure; empty: none.
    alt
        What the figure shows, in words.
    n_thread
        On how many threads it ran, in words, where the report does not know.
    """

    title: str
    file: str
    groups: tuple[str, ...]
    text: str
    tables: tuple[Table, ...]
    shown: tuple[str, ...] = ()
    figure: str = ""
    alt: str = ""
    n_thread: str = ""

    def lines(self, folder: Path) -> Iterator[str]:
        """Yield the paragraphs of the section; none if there are no results.

        Parameters
        ----------
        folder
            Where results are.
        """
        path = folder / self.file
        if not path.is_file():
            return
        results = json.loads(path.read_text())
        chosen = of_groups(results, *self.shown) if self.shown else results
        yield f"## {self.title}"
        yield fill(self.text, 100, break_long_words=False, break_on_hyphens=False)
        for table in self.tables:
            yield table(chosen)
        if self.figure:
            yield f"![{self.alt}](figures/{self.figure}.svg)"
        yield made_by(results, self.groups, path.name, self.n_thread)


def made_by(results: dict[str, Any], groups: tuple[str, ...], file: str, n_thread: str = "") -> str:
    """Return which command made results, on which machine, with which versions."""
    command = results.get("command", f"python -m benchmarks {' '.join(groups)}")
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    threads = n_thread or (
        "one thread" if results["threads"] == 1 else f"{results['threads']} threads"
    )
    return f"*`{command} --json docs/results/{file}`, {results['machine']}, {threads}; {versions}.*"


SECTIONS = (
    Section(
        "A step through the bridge",
        "bridge-overhead.json",
        ("overhead",),
        "A host's step through the bridge on TorchScript, beside the call that FTorch makes of the "
        "same module, and beside what a host writes by hand, as times of the peer's, in brackets "
        "the upper end of the 95 % interval: less is better. [What a step "
        "costs](guide/cost.md) says what each side does.",
        (overhead_table,),
        figure="bridge-overhead",
        alt="time of a step by that of the bare call, against the number of columns",
    ),
    Section(
        "Engines",
        "engines.json",
        ("engines",),
        "A step of a host from double precision to double precision, net A of layers 8-32-32-8, "
        "net B of 124-768-640-512-640-640-128 as in ClimSim: how many times as fast "
        "as loops in Fortran around a TorchScript call with reused tensors, with the 95 % "
        "interval; more is better. The call alone neither packs nor unpacks. By hand nothing "
        "is checked; the bridge compares every value with its envelope. *v3*: the native "
        "engine confined to AVX2 (`HYBRID_ISA`), in turns of its own with the way by hand, which "
        "is not confined. *bf16* needs [an online test](guide/native.md) before.",
        (partial(engines_table, net="A"), partial(engines_table, net="B")),
        figure="engines",
        alt="time by hand by that of each way, against the number of columns",
    ),
    Section(
        "Closures, natively and by TorchScript",
        "closures.json",
        ("closures",),
        "A step of a host with each closure by the native engine: how many times as fast as with "
        "the same archive on TorchScript, by numbers of columns, with the 95 % interval; more is "
        "better. TorchScript need not give the same bits for any number of columns here.",
        (closures_table,),
    ),
    Section(
        "Loading",
        "loading.json",
        ("loading",),
        "A new process of a host in C, linked with the core library alone: time of the processor "
        "from load to the first result, the engine opened within it, and the memory that is "
        "resident then. How many times as fast as with TorchScript, with the 95 % interval.",
        (loading_table,),
    ),
    Section(
        "Threads",
        "threads.json",
        ("threads",),
        "A step of the native engine whose columns are spread over threads (`threads=` in Fortran, "
        "`n_thread` in C and Python), as time on the wall, with the 95 % interval. Bits are the "
        "same on any number of them.",
        (threads_table,),
        n_thread="one thread and two",
    ),
    Section(
        "A call from Python",
        "solver-speed.json",
        ("bridge", "coupling", *_SOLVERS),
        "PyTorch's own call gets float32 tensors that lie ready; the bridge, on TorchScript, reads "
        "and writes float64 arrays, checks them and draws the noise.",
        (bridge_call_table,),
        shown=("bridge",),
    ),
    Section(
        "Emulators in the Fortran column host",
        "climsim-emulators.json",
        ("emulators",),
        "A step of [the column host](column_host.md) with each architecture, beside the bare "
        "call of the frozen module on float32 arrays; in brackets the upper end of the 95 % "
        "interval. Measured on TorchScript, before a host got the native engine by itself.",
        (emulator_costs_table,),
    ),
    Section(
        "Solvers",
        "solver-speed.json",
        ("bridge", "coupling", *_SOLVERS),
        "A step of each solver beside a peer: pyqg from its own environment, in a process "
        "that takes turns; plain numpy with the same scheme; a program in Fortran. The last "
        "columns are with a transform library forced.",
        (solver_speed_table,),
        shown=_SOLVERS,
        figure="solver-speed",
        alt="peer's time by that of the solver, against grid points along a side",
    ),
    Section(
        "Moist columns",
        "moist-columns.json",
        ("moist-columns",),
        "A step of [the generated columns](column_physics.md), the rich scheme beside the "
        "cheap one.",
        (moist_columns_table,),
    ),
    Section(
        "Coupled runs",
        "solver-speed.json",
        ("bridge", "coupling", *_SOLVERS),
        "A step of two-layer flow with linear drag as its closure, next to no arithmetic, by "
        "the way the closure is called; *C, does nothing* is what any closure costs, because "
        "its tendency is transformed too.",
        (coupling_table,),
        shown=("coupling",),
    ),
    Section(
        "Eddy viscosities",
        "eddy-viscosity.json",
        ("eddy-viscosity",),
        "A step of barotropic turbulence with each [eddy viscosity](turbulence.md), beside "
        "constant Leith.",
        (eddy_viscosity_table,),
    ),
    Section(
        "Reading ClimSim's files",
        "climsim-reading.json",
        ("climsim-reading",),
        "A pair of files as normalised samples, directly, with the netCDF library, and in a "
        "loop of xarray that does what ClimSim's own loader does; batches of 1024 from "
        "shards, and from PyTorch's loader; the memory of a conversion.",
        (climsim_reading_table,),
    ),
    Section(
        "Ensembles",
        "ensembles.json",
        ("ensembles",),
        "An ensemble in one archive beside its members apart, and [a cascade and a "
        "student](ensembles.md) instead of it; then an epoch of all members together beside "
        "one member after the other.",
        (ensemble_costs_table, ensemble_training_table),
    ),
    Section(
        "Sparse regression",
        "sparse-regression.json",
        ("sparse-regression",),
        "Which regressions find the terms that a model lacks, and what a fit costs in units "
        "of ours; [model error](model_error.md) says how the problems are made.",
        (sparse_regression_table,),
    ),
)
