"""One training: from a case and a recipe to an archive, its record and its curve."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from closures import atomic
from closures.columns.emulator import ColumnEmulator
from closures.columns.recipe import RIDGE, Recipe
from closures.columns.ridge import fit_linear
from closures.training import Checkpoint, History, OnEpoch, OnProgress, Ranks, fit
from closures.training.batches import BLOCK, MappedBatches, Order
from hybrid.export import export
from hybrid.threads import use_threads
from hybrid.training.case import Case
from hybrid.training.figure import save_losses
from hybrid.versions import versions

CHECKPOINT = "checkpoint.pt"
RECORD = "training.json"


def _nothing(_: Any) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Run:
    """Where a training goes, and who watches it.

    Parameters
    ----------
    out
        Folder of the archive, the record, the checkpoint and the figure; made if need be.
    name
        Name of the closure and its archive; default: that of the model.
    resume
        Go on from the checkpoint in `out`, if there is one; else begin anew.
    n_thread
        Threads of the arithmetic; results depend on it in the last bits.
    among
        Processes that train together.
    on_epoch
        Called after each epoch.
    on_progress
        Called with the fraction done.
    on_step
        Called with a short text before what takes long after the training.
    """

    out: Path
    name: str = ""
    resume: bool = True
    n_thread: int = 1
    among: Ranks = field(default_factory=Ranks)
    on_epoch: OnEpoch = _nothing
    on_progress: OnProgress = _nothing
    on_step: Callable[[str], None] = _nothing


@dataclass(frozen=True)
class Trained:
    """What a training gives.

    Parameters
    ----------
    archive
        The compiled closure; on other ranks than the first, where it will be.
    history
        Losses; without an epoch for ridge regression.
    emulator
        The trained closure.
    files
        Everything that was written.
    """

    archive: Path
    history: History
    emulator: ColumnEmulator
    files: tuple[Path, ...]


def run_training(case: Case, recipe: Recipe, run: Run) -> Trained:
    """Train, export with verification, and write the record and the curve of losses.

    Parameters
    ----------
    case
        Samples.
    recipe
        Network, loss, training.
    run
        Where to, and who watches.

    Raises
    ------
    CheckpointError
        If the folder holds another training and `run` is to resume it.
    ValueError
        If recipe and case do not fit each other, or the loss is no longer finite.
    ExportError
        If the archive would differ from the trained closure.
    """
    named = replace(case, spec=replace(case.spec, name=run.name or recipe.model))
    if run.among.is_first:
        run.out.mkdir(parents=True, exist_ok=True)
    run.among.wait()
    with use_threads(run.n_thread):
        emulator, history = trained(named, recipe, run)
        archive = run.out / f"{named.spec.name}.pt"
        files: tuple[Path, ...] = ()
        if run.among.is_first:
            files = _written(named, recipe, run, emulator, history, archive)
        run.among.wait()
    return Trained(archive, history, emulator, files)


def trained(
    case: Case, recipe: Recipe, run: Run, *, keep: bool = True
) -> tuple[ColumnEmulator, History]:
    """Train without writing anything but, if `keep`, the checkpoint."""
    emulator = case.emulator(recipe)
    if recipe.model == RIDGE:
        once = MappedBatches(case.train, Order(BLOCK, seed=None, drop_last=False))
        fit_linear(emulator.core, once, recipe.penalty, recipe.scaling.clip_targets)
        return emulator.eval(), History((), ())
    checkpoint = None
    if keep:
        checkpoint = Checkpoint(run.out / CHECKPOINT, {**recipe.flat(), **case.origin})
        if not run.resume and run.among.is_first:
            checkpoint.path.unlink(missing_ok=True)
    run.among.wait()
    held = None
    if case.validation is not None:
        held = case.batches(recipe, "validation", case.validation, run.among)
    history = fit(
        case.objective(recipe, emulator),
        case.batches(recipe, "train", case.train, run.among),
        recipe.training,
        validation=held,
        checkpoint=checkpoint,
        among=run.among,
        on_epoch=run.on_epoch,
        on_progress=run.on_progress,
    )
    return emulator.cpu().eval(), history


def _written(
    case: Case,
    recipe: Recipe,
    run: Run,
    emulator: ColumnEmulator,
    history: History,
    archive: Path,
) -> tuple[Path, ...]:
    run.on_step(f"{archive.name}: exporting and verifying")
    provenance = _provenance(case, recipe, history)
    report = export(emulator, archive, provenance=provenance)
    record = {
        "name": case.spec.name,
        "archive": {"file": archive.name, "sha256": _digest(archive)},
        "description": case.spec.description,
        "provenance": {**case.spec.provenance, **provenance},
        "recipe": recipe.to_dict(),
        "data": {
            **case.origin,
            "n_train": case.train.n_sample,
            "n_validation": 0 if case.validation is None else case.validation.n_sample,
        },
        "n_parameter": sum(each.numel() for each in emulator.network.parameters()),
        "history": asdict(history),
        "export_difference_eps": {str(n): value for n, value in report.differences.items()},
        "n_rank": run.among.n_rank,
        "n_thread": run.n_thread,
        "versions": versions(),
    }
    path = run.out / RECORD
    atomic.write_text(path, json.dumps(record, indent=1, allow_nan=False) + "\n")
    if not history.training:
        return archive, path
    return archive, path, save_losses(case.spec.name, history, run.out)


def _provenance(case: Case, recipe: Recipe, history: History) -> dict[str, str]:
    entries = {
        "model": recipe.model,
        "seed": str(recipe.training.seed),
        **case.origin,
    }
    if recipe.model == RIDGE:
        return {**entries, "training": f"ridge, penalty {recipe.penalty:g}"}
    training = recipe.training
    entries["preset"] = recipe.preset
    entries["training"] = (
        f"{len(history.training)} epochs, AdamW, {training.schedule}, batch "
        f"{training.batch_size}, learning rate {training.learning_rate:g}, weight decay "
        f"{training.weight_decay:g}, loss {recipe.loss.kind}"
    )
    best = history.best_epoch - 1
    entries["training_loss"] = f"{history.training[best]:.6g}"
    if history.validation:
        entries["validation_loss"] = f"{history.validation[best]:.6g}"
    return entries


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
