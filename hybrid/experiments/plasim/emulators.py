"""The emulators of the experiment: those that are compared, and linear ones as their rivals."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

import hybrid
from closures.radiation import FluxEmulator
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.plasim.columns import kept_columns
from hybrid.experiments.plasim.jobs import STEPS_A_DAY
from hybrid.experiments.plasim.learning import provenance_of, stored, training_of
from hybrid.experiments.plasim.offline import Offline, score_offline
from hybrid.experiments.plasim.schemes import SCHEMES, split_in_time
from hybrid.experiments.plasim.settings import N_SEASON, TEST_PART, Settings
from hybrid.experiments.plasim.training import restored, train_emulator
from hybrid.experiments.result import Request
from hybrid.threads import one_thread

LINEAR = "linear"

N_EPOCH_LINEAR = 5
"""Passes after which a linear map of features does not get better."""


@dataclass(frozen=True)
class Trained:
    """An emulator, and how it does on columns that it was not trained on."""

    emulator: FluxEmulator
    scores: Offline


def names(settings: Settings) -> list[str]:
    """Return what emulators of a scheme are called: ``0``, ``1``, ..., and ``linear``."""
    return [*(str(i) for i in range(settings.n_closure)), LINEAR]


def trained(
    spin_up: Path, settings: Settings, checkpoint: Checkpoint, request: Request
) -> dict[str, dict[str, Trained]]:
    """Return the emulators by scheme and by the names of `names`; finished ones are not made again.

    Parameters
    ----------
    spin_up
        Folder of the run that recorded columns.
    settings
        Sizes.
    checkpoint
        Where finished ones are kept.
    request
        The run.
    """
    found: dict[str, dict[str, Trained]] = {}
    for scheme in settings.schemes:
        split = split_in_time(_columns(scheme, spin_up, settings), TEST_PART, N_SEASON)
        found[scheme] = {
            name: _trained(scheme, name, split, settings, checkpoint, request)
            for name in names(settings)
        }
    return found


def _trained(
    scheme: str,
    name: str,
    split: tuple[xr.Dataset, xr.Dataset],
    settings: Settings,
    checkpoint: Checkpoint,
    request: Request,
) -> Trained:
    on_progress = request.task(f"plasim: training, {scheme} {name}")
    earlier, later = split
    hidden = settings.sunlit_widths if SCHEMES[scheme].scale else settings.widths
    widths = () if name == LINEAR else hidden
    seed = request.seed if name == LINEAR else request.seed + int(name)
    n_epoch = min(settings.n_epoch, N_EPOCH_LINEAR) if name == LINEAR else settings.n_epoch
    training = training_of(n_epoch, seed)
    provenance = provenance_of(settings.n_left_out, settings.n_spin_up)

    def make() -> dict[str, object]:
        with one_thread():
            return stored(
                train_emulator(earlier, scheme, widths, training, provenance, on_progress)
            )

    emulator = restored(checkpoint.weights(f"{scheme}_{name}", make), scheme, widths)
    on_progress(1.0)
    return Trained(emulator, score_offline(emulator, later, scheme))


def _columns(scheme: str, spin_up: Path, settings: Settings) -> xr.Dataset:
    columns = kept_columns(spin_up, scheme, settings.stride)
    late = columns["step"].to_numpy() >= settings.n_left_out * STEPS_A_DAY
    return columns.isel(column=late)


def exported(found: Mapping[str, Mapping[str, Trained]], out: Path) -> dict[str, dict[str, Path]]:
    """Write the archives; return them by the names of `names` and by scheme.

    A closure gives the same bytes each time, so finished runs are kept.
    """
    paths: dict[str, dict[str, Path]] = {}
    for scheme, of_scheme in found.items():
        for name, each in of_scheme.items():
            path = out / f"plasim_{scheme}_{name}.pt"
            hybrid.export(each.emulator, path)
            paths.setdefault(name, {})[scheme] = path
    return paths
