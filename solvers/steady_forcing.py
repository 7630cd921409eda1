"""A tendency that is given for each member and does not change."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from solvers.tendency_source import (
    BoundTendency,
    GridField,
    PythonTendency,
    PythonTendencySource,
)


class SteadyForcing:
    """Fields that are added to the tendency, one for each member.

    Parameters
    ----------
    forcing
        Shape ``(n_member, ...)``, then that of the prognostic field [field / time].
    tendency
        A Python function whose tendency is added too, as in `PythonTendencySource`.

    Raises
    ------
    ValueError
        When it is coupled, if there are fewer fields than members.

    Examples
    --------
    >>> from solvers import KuramotoSivashinsky
    >>> model = KuramotoSivashinsky(nx=64, length=22.0, dt=0.1)
    >>> run = model.run(steps=1, n_member=3, tendency=SteadyForcing(np.ones((3, 64))))
    """

    def __init__(self, forcing: ArrayLike, tendency: PythonTendency | None = None) -> None:
        self.forcing = np.asarray(forcing)
        self.tendency = tendency

    def bind(
        self, member: int, fields: Sequence[GridField], tendencies: Sequence[GridField]
    ) -> BoundTendency:
        """Wrap the forcing of a member."""
        if member >= len(self.forcing):
            raise ValueError(
                f"forcing: expected a field for each member, got {len(self.forcing)} "
                f"and a member {member}"
            )
        forcing, tendency = self.forcing[member], self.tendency
        if tendency is None:
            return PythonTendencySource(lambda _fields, _step: forcing).bind(
                member, fields, tendencies
            )
        return PythonTendencySource(lambda given, step: forcing + tendency(given, step)).bind(
            member, fields, tendencies
        )
