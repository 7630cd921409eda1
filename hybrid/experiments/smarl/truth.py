"""Trajectories of the truth on the coarse grid, made once and kept."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybrid.environments.ensemble import started
from hybrid.environments.reference import Shells
from hybrid.experiments.smarl.regimes import Regime
from hybrid.versions import versions
from solvers.barotropic import Barotropic
from solvers.cache import cache_folder, exclusive, replace
from solvers.spectral import to_grid

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

SAVED = 0.25
"""Time between states [1]."""

PARTS = ("training", "validation", "test")
"""Trajectories of a regime, which begin from disturbances of their own."""


class Trajectory(NamedTuple):
    """States on the coarse grid, and what the scales that it lacks do to them.

    Parameters
    ----------
    states
        Vorticity, sharply filtered, shape ``(n, y, x)`` [1].
    transfer
        What the subgrid term adds to the enstrophy of each ring, mean over the states, shape
        ``(ring,)`` [1].
    """

    states: Array
    transfer: Array


@dataclass(frozen=True)
class Truth:
    """A trajectory of a regime.

    Parameters
    ----------
    regime
        The regime.
    part
        One of `PARTS`.
    time
        Its length [1].
    spin_up
        Time before it, three quarters of which on a grid with half as many points [1].
    """

    regime: Regime
    part: str
    time: float
    spin_up: float = 40.0

    def trajectory(self, seed: int, on_progress: OnProgress = lambda _fraction: None) -> Trajectory:
        """Return the trajectory of a seed; where the cache of this machine has it, from there."""
        folder = cache_folder()
        path = None if folder is None else folder / f"turbulence-{self._key(seed)}.npz"
        with exclusive(path):
            if path is not None and path.is_file():
                on_progress(1.0)
                with np.load(path) as kept:
                    return Trajectory(kept["states"], kept["transfer"])
            made = self._made(seed, on_progress)
            stream = io.BytesIO()
            np.savez(stream, states=made.states, transfer=made.transfer)
            replace(path, stream.getvalue())
        return made

    def _key(self, seed: int) -> str:
        everything = (
            repr(self),
            seed,
            self.regime.truth().attributes(),
            sorted(versions().items()),
        )
        return sha256(repr(everything).encode()).hexdigest()[:16]

    def _made(self, seed: int, on_progress: OnProgress) -> Trajectory:
        rng = np.random.default_rng([seed, PARTS.index(self.part)])
        first = self.regime.first()
        run = started(first, first.random_state(1, rng))
        run.advance(round(0.75 * self.spin_up / first.dt))
        model = self.regime.truth()
        run = started(model, filtered(run.vorticity_spectrum, first, model))
        coarse, n = self.regime.coarse(), round(self.time / SAVED)
        n_before = round(0.25 * self.spin_up / SAVED)
        for i in range(n_before):
            run.advance(round(SAVED / model.dt))
            on_progress((i + 1) / (n_before + n))
        states = np.empty((n, *coarse.grid.shape))
        shells, transfer = Shells(coarse.grid), 0.0
        for i in range(n):
            run.advance(round(SAVED / model.dt))
            states[i] = filtered(run.vorticity_spectrum, model, coarse)[0]
            term = subgrid_term(run.vorticity_spectrum, model, coarse)
            transfer = transfer + shells.transfer(states[i : i + 1], term)[0] / n
            on_progress((n_before + i + 1) / (n_before + n))
        return Trajectory(states, np.asarray(transfer))


def evenly_spaced(n_state: int, n: int) -> NDArray[np.int64]:
    """Return the numbers of n of the states of a trajectory, the first and the last among them."""
    return np.linspace(0, n_state - 1, n).astype(np.int64)


def filtered(spectrum: NDArray[np.complex128], fine: Barotropic, coarse: Barotropic) -> Array:
    """Return what another grid keeps of spectra on one grid, as fields of the other.

    Waves that one of the two does not keep are left out; the grid may be finer or coarser.
    """
    grid = coarse.grid
    result = np.zeros((len(spectrum), *grid.spectral_shape), dtype=np.complex128)
    n = min(fine.grid.n_x, grid.n_x) // 2
    for rows in (slice(0, n), slice(-n + 1, None)):
        result[:, rows, :n] = spectrum[:, rows, :n]
    points = (grid.n_x * grid.n_y) / (fine.grid.n_x * fine.grid.n_y)
    return to_grid(points * coarse.kept * result, grid.shape)


def subgrid_term(spectrum: NDArray[np.complex128], fine: Barotropic, coarse: Barotropic) -> Array:
    """Return what is missing in the tendency of the coarse model, shape ``(n, y, x)`` [1].

    The filtered tendency of the fine model minus the coarse model's tendency of the filtered state.
    """
    tendency = fine.tendency(to_grid(spectrum, fine.grid.shape))
    of_fine = filtered(np.fft.rfft2(tendency), fine, coarse)
    return np.asarray(of_fine - coarse.tendency(filtered(spectrum, fine, coarse)))
