"""A discovered equation, exported and coupled: the corrected model's increments are gone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hybrid
from closures import Closure, ClosureSpec, Field, Grid
from closures.model_error import (
    BlackBoxColumns,
    Library,
    PeriodicGrid,
    Samples,
    SpectralTerms,
    Variable,
    analysis_increments,
    discover,
    monomials,
)
from solvers import KuramotoSivashinsky, SteadyForcing

NX, LENGTH = 64, 25.0
MODEL = KuramotoSivashinsky(nx=NX, length=LENGTH, dt=5e-3, antidiffusion=0.4, advection=0.5)


def step(u: Any, forcing: Any = None, closure: Any = None) -> Any:
    return MODEL.one_step(u, tendency=closure if forcing is None else SteadyForcing(forcing))


@pytest.fixture(scope="module")
def samples() -> tuple[Samples, Samples]:
    """Samples to discover with, and others to test with."""
    nature = KuramotoSivashinsky(nx=NX, length=LENGTH, dt=1e-3)
    start = nature.run(time=40, save_every=40, n_member=48, seed=3).u[-1].to_numpy()
    end = nature.run(steps=5, save_every=5, initial=start).u[-1].to_numpy()
    return Samples.of([start[:32]], end[:32], MODEL.dt), Samples.of(
        [start[32:]], end[32:], MODEL.dt
    )


def test_corrected_increments_are_what_the_terms_leave(
    samples: tuple[Samples, Samples], tmp_path: Path
) -> None:
    known, other = samples
    grid = PeriodicGrid("x", (NX,), (LENGTH,))
    library = Library(monomials(Variable("u")), grid, lambda states: {"u": states})
    error = discover(step, known, library, BlackBoxColumns(step))
    assert set(error.named) == {"u_xx", "u u_x"}
    spec = ClosureSpec(
        "ks_error",
        "1.0",
        (Field("u", "1", ("x",), (NX,), "float64", valid_min=-6.0, valid_max=6.0),),
        (Field("u_tendency", "1", ("x",), (NX,), "float64"),),
        locality="grid",
        grid=Grid((LENGTH / NX,), ("periodic",)),
    )
    closure = SpectralTerms.of(error, spec)
    before = np.linalg.norm(analysis_increments(step, other))

    def left(correction: Closure) -> float:
        path = tmp_path / "correction.pt"
        hybrid.export(correction, path)
        coupled = hybrid.couple(path)
        increments = analysis_increments(lambda u: step(u, closure=coupled), other)
        return float(np.linalg.norm(increments) / before)

    # The solver evaluates the terms at each stage of its step, the library at its ends alone.
    assert left(closure) <= error.residual < 1e-4
    # What the terms make of each other within a step is of second order in them.
    assert left(0.5 * closure) == pytest.approx(0.5, rel=5e-3)
