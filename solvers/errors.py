"""What can go wrong in a run."""

from functools import partial
from typing import Any


class SolverBlewUp(FloatingPointError):  # noqa: N818 -- what it says is what happened
    """The state is no longer finite.

    Parameters
    ----------
    model
        Name of the model.
    field
        The field that is not finite.
    member
        The first member in which it is not.
    step
        The first step after which it is not, counted from the beginning of the run.
    time
        Model time after that step.
    time_units
        Units of `time`.
    dt
        Time step [`time_units`].
    courant_number
        Courant number of the last finite state [1].
    """

    _PARAMETERS = ("model", "field", "member", "step", "time", "time_units", "dt", "courant_number")

    def __init__(
        self,
        *,
        model: str,
        field: str,
        member: int,
        step: int,
        time: float,
        time_units: str,
        dt: float,
        courant_number: float,
    ) -> None:
        self.model, self.field, self.member = model, field, member
        self.step, self.time, self.dt = step, time, dt
        self.time_units, self.courant_number = time_units, courant_number
        units = "" if time_units == "1" else f" {time_units}"
        super().__init__(
            f"{model}: {field} of member {member} is not finite after step {step} "
            f"(time {time:g}{units}); the last finite state had Courant number "
            f"{courant_number:.3g} with dt = {dt:g}{units}; use a shorter dt or more dissipation"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes the error again in another process."""
        parameters = {name: getattr(self, name) for name in self._PARAMETERS}
        return partial(type(self), **parameters), (), self.__dict__


class TendencyError(RuntimeError):
    """A closure failed, or returned something that cannot be added to the tendency."""


class StabilityWarning(UserWarning):
    """The time step is longer than linear theory allows."""
