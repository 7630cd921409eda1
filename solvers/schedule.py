"""How long a run lasts and when it saves, in steps."""

import math
from dataclasses import dataclass
from typing import Self

SECONDS_PER_DAY = 86400.0

_SAVES = 30
# A duration is taken as a whole number of steps when it misses one by rounding alone: by this part
# of a step, and by this part of itself.
_PART_OF_A_STEP = 1e-6
_ROUNDING = 1e-15


@dataclass(frozen=True)
class Schedule:
    """Steps of a run.

    Parameters
    ----------
    n_step
        Steps in all.
    save_every
        Steps from one saved state to the next; the last state is always saved.
    """

    n_step: int
    save_every: int

    @classmethod
    def of(
        cls,
        dt: float,
        time_units: str,
        *,
        steps: int | None = None,
        time: float | None = None,
        days: float | None = None,
        save_every: float | None = None,
    ) -> Self:
        """Convert a duration, given as one of steps, time or days, into steps.

        Raises
        ------
        ValueError
            If it is not one of the three, not positive, or not a whole number of steps.
        """
        given = {"steps": steps, "time": time, "days": days}
        named = {name: value for name, value in given.items() if value is not None}
        if len(named) != 1:
            raise ValueError(
                f"run: expected one of steps, time, days, got {', '.join(named) or 'none'}"
            )
        if days is not None and time_units != "s":
            raise ValueError("days: expected steps or time, because this model has no units")
        ((name, duration),) = named.items()
        unit = {"steps": 1.0, "time": dt, "days": dt / SECONDS_PER_DAY}[name]
        n_step = _whole(name, duration, unit, dt)
        if save_every is None:
            return cls(n_step, max(1, -(-n_step // _SAVES)))
        return cls(n_step, _whole("save_every", save_every, unit, dt))

    def saves(self, first: int) -> list[int]:
        """Return the steps after which a run that begins after step `first` saves.

        Time 0 is among them; where a run continues another, that one has saved its beginning.
        """
        last = first + self.n_step
        begin = 0 if first == 0 else first + self.save_every
        return [*range(begin, last, self.save_every), last]


def _whole(name: str, duration: float, unit: float, dt: float) -> int:
    steps = duration / unit
    whole = round(steps) if math.isfinite(steps) else 0
    if whole < 1 or abs(steps - whole) > _PART_OF_A_STEP + _ROUNDING * steps:
        raise ValueError(
            f"{name}: expected a positive multiple of dt = {dt:g}, got {duration:g}, "
            f"which is {steps:g} steps"
        )
    return whole
