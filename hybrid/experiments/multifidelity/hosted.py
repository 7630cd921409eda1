"""The recommended ensemble as an archive, in a host that takes over where members disagree."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from closures.columns.emulator import ColumnEmulator
from closures.constraints.ranges import ranges_of
from closures.ensemble_scores import EnsembleScorer, Scores
from closures.field import Field
from closures.multifidelity import GuardedEnsemble, RelativeSpread
from fortran_bridge.binding import Binding
from fortran_bridge.native_closure import NativeClosure
from hybrid.experiments.multifidelity.bed import Bed, Table, Tables
from hybrid.experiments.multifidelity.beds import Opened
from hybrid.experiments.multifidelity.job import Job, restored, shown
from hybrid.experiments.multifidelity.settings import Settings
from hybrid.experiments.multifidelity.tables import climate_label
from hybrid.experiments.result import Table as ResultTable
from hybrid.export import export

Array = NDArray[np.float64]

FLAGGED_NOW = 0.05
"""Share of the high-fidelity samples whose spread is above the threshold."""

_BLOCK = 4096


def compiled(job: Job, opened: Opened, folder: Path, settings: Settings, path: Path) -> float:
    """Write an ensemble as one archive: mean, standard deviation and confidence.

    Its envelope is the range of all samples of either fidelity, so that the guard flags columns
    beyond any climate it has seen; its threshold is the relative spread of the members that
    `FLAGGED_NOW` of the high-fidelity samples exceed.

    Returns
    -------
    float
        The threshold.
    """
    tables = Tables.read(opened.data)
    bed = opened.bed
    how = shown(job, bed, tables)
    network = restored(job, bed, folder, settings)
    spread = RelativeSpread.of_outputs(
        bed.outputs(tables.high.outputs.std(axis=0)), how.outputs.spread
    )
    features = how.features(tables.high.inputs)
    with torch.inference_mode():
        blocks = torch.split(features, _BLOCK)
        parts = [network.members(block).std(dim=0) for block in blocks]
        relative = spread(torch.cat(parts))
    threshold = float(torch.quantile(relative, 1.0 - FLAGGED_NOW))
    closure = ColumnEmulator(
        replace(bed.spec, inputs=_enveloped(bed, tables)),
        GuardedEnsemble(network, spread, threshold),
        how.inputs,
        how.outputs,
        results="guarded",
        input_limit=how.limit,
        derived=how.way.derived,
    )
    provenance = {
        "seed": str(job.seed),
        "samples": opened.data.name,
        "candidate": job.candidate.name,
    }
    export(closure, path, provenance=provenance)
    return threshold


def hosted(
    archive: Path, opened: Opened, on_progress: Callable[[float], None]
) -> tuple[dict[str, float], ResultTable]:
    """Run the archive through the bridge in every climate, policy ``host``.

    What the host has for flagged columns is the low-fidelity physics, run as code.

    Returns
    -------
    metrics, table
        Share of flagged columns, and R2 of all columns: by the closure alone, by the host's
        physics alone, and with the host's physics where columns are flagged.
    """
    tables = Tables.read(opened.data)
    bed = opened.bed
    metrics: dict[str, float] = {}
    rows: dict[str, tuple[float | None, ...]] = {}
    closure = NativeClosure(archive)
    for i, (climate, table) in enumerate(tables.tests.items()):
        assert table.code is not None
        alone, _ = run_closure(closure, bed, table, "flag")
        together, flagged = run_closure(closure, bed, table, "host")
        row: list[float | None] = [100.0 * float(flagged.mean())]
        metrics[f"hosted_flagged_{climate}"] = float(flagged.mean())
        found = {"closure": alone, "host": table.code, "both": together}
        scores = {name: _scores(bed, table, outputs) for name, outputs in found.items()}
        for variable in bed.parts:
            for name, each in scores.items():
                r2 = each.pooled(variable)["r2_pooled"]
                metrics[f"hosted_r2_{variable}_{climate}_{name}"] = r2
                row.append(r2)
        rows[climate_label(climate)] = tuple(row)
        on_progress((i + 1) / len(tables.tests))
    texts = ("closure", "LF code", "closure, LF code where flagged")
    return metrics, ResultTable(
        title=f"In a host: {bed.title}",
        columns=("flagged [%]", *(f"R2 {v}, {text}" for v in bed.parts for text in texts)),
        rows=rows,
        note=(
            "Through the bridge, policy host: columns whose members disagree by more than those of "
            f"{100 * (1 - FLAGGED_NOW):g} % of the high-fidelity samples, or whose inputs lie "
            "outside all samples, keep what the host's own physics made of them. R2 pooled over "
            "the column by mass."
        ),
    )


def run_closure(
    closure: NativeClosure, bed: Bed, table: Table, policy: str
) -> tuple[Array, NDArray[np.bool_]]:
    """Return outputs ``(n, n_output)`` of all samples, and which were flagged.

    The outputs hold the low-fidelity code's before the call.
    """
    assert table.code is not None
    n = len(table)
    binding = Binding(closure, n, policy=policy)
    inputs, outputs = ranges_of(bed.spec.inputs), ranges_of(bed.spec.outputs)
    for field in bed.spec.inputs:
        values = table.inputs[:, inputs[field.name]]
        array = np.ascontiguousarray(values if field.dims else values[:, 0])
        binding.put(field.name, array, dims=("column", *field.dims), units=field.units)
    binding.apply(1)
    found = []
    for field in bed.spec.outputs:
        array = np.ascontiguousarray(table.code[:, outputs[field.name]])
        binding.get(field.name, array, dims=("column", *field.dims), units=field.units)
        found.append(array)
    return np.concatenate(found, axis=1), binding.mask()


def _scores(bed: Bed, table: Table, outputs: Array) -> Scores:
    scorer = EnsembleScorer(bed.outputs(np.ones(table.outputs.shape[1])), n_member=1)
    scorer.add(table.outputs, outputs[np.newaxis])
    return scorer.scores()


def _enveloped(bed: Bed, tables: Tables) -> tuple[Field, ...]:
    both = [tables.low.inputs.astype(np.float32), tables.high.inputs.astype(np.float32)]
    low = np.minimum(*(values.min(axis=0) for values in both))
    high = np.maximum(*(values.max(axis=0) for values in both))
    fields, parts = [], ranges_of(bed.spec.inputs)
    for field in bed.spec.inputs:
        ends = [tuple(map(float, values[parts[field.name]])) for values in (low, high)]
        least, most = ends if field.dims else [end[0] for end in ends]
        fields.append(replace(field, valid_min=least, valid_max=most))
    return tuple(fields)
