"""Fit the closures to the truth and compile them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

import hybrid
from closures import Closure
from closures.lorenz96 import AR1Closure, CubicClosure, MLPClosure
from closures.lorenz96_fit import fit_ar1, fit_cubic, fit_mlp
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.lorenz96.plain import (
    plain_ar1,
    plain_cubic,
    plain_network,
    restored_network,
)
from hybrid.experiments.lorenz96.settings import Lorenz96Settings


@dataclass(frozen=True)
class Compiled:
    """An archive and the names of its state fields, which start from their stationary law."""

    archive: Path
    state: tuple[str, ...]


@dataclass(frozen=True)
class ClosureSet:
    """The closures for one value of c.

    Parameters
    ----------
    compiled
        Archives by name of the closure: one, or one a seed.
    cubic, mlp
        The closures in Python, for figures; `mlp` is that of the first seed.
    """

    compiled: Mapping[str, tuple[Compiled, ...]]
    cubic: CubicClosure
    mlp: MLPClosure


def make_closures(
    pairs: xr.Dataset,
    settings: Lorenz96Settings,
    out: Path,
    checkpoint: Checkpoint,
    on_progress: Callable[[float], None],
) -> ClosureSet:
    """Fit all closures and write their archives into `out`.

    Parameters
    ----------
    pairs
        Training data.
    settings
        Sizes.
    out
        Folder of the archives.
    checkpoint
        Its seed is that of the first network, the others have the numbers that follow; keeps
        the fitted closures as stage ``closures``.
    on_progress
        Called with the fraction done.
    """
    seeds = range(checkpoint.seed, checkpoint.seed + settings.n_seed)
    fitted = checkpoint.weights("closures", partial(_fit, pairs, settings, seeds, on_progress))
    label = f"c{pairs.attrs['c']:g}"
    cubic = CubicClosure(**fitted["cubic"])
    networks = [restored_network(values) for values in fitted["networks"]]
    compiled = {
        "none": (),
        "cubic": (_compile(cubic, out / f"cubic_{label}.pt"),),
        "cubic_ar1": (
            _compile(cubic + AR1Closure(**fitted["ar1"]), out / f"cubic_ar1_{label}.pt"),
        ),
        "mlp_ar1": tuple(
            _compile(network, out / f"mlp_ar1_{label}_seed{seed}.pt")
            for seed, network in zip(seeds, networks, strict=True)
        ),
    }
    on_progress(1.0)
    return ClosureSet(compiled, cubic, networks[0])


def _fit(
    pairs: xr.Dataset,
    settings: Lorenz96Settings,
    seeds: Sequence[int],
    on_progress: Callable[[float], None],
) -> dict[str, Any]:
    cubic = fit_cubic(pairs)
    ar1 = fit_ar1(pairs, cubic)
    on_progress(0.1)
    networks = []
    for seed in seeds:
        networks.append(plain_network(fit_mlp(pairs, replace(settings.training, seed=seed))))
        on_progress(0.1 + 0.6 * len(networks) / len(seeds))
    return {"cubic": plain_cubic(cubic), "ar1": plain_ar1(ar1), "networks": networks}


def _compile(closure: Closure, path: Path) -> Compiled:
    hybrid.export(closure, path)
    return Compiled(path, tuple(field.name for field in closure.spec.state))
