"""A tendency that is given for each member."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from solvers import KuramotoSivashinsky, SteadyForcing

Array = NDArray[np.float64]
MODEL = KuramotoSivashinsky(
    nx=32, length=10.0, dt=0.01, advection=0.0, antidiffusion=0.0, hyperdiffusion=0.0
)
FORCING = np.arange(96.0).reshape(3, 32)


def test_every_member_has_its_own() -> None:
    start = np.ones((3, 32))
    found = MODEL.one_step(start, tendency=SteadyForcing(FORCING))
    np.testing.assert_allclose(found, 1.0 + 0.01 * FORCING, rtol=1e-13)


def test_another_tendency_is_added() -> None:
    def damping(fields: Mapping[str, Array], _step: int) -> Array:
        return -2.0 * fields["u"]

    start = np.random.default_rng(0).standard_normal((3, 32))
    forced = MODEL.one_step(start, tendency=SteadyForcing(FORCING, damping))
    plain = MODEL.one_step(start, tendency=damping)
    # The four stages each see the forcing, and what the damping makes of it.
    weight = (1.0 - np.exp(-0.02)) / 2.0
    np.testing.assert_allclose(forced - plain, weight * FORCING, rtol=1e-7, atol=1e-12)


def test_too_few_fields_are_refused() -> None:
    with pytest.raises(ValueError, match="a field for each member, got 3 and a member 3"):
        MODEL.one_step(np.ones((4, 32)), tendency=SteadyForcing(FORCING))
