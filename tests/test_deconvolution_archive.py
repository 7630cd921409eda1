"""Deconvolution with Leith and an energy budget: archive, compiled loop and torch agree."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from leith_e_settings import MODEL, OF_MOMENTUM, SPACING
from two_layer_flow import relative_difference, turbulence

import closures.quasigeostrophic
import hybrid
import solvers
from closures import Closure, SpecError

OWN: dict[str, float] = {"dt": MODEL.dt, "cutoff": 0.72}
COMPILED = solvers.Deconvolution(**OWN, closure=solvers.LeithE(**OF_MOMENTUM))
LARGEST = {"q": 1e-3, "u": 5.0, "v": 5.0}


def in_torch(largest: dict[str, float] | None = None) -> Closure:
    of_q = None if largest is None else {"q": largest["q"]}
    own = closures.quasigeostrophic.Deconvolution(SPACING, **OWN, largest=of_q)
    return closures.quasigeostrophic.LeithE(SPACING, **OF_MOMENTUM, largest=largest) + own


def test_torch_and_numba_give_turbulence_one_tendency() -> None:
    closure = in_torch()

    def in_python(fields: Any, _step: int) -> Any:
        (made,) = closure(*(torch.from_numpy(fields[name].copy())[None] for name in "quv"))
        return made[0].numpy()

    found = []
    for tendency in (COMPILED, in_python):
        integration = MODEL.start(turbulence(MODEL), tendency=tendency)
        integration.advance(1)
        found.append(np.array(integration.closure_outputs(0)[0].array))
    compiled, eager = found
    assert np.abs(eager - compiled).max() <= 1e-12 * np.abs(compiled).max()


@pytest.mark.fortran
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-11), ("float32", 1e-5)])
def test_after_a_hundred_steps_the_archive_and_the_compiled_loop_agree(
    dtype: str, tolerance: float, tmp_path: Path
) -> None:
    path = tmp_path / "deconvolution.pt"
    hybrid.export(in_torch(LARGEST), path)
    model = replace(MODEL, dtype=dtype)
    spectra = []
    for source in (hybrid.couple(path), COMPILED, solvers.LeithE(**OF_MOMENTUM)):
        integration = model.start(turbulence(MODEL), tendency=source)
        integration.advance(100)
        spectra.append(integration.prognostic["q"][0].copy())
    archive, compiled, without = spectra
    assert relative_difference(archive, compiled) <= tolerance
    assert relative_difference(without, compiled) > 1e-3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dt": -1.0}, "dt: expected a positive number, got -1"),
        ({"cutoff": 0.6}, r"cutoff: expected a number from 0\.65, .* to 1, got 0\.6"),
        ({"least": 1.0}, "least: expected a number between 0 and 1, got 1"),
    ],
)
def test_what_is_out_of_range_is_refused(changed: dict[str, float], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        closures.quasigeostrophic.Deconvolution(SPACING, **{**OWN, **changed})  # type: ignore[arg-type]
