"""The dynamic coefficient of two-layer flow against matrices and formulas."""

from typing import Any

import numpy as np
import pytest
import sympy
import torch
from numpy.typing import NDArray
from two_dimensional_flow import X, Y, laplacian, spacing
from two_layer_fields import (
    Field,
    batch,
    close,
    dx,
    dy,
    inputs_of,
    layers,
    tendency_of,
    turbulence,
    without_shortest,
)

from closures.quasigeostrophic import DynamicEddyViscosity, QGLeith

N = 24
STEP = spacing(N)

# Of 24 points the hat keeps waves 0 to 5: LONG stays, SHORT goes.
LONG = (
    sympy.sin(X - 3 * Y) / 3 - sympy.cos(2 * X + Y) - sympy.cos(5 * Y) / 20,
    -sympy.sin(X + 2 * Y) / 2 - sympy.cos(3 * X) / 5,
)
SHORT = (
    -sympy.sin(7 * X - 2 * Y) / 30 - sympy.cos(4 * X + 6 * Y) / 40 - sympy.cos(X - 8 * Y) / 50,
    sympy.sin(2 * X + 7 * Y) / 60 - sympy.cos(6 * X + Y) / 30,
)
WHOLE = tuple(a + b for a, b in zip(LONG, SHORT, strict=True))


def stretched(psi: tuple[sympy.Expr, ...]) -> tuple[sympy.Expr, ...]:
    return (
        laplacian(psi[0]) + 3 * (psi[1] - psi[0]),
        laplacian(psi[1]) + (psi[0] - psi[1]),
    )


def hat(field: Field) -> Field:
    """The test filter: along each axis a product with a matrix of cosines."""
    x = 2.0 * np.pi / N * np.arange(N)
    difference = x[:, np.newaxis] - x
    matrix = (1.0 + 2.0 * sum(np.cos(wave * difference) for wave in range(1, 6))) / N
    return np.asarray(matrix @ field @ matrix)


def parts(psi: tuple[sympy.Expr, ...], scale: str) -> list[Field]:
    """u, v, q, its gradient and the scale of both layers."""
    d, q = sympy.diff, stretched(psi)
    u, v = [-d(f, Y) for f in psi], [d(f, X) for f in psi]
    fields = (u, v, q, [d(f, X) for f in q], [d(f, Y) for f in q])
    values = [layers(tuple(f), N) for f in fields]
    if scale == "leith":
        return [*values, np.hypot(values[3], values[4])]
    normal = layers(tuple(-2 * d(f, X, Y) for f in psi), N)
    shear = layers(tuple(d(f, X, 2) - d(f, Y, 2) for f in psi), N)
    return [*values, np.hypot(normal, shear)]


def divergence(x: Field, y: Field) -> Field:
    return without_shortest(dx(x) + dy(y))


def expected(scale: str, average: str, clipping: str) -> NDArray[Any]:
    u, v, q, qx, qy, s = parts(WHOLE, scale)
    hat_u, hat_v, hat_q, hat_qx, hat_qy, hat_s = parts(LONG, scale)
    power = {"leith": 3, "smagorinsky": 2}[scale]
    known = hat(divergence(u * q, v * q)) - divergence(hat_u * hat_q, hat_v * hat_q)
    model = STEP[0] ** power * hat(divergence(s * qx, s * qy))
    model -= (2.0 * STEP[0]) ** power * divergence(hat_s * hat_qx, hat_s * hat_qy)
    product = known * model
    if clipping == "numerator":
        product = np.maximum(product, 0.0)
    axes = (0, 1, 2) if average == "both" else (1, 2)
    c = np.atleast_1d(product.mean(axis=axes) / (model**2).mean(axis=axes))
    return np.maximum(c, 0.0) if clipping == "coefficient" else c


def fields() -> list[torch.Tensor]:
    q, d = stretched(WHOLE), sympy.diff
    u, v = tuple(-d(f, Y) for f in WHOLE), tuple(d(f, X) for f in WHOLE)
    return [batch(layers(formulas, N)) for formulas in (q, u, v)]


@pytest.mark.parametrize("scale", ["smagorinsky", "leith"])
@pytest.mark.parametrize("average", ["layer", "both"])
@pytest.mark.parametrize("clipping", ["none", "coefficient", "numerator"])
def test_coefficient_is_that_of_matrices(scale: str, average: str, clipping: str) -> None:
    how: dict[str, Any] = {"scale": scale, "average": average, "clipping": clipping}
    c = DynamicEddyViscosity(STEP, **how).coefficient(*fields())
    assert c.shape == (1, 2 if average == "layer" else 1, 1, 1)
    exact = expected(**how)
    assert np.any(exact != 0.0)
    assert np.abs(c.numpy().ravel() - exact).max() <= 1e-11 * np.abs(exact).max()


def test_clipping_variants_are_ordered() -> None:
    q = turbulence(32)
    closures = {
        clipping: DynamicEddyViscosity(spacing(32), scale="leith", clipping=clipping)
        for clipping in ("none", "coefficient", "numerator")
    }
    none, coefficient, numerator = (
        closure.coefficient(*inputs_of(closure, q)) for closure in closures.values()
    )
    assert torch.equal(coefficient, none.clamp(min=0.0))
    assert torch.all(numerator > coefficient)


def test_the_mean_of_both_lies_between_those_of_the_layers() -> None:
    each, both = (
        DynamicEddyViscosity(STEP, average=average, clipping="none").coefficient(*fields())
        for average in ("layer", "both")
    )
    assert each.min() < both.min() < each.max()


def test_a_parallel_flow_tells_of_no_viscosity() -> None:
    # Nothing is carried along the gradient of a parallel flow, so L is 0.
    psi = sympy.cos(2 * X) + sympy.cos(7 * X) / 10
    flow = (psi, psi / 2)
    q, v = layers(stretched(flow), N), layers(tuple(sympy.diff(f, X) for f in flow), N)
    for scale in ("leith", "smagorinsky"):
        closure = DynamicEddyViscosity(STEP, scale=scale, clipping="none")
        c = closure.coefficient(batch(q), batch(0.0 * v), batch(v))
        assert c.abs().max() <= 1e-13


def test_tendency_is_that_of_the_coefficient() -> None:
    q = turbulence(32)
    dynamic = DynamicEddyViscosity(spacing(32), scale="leith", average="both", clipping="numerator")
    c = dynamic.coefficient(*inputs_of(dynamic, q)).item()
    assert close(tendency_of(dynamic, q), tendency_of(QGLeith(spacing(32), c2=c), q))
