"""Flows of the benchmark of Ross et al. (2023), and how long they are run."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.coarse_graining import truncate
from solvers.quasigeostrophic import TwoLayerQG

HOUR = 3600.0
"""[s]."""

YEAR = 360.0 * 86400.0
"""[s]."""

SEEDS_OF_A_RUN = 1000
"""Seeds of initial states that a run of the experiment has to itself, counted by its own seed."""

AMPLITUDES = 1e-6, 1e-5
"""Of the potential vorticity that runs begin with: noise of points, and of columns [s-1]."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Two-layer flow in a square of 1000 km, its truth, and its coarse model.

    Parameters
    ----------
    name
        What files and metrics call it.
    beta
        Gradient of the Coriolis parameter [m-1 s-1].
    delta
        Ratio of the layer depths H1 / H2 [1].
    bottom_drag
        Linear drag on the lower layer [s-1].
    n_truth, n_coarse
        Grid points along a side of the truth and of the coarse model.
    dt
        Time step on every grid [s].

    References
    ----------
    Ross et al. (2023), J. Adv. Model. Earth Syst. 15, e2022MS003258, table 1.
    """

    name: str
    beta: float
    delta: float
    bottom_drag: float
    n_truth: int = 256
    n_coarse: int = 64
    dt: float = HOUR

    def model(self, nx: int | None = None) -> TwoLayerQG:
        """Return the model on some number of points a side; default: the coarse one.

        The truth is in single precision: its rounding is forgotten as its initial state is.
        """
        n = nx or self.n_coarse
        return TwoLayerQG(
            nx=n,
            dt=self.dt,
            dtype="float32" if n == self.n_truth else "float64",
            beta=self.beta,
            delta=self.delta,
            bottom_drag=self.bottom_drag,
        )

    @property
    def coarse(self) -> TwoLayerQG:
        """The coarse model."""
        return self.model()

    @property
    def truth(self) -> TwoLayerQG:
        """The model of the truth."""
        return self.model(self.n_truth)

    def initial(self, nx: int, seed: int) -> NDArray[np.float64]:
        """Return the initial state of a seed: the same waves on every grid that has them.

        Uniform noise in the upper layer, weak from point to point and ten times stronger from
        column to column, drawn for the truth: as pyqg begins, but ten times as strong. From pyqg's
        own amplitudes jets grow for five years and overshoot in the sixth, when averages have
        begun.

        Parameters
        ----------
        nx
            Grid points along a side, at most those of the truth.
        seed
            Seed of the noise.

        Returns
        -------
        ndarray
            Potential vorticity, shape ``(2, nx, nx)`` [s-1].
        """
        fine, n = self.truth, self.n_truth
        rng = np.random.default_rng(seed)
        points, columns = AMPLITUDES
        state = np.zeros((2, n, n))
        state[0] = points * rng.random((n, n)) + columns * rng.random((1, n))
        state[0] -= state[0].mean()
        if nx == n:
            return state
        coordinates = {name: fine.coordinates()[name] for name in ("y", "x")}
        field = xr.DataArray(state, dims=("layer", "y", "x"), coords=coordinates)
        return np.asarray(truncate(field, nx).to_numpy())


CONFIGURATIONS: Mapping[str, Configuration] = MappingProxyType(
    {
        "eddy": Configuration(name="eddy", beta=1.5e-11, delta=0.25, bottom_drag=5.787e-7),
        "jet": Configuration(name="jet", beta=1e-11, delta=0.1, bottom_drag=7e-8),
    }
)
"""The two configurations by the names that metrics have."""

MIDDLE = Configuration(name="middle", beta=1.2e-11, delta=0.16, bottom_drag=2e-7)
"""A flow between these two, near the geometric means of their numbers, which nothing is scored in.

What is fitted to it beside eddy has to serve more flows than one, without any use of jet.
"""


@dataclass(frozen=True, kw_only=True)
class Duration:
    """How long a run is, and what is kept of it.

    Parameters
    ----------
    years
        Length [years of 360 days].
    spin_up
        What is left out of spectra [years].
    sampled_every
        Time between states that spectra are averaged over [s].
    snapshot_every
        Time between states that distributions are made of [s], a multiple of `sampled_every`.
    n_snapshot
        Number of those, the last of the run.

    Raises
    ------
    ValueError
        If they do not fit each other.
    """

    years: float = 10.0
    spin_up: float = 5.0
    sampled_every: float = 125.0 * HOUR
    snapshot_every: float = 1000.0 * HOUR
    n_snapshot: int = 10

    def __post_init__(self) -> None:
        ratio = self.snapshot_every / self.sampled_every
        if not (ratio >= 1.0 and ratio == round(ratio)):
            raise ValueError(
                "snapshot_every: expected a multiple of sampled_every, "
                f"{self.sampled_every:g} s, got {self.snapshot_every:g} s"
            )
        if not 0.0 <= self.spin_up < self.years:
            raise ValueError(
                f"spin_up: expected less than the {self.years:g} years of a run and no negative "
                f"number, got {self.spin_up:g}"
            )
        if self.n_sample - self.n_spin_up < 1 or not 1 <= self.n_snapshot <= self.n_state:
            raise ValueError(
                f"n_snapshot: expected 1 to {self.n_state}, the snapshots of {self.years:g} years, "
                f"and a sample after the spin-up, got {self.n_snapshot}"
            )

    @property
    def n_sample(self) -> int:
        """Times at which the run is looked at."""
        return int(self.years * YEAR / self.sampled_every)

    @property
    def n_spin_up(self) -> int:
        """How many of them are before the end of the spin-up."""
        return int(np.ceil(self.spin_up * YEAR / self.sampled_every)) - 1 if self.spin_up else 0

    @property
    def samples_a_snapshot(self) -> int:
        """Samples from one snapshot to the next."""
        return round(self.snapshot_every / self.sampled_every)

    @property
    def n_state(self) -> int:
        """Snapshots of the whole run, without its beginning."""
        return self.n_sample // self.samples_a_snapshot
