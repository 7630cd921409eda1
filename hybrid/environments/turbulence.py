"""Many coarse models of two-dimensional turbulence as one environment, agents on their grids."""

from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from closures.turbulence import INVARIANTS, local_invariants
from closures.turbulence.flow import gradients, to_spectrum, waves
from hybrid.environments.blocks import Blocks
from hybrid.environments.ensemble import RUNAWAY, started
from hybrid.environments.reference import Reference, Shells, moments_of, shape_of
from hybrid.environments.rewards import FLOOR, Reward
from solvers.barotropic import Barotropic
from solvers.eddy_viscosity import EddyViscosity
from solvers.spectral import to_grid

Array = NDArray[np.float64]
Observation = NDArray[np.float32]
_Step = tuple[Observation, Array, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """How an environment is divided into agents, actions and episodes.

    Parameters
    ----------
    n_block
        Blocks along y and x, an agent in each; None: an agent at each point.
    bounds2
        Values of c2 that the actions -1 and 1 stand for [1].
    bounds4
        The same of c4; None: c4 is that of the model.
    action_interval
        Steps of the model from action to action.
    n_action
        Actions in an episode.
    blow_up_reward
        Reward of the action after which a model has run away: vorticity that is not finite, or
        beyond 100 standard deviations of the truth's; its episode ends.
    observe_spectrum
        Whether each agent also sees the misfit of the logarithm of its model's enstrophy spectrum.

    Raises
    ------
    ValueError
        If a number is not positive or bounds are no bounds.
    """

    n_block: tuple[int, int] | None = None
    bounds2: tuple[float, float] = (-0.02, 0.06)
    bounds4: tuple[float, float] | None = None
    action_interval: int = 10
    n_action: int = 160
    blow_up_reward: float = -100.0
    observe_spectrum: bool = False

    def __post_init__(self) -> None:
        for name in ("action_interval", "n_action"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")
        for name in ("bounds2", "bounds4"):
            bounds = getattr(self, name)
            if bounds is not None and not bounds[0] < bounds[1]:
                raise ValueError(f"{name}: expected a lower and a larger upper bound, got {bounds}")


class TurbulenceEnvironment(VectorEnv[Observation, Observation, NDArray[Any]]):
    """Coarse barotropic models whose eddy viscosity agents choose, stepped together.

    An environment is one model with all its agents: its observation has shape
    ``(channel, block_y, block_x)``, the means over blocks of the local invariants (without the
    first, which is 1) and, if asked for, the spectrum's misfit in units of its error; its action
    has shape ``(coefficient, block_y, block_x)``, from -1 to 1, what is beyond being cut off, and
    is a field of coefficients, bilinear between the agents. The reward is that of the statistics
    of the episode up to now.

    Parameters
    ----------
    model
        The model; its eddy viscosity is an `EddyViscosity`, with `net_dissipation` as limiter.
    reference
        Statistics of the truth.
    reward
        What is rewarded.
    initial
        Vorticities of the truth that episodes begin with, shape ``(n, ny, nx)`` [1 / time].
    n_model
        Models.
    episodes
        See `Episodes`.
    n_thread
        Threads that share the models.

    Attributes
    ----------
    bounds : ndarray
        Lower and upper bounds of the coefficients that actions set, shape ``(2, coefficient)`` [1].

    Raises
    ------
    ValueError
        If the model has no such eddy viscosity, or blocks do not divide its grid.
    """

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.SAME_STEP}  # type: ignore[misc]

    def __init__(
        self,
        model: Barotropic,
        reference: Reference,
        reward: Reward,
        initial: Array,
        *,
        n_model: int = 8,
        episodes: Episodes | None = None,
        n_thread: int = 1,
    ) -> None:
        episodes = Episodes() if episodes is None else episodes
        _check_model(model, episodes)
        self.model, self.reference, self.reward = model, reference, reward
        self.episodes, self.num_envs = episodes, n_model
        shape = model.grid.shape
        self.blocks = Blocks(shape, shape if episodes.n_block is None else episodes.n_block)
        self._shells = Shells(model.grid)
        pairs = [episodes.bounds2, *([] if episodes.bounds4 is None else [episodes.bounds4])]
        self.bounds: Array = np.array(pairs).T
        n_channel = len(INVARIANTS) - 1
        if episodes.observe_spectrum:
            n_channel += len(reference.spectrum)
        self._make_spaces(n_channel)
        self._vorticity, self._history = _begun(model, initial)
        self._integration = started(model, initial[[0] * n_model], n_thread)
        n_slot = self._history.shape[1]
        # With a history, no step is one of the first.
        self._integration.step = n_slot
        self._sums = (np.zeros((n_model, len(reference.spectrum))), np.zeros((n_model, 2)))
        self._n_done = np.zeros(n_model, dtype=np.int64)
        self._largest = RUNAWAY * np.exp(reference.shape[0])
        self._measure(self._fields())

    def _make_spaces(self, n_channel: int) -> None:
        b_y, b_x = self.blocks.counts
        self.single_observation_space = Box(-np.inf, np.inf, (n_channel, b_y, b_x), np.float32)
        self.single_action_space = Box(-1.0, 1.0, (self.bounds.shape[1], b_y, b_x), np.float32)
        spaces = (self.single_observation_space, self.single_action_space)
        self.observation_space, self.action_space = (
            batch_space(space, self.num_envs) for space in spaces
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode in every model, from initial states drawn at random."""
        del options
        if seed is not None:
            self._np_random, self._np_random_seed = gymnasium.utils.seeding.np_random(seed)
        self._begin(np.ones(self.num_envs, dtype=np.bool_))
        return self._look(), {}

    def step(self, actions: Observation) -> _Step:
        """Let the agents act and advance the models to the next action."""
        n_step, coefficients = self.episodes.action_interval, self._integration.eddy.coefficients
        low, high = self.bounds[:, :, np.newaxis, np.newaxis]
        values = low + 0.5 * (np.clip(actions, -1.0, 1.0) + 1.0) * (high - low)
        coefficients[:, : len(low)] = self.blocks.to_grid(values)
        terminated = self._integration.advance_each(n_step) < n_step
        fields = self._fields()
        terminated |= ~(np.abs(fields).max(axis=(1, 2)) < self._largest)
        if terminated.any():
            # What has run away would spoil the statistics; it is replaced below.
            self._integration.vorticity_spectrum[terminated] = self._vorticity[0]
            fields = self._fields()
        self._measure(fields)
        self._n_done += 1
        for sums, present in zip(self._sums, self._present, strict=True):
            np.add(sums, present, out=sums)
        rewards = self.reward(*self._means())
        rewards[terminated] = self.episodes.blow_up_reward
        truncated = (self._n_done >= self.episodes.n_action) & ~terminated
        done, observations = terminated | truncated, self._observe(fields)
        information: dict[str, Any] = {}
        if done.any():
            final = np.full(self.num_envs, None, dtype=object)
            for member in np.flatnonzero(done):
                final[member] = observations[member]
            information = {"final_obs": final, "_final_obs": done}
            self._begin(done)
            observations = self._look()
        return observations, rewards, terminated, truncated, information

    def progress(self) -> Observation:
        """Return what decides of the rewards to come and agents do not see, ``(n_model, number)``.

        For each model: by how much the mean statistics of its episode up to now miss those of the
        truth, and by how much those of its state do (logarithms of the spectrum, of standard
        deviation and of kurtosis, in units of their errors); the reward of the former; the part of
        the episode that is over.
        """
        truth, means = self.reference, self._means()
        errors = [np.hypot(error, FLOOR) for error in (truth.spectrum_error, truth.shape_error)]
        columns = []
        for spectra, moments in (means, self._present):
            columns.append(np.log(spectra / truth.spectrum) / errors[0])
            columns.append((shape_of(moments) - truth.shape) / errors[1])
        columns.append(self.reward(*means)[:, np.newaxis])
        columns.append(self._n_done[:, np.newaxis] / self.episodes.n_action)
        return np.concatenate(columns, axis=1).astype(np.float32)

    def _begin(self, members: NDArray[np.bool_]) -> None:
        run, n_slot = self._integration, self._history.shape[1]
        for member in np.flatnonzero(members):
            chosen = int(self.np_random.integers(len(self._vorticity)))
            run.vorticity_spectrum[member] = self._vorticity[chosen]
            # The tendency of step n lies in slot n modulo their number.
            run.memory[member] = np.roll(self._history[chosen], run.step % n_slot, axis=0)
            self._n_done[member] = 0
            for sums in self._sums:
                sums[member] = 0.0

    def _fields(self) -> Array:
        return to_grid(self._integration.vorticity_spectrum, self.model.grid.shape)

    def _measure(self, fields: Array) -> None:
        self._present = (self._shells.enstrophy(fields), moments_of(fields))

    def _means(self) -> tuple[Array, Array]:
        """Return statistics of the episodes up to now; where one begins, those of its state."""
        n = self._n_done[:, np.newaxis]
        spectra, moments = (
            np.where(n > 0, sums / np.maximum(n, 1), present)
            for sums, present in zip(self._sums, self._present, strict=True)
        )
        return spectra, moments

    def _look(self) -> Observation:
        """Measure the states, and return what agents see of them."""
        fields = self._fields()
        self._measure(fields)
        return self._observe(fields)

    def _observe(self, fields: Array) -> Observation:
        vorticity, grid = torch.from_numpy(fields), self.model.grid
        w = waves(vorticity, grid.dy, grid.dx)
        g = gradients(to_spectrum(vorticity, w.kept), w, vorticity)
        seen = self.blocks.mean(local_invariants(vorticity, g)[:, 1:].numpy())
        if self.episodes.observe_spectrum:
            misfit = np.log(self._present[0] / self.reference.spectrum)
            misfit /= self.reference.spectrum_error
            everywhere = np.broadcast_to(
                misfit[:, :, np.newaxis, np.newaxis], (*misfit.shape, *self.blocks.counts)
            )
            seen = np.concatenate([seen, everywhere], axis=1)
        return seen.astype(np.float32)


def _check_model(model: Barotropic, episodes: Episodes) -> None:
    viscosity = model.eddy_viscosity
    if not isinstance(viscosity, EddyViscosity):
        raise ValueError(  # noqa: TRY004 -- of a model, which is of the right type
            "model: expected an eddy_viscosity with given coefficients, EddyViscosity, "
            f"got {type(viscosity).__name__}"
        )
    if episodes.bounds4 is not None and viscosity.c4 == 0.0:
        raise ValueError(
            "model: expected an eddy_viscosity with a c4 other than 0 where actions set c4, got 0"
        )


def _begun(model: Barotropic, initial: Array) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return states a few steps later, with the history that a multistep scheme needs."""
    integration = started(model, initial)
    integration.advance(integration.memory.shape[1])
    return integration.vorticity_spectrum.copy(), integration.memory.copy()
