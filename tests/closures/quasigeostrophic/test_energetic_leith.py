"""QG Leith with an energy budget: its equations, its budget, and its limits."""

from typing import Any

import numpy as np
import pytest
import torch
from leith_e_oracle import FORMS, ORDERS, Field, leith_e, with_exact_energy
from two_dimensional_flow import spacing
from two_layer_fields import SHARES, flow_of, turbulence

from closures import SpecError
from closures.quasigeostrophic import LeithE

N = 24
C2, C4 = (-0.8, -0.3), (0.02, 0.05)
DELTA = 1.0 / 3.0
INFINITE = float("inf")
BUDGETS = {
    "as given": None,
    "a part": (0.7, INFINITE, DELTA),
    "more than all": (1.3, INFINITE, DELTA),
    "limited": (0.7, 0.01, DELTA),
    "nothing": (0.0, 1.0, DELTA),
    "deep above": (0.7, INFINITE, 5.0),
}


def made(d: float, budget: tuple[float, float, float] | None, **changed: Any) -> LeithE:
    names = ("returned", "largest_factor", "delta")
    settings = {"c2": C2, "c4": C4, **dict(zip(names, budget or (None,) * 3, strict=True))}
    return LeithE((d, d), **{**settings, **changed})


def tendency(closure: LeithE, *fields: Field) -> Field:
    (found,) = closure(*(torch.from_numpy(np.array(field))[None] for field in fields))
    return np.asarray(found[0].numpy())


def flow(n: int = N, seed: int = 0) -> tuple[Field, Field, Field]:
    q = turbulence(n, seed)[0]
    found = flow_of(q)
    return q, found["u"], found["v"]


def same(found: Field, expected: Field, tolerance: float = 1e-12) -> bool:
    return bool(np.abs(found - expected).max() <= tolerance * np.abs(expected).max())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", BUDGETS)
@pytest.mark.parametrize("order", ORDERS)
def test_the_tendency_is_that_of_the_equations(order: str, name: str, form: str) -> None:
    d, budget, chosen, c6 = spacing(N)[0], BUDGETS[name], FORMS[form], ORDERS[order]
    expected = leith_e(*flow(), d, C2, C4, budget, fields=chosen, c6=c6)
    if name == "limited":
        assert expected.factor == 0.01
    elif name in ("a part", "more than all", "deep above"):
        assert 0.0 < expected.factor < INFINITE
    assert same(tendency(made(d, budget, fields=chosen, c6=c6), *flow()), expected.tendency)


def test_forms_differ() -> None:
    found = [
        tendency(made(1.0, BUDGETS["a part"], fields=form), *flow()) for form in FORMS.values()
    ]
    for i, one in enumerate(found):
        assert not any(same(one, other, 0.1) for other in found[:i])


def test_a_wave_is_damped_as_its_differences_say() -> None:
    # Of the strain alone, which a shear of the flow keeps uniform: no wave of m is in the way.
    n, d, wave = 16, 0.5, 5
    x = d * np.arange(n)
    q = np.broadcast_to(np.sin(2 * np.pi * wave * x / (n * d)), (2, n, n))
    y = np.broadcast_to(d * np.arange(n)[:, None], (2, n, n))
    closure = made(d, None, c2=(0.0, 0.0), c4=(0.0, 0.0), c6=(0.01, 0.03), fields=("strain", "q"))
    found = tendency(closure, q, 2.0 * y, np.zeros_like(q))
    squared = 2.0 - 2.0 * np.cos(2 * np.pi * wave / n)
    expected = -np.array([0.01, 0.03])[:, None, None] * 2.0 * squared**3 * q
    # Where rows meet, the shear is broken.
    assert same(found[:, 2:-2], expected[:, 2:-2], 1e-12)


def test_vorticity_as_q_without_thickness_is_anti_diffused_alike() -> None:
    # Where q is the relative vorticity by the same differences, both forms are one.
    rng = np.random.default_rng(4)
    u, v = rng.standard_normal((2, 2, N, N))
    q = (np.roll(v, -1, 2) - np.roll(v, 1, 2) - np.roll(u, -1, 1) + np.roll(u, 1, 1)) / 2.0
    budget = BUDGETS["more than all"]
    alike = [tendency(made(1.0, budget, fields=("q", b)), q, u, v) for b in ("q", "vorticity")]
    assert same(alike[0], alike[1], 1e-13)


def test_the_spacing_drops_out_for_what_is_measured_in_grid_cells() -> None:
    for budget in (None, (0.7, INFINITE, DELTA)):
        assert same(
            tendency(made(15e3, budget), *flow()), tendency(made(1.0, budget), *flow()), 1e-15
        )


def test_each_member_has_a_factor_of_its_own() -> None:
    d = spacing(N)[0]
    closure = made(d, BUDGETS["a part"])
    flows = [flow(seed=seed) for seed in range(3)]
    (together,) = closure(*(torch.from_numpy(np.stack(part)) for part in zip(*flows, strict=True)))
    for found, fields in zip(together.numpy(), flows, strict=True):
        assert same(found, leith_e(*fields, d, C2, C4, BUDGETS["a part"]).tendency)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("returned", [0.0, 0.4, 1.0, 1.2])
@pytest.mark.parametrize("order", ORDERS)
def test_of_the_energy_taken_the_part_r_comes_back(order: str, returned: float, form: str) -> None:
    chosen: dict[str, Any] = {"fields": FORMS[form], "c6": ORDERS[order]}
    # Where v and -u at faces are differences of psi, the sum by parts has no error.
    for seed in range(50):
        fields = with_exact_energy(np.random.default_rng(seed), 13, 15, 0.5)
        given = fields["q"], fields["u"], fields["v"]
        without = leith_e(*given, 0.5, C2, C4, BUDGETS["nothing"], **chosen)
        if without.put_in > 0.0 and without.taken > 0.0:
            break
    else:
        pytest.fail("no such flow")
    found = tendency(made(0.5, (returned, INFINITE, DELTA), **chosen), *given)
    gained = -(SHARES @ (fields["psi"] * found).mean(axis=(1, 2)))
    assert gained == pytest.approx((returned - 1.0) * without.taken, abs=1e-13 * without.taken)


def test_the_budget_of_a_smooth_flow_has_an_error_of_second_order() -> None:
    # At most three waves to a side, on finer and finer grids; psi, u and v are exact.
    coarse = np.random.default_rng(3).standard_normal((2, 8, 8))
    spectrum = np.fft.fft2(coarse)
    k = np.abs(np.fft.fftfreq(8, 1 / 8))
    spectrum *= (k < 4) & (k[:, None] < 4) & (k + k[:, None] > 0)
    errors = []
    for n in (32, 64, 128):
        padded = np.zeros((2, n, n), complex)
        at = np.fft.fftfreq(8, 1 / 8).astype(int)
        padded[np.ix_(np.arange(2), at, at)] = spectrum * (n / 8) ** 2
        q = np.fft.ifft2(padded).real
        fields = flow_of(q)
        closure = made(spacing(n)[0], (1.0, INFINITE, DELTA))
        found = tendency(closure, q, fields["u"], fields["v"])
        dissipation = leith_e(
            q, fields["u"], fields["v"], spacing(n)[0], C2, C4, BUDGETS["nothing"]
        )
        assert min(dissipation.taken, dissipation.put_in) > 0.0
        gained = -(SHARES @ (fields["psi"] * found).mean(axis=(1, 2)))
        errors.append(abs(gained) / dissipation.taken)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.1)


def test_where_anti_diffusion_puts_no_energy_in_there_is_none() -> None:
    q, u, v = flow()
    d, budget = spacing(N)[0], BUDGETS["a part"]
    # Both energies change their sign with the flow.
    assert leith_e(q, u, v, d, C2, C4, budget).put_in > 0.0
    assert same(
        tendency(made(d, budget), q, -u, -v), tendency(made(d, None, c2=(0.0, 0.0)), q, u, v), 1e-15
    )


def test_where_nothing_is_taken_nothing_is_returned() -> None:
    # Anti-diffusion of the upper layer alone, hyperdiffusion of the lower, whose flow is turned.
    q, u, v = flow()
    u[1], v[1] = -u[1], -v[1]
    d, one = spacing(N)[0], {"c2": (-1.0, 0.0), "c4": (0.0, 0.05)}
    expected = leith_e(q, u, v, d, one["c2"], one["c4"], BUDGETS["a part"])
    assert expected.put_in > 0.0 > expected.taken
    found = tendency(made(d, BUDGETS["a part"], **one), q, u, v)
    assert same(found, tendency(made(d, None, c2=(0.0, 0.0), c4=one["c4"]), q, u, v), 1e-15)


def test_a_uniform_potential_vorticity_has_no_tendency() -> None:
    _, u, v = flow()
    for budget in BUDGETS.values():
        found = tendency(made(1.0, budget), np.full_like(u, 3.7), u, v)
        assert np.array_equal(found, np.zeros_like(u))


@pytest.mark.parametrize("budget", [None, (0.7, INFINITE, DELTA)])
def test_single_precision_gives_the_same_to_its_rounding(budget: Any) -> None:
    closure, fields = made(1.0, budget), flow()
    (found,) = closure(*(torch.from_numpy(field.astype(np.float32))[None] for field in fields))
    assert found.dtype == torch.float32
    assert same(found[0].numpy(), tendency(closure, *fields), 1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"spacing": (2e4, 1e4)},
            "spacing: expected square grid cells, got dy = 20000 m and dx = 10000 m",
        ),
        (
            {"c2": (0.1, -1.0)},
            (
                "c2: expected two finite numbers, one for each layer, no positive ones, "
                "got (0.1, -1.0)"
            ),
        ),
        (
            {"c4": (0.1, float("nan"))},
            "c4: expected two finite numbers, one for each layer, no negative ones, got (0.1, nan)",
        ),
        (
            {"c4": (0.1,)},
            "c4: expected two finite numbers, one for each layer, no negative ones, got (0.1,)",
        ),
        (
            {"delta": None},
            (
                "expected returned, largest_factor and delta together or none of them, "
                "got 0.5, 1.0 and None"
            ),
        ),
        (
            {"c6": (0.1, -0.1)},
            (
                "c6: expected two finite numbers, one for each layer, no negative ones, "
                "got (0.1, -0.1)"
            ),
        ),
        ({"returned": -0.1}, "returned: expected a number of at least 0, got -0.1"),
        ({"largest_factor": 0.0}, "largest_factor: expected a positive number, got 0.0"),
        ({"delta": INFINITE}, "delta: expected a positive number, got inf"),
        (
            {"fields": ("q", "psi")},
            (
                "fields: expected one of (('q', 'q'), ('q', 'vorticity'), ('laplacian', 'q'), "
                "('laplacian', 'vorticity'), ('strain', 'q'), ('strain', 'vorticity')), "
                "got ('q', 'psi')"
            ),
        ),
        (
            {"largest": {"psi": 1.0}},
            "largest: expected names among q, u, v, the inputs of leith_e, got psi",
        ),
    ],
)
def test_what_is_out_of_range_is_refused(settings: dict[str, Any], message: str) -> None:
    good = {"c2": C2, "c4": C4, "returned": 0.5, "largest_factor": 1.0, "delta": DELTA}
    given = {"spacing": (1e4, 1e4), **good, **settings}
    with pytest.raises(SpecError) as error:
        LeithE(given.pop("spacing"), **given)
    assert str(error.value) == message


def test_the_specification_says_what_it_is() -> None:
    assert made(1.0, (0.7, 2.0, DELTA)).spec.description == (
        "QG Leith, c2 = (-0.8, -0.3), c4 = (0.02, 0.05), 0.7 of the energy returned, "
        "largest factor 2"
    )
    assert made(1.0, None).spec.description == (
        "QG Leith, c2 = (-0.8, -0.3), c4 = (0.02, 0.05), as given"
    )
    assert made(1.0, None, c6=(0.0, 0.001)).spec.description == (
        "QG Leith, c2 = (-0.8, -0.3), c4 = (0.02, 0.05), c6 = (0, 0.001), as given"
    )
    described = made(1.0, None, fields=FORMS["both"]).spec.description
    assert described == (
        "QG Leith, c2 = (-0.8, -0.3), c4 = (0.02, 0.05), as given, scaled by the gradient of the "
        "Laplacian, of relative vorticity"
    )
