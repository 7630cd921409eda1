"""QG Leith with an energy budget in the time loop of two-layer flow."""

from typing import Any

import numpy as np
import pytest
from in_loop_tendency import evaluated
from leith_e_oracle import FORMS, ORDERS, Field, leith_e

from solvers import Barotropic, LeithE, RelaxedJetQG, TendencyError, TwoLayerQG

C2, C4 = (-0.8, -0.3), (0.02, 0.05)
INFINITE = float("inf")
BUDGETS = {
    "as given": None,
    "a part": (0.7, INFINITE, 0.25),
    "more than all": (1.3, INFINITE, 0.25),
    "limited": (0.7, 0.01, 0.25),
    "nothing": (0.0, 1.0, 0.25),
}
MODEL = TwoLayerQG(nx=32, dt=7200.0)


def made(budget: tuple[float, float, float] | None, **changed: Any) -> LeithE:
    names = ("returned", "largest_factor", "delta")
    settings = {"c2": C2, "c4": C4, **dict(zip(names, budget or (None,) * 3, strict=True))}
    return LeithE(**{**settings, **changed})


def random_flow(n_y: int, n_x: int, budget: Any) -> Field:
    """Three fields of noise, of signs that ask something of the budget."""
    flow = np.random.default_rng(n_y + 100 * n_x).standard_normal((3, 2, n_y, n_x))
    for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        one: Field = flow * np.reshape([(1, 1), signs, signs], (3, 2, 1, 1))
        q, u, v = one
        found = leith_e(q, u, v, 1.0, C2, C4, budget)
        if min(found.put_in, found.taken) > 0.0:
            return one
    raise AssertionError("no sign fits")


@pytest.mark.parametrize("shape", [(16, 16), (12, 18), (37, 7), (4, 4), (8, 64)])
@pytest.mark.parametrize("name", BUDGETS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("order", ORDERS)
def test_the_tendency_is_that_of_the_equations(
    order: str, form: str, name: str, shape: tuple[int, int]
) -> None:
    budget, chosen, c6 = BUDGETS[name], FORMS[form], ORDERS[order]
    flow = random_flow(*shape, budget)
    q, u, v = flow
    # Vorticity is as large as q where velocities are differences of a grid cell.
    d = 1.0 if chosen[1] == "vorticity" else 15625.0
    expected = leith_e(q, u, v, d, C2, C4, budget, fields=chosen, c6=c6).tendency
    largest = np.abs(expected).max()
    closure = made(budget, fields=chosen, c6=c6)
    assert np.abs(evaluated(closure, flow, d=d) - expected).max() <= 1e-12 * largest
    single = evaluated(closure, flow, "float32", d=d)
    assert single.dtype == np.float32
    # Noise is the worst case of the sums: their terms cancel.
    assert np.abs(single - expected).max() <= 3e-5 * largest


def test_where_anti_diffusion_puts_no_energy_in_there_is_none() -> None:
    budget = BUDGETS["a part"]
    flow = random_flow(16, 16, budget)
    turned = flow * np.reshape([1, -1, -1], (3, 1, 1, 1))
    without = evaluated(made(None, c2=(0.0, 0.0)), flow)
    assert np.array_equal(evaluated(made(budget), turned), without)
    assert not np.array_equal(evaluated(made(budget), flow), without)


def test_a_uniform_potential_vorticity_has_no_tendency() -> None:
    flow = np.random.default_rng(0).standard_normal((3, 2, 8, 8))
    flow[0] = 3.7
    for budget in BUDGETS.values():
        assert np.array_equal(evaluated(made(budget), flow), np.zeros((2, 8, 8)))


def test_the_mean_of_potential_vorticity_does_not_change() -> None:
    tendency = evaluated(made(BUDGETS["a part"]), random_flow(24, 20, BUDGETS["a part"]))
    assert np.all(np.abs(tendency.mean(axis=(1, 2))) <= 1e-15 * np.abs(tendency).max())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_members_have_work_space_of_their_own(dtype: str) -> None:
    model = TwoLayerQG(nx=32, dt=7200.0, dtype=dtype)
    q = model.random_state(3, np.random.default_rng(0)) * 100.0
    closure = made(BUDGETS["a part"])
    together = model.start(q, n_thread=2, tendency=closure)
    together.advance(20)
    for member in range(3):
        alone = model.start(q[member], tendency=closure)
        alone.advance(20)
        found = together.prognostic["q"][member]
        assert np.array_equal(found, alone.prognostic["q"][0])


def test_the_data_of_a_run_name_the_closure_and_its_numbers() -> None:
    run = MODEL.run(steps=2, tendency=made(BUDGETS["limited"]))
    assert run.attrs["tendency"] == (
        "LeithE(c2=(-0.8, -0.3), c4=(0.02, 0.05), c6=(0.0, 0.0), returned=0.7, "
        "largest_factor=0.01, delta=0.25, fields=('q', 'q'))"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"c2": (0.1, -1.0)},
            (
                "c2: expected two finite numbers, one for each layer, no positive ones, "
                "got (0.1, -1.0)"
            ),
        ),
        (
            {"c4": (0.1, float("inf"))},
            "c4: expected two finite numbers, one for each layer, no negative ones, got (0.1, inf)",
        ),
        (
            {"returned": None},
            (
                "expected returned, largest_factor and delta together or none of them, "
                "got None, 1.0 and 0.25"
            ),
        ),
        (
            {"c6": (-0.1, 0.0)},
            (
                "c6: expected two finite numbers, one for each layer, no negative ones, "
                "got (-0.1, 0.0)"
            ),
        ),
        ({"returned": float("nan")}, "returned: expected a number of at least 0, got nan"),
        ({"largest_factor": -1.0}, "largest_factor: expected a positive number, got -1.0"),
        ({"delta": 0.0}, "delta: expected a positive number, got 0.0"),
        (
            {"fields": ("psi", "q")},
            (
                "fields: expected one of (('q', 'q'), ('q', 'vorticity'), ('laplacian', 'q'), "
                "('laplacian', 'vorticity'), ('strain', 'q'), ('strain', 'vorticity')), "
                "got ('psi', 'q')"
            ),
        ),
    ],
)
def test_what_is_out_of_range_is_refused(settings: dict[str, Any], message: str) -> None:
    good = {"c2": C2, "c4": C4, "returned": 0.5, "largest_factor": 1.0, "delta": 0.25}
    with pytest.raises(ValueError, match="LeithE") as error:
        LeithE(**{**good, **settings})
    assert str(error.value) == f"LeithE: {message}"


def test_other_models_and_oblong_cells_are_refused() -> None:
    closure = made(None)
    oblong = TwoLayerQG(nx=32, ny=32, length_x=1e6, length_y=5e5)
    with pytest.raises(TendencyError) as error:
        oblong.start(tendency=closure)
    assert str(error.value) == (
        "LeithE: expected square grid cells, got dx = 31250 m and dy = 15625 m; "
        "choose ny / nx like length_y / length_x"
    )
    for model in (Barotropic(nx=16), RelaxedJetQG(nx=16, ny=32)):
        with pytest.raises(TendencyError, match=r"of two layers, as solvers.TwoLayerQG has them"):
            model.start(tendency=closure)
