"""Trajectories of the truth on the coarse grid, made once and kept."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from hybrid.experiments.smarl.regimes import Regime
from hybrid.versions import versions
from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.cache import cache_folder, exclusive, replace
from solvers.spectral import to_grid

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

SAVED = 0.25
"""Time between states [1]."""

PARTS = ("training", "validation", "test")
"""Trajectories of a regime, which begin from disturbances of their own."""


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

    def states(self, seed: int, on_progress: OnProgress = lambda _fraction: None) -> Array:
        """Return vorticity, sharply filtered to the coarse grid, shape ``(n, y, x)`` [1].

        Where the cache of this machine has it, it is read from there.
        """
        folder = cache_folder()
        path = None if folder is None else folder / f"turbulence-{self._key(seed)}.npy"
        with exclusive(path):
            if path is not None and path.is_file():
                on_progress(1.0)
                return np.asarray(np.load(path), dtype=np.float64)
            states = self._made(seed, on_progress)
            stream = io.BytesIO()
            np.save(stream, states)
            replace(path, stream.getvalue())
        return states

    def _key(self, seed: int) -> str:
        everything = (
            repr(self),
            seed,
            self.regime.truth().attributes(),
            sorted(versions().items()),
        )
        return sha256(repr(everything).encode()).hexdigest()[:16]

    def _made(self, seed: int, on_progress: OnProgress) -> Array:
        rng = np.random.default_rng([seed, PARTS.index(self.part)])
        first = self.regime.first()
        run = _started(first, first.random_state(1, rng))
        run.advance(round(0.75 * self.spin_up / first.dt))
        model = self.regime.truth()
        run = _started(model, filtered(run.vorticity_spectrum, first, model))
        run.advance(round(0.25 * self.spin_up / model.dt))
        coarse, n = self.regime.coarse(), round(self.time / SAVED)
        states = np.empty((n, *coarse.grid.shape))
        for i in range(n):
            run.advance(round(SAVED / model.dt))
            states[i] = filtered(run.vorticity_spectrum, model, coarse)[0]
            on_progress((i + 1) / n)
        return states


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


def _started(model: Barotropic, initial: Array) -> BarotropicIntegration:
    integration = model.start(initial)
    assert isinstance(integration, BarotropicIntegration)
    return integration
