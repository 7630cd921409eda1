"""What a linear policy says of itself: entered by hand, it is the policy."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bridge.archives import read_entries, write_entries
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

import hybrid
from closures import SpecError
from closures.closed_form import ENTRY, ClosedForm
from closures.turbulence import LinearPolicy
from hybrid.cli import app

Field = NDArray[np.float64]

N = 48
SPACING = (2.0 * np.pi / N, 2.0 * np.pi / N)
WEIGHTS = (-0.00812345678901234, 0.004, 0.017, -0.003, 0.02, 5e-05)
POLICIES: dict[str, dict[str, Any]] = {
    "c2": {"weights2": WEIGHTS},
    "c2 and c4": {
        "weights2": WEIGHTS, "weights4": (0.004, 0.0, -0.002, 0.003, 0.0, -0.001),
        "bounds2": (-0.01, 0.03), "bounds4": (0.001, 0.006), "net_dissipation": 0.5,
    },
    "strain": {"weights2": WEIGHTS, "scale": "smagorinsky", "filter_width": 0.3},
    "uniform, unlimited": {
        "weights2": (0.0, *WEIGHTS[1:]), "scale": "uniform", "net_dissipation": None
    },
}  # fmt: skip


class Flow:
    """Fields of a flow, all from its streamfunction, by products with dense matrices."""

    def __init__(self, seed: int) -> None:
        x = 2.0 * np.pi / N * np.arange(N)
        waves = np.arange(1, N // 3)[:, np.newaxis, np.newaxis]
        angle = waves * (x[:, np.newaxis] - x)
        # Interpolation by the waves that are kept, and its derivative.
        self.kept = 1.0 / N + 2.0 / N * np.cos(angle).sum(0)
        self.d = -2.0 / N * (waves * np.sin(angle)).sum(0)
        rng = np.random.default_rng(seed)
        noise = self.kept @ rng.standard_normal((N, N)) @ self.kept.T
        psi = noise - noise.mean()
        # Three times smoothed, so that the smallest waves are not the strongest.
        smooth = np.linalg.inv(np.eye(N) - 0.1 * self.d @ self.d)
        for _ in range(3):
            psi = smooth @ psi @ smooth.T
        self.w = self.laplacian(psi)
        u, v = -self.along_y(psi), self.along_x(psi)
        self.strains = (
            self.along_x(u) - self.along_y(v),
            self.along_y(u) + self.along_x(v),
        )
        self.gradient = (self.along_x(self.w), self.along_y(self.w))
        lap = self.laplacian(self.w)
        self.hyper = (self.along_x(lap), self.along_y(lap))

    def along_x(self, field: Field) -> Field:
        return np.asarray(field @ self.d.T)

    def along_y(self, field: Field) -> Field:
        return np.asarray(self.d @ field)

    def laplacian(self, field: Field) -> Field:
        return self.along_x(self.along_x(field)) + self.along_y(self.along_y(field))

    def divergence(self, x: Field, y: Field) -> Field:
        total = self.along_x(x) + self.along_y(y)
        return np.asarray(self.kept @ total @ self.kept.T)


def magnitude(vector: tuple[Field, Field]) -> Field:
    return np.asarray(np.hypot(*vector))


def relative(field: Field) -> Field:
    return np.asarray(field / np.sqrt((field**2).mean()) - 1.0)


def alignment(flow: Flow) -> Field:
    (wx, wy), (normal, shear) = flow.gradient, flow.strains
    turned = normal * (wx**2 - wy**2) + 2.0 * shear * wx * wy
    return -turned / ((wx**2 + wy**2) * magnitude(flow.strains))


def dominance(flow: Flow) -> Field:
    s2, w2 = magnitude(flow.strains) ** 2, flow.w**2
    return (s2 - w2) / (s2 + w2)


# What stands in the text, a letter for it, and what it is.
MEANINGS: dict[str, tuple[str, Any]] = {
    "(|grad w|/rms - 1)": ("G", lambda flow: relative(magnitude(flow.gradient))),
    "(|S|^2 - w^2)/(|S|^2 + w^2)": ("B", dominance),
    "(|S|/rms - 1)": ("S", lambda flow: relative(magnitude(flow.strains))),
    "A": ("A", alignment),
    "(|w|/rms - 1)": ("W", lambda flow: relative(np.abs(flow.w))),
}
SCALES: dict[str, Any] = {
    "|grad w|": lambda flow: magnitude(flow.gradient),
    "|S|": lambda flow: magnitude(flow.strains),
    "": lambda _: 1.0,
}


def coefficient(line: str, flow: Flow) -> Field:
    """Enter ``c2 = 0.01 + 0.02 A, cut off at -0.02 and 0.06``."""
    match = re.fullmatch(r"c\d = (.*), cut off at (\S+) and (\S+)", line)
    assert match is not None
    text = match[1]
    fields = {"": np.ones((N, N))}
    for words, (letter, meaning) in MEANINGS.items():
        text = text.replace(words, letter)
        fields[letter] = meaning(flow)
    terms = re.findall(r"([-+]?) ?(\d\.?\d*(?:e-\d+)?) ?([A-Z]?)", text)
    assert re.sub(r"[-+ ]", "", text) == re.sub("[-+]", "", "".join(a + b for _, a, b in terms))
    total = sum(float(sign + number) * fields[letter] for sign, number, letter in terms)
    return np.clip(total, float(match[2]), float(match[3]))


def entered(text: str, flow: Flow) -> tuple[Field, float]:
    """Enter the equation by hand; return the tendency and the factor of the limiter."""
    first, viscosities, *lines = text.splitlines()
    width = re.search(r", D = (\S+)$", viscosities)
    nu = {"4": np.zeros((N, N))}
    named = re.findall(r"nu(\d) = c\d(?: D\^(\d) ([^,]+))?", viscosities)
    assert first.count("nu") == len(named)
    for number, power, scale in named:
        (line,) = (line for line in lines if line.startswith(f"c{number} ="))
        unit = float(width[1]) ** int(power) if width else 1.0
        nu[number] = coefficient(line, flow) * unit * SCALES[scale](flow)
    (wx, wy), (px, py) = flow.gradient, flow.hyper
    limiter, factor = re.search(r"\(1 - (\S+)\) max\(L, 0\)/G", text), 1.0
    if limiter is not None:
        g2 = wx**2 + wy**2
        gained = -(np.minimum(nu["2"], 0.0) * g2).mean()
        lost = (np.maximum(nu["2"], 0.0) * g2 - nu["4"] * (wx * px + wy * py)).mean()
        factor = min(1.0, (1.0 - float(limiter[1])) * max(lost, 0.0) / gained)
        nu["2"] = np.where(nu["2"] < 0.0, factor * nu["2"], nu["2"])
    x, y = nu["2"] * wx - nu["4"] * px, nu["2"] * wy - nu["4"] * py
    return flow.divergence(x, y), factor


@pytest.mark.parametrize("policy", POLICIES)
def test_the_equation_entered_by_hand_is_the_policy(policy: str) -> None:
    flow = Flow(seed=3)
    closure = LinearPolicy(SPACING, **POLICIES[policy])
    expected = closure(torch.from_numpy(flow.w)[None])[0][0].numpy()
    found, factor = entered(str(closure.equation()), flow)
    # A row of a matrix is a sum of 48 products, five derivatives lie behind a tendency, and each
    # makes large what was rounded, by the shortest wave over the typical one, of the order of 20.
    assert np.abs(found - expected).max() <= 5 * 48 * 20 * 2.0**-52 * np.abs(expected).max()
    # Where there is a limiter, it is at work: its formula, too, is compared.
    assert (factor < 1.0) == (POLICIES[policy].get("net_dissipation", 0.1) is not None)


def test_fewer_digits_are_for_people() -> None:
    equation = LinearPolicy(SPACING, weights2=WEIGHTS, weights4=(0.0,) * 6).equation(digits=3)
    lines = str(equation).splitlines()
    assert lines[1] == "nu2 = c2 D^3 |grad w|, D = 0.196"
    assert lines[2] == (
        "c2 = -0.00812 + 0.004 (|grad w|/rms - 1) + 0.017 (|S|^2 - w^2)/(|S|^2 + w^2)"
        " - 0.003 (|S|/rms - 1) + 0.02 A + 5e-05 (|w|/rms - 1), cut off at -0.02 and 0.06"
    )
    assert r"    & + 5 \times 10^{-5} \, \left(\frac{|\omega|}" in equation.latex
    nothing = LinearPolicy(SPACING, weights2=(0.0,) * 6).equation()
    assert "\nc2 = 0, cut off at" in str(nothing)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "policy.pt"
    with pytest.warns(UserWarning, match="without two bounds"):
        hybrid.export(LinearPolicy(SPACING, **POLICIES["c2 and c4"]), path)
    return path


def test_the_archive_says_what_it_computes(archive: Path) -> None:
    equation = LinearPolicy(SPACING, **POLICIES["c2 and c4"]).equation()
    assert f"\n{equation}\n" in call("inspect", archive).stdout
    result = call("emit", "latex", archive)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"% Closure linear_policy, version 1.0.\n{equation.latex}\n"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_latex_compiles(archive: Path, tmp_path: Path) -> None:
    body = call("emit", "latex", archive).stdout
    start = "\\documentclass{article}\\usepackage{amsmath}\\begin{document}\n"
    (tmp_path / "a.tex").write_text(f"{start}{body}\\end{{document}}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_latex_has_pairs_of_brackets_and_a_break_a_line(archive: Path) -> None:
    display = call("emit", "latex", archive).stdout
    for opening, closing in (("{", "}"), (r"\left(", r"\right)"), (r"\langle", r"\rangle")):
        assert display.count(opening) == display.count(closing) > 0
    _, _, body = display.partition("\\begin{aligned}\n")
    lines = body.partition("\n  \\end{aligned}")[0].splitlines()
    assert [line for line in lines[:-1] if not line.endswith(r" \\")] == []
    assert all(line.count("&") == 1 for line in lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"format": {"major": 2}}', "equation.json: expected format 1.x, got 2; install a"),
        (b"[]", "equation.json: expected format, text and latex; export the closure again"),
        (b'{"format": {"major": 1}}', "equation.json: expected text and latex; export the"),
        (b"{", "equation.json: expected JSON, but it does not read as such"),
        (
            json.dumps({"format": {"major": 1}, "text": "\x1b[2J", "latex": "x"}).encode(),
            "equation: expected text in printable lines, got",
        ),
    ],
)
def test_damaged_equations_are_refused(
    content: bytes, message: str, archive: Path, tmp_path: Path
) -> None:
    entries = {**read_entries(archive), f"extra/{ENTRY}": content}
    path = write_entries(tmp_path / "altered.pt", entries, seal=True)
    for command in (("inspect",), ("emit", "latex")):
        result = call(*command, path)
        assert result.exit_code == 1
        assert f"error: {path}: {message}" in result.stderr


def test_an_equation_that_is_too_long_is_refused() -> None:
    with pytest.raises(SpecError, match="expected at most 4 MiB, got 4194305 characters"):
        ClosedForm.from_json(" " * (2**22 + 1))
