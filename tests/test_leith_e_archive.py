"""QG Leith with an energy budget: the archive and the loop compiled into the solver agree."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from leith_e_oracle import leith_e
from leith_e_settings import BUDGET, MODEL, OF_MOMENTUM, OF_SIXTH_ORDER, OF_STRAIN, SPACING
from numpy.typing import NDArray
from two_layer_flow import relative_difference, turbulence

import closures.quasigeostrophic
import hybrid
import solvers

SETTINGS: dict[str, dict[str, Any]] = {
    "as given": {"c2": (-0.004, -0.002), "c4": (0.006, 0.004)},
    "budget": BUDGET,
    "budget of momentum": OF_MOMENTUM,
    "budget and strain": OF_STRAIN,
    "budget of sixth order": OF_SIXTH_ORDER,
}
_BUDGET = ("returned", "largest_factor", "delta")


def of_turbulence(tendency: Any) -> tuple[Any, Any]:
    """The first tendency that a closure gives to turbulence, and the fields it was given."""
    integration = MODEL.start(turbulence(MODEL), tendency=tendency)
    integration.advance(1)
    (found,) = integration.closure_outputs(0)
    return found.array.copy(), [field.array for field in integration.closure_inputs(0)]


@pytest.mark.parametrize("name", SETTINGS)
def test_torch_numba_and_the_equations_give_turbulence_one_tendency(name: str) -> None:
    settings = SETTINGS[name]
    compiled, _ = of_turbulence(solvers.LeithE(**settings))
    closure = closures.quasigeostrophic.LeithE(SPACING, **settings)
    seen: list[NDArray[np.float64]] = []

    def in_python(fields: Any, step: int) -> Any:
        del step
        seen[:] = [fields[field].copy() for field in "quv"]
        (found,) = closure(*(torch.from_numpy(field)[None] for field in seen))
        return found[0].numpy()

    eager, _ = of_turbulence(in_python)
    assert np.abs(eager - compiled).max() <= 1e-12 * np.abs(compiled).max()
    budget = tuple(settings[part] for part in _BUDGET) if "returned" in settings else None
    form = settings.get("fields", ("q", "q"))
    q, u, v = seen
    c6 = settings.get("c6", (0.0, 0.0))
    exact = leith_e(q, u, v, SPACING[1], settings["c2"], settings["c4"], budget, fields=form, c6=c6)
    assert np.abs(compiled - exact.tendency).max() <= 1e-12 * np.abs(compiled).max()
    if budget is not None:
        assert 0.0 < exact.factor < 10.0


@pytest.mark.fortran
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-11), ("float32", 1e-5)])
def test_after_a_hundred_steps_the_archive_and_the_compiled_loop_agree(
    name: str, dtype: str, tolerance: float, tmp_path: Path
) -> None:
    settings, path = SETTINGS[name], tmp_path / "leith_e.pt"
    closure = closures.quasigeostrophic.LeithE(
        SPACING, **settings, largest={"q": 1e-3, "u": 5.0, "v": 5.0}
    )
    hybrid.export(closure, path)
    model = replace(MODEL, dtype=dtype)
    spectra = []
    for source in (hybrid.couple(path), solvers.LeithE(**settings), None):
        integration = model.start(turbulence(MODEL), tendency=source)
        integration.advance(100)
        spectra.append(integration.prognostic["q"][0].copy())
    archive, compiled, alone = spectra
    assert relative_difference(archive, compiled) <= tolerance
    assert relative_difference(alone, compiled) > 1e-3
