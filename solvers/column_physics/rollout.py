"""Columns whose physics is replaced, step by step beside columns that keep their own.

All runs have the same surroundings: sun, ground, large-scale flow. The truth, under the scheme of
the settings, is drawn to the target x_w within tau, six hours. Any other run is given the very
relaxation of the truth, and its difference from the truth decays within tau_e, which is chosen:

    dx/dt = P(x) + A(x) + (x_w - x_t) / tau + (x_t - x) / tau_e,

P the physics, A surface fluxes and lifting by the run's own state. With tau_e = tau this is the
flow of the truth; a longer tau_e shows errors that it would hide; without end it is the revealed
forcing of Randall and Cripe. Whatever tau_e is, the truth and its climate are the same.

What a physics does not predict, cloud or wind, a run takes from the truth. Water that a physics
makes negative is set to zero, and how much that adds is recorded. A column with a value that is
not finite, a temperature outside 100 to 400 K or more than 1 kg of vapour in a kg is lost: from
then on it follows the truth and no longer counts.

References
----------
Randall, Cripe 1999, Alternative methods for specification of observed forcing in single-column
models and cloud system models, J. Geophys. Res. 104, 24527-24545.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from solvers.column_physics.constants import EVAPORATION_HEAT
from solvers.column_physics.forcing import RELAXATION_TIME, RELAXED, add_surface_fluxes, lift, relax
from solvers.column_physics.model import ColumnError, Columns, Surroundings
from solvers.column_physics.replacement import Array, Fields, Mask, Physics
from solvers.column_physics.step import PROFILES

TRUTH = "truth"
"""Name of the run under the columns' own scheme."""
SPECIES = slice(1, 4)
"""Vapour, liquid and ice among the profiles."""
COLDEST, WARMEST = 100.0, 400.0
"""Temperatures outside which a column is lost [K]."""
MOST_VAPOUR = 1.0
"""Vapour above which a column is lost [kg kg-1]."""


@dataclass(frozen=True)
class RunStep:
    """One step of one run.

    Parameters
    ----------
    before
        State before the physics, ``(n_column, 6, n_level)``, profiles in the order of `PROFILES`.
    after_physics, after_surface, after_flow
        State after the physics, then what the surface gives off, then the flow.
    reference
        What the columns' own scheme would have made of `before`.
    fluxes
        What the physics gave to the surface.
    evaporation, heat
        What the surface gave off in this step ``(n_column,)``: vapour [kg m-2], sensible and
        latent heat [J m-2].
    flagged
        Columns in which the physics was not to be trusted ``(n_column,)``.
    lost
        Columns lost in this step or before ``(n_column,)``.
    added_water
        Water by which negative values were raised to zero ``(n_column,)`` [kg m-2].
    """

    before: Array
    after_physics: Array
    after_surface: Array
    after_flow: Array
    reference: Array
    fluxes: Fields
    evaporation: Array
    heat: Array
    flagged: Mask
    lost: Mask
    added_water: Array


@dataclass(frozen=True)
class JointStep:
    """One step of all runs.

    Parameters
    ----------
    time
        Time since the start of the year of the run [s].
    surface_pressure
        ``(n_column,)`` [Pa].
    runs
        By name; the first is `TRUTH`.
    """

    time: float
    surface_pressure: Array
    runs: Mapping[str, RunStep]


@dataclass
class Rollout:
    """Runs side by side.

    Parameters
    ----------
    columns
        Columns under their own scheme: the truth.
    physics
        What takes its place, by name of the run.
    damping_time
        Time within which differences from the truth decay by the flow, tau_e [s]; infinite for
        none. At least the relaxation time of the flow.
    perturbed
        Standard deviation of what is added at the start to the temperature of a run, by its name
        [K]; independent from column to column and level to level.
    """

    columns: Columns
    physics: Mapping[str, Physics]
    damping_time: float = RELAXATION_TIME
    perturbed: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.damping_time >= RELAXATION_TIME:
            raise ColumnError(
                f"damping_time: expected at least {RELAXATION_TIME:g} s, the relaxation time of "
                f"the flow, got {self.damping_time:g}"
            )
        if TRUTH in self.physics:
            raise ColumnError(f"run {TRUTH!r}: expected another name; it is that of the truth")
        unknown = sorted(set(self.perturbed) - set(self.physics))
        if unknown:
            raise ColumnError(f"perturbed: expected names of runs, got {', '.join(unknown)}")

    def run(self, time: float, n_step: int, n_spin_up: int = 0) -> Iterator[JointStep]:
        """Spin up the truth, start all runs from it, and yield their steps.

        Parameters
        ----------
        time
            Time of the first step that is yielded, since the start of the year [s].
        n_step
            Number of consecutive steps to yield.
        n_spin_up
            Steps of the truth before them, at which the other physics look on.

        Yields
        ------
        JointStep
            In the order of time.

        Raises
        ------
        ColumnError
            If the truth does not stay finite.
        """
        timestep = self.columns.settings.timestep
        now = time - n_spin_up * timestep
        truth = self.columns.surroundings(now).target.copy()
        states: dict[str, Array] = {}
        lost: dict[str, Mask] = {}
        for index in range(-n_spin_up, n_step):
            if index == 0:
                states = self._started(truth)
                lost = {name: np.zeros(len(truth), dtype=np.bool_) for name in states}
            around = self.columns.surroundings(now)
            step, target = self._truth(around, truth)
            if not np.isfinite(step.after_flow).all():
                raise ColumnError(f"truth at {now:.0f} s: expected finite values; shorten the step")
            if index < 0:
                before = self.columns.before(around, truth)
                after = _named(step.after_physics, step.fluxes)
                for physics in self.physics.values():
                    physics.spin_up(before, after, index)
            else:
                runs = {TRUTH: step}
                for name, state in states.items():
                    runs[name] = self._other(name, index, around, state, lost[name], step, target)
                    states[name], lost[name] = runs[name].after_flow, runs[name].lost
                yield JointStep(now, around.fields["surface_pressure"], runs)
            truth = step.after_flow
            now += timestep

    def _started(self, truth: Array) -> dict[str, Array]:
        states = {}
        for name in self.physics:
            states[name] = truth.copy()
            if name in self.perturbed:
                rng = np.random.default_rng(self.columns.settings.seed)
                noise = rng.standard_normal(truth[:, 0].shape)
                states[name][:, 0] += self.perturbed[name] * noise
        return states

    def _truth(self, around: Surroundings, state: Array) -> tuple[RunStep, "_Relaxation"]:
        columns, timestep = self.columns, self.columns.settings.timestep
        before = columns.before(around, state)
        after = state.copy()
        fluxes = columns.applied(columns.settings.scheme, before, after)
        surface = self._after_surface(around, before, after)
        lifted = surface.copy()
        lift(lifted, around.omega, before["pressure"], timestep)
        flow = lifted.copy()
        relax(flow, around.target, timestep)
        none = np.zeros(len(state), dtype=np.bool_)
        step = RunStep(
            state,
            after,
            surface,
            flow,
            after,
            {name: values for name, values in fluxes.items() if name not in PROFILES},
            *self._given_off(before),
            none,
            none,
            np.zeros(len(state)),
        )
        return step, _Relaxation(around.target, lifted)

    def _other(
        self,
        name: str,
        index: int,
        around: Surroundings,
        state: Array,
        lost: Mask,
        truth: RunStep,
        relaxation: "_Relaxation",
    ) -> RunStep:
        columns, timestep = self.columns, self.columns.settings.timestep
        physics = self.physics[name]
        before = columns.before(around, state)
        prediction = physics.predict(before, index)
        after = state.copy()
        with np.errstate(over="ignore", invalid="ignore"):
            for i, profile in enumerate(PROFILES):
                if profile in physics.predicted:
                    after[:, i] += timestep * prediction.tendencies[profile]
                else:
                    after[:, i] = truth.after_physics[:, i]
        lost = lost | _is_lost(after)
        after[lost] = truth.after_physics[lost]
        negative = np.minimum(after[:, SPECIES], 0.0)
        after[:, SPECIES] -= negative
        mass = columns.grid.layer_mass(around.fields["surface_pressure"])
        physics.record(before, _named(after, prediction.fluxes))
        surface = self._after_surface(around, before, after)
        flow = surface.copy()
        lift(flow, around.omega, before["pressure"], timestep)
        relax(flow, relaxation.target(flow, RELAXATION_TIME / self.damping_time), timestep)
        for i, profile in enumerate(PROFILES):
            if profile not in physics.predicted:
                flow[:, i] = truth.after_flow[:, i]
        lost = lost | _is_lost(flow)
        flow[lost] = truth.after_flow[lost]
        reference = state.copy()
        columns.applied(columns.settings.scheme, before, reference)
        return RunStep(
            state,
            after,
            surface,
            flow,
            reference,
            prediction.fluxes,
            *self._given_off(before),
            prediction.flagged,
            lost,
            -(negative.sum(axis=1) * mass).sum(axis=1),
        )

    def _after_surface(self, around: Surroundings, before: Fields, after: Array) -> Array:
        state = after.copy()
        timestep = self.columns.settings.timestep
        add_surface_fluxes(state, before, around.lowest_thickness, timestep)
        return state

    def _given_off(self, before: Fields) -> tuple[Array, Array]:
        timestep = self.columns.settings.timestep
        latent, sensible = before["latent_heat_flux"], before["sensible_heat_flux"]
        return timestep * latent / EVAPORATION_HEAT, timestep * (latent + sensible)


@dataclass(frozen=True)
class _Relaxation:
    """Relaxation of the truth: its target, and its state before."""

    truth_target: Array
    truth: Array

    def target(self, state: Array, ratio: float) -> Array:
        """Return the target for a run whose difference decays `ratio` times as fast."""
        target = state.copy()
        for i in RELAXED:
            own = ratio * (self.truth[:, i] - state[:, i])
            target[:, i] += (self.truth_target[:, i] - self.truth[:, i]) + own
        return target


def _named(state: Array, fluxes: Fields) -> Fields:
    return {name: state[:, i] for i, name in enumerate(PROFILES)} | fluxes


def _is_lost(state: Array) -> Mask:
    temperature, vapour = state[:, 0], state[:, 1]
    fine = (temperature >= COLDEST) & (temperature <= WARMEST) & (vapour <= MOST_VAPOUR)
    kept = np.isfinite(state).all(axis=1) & fine
    return ~np.asarray(kept.all(axis=1), dtype=np.bool_)
