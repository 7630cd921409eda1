"""The dynamic coefficient against dense matrices and formulas, and where it is planted."""

from typing import Any

import numpy as np
import pytest
import sympy
import torch
from numpy.typing import NDArray
from torch import Tensor
from two_dimensional_flow import X, Y, laplacian, on_grid, spacing, tensor, turbulence

from closures.turbulence import DynamicEddyViscosity, EddyViscosity
from closures.turbulence.flow import Waves

N = 24
WIDTH = 2.0 * np.pi / 16.0

# Of 24 points the model keeps waves 0 to 7, the hat 0 to 3: LONG stays, SHORT goes.
LONG = sympy.cos(2 * X + Y) - sympy.sin(X - 3 * Y) / 3 + sympy.cos(3 * Y) / 4
SHORT = sympy.sin(5 * X - 2 * Y) / 9 + sympy.cos(4 * X + 6 * Y) / 30 + sympy.cos(X - 7 * Y) / 40

Field = NDArray[np.float64]


def transfer_matrix(transfer: Any) -> Field:
    """What a filter with the given response to waves 0 to 11 does along one axis."""
    x = 2.0 * np.pi / N * np.arange(N)
    matrix = np.full((N, N), transfer(0) / N)
    for wave in range(1, N // 2):
        matrix += 2.0 / N * transfer(wave) * np.cos(wave * (x[:, np.newaxis] - x))
    return matrix


def along_both(matrix: Field, field: Field) -> Field:
    return matrix @ field @ matrix.T


HAT = transfer_matrix(lambda wave: float(wave < 4))
# A Gaussian of the wavenumber is the product of those of its components.
MEAN = transfer_matrix(lambda wave: np.exp(-((4 * WIDTH * wave) ** 2) / 24) * (wave < 8))


def parts(psi: sympy.Expr, scale: str) -> list[Field]:
    """u, v, omega, its gradient and the scale."""
    omega, d = laplacian(psi), sympy.diff
    u, v = -d(psi, Y), d(psi, X)
    if scale == "leith":
        s = sympy.sqrt(d(omega, X) ** 2 + d(omega, Y) ** 2)
    else:
        s = sympy.sqrt((d(u, X) - d(v, Y)) ** 2 + (d(u, Y) + d(v, X)) ** 2)
    return [on_grid(part, N) for part in (u, v, omega, d(omega, X), d(omega, Y), s)]


def expected(scale: str, average: str, clipping: str) -> Any:
    u, v, omega, wx, wy, s = parts(LONG + SHORT, scale)
    hat_u, hat_v, hat_omega, hat_wx, hat_wy, hat_s = parts(LONG, scale)
    power = {"leith": 3, "smagorinsky": 2}[scale]
    numerator, denominator = np.zeros((N, N)), np.zeros((N, N))
    for flow, gradient, hat_flow, hat_gradient in ((u, wx, hat_u, hat_wx), (v, wy, hat_v, hat_wy)):
        known = along_both(HAT, flow * omega) - hat_flow * hat_omega
        model = WIDTH**power * along_both(HAT, s * gradient)
        model -= (2.0 * WIDTH) ** power * hat_s * hat_gradient
        numerator += known * model
        denominator += model * model
    if clipping == "numerator":
        numerator = np.maximum(numerator, 0.0)
    if average == "local":
        c = along_both(MEAN, numerator) / along_both(MEAN, denominator)
    else:
        c = np.full((1, 1), numerator.mean() / denominator.mean())
    return np.maximum(c, 0.0) if clipping == "coefficient" else c


@pytest.mark.parametrize("scale", ["smagorinsky", "leith"])
@pytest.mark.parametrize("average", ["global", "local"])
@pytest.mark.parametrize("clipping", ["none", "coefficient", "numerator"])
def test_coefficient_is_that_of_dense_matrices(scale: str, average: str, clipping: str) -> None:
    how: dict[str, Any] = {"scale": scale, "average": average, "clipping": clipping}
    closure = DynamicEddyViscosity(spacing(N), **how)
    c = closure.coefficient(tensor(on_grid(laplacian(LONG + SHORT), N)))[0].numpy()
    exact = expected(**how)
    assert exact.std() > 0.0 or average == "global"
    assert np.abs(c - exact).max() <= 1e-11 * np.abs(exact).max()


def test_clipping_variants_are_ordered() -> None:
    omega = torch.from_numpy(turbulence(48))
    none, coefficient, numerator = (
        DynamicEddyViscosity(spacing(48), clipping=clipping).coefficient(omega).item()
        for clipping in ("none", "coefficient", "numerator")
    )
    assert coefficient == max(none, 0.0)
    assert numerator > coefficient
    local = DynamicEddyViscosity(spacing(48), average="local", clipping="none").coefficient(omega)
    assert local.min() < 0.0 < local.max()


class Planted(DynamicEddyViscosity):
    """A flow that obeys the closure: L = c M with a known c."""

    def _identity(self, vorticity: Tensor, w: Waves) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        _, _, mx, my = super()._identity(vorticity, w)
        return (-0.037 * mx, -0.037 * my, mx, my)


@pytest.mark.parametrize("average", ["global", "local"])
def test_a_known_coefficient_is_recovered(average: str) -> None:
    omega = torch.from_numpy(turbulence(48))
    c = Planted(spacing(48), average=average, clipping="none").coefficient(omega)
    assert torch.allclose(c, torch.full_like(c, -0.037), rtol=1e-9)
    clipped = Planted(spacing(48), average=average, clipping="coefficient").coefficient(omega)
    assert clipped.abs().max() == 0.0


def test_a_parallel_flow_tells_of_no_viscosity() -> None:
    # Nothing is carried along a shear flow's own gradient, so L . M has no mean.
    omega = tensor(on_grid(sympy.cos(2 * X) + sympy.cos(5 * X), N))
    for scale in ("leith", "smagorinsky"):
        c = DynamicEddyViscosity(spacing(N), scale=scale, clipping="none").coefficient(omega)
        assert abs(c.item()) <= 1e-14


def test_tendency_is_that_of_the_coefficient() -> None:
    omega = torch.from_numpy(turbulence(48))
    dynamic = DynamicEddyViscosity(spacing(48), clipping="numerator")
    given = EddyViscosity(spacing(48), c2=dynamic.coefficient(omega).item())
    assert torch.allclose(dynamic(omega)[0], given(omega)[0], rtol=1e-10, atol=1e-10)
