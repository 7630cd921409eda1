"""Closures of two-layer flow as archives: the same numbers, and the same run, as from Python."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import reference_quasigeostrophic as reference
from two_layer_fields import close, every_closure, inputs_of, tendency_of, without_shortest
from two_layer_fields import turbulence as unit_turbulence
from two_layer_flow import OBLONG, parameters, relative_difference, turbulence

import hybrid
from closures import Closure
from closures.quasigeostrophic import (
    HybridSymbolic,
    Hyperviscosity,
    JansenHeldBackscatter,
    Leith,
    QGLeith,
    Smagorinsky,
    Stratification,
    ZannaBolton2020,
)
from hybrid.runtime import host_grid

Field = NDArray[Any]

N = 16
CLOSURES = every_closure(N)
N_STEP = 50

GRID = OBLONG.grid
SPACING = (GRID.dy, GRID.dx)
AREA = GRID.dx * GRID.dy
STRATIFICATION = Stratification.of(OBLONG.deformation_radius, OBLONG.delta)
LARGEST = {"q": 1e-4, "u": 2.0, "v": 2.0}
MEAN_FLOW = (OBLONG.u1, OBLONG.u2)


@pytest.mark.fortran
@pytest.mark.parametrize("name", CLOSURES)
def test_an_archive_gives_the_numbers_of_its_closure(name: str, tmp_path: Path) -> None:
    closure, q = CLOSURES[name], unit_turbulence(N, n_member=2)
    path = tmp_path / "closure.pt"
    hybrid.export(closure, path)
    compiled = hybrid.load(path)
    assert compiled.spec == closure.spec
    fields = zip(closure.spec.inputs, inputs_of(closure, q), strict=True)
    found = compiled.evaluate(
        {field.name: values.numpy() for field, values in fields},
        grid=host_grid(compiled.spec, {"y": N, "x": N}),
    )
    assert close(found["q_tendency"], tendency_of(closure, q), 1e-13)


def dx(field: Field) -> Field:
    return np.fft.ifft2(2j * np.pi * np.fft.fftfreq(GRID.n_x, GRID.dx) * np.fft.fft2(field)).real


def dy(field: Field) -> Field:
    wavenumber = 2.0 * np.pi * np.fft.fftfreq(GRID.n_y, GRID.dy)[:, np.newaxis]
    return np.fft.ifft2(1j * wavenumber * np.fft.fft2(field)).real


def laplacian(field: Field) -> Field:
    return dx(dx(field)) + dy(dy(field))


def smagorinsky(q: Field, u: Field, v: Field) -> Field:
    del q
    xx, yy, xy = dx(u), dy(v), 0.5 * (dy(u) + dx(v))
    nu = 0.15**2 * AREA * np.sqrt(2.0 * (xx**2 + yy**2 + 2.0 * xy**2))
    along_x = 2.0 * dx(nu * xx) + 2.0 * dy(nu * xy)
    along_y = 2.0 * dx(nu * xy) + 2.0 * dy(nu * yy)
    return dx(along_y) - dy(along_x)


def zanna_bolton(q: Field, u: Field, v: Field) -> Field:
    del q
    zeta, shear, stretch = dx(v) - dy(u), dy(u) + dx(v), dx(u) - dy(v)
    pressure = 0.5 * (zeta**2 + shear**2 + stretch**2)
    along_x = dx(pressure - zeta * shear) + dy(zeta * stretch)
    along_y = dy(pressure + zeta * shear) + dx(zeta * stretch)
    return -4.7e7 * (dx(along_y) - dy(along_x))


def leith(q: Field, u: Field, v: Field) -> Field:
    del q
    return down_gradient(dx(v) - dy(u), -0.01, 0.01)


def qg_leith(q: Field, u: Field, v: Field) -> Field:
    del u, v
    return down_gradient(q, 0.02, 0.0)


def hyperviscosity(q: Field, u: Field, v: Field) -> Field:
    del u, v
    return -3e10 * laplacian(laplacian(q))


def down_gradient(z: Field, c2: float, c4: float) -> Field:
    magnitude = np.hypot(dx(z), dy(z))
    nu2, nu4 = c2 * AREA**1.5 * magnitude, c4 * AREA**2.5 * magnitude
    lap = laplacian(z)
    return dx(nu2 * dx(z) - nu4 * dx(lap)) + dy(nu2 * dy(z) - nu4 * dy(lap))


def backscatter(q: Field, u: Field, v: Field) -> Field:
    psi = reference.to_grid(
        reference.streamfunction(np.fft.rfft2(q), parameters(OBLONG)), parameters(OBLONG)
    )
    depths = np.array([OBLONG.h1, OBLONG.h1 / OBLONG.delta])[:, np.newaxis, np.newaxis]
    nu = 0.08**2 * AREA * np.hypot(dx(u) - dy(v), dy(u) + dx(v))
    biharmonic = laplacian(laplacian(psi))
    dissipation = -laplacian(nu * AREA * biharmonic)
    ratio = (depths * psi * dissipation).sum() / (depths * psi * biharmonic).sum()
    return np.asarray(dissipation - 1.2 * ratio * biharmonic)


WEIGHTS = np.array(
    [
        [1e7, 2e15, 2e22, 1e9, 1e17, -7e10, 9e10],
        [5e6, 7e14, 1e22, 9e8, 7e16, -8e11, 9e11],
    ]
)


def symbolic(q: Field, u: Field, v: Field) -> Field:
    whole = u + np.array(MEAN_FLOW)[:, np.newaxis, np.newaxis]
    w = [column[:, np.newaxis, np.newaxis] for column in WEIGHTS.T]

    # The shortest wave of a product would alias into the next product.
    def advected(f: Field) -> Field:
        return without_shortest(dx(whole * f) + dy(v * f))

    first, second = laplacian(advected(q)), laplacian(laplacian(q))
    terms = (
        *(first, laplacian(first), laplacian(laplacian(first)), second, laplacian(second)),
        advected(advected(laplacian(w[5] * dx(v) + w[6] * dy(u)))),
    )
    return np.asarray(sum(a * f for a, f in zip((*w[:5], 1.0), terms, strict=True)))


WAYS: dict[str, tuple[Closure, Any]] = {
    "smagorinsky": (Smagorinsky(SPACING, 0.15, largest={"u": 2.0, "v": 2.0}), smagorinsky),
    "leith": (Leith(SPACING, c2=-0.01, c4=0.01), leith),
    "qg leith": (QGLeith(SPACING, c2=0.02), qg_leith),
    "hyperviscosity": (Hyperviscosity(SPACING, 3e10, 2), hyperviscosity),
    "zanna bolton": (ZannaBolton2020(SPACING, -4.7e7), zanna_bolton),
    "backscatter": (JansenHeldBackscatter(SPACING, STRATIFICATION, returned=1.2), backscatter),
    "symbolic": (HybridSymbolic(SPACING, WEIGHTS, mean_flow=MEAN_FLOW, largest=LARGEST), symbolic),
    "sum": (
        0.5 * Smagorinsky(SPACING, 0.15) + 0.75 * ZannaBolton2020(SPACING, -4.7e7),
        lambda q, u, v: 0.5 * smagorinsky(q, u, v) + 0.75 * zanna_bolton(q, u, v),
    ),
}


# The shortest waves, which the functions here treat in another way, do not pass the filter.
@pytest.mark.fortran
@pytest.mark.parametrize("name", WAYS)
def test_a_coupled_archive_runs_as_independent_functions_do(name: str, tmp_path: Path) -> None:
    closure, function = WAYS[name]
    path = tmp_path / "closure.pt"
    hybrid.export(closure, path)
    q = turbulence(OBLONG)

    def tendency(fields: Mapping[str, Field], step: int) -> Field:
        del step
        return np.asarray(function(fields["q"], fields["u"], fields["v"]))

    spectra = []
    for source in (hybrid.couple(path), tendency, None):
        integration = OBLONG.start(q, tendency=source)
        integration.advance(N_STEP)
        spectra.append(integration.prognostic["q"][0])
    found, in_python, alone = spectra
    assert relative_difference(found, alone) > 1e-4
    assert relative_difference(found, in_python) <= 1e-11
    expected, _ = reference.advance(np.fft.rfft2(q), parameters(OBLONG), N_STEP, source=function)
    assert relative_difference(found, expected) <= 1e-11
