"""What a rollout is asked to do."""

import math
from dataclasses import dataclass

from hybrid.climsim_rollout.archive_physics import Policy
from hybrid.errors import RolloutError
from solvers.column_physics import Scheme
from solvers.column_physics.constants import DAY, TIMESTEP, YEAR
from solvers.column_physics.forcing import RELAXATION_TIME

STEPS_OF_DAY = int(DAY / TIMESTEP)
"""Steps of a day."""
INTERVAL = 9
"""Steps between two records of the errors: three hours."""
HOUR = 3600.0


@dataclass(frozen=True)
class RolloutSettings:
    """Settings of a rollout.

    Parameters
    ----------
    days
        Length of the runs [day].
    scheme
        Scheme of the truth, ``"low"`` or ``"high"``.
    warming
        Warming at the ground against the present climate [K].
    seed
        Seed of the weather, of random numbers and of the perturbed run.
    start_day
        Day of the year on which the runs begin, 1 to 365.
    damping
        Time within which the flow lets differences from the truth decay [h]; infinite for none.
    spin_up
        Steps of the truth before the runs begin.
    policy
        What becomes of columns that the bridge's guard flags.
    perturbation
        Standard deviation of what is added to the temperature of the perturbed run [K].
    n_thread
        Threads of the columns' own physics; the numbers do not depend on it.
    """

    days: int = 10
    scheme: Scheme = "high"
    warming: float = 0.0
    seed: int = 0
    start_day: int = 1
    damping: float = 24.0
    spin_up: int = STEPS_OF_DAY
    policy: Policy = "flag"
    perturbation: float = 0.1
    n_thread: int = 1

    def __post_init__(self) -> None:
        if self.days < 1:
            raise RolloutError(f"days: expected at least 1, got {self.days}")
        if not 1 <= self.start_day <= YEAR:
            raise RolloutError(f"start_day: expected 1 to {YEAR}, got {self.start_day}")
        least = RELAXATION_TIME / HOUR
        if not self.damping >= least:
            raise RolloutError(
                f"damping: expected at least {least:g} h, the relaxation time of the flow, or "
                f"inf, got {self.damping:g}"
            )
        if self.spin_up < 0:
            raise RolloutError(f"spin_up: expected 0 or more steps, got {self.spin_up}")

    @property
    def n_step(self) -> int:
        """Number of steps."""
        return self.days * STEPS_OF_DAY

    @property
    def damping_text(self) -> str:
        """How differences decay, in words."""
        if math.isinf(self.damping):
            return "differences from the truth are not damped by the flow"
        return f"the flow damps differences from the truth within {self.damping:g} h"
