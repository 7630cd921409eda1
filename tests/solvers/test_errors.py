"""Errors come through from other processes as they were."""

import copy
import multiprocessing
import pickle
from functools import partial

import numpy as np
import pytest

from solvers import Lorenz63, SolverBlewUp

BLOW_UP = SolverBlewUp(
    model="pendulum",
    field="angle",
    member=2,
    step=7,
    time=3.5,
    time_units="s",
    dt=0.5,
    courant_number=1.25,
)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_blow_up_is_pickled(protocol: int) -> None:
    BLOW_UP.add_note("of a pendulum")
    for again in (pickle.loads(pickle.dumps(BLOW_UP, protocol)), copy.copy(BLOW_UP)):
        assert type(again) is SolverBlewUp
        assert str(again) == str(BLOW_UP)
        assert vars(again) == vars(BLOW_UP)
        assert (again.step, again.time_units, again.courant_number) == (7, "s", 1.25)


@pytest.mark.filterwarnings("ignore::solvers.errors.StabilityWarning")
def test_a_blow_up_comes_through_from_another_process() -> None:
    violent = Lorenz63(dt=1.0).start(np.full(3, 1e3))
    with pytest.raises(SolverBlewUp) as here:
        violent.advance(50)
    run = partial(Lorenz63(dt=1.0).run, steps=50, initial=np.full(3, 1e3))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result = pool.apply_async(run)
        with pytest.raises(SolverBlewUp) as there:
            result.get(timeout=60)
    assert vars(there.value) == vars(here.value)
