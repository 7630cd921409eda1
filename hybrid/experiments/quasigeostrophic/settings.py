"""Sizes of the experiment, by preset."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from hybrid.experiments.quasigeostrophic.calibration.fit import Calibration
from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.learning.plan import Learning, Plan, trainings
from hybrid.experiments.quasigeostrophic.runs.configurations import (
    CONFIGURATIONS,
    HOUR,
    MIDDLE,
    Configuration,
    Duration,
)
from hybrid.experiments.result import Preset

CHOSEN_IN = "eddy"
"""The configuration that the best closure is chosen in; in others nothing is tuned or chosen."""

OPERATOR = 1
"""Operator of the data that closures learn from and are scored with, by its number in the paper."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a preset runs.

    Parameters
    ----------
    configurations
        Flows by name, `CHOSEN_IN` first.
    duration
        Length of runs, and what is kept of them.
    candidates
        Names of the models.
    n_seed
        Initial states, from each of which everything is run but what fewer are enough for, see
        `Candidate.most_seeds`.
    pairs_years
        Length of the run that gives the states of the offline scores [years].
    n_round
        Turns in which steps are timed.
    calibration
        Runs that coefficients are fitted to, where a candidate needs it.
    fitted_in
        Flows that these are made in, by name.
    learning
        What networks learn from, and how long, where candidates are some.
    """

    configurations: Mapping[str, Configuration]
    duration: Duration
    candidates: tuple[str, ...]
    n_seed: int
    pairs_years: float
    n_round: int
    calibration: Calibration = field(default_factory=Calibration)
    fitted_in: Mapping[str, Configuration] = field(default_factory=dict)
    learning: Learning = field(default_factory=Learning)

    def seeds(self, model: str) -> range:
        """Return the initial states that a model, or the truth, is run from."""
        most = CANDIDATES[model].most_seeds if model in CANDIDATES else None
        return range(min(self.n_seed, most or self.n_seed))

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Networks that are trained, those that others begin as before these."""
        plans = [CANDIDATES[name].plan for name in self.candidates]
        wanted = [plan for plan in plans if plan is not None]
        first = [plan.begins_as for plan in wanted if plan.begins_as is not None]
        return tuple(dict.fromkeys([*first, *wanted]))


_EDDY = CONFIGURATIONS[CHOSEN_IN]

PRESETS: Mapping[Preset, Settings] = MappingProxyType(
    {
        "test": Settings(
            configurations={CHOSEN_IN: replace(_EDDY, n_truth=64, n_coarse=32)},
            duration=Duration(
                years=0.5,
                spin_up=0.25,
                sampled_every=120.0 * HOUR,
                snapshot_every=240.0 * HOUR,
                n_snapshot=4,
            ),
            candidates=(
                *("none", "smagorinsky", "backscatter", "symbolic", "leith_e"),
                *("leith_e_deconvolved", "smagorinsky_e", "leith_e_sixth"),
                *("sparse", "sparse_unwhitened", "gated_online", "gated_noise"),
            ),
            n_seed=2,
            pairs_years=0.25,
            n_round=3,
            calibration=Calibration(n_round=2, n_trial=32, n_truth=2, n_again=2),
            fitted_in={
                flow.name: replace(flow, n_truth=64, n_coarse=32) for flow in (_EDDY, MIDDLE)
            },
            learning=Learning(
                n_run=1,
                years=0.25,
                every=100.0 * HOUR,
                n_trajectory_run=1,
                n_trajectory=10,
                spin_up=0.1,
                n_saved=2,
                lead=3.0 * HOUR,
                missed_years=0.15,
                missed_spin_up=0.1,
                trainings=trainings(n_states=3, n_runs=2),
            ),
        ),
        "quick": Settings(
            configurations={CHOSEN_IN: replace(_EDDY, n_truth=128)},
            duration=Duration(years=5.0, spin_up=2.5),
            candidates=(
                *("none", "none_96", "smagorinsky", "leith", "backscatter"),
                *("zanna_bolton", "symbolic", "leith_e", "leith_e_deconvolved"),
            ),
            n_seed=2,
            pairs_years=5.0,
            n_round=11,
        ),
        "full": Settings(
            configurations=dict(CONFIGURATIONS),  # processes hand settings on
            fitted_in={flow.name: flow for flow in (_EDDY, MIDDLE)},
            duration=Duration(),
            candidates=tuple(CANDIDATES),
            n_seed=50,
            pairs_years=10.0,
            n_round=21,
        ),
    }
)
"""Flows, models and lengths."""
