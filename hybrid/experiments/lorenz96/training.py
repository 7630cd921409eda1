"""Fit the closures to the truth and compile them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import xarray as xr

import hybrid
from closures import Closure
from closures.lorenz96 import CubicClosure, MLPClosure
from closures.lorenz96_fit import fit_ar1, fit_cubic, fit_mlp
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
    seed: int,
    out: Path,
    on_progress: Callable[[float], None],
) -> ClosureSet:
    """Fit all closures and write their archives into `out`.

    Parameters
    ----------
    pairs
        Training data.
    settings
        Sizes.
    seed
        Seed of the first network; the others have the numbers that follow.
    out
        Folder of the archives.
    on_progress
        Called with the fraction done.
    """
    label = f"c{pairs.attrs['c']:g}"
    cubic = fit_cubic(pairs)
    cubic_ar1 = cubic + fit_ar1(pairs, cubic)
    on_progress(0.1)
    networks = []
    for i in range(settings.n_seed):
        networks.append(fit_mlp(pairs, replace(settings.training, seed=seed + i)))
        on_progress(0.1 + 0.6 * (i + 1) / settings.n_seed)
    compiled = {
        "none": (),
        "cubic": (_compile(cubic, out / f"cubic_{label}.pt"),),
        "cubic_ar1": (_compile(cubic_ar1, out / f"cubic_ar1_{label}.pt"),),
        "mlp_ar1": tuple(
            _compile(network, out / f"mlp_ar1_{label}_seed{seed + i}.pt")
            for i, network in enumerate(networks)
        ),
    }
    on_progress(1.0)
    return ClosureSet(compiled, cubic, networks[0])


def _compile(closure: Closure, path: Path) -> Compiled:
    hybrid.export(closure, path)
    return Compiled(path, tuple(field.name for field in closure.spec.state))
