"""Archives of closures with an equation: what they hold, what the commands print of it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from bridge.archives import read_entries, write_entries
from equation_examples import U, found, grid_spec
from typer.testing import CliRunner, Result

import hybrid
from closures.model_error import Derivative, SpectralTerms
from closures.model_error.equation_file import ENTRY
from hybrid.cli import app
from hybrid.equations import read_equations, required_equations
from hybrid.errors import ArchiveError, EmitError
from hybrid.verify import verify


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "found.pt"
    hybrid.export(found("yx"), path)
    return path


@pytest.fixture(scope="module")
def viscous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archive with units, two terms and standard errors."""
    spec = grid_spec(inputs=("u",), units=("m s-1", "m s-2"), name="viscous")
    terms = (U * Derivative(U, "x"), Derivative(U, "xx"))
    covariance = [[1.44e-6, 0.0], [0.0, 4e-20]]
    closure = SpectralTerms.of_terms(
        terms, (-0.99871, 1.5e-7), spec, covariance=covariance, length_units="m"
    )
    path = tmp_path_factory.mktemp("archives") / "viscous.pt"
    hybrid.export(closure, path)
    return path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_archive_holds_the_equation_of_the_closure(archive: Path) -> None:
    (equation,) = read_equations(archive)
    assert equation == found("yx").equation
    data = json.loads(read_entries(archive)[f"extra/{ENTRY}"])
    assert data["format"] == {"major": 1, "minor": 0}
    assert [term["name"] for term in data["terms"]][:2] == ["J(psi, u)", "lap(u_xy)"]
    # Plain TorchScript readers find it too.
    files = {ENTRY: ""}
    torch.jit.load(str(archive), _extra_files=files)  # type: ignore[no-untyped-call]
    assert json.loads(files[ENTRY]) == data


@pytest.mark.fortran
def test_every_way_to_evaluate_the_archive_agrees(archive: Path) -> None:
    assert verify(archive).ok


def test_a_sum_of_closures_has_no_equation(tmp_path: Path) -> None:
    hybrid.export(0.5 * found("x"), tmp_path / "half.pt")
    assert read_equations(tmp_path / "half.pt") == ()


def test_inspect_prints_the_equation(viscous: Path, column_archive: Path) -> None:
    lines = call("inspect", viscous).stdout.splitlines()
    assert "u_t = ... - (0.9987 +- 0.0012) u u_x + (1.5000 +- 0.0020)e-7 u_xx" in lines
    assert "u_t" not in call("inspect", column_archive).stdout


LATEX = r"""% Closure viscous, version 1.0.
% Behind each coefficient stands its standard error.
\begin{equation}
  \begin{aligned}
    \partial_t u = {} & \cdots \\
      & - (0.9987 \pm 0.0012) \, u \, \partial_x u \\
      & + (1.5000 \pm 0.0020) \times 10^{-7} \, \mathrm{m^{2}\,s^{-1}} \, \partial_x^2 u
  \end{aligned}
\end{equation}
"""


def test_latex_has_coefficients_errors_and_units(viscous: Path) -> None:
    result = call("emit", "latex", viscous)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == LATEX


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_latex_compiles(archive: Path, tmp_path: Path) -> None:
    body = call("emit", "latex", archive).stdout
    text = (
        rf"\documentclass{{article}}\usepackage{{amsmath}}\begin{{document}}{body}\end{{document}}"
    )
    (tmp_path / "a.tex").write_text(text.replace("{document}%", "{document}\n%"))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_latex_without_standard_errors_says_so(tmp_path: Path) -> None:
    hybrid.export(found("x", known=False), tmp_path / "unknown.pt")
    text = call("emit", "latex", tmp_path / "unknown.pt").stdout
    assert "% The standard errors of the coefficients are not known.\n" in text
    assert r"\pm" not in text
    assert r"& + 1.5 \, u \, \partial_x u \\" in text


def test_archives_without_equation_are_refused(column_archive: Path, tmp_path: Path) -> None:
    for command in (("latex",), ("fortran", "--form", "equation", "--out", tmp_path)):
        result = call("emit", *command, column_archive)
        assert result.exit_code == 1
        assert "expected an archive that holds an equation (terms.json), got one" in result.stderr
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(EmitError, match="networks, and sums and multiples of closures, have none"):
        required_equations(column_archive)


def test_fortran_is_the_equation_where_there_is_one(viscous: Path, tmp_path: Path) -> None:
    assert call("emit", "fortran", viscous, "--out", tmp_path).exit_code == 0
    assert call("emit", "fortran", viscous, "--out", tmp_path, "--form", "coupling").exit_code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "viscous_coupling.f90",
        "viscous_terms.f90",
    ]
    assert "call closure%load" in (tmp_path / "viscous_coupling.f90").read_text()
    source = (tmp_path / "viscous_terms.f90").read_text()
    assert "!!     u_t = ... - (0.9987 +- 0.0012) u u_x + (1.5000 +- 0.0020)e-7 u_xx\n" in source
    assert "  !> Coefficient of u_xx [m2 s-1], standard error 2e-10\n" in source
    assert "  real(wp), parameter :: c_u_xx = 1.5e-07_wp\n" in source


def test_options_of_a_coupling_are_refused_for_an_equation(viscous: Path, tmp_path: Path) -> None:
    for option in (("--policy", "host"), ("--column-last",), ("--units", "u=m/s")):
        result = call("emit", "fortran", viscous, "--out", tmp_path, *option)
        assert result.exit_code == 2
        words = re.sub(r"[│\s]+", " ", result.stderr)
        assert "expected none for an equation; give them with --form coupling" in words


def _altered(source: Path, target: Path, content: bytes) -> Path:
    entries = {**read_entries(source), f"extra/{ENTRY}": content}
    return write_entries(target, entries, seal=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b'{"format": {"major": 3, "minor": 1}}',
            "terms.json: expected format 1.x or 2.x, got 3.1",
        ),
        (b"\xff", "expected terms.json to be text, got other bytes"),
        (b"{}", "terms.json: expected format with major and minor, got None"),
    ],
)
def test_damaged_equations_are_refused(
    content: bytes, message: str, viscous: Path, tmp_path: Path
) -> None:
    path = _altered(viscous, tmp_path / "altered.pt", content)
    for command in (("inspect",), ("emit", "latex"), ("emit", "fortran", "--out", tmp_path)):
        result = call(*command, path)
        assert result.exit_code == 1
        assert f"error: {path}: {message}" in result.stderr
    with pytest.raises(ArchiveError):
        read_equations(path)
