"""Emitted equations: compiled with warnings as errors, they give what the archive gives."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from equation_examples import SPACING, U, found, grid_spec
from numpy.typing import NDArray

import hybrid
from closures import Field
from closures.model_error import (
    Derivative,
    Equation,
    Expression,
    SpectralTerms,
    Sum,
    Variable,
    laplacian,
)
from closures.spec import ClosureSpec, Grid
from hybrid.emit import Emission, write
from hybrid.emit.equation import equation_module
from hybrid.equations import required_equations
from hybrid.errors import EmitError

pytestmark = pytest.mark.fortran

HERE = Path(__file__).parent
FLAGS = (
    *("-g", "-std=f2018", "-Wall", "-Wextra", "-Werror", "-fcheck=all"),
    *("-ffpe-trap=invalid,zero,overflow", "-finit-real=snan"),
)


def _compiled(emission: Emission, folder: Path, host: str = "") -> Path:
    sources = [str(path) for path in write(emission, folder, force=True)]
    target = ["-o", "program", *sources, str(HERE / "emitted" / host)] if host else ["-c", *sources]
    done = subprocess.run(
        ["gfortran", *FLAGS, *target], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "program"


def _run(program: Path, text: str = "") -> NDArray[np.float64]:
    done = subprocess.run([str(program)], input=text, capture_output=True, text=True, check=True)
    return np.array(done.stdout.split(), dtype=float)


def _smooth(shape: tuple[int, ...], seed: int) -> NDArray[np.float64]:
    """Return a field of long waves, as flows have them."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.fftn(rng.standard_normal(shape))
    for axis, n in enumerate(shape):
        decay = np.exp(-0.5 * np.abs(np.fft.fftfreq(n, 1.0 / n)))
        spectrum *= decay.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    field = np.fft.ifftn(spectrum).real
    return np.asarray(1.5 * field / np.abs(field).max())


@pytest.mark.parametrize("dealias", [False, True])
@pytest.mark.parametrize("axes", ["x", "yx"])
def test_emitted_fortran_gives_the_values_of_the_archive(
    axes: str, dealias: bool, tmp_path: Path
) -> None:
    closure, archive = found(axes, dealias=dealias), tmp_path / "found.pt"
    hybrid.export(closure, archive)
    host = {"x": "line_model.f90", "yx": "plane_model.f90"}[axes]
    emission = equation_module(required_equations(archive)[0], closure.spec)
    program = _compiled(emission, tmp_path, host)
    shape = tuple(closure.spec.outputs[0].sizes)
    fields = {field.name: _smooth(shape, i) for i, field in enumerate(closure.spec.inputs)}
    expected = _of_archive(archive, fields)
    order = [variable.symbol for variable in closure.equation.variables]
    # As in memory: the last axis of an array in Python is the first in Fortran.
    grid = [*shape[::-1], *SPACING[axes][::-1]]
    values = [float(value) for name in order for value in fields[name].ravel()]
    text = "\n".join(" ".join(map(repr, numbers)) for numbers in (grid, values))
    tendency = _run(program, text)
    np.testing.assert_allclose(
        tendency, expected.ravel(), rtol=0.0, atol=1e-10 * np.abs(expected).max()
    )


def _of_archive(archive: Path, fields: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    outputs = hybrid.load(archive).evaluate({name: f[None] for name, f in fields.items()})
    return np.asarray(outputs["u_tendency"][0])


def test_a_model_with_derivatives_of_its_own_needs_no_grid(tmp_path: Path) -> None:
    terms = (U * Derivative(U, "x"), Derivative(U, "xx"))
    spec = grid_spec(inputs=("u",), name="viscous")
    equation = SpectralTerms.of_terms(terms, (-0.25, 1.5), spec).equation
    program = _compiled(equation_module(equation, spec), tmp_path, "pointwise_model.f90")
    x = 0.1 * np.arange(1, 9)
    expected = -0.25 * np.sin(x) * np.cos(x) - 1.5 * np.sin(x)
    np.testing.assert_allclose(_run(program), expected, rtol=1e-14)


def _awkward() -> tuple[Equation, ClosureSpec]:
    """Names that the module uses itself, and terms that look alike or have no derivative."""
    names = ("wp", "operators", "n_x", "dx", "u_x", "u", "c_u", "tendency", "two_pi", "v" * 63)
    fields = [Variable(name, "\\ /* \\") for name in names]
    u = fields[5]
    terms: list[Expression] = [*fields, u * Derivative(u, "x"), (u**2) ** 3]
    terms += [Derivative(fields[4], "x"), Derivative(u, "xx"), Derivative(Derivative(u, "x"), "x")]
    terms += [Sum((u, fields[0]), (-0.5, -1.0), '"J" \\', "J"), Derivative(u * u, "y")]
    terms += [laplacian(Sum(tuple(fields), (-2.0, *[1.0] * 9)) ** 2), Sum((u, u), (-1.0, 1.0))]
    spec = ClosureSpec(
        "x" * 63,
        "1.0 /* &",
        tuple(Field(name, "1", ("y", "x"), (4, 6), "float64") for name in names),
        (Field("real", "1", ("y", "x"), (4, 6), "float64"),),
        locality="grid",
        grid=Grid((1.0, 1e-3), ("periodic", "periodic")),
        description='it\'s "odd" /* \\\n#error stop\n!$omp parallel ' + "word " * 60 + "\\",
    )
    values = [(-1.0) ** i / (i + 3) for i in range(len(terms))]
    return SpectralTerms.of_terms(tuple(terms), values, spec, dealias=True).equation, spec


def _plain() -> tuple[Equation, ClosureSpec]:
    spec = grid_spec(inputs=("u",), name="damping")
    return SpectralTerms.of_terms((U, U**3), (-1.0, -2.0), spec).equation, spec


CASES = {"awkward": _awkward, "no derivative": _plain}


@pytest.mark.parametrize("kind", ["real32", "real64"])
@pytest.mark.parametrize("case", CASES)
def test_awkward_names_and_terms_compile(case: str, kind: str, tmp_path: Path) -> None:
    emission = equation_module(*CASES[case](), kind=kind)  # type: ignore[arg-type]
    _compiled(emission, tmp_path)
    assert max(map(len, next(iter(emission.files.values())).splitlines())) <= 132


@pytest.mark.parametrize("axes", ["x", "yx"])
def test_source_is_formatted_as_that_of_the_bridge(axes: str, tmp_path: Path) -> None:
    closure = found(axes, dealias=axes == "yx")
    path = write(equation_module(closure.equation, closure.spec), tmp_path)[0]
    tools, root = Path(sys.executable).parent, HERE.parent.parent
    before = path.read_text()
    settings = root / ".fprettify.rc"
    fprettify = [str(tools / "fprettify"), "--config-file", str(settings), str(path)]
    subprocess.run(fprettify, check=True)
    assert path.read_text() == before
    # C003: also compilers that know no `implicit none (type, external)` yet are to compile it.
    fortitude = [str(tools / "fortitude"), "--config", str(root / "fortitude.toml"), "check"]
    command = [*fortitude, "--ignore", "C003", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_what_cannot_be_emitted_is_said_clearly() -> None:
    closure = found("x")
    with pytest.raises(EmitError, match="kind: expected real32 or real64, got 'real16'"):
        equation_module(closure.equation, closure.spec, kind="real16")  # type: ignore[arg-type]
    with pytest.raises(EmitError, match="module: expected lower-case letters"):
        equation_module(closure.equation, closure.spec, name="My-Terms")
    box = Grid((1.0, 1.0, 1.0), ("periodic",) * 3)
    fields = [Field(n, "1", ("z", "y", "x"), (4, 4, 4), "float64") for n in ("u", "u_tendency")]
    spec = ClosureSpec("box", "1", (fields[0],), (fields[1],), locality="grid", grid=box)
    equation = SpectralTerms.of_terms((Derivative(U, "z"),), (1.0,), spec).equation
    with pytest.raises(
        EmitError, match="box: expected a grid of at most 2 axes, got 'zyx'; --form"
    ):
        equation_module(equation, spec)
