"""Sizes of the experiment, by preset."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hybrid.experiments.multifidelity import settings as multifidelity
from hybrid.experiments.result import Preset


@dataclass(frozen=True, kw_only=True)
class FidelitySettings:
    """How closures of moist convection learn from two of the model's schemes.

    Parameters
    ----------
    n_day, n_left_out
        Days over a warmer sea, and those at their beginning that do not count.
    candidates
        Names of the closures, of `hybrid.experiments.multifidelity.candidates`.
    n_seed
        Trainings of each.
    training
        Sizes of the networks and of their training.
    """

    n_day: int
    n_left_out: int
    candidates: tuple[str, ...] = multifidelity.QUICK
    n_seed: int
    training: multifidelity.Settings


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a preset runs.

    Parameters
    ----------
    schemes
        Schemes that closures stand in for, all at once.
    n_spin_up
        Days from a cold start to the common restart.
    n_left_out
        Days at its beginning from which no columns are taken.
    interval, stride
        Steps between records, and columns between recorded ones.
    widths, sunlit_widths
        Hidden layers of the networks of longwave radiation and of sunlight.
    n_epoch
        Passes over the recorded columns.
    n_coupled
        Days of the runs that are compared.
    n_longest
        Days of the first run with closures, at least as many.
    n_adjusting
        Days at their beginning that do not count.
    n_native, n_closure
        Members of both ensembles; each closure is trained with a seed of its own.
    n_timing
        Days of the runs that are timed, and of the shadow run.
    n_round
        Rounds of the runs that are timed.
    ranks
        Numbers of processes of short runs from a cold start, which show that a closure does not
        depend on them; several for comparison, or none.
    n_convection
        Days in which columns of moist convection are recorded, and of the run with a closure in its
        place and the native ones beside it; 0: none of them.
    convection_widths
        Hidden layers of the network of moist convection.
    fidelities
        Closures of moist convection from two schemes, where columns of it are recorded; None:
        without.
    n_response, n_response_adjusting
        Days of the runs over a given sea, and those at their beginning that do not count; 0: none
        are made.
    """

    schemes: tuple[str, ...]
    n_spin_up: int
    n_left_out: int
    interval: int = 37
    stride: int = 2
    widths: tuple[int, ...] = (64, 64)
    sunlit_widths: tuple[int, ...] = (96, 96)
    n_epoch: int
    n_coupled: int
    n_longest: int
    n_adjusting: int
    n_native: int
    n_closure: int
    n_timing: int
    n_round: int
    ranks: tuple[int, ...] = ()
    n_convection: int = 0
    convection_widths: tuple[int, ...] = (64, 64)
    fidelities: FidelitySettings | None = None
    n_response: int = 0
    n_response_adjusting: int = 0


TEST_PART = 0.2
"""Part of the recorded time, in which the networks are scored offline."""

N_SEASON = 4
"""Parts of the recorded time that each have their end left out for the scores."""

PRESETS: Mapping[Preset, Settings] = MappingProxyType(
    {
        "test": Settings(
            schemes=("longwave",),
            n_spin_up=6,
            n_left_out=2,
            n_epoch=4,
            n_coupled=3,
            n_longest=3,
            n_adjusting=1,
            n_native=2,
            n_closure=1,
            n_timing=1,
            n_round=1,
        ),
        "quick": Settings(
            schemes=("longwave",),
            n_spin_up=240,
            n_left_out=20,
            n_epoch=30,
            n_coupled=90,
            n_longest=90,
            n_adjusting=20,
            n_native=3,
            n_closure=1,
            n_timing=5,
            n_round=3,
        ),
        "full": Settings(
            schemes=("longwave", "shortwave"),
            n_spin_up=1080,
            n_left_out=360,
            stride=4,
            n_epoch=60,
            n_coupled=1800,
            n_longest=3600,
            n_adjusting=360,
            n_native=5,
            n_closure=3,
            n_timing=20,
            n_round=3,
            ranks=(1, 2),
            n_convection=360,
            fidelities=FidelitySettings(
                n_day=180,
                n_left_out=60,
                n_seed=3,
                training=multifidelity.Settings(8, (128, 128), 4),
            ),
            n_response=360,
            n_response_adjusting=60,
        ),
    }
)
"""By name; a year has 360 days. Runs of `full` that are compared have 45 years together: 5 native
ones and 2 with closures of 5 years each, and one with closures of 10; 6 more are over a given
sea, and 4 and a half for moist convection."""
