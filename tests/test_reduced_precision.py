"""The online test of bf16, and what it leaves in an archive."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bridge.test_native_bf16 import NEEDS_BF16
from rollout_closures import ColumnPerceptron
from torch import Tensor, nn
from typer.testing import CliRunner

import hybrid
from closures import Closure, ClosureSpec, Field
from closures.lorenz96 import MLPClosure
from fortran_bridge.errors import BridgeError
from hybrid.archive import read_manifest, verified_entries
from hybrid.cli import app
from hybrid.reduced_precision import Climate, Compared, Evidence, PrecisionError, assess, keep
from hybrid.reduced_precision.archive_entry import content_digest
from hybrid.reduced_precision.hosts import ColumnHost, Lorenz96Host, host_named
from solvers import Lorenz96
from solvers.column_physics import generated_grid

# A long ring in the place of many members: fewer calls for as many values.
SHORT = Lorenz96Host(time=40.0, n_member=2, model=Lorenz96(n_k=64, forcing=20.0, dt=0.005))
OFFSET = 1e4
"""Beside it, bf16 does not see what Lorenz-96 does: its numbers are 64 apart."""


class Offset(Closure):
    """Damps x, by way of a number far away."""

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="offset",
                version="1.0",
                inputs=(Field("x", "1", valid_min=-40.0, valid_max=40.0),),
                outputs=(Field("x_tendency", "1"),),
            )
        )
        self.middle = nn.Linear(16, 16, bias=False)
        nn.init.eye_(self.middle.weight)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        far = (x + 1e4).unsqueeze(-1).expand(x.shape[0], 16)
        return (-0.5 * (self.middle(far)[:, 0] - 1e4),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of archives."""
    return tmp_path_factory.mktemp("archives")


@pytest.fixture(scope="module")
def perceptron(folder: Path) -> Path:
    """Archive of a network for Lorenz-96."""
    torch.manual_seed(0)
    path = folder / "perceptron.pt"
    hybrid.export(MLPClosure(n_hidden=32, x_min=-15.0, x_max=20.0, phi=0.9), path)
    return path


@pytest.fixture(scope="module")
def offset(folder: Path) -> Path:
    """Archive of a closure that bf16 breaks."""
    path = folder / "offset.pt"
    hybrid.export(Offset(), path)
    return path


def copy_of(archive: Path, target: Path) -> Path:
    """Copy an archive that a test is to change."""
    target.write_bytes(archive.read_bytes())
    return target


def made_up(archive: Path, *, distance: float = 0.01) -> Evidence:
    """Return evidence that no run stands behind."""
    compared = Compared("x [1]", 1.0, (0.02, 0.02, 0.02), (distance,) * 3)
    return Evidence(
        content_digest(archive), "a host", (0, 1, 2), "bf16 in 1 of 1 matrices", (compared,), {}
    )


def alike(_archive: Path, precision: str, seed: int) -> Climate:
    """Return a climate that precision hardly changes."""
    rounding = 1e-6 if precision == "bf16" else 0.0
    return {"x [1]": np.random.default_rng(seed).normal(size=2000) + rounding}


@NEEDS_BF16
def test_a_network_keeps_the_climate_of_lorenz96_and_may_be_loaded(
    perceptron: Path, tmp_path: Path
) -> None:
    path = copy_of(perceptron, tmp_path / "closure.pt")
    with pytest.raises(BridgeError, match="got one without such a test"):
        hybrid.load(path, precision="bf16")
    fractions: list[float] = []
    evidence = assess(path, SHORT, host=SHORT.text, seeds=range(4), on_progress=fractions.append)
    assert fractions == pytest.approx(np.arange(1, 9) / 8)
    assert evidence.is_passed, evidence.reason
    assert evidence.computed == "bf16 in 1 of 3 matrices"
    # It was bf16 that ran.
    assert not {d for v in evidence.variables for d in v.full} & {
        d for v in evidence.variables for d in v.reduced
    }
    # Nothing is permitted before it is kept.
    with pytest.raises(BridgeError, match="got one without such a test"):
        hybrid.load(path, precision="bf16")
    keep(path, evidence)
    loaded = hybrid.load(path, precision="bf16")
    assert "\n  precision bf16 in 1 of 3 matrices\n" in loaded.description
    entry = read_manifest(path).reduced_precision["bf16"]
    assert entry == json.loads(json.dumps(evidence.to_dict()))
    assert entry["seeds"] == [0, 1, 2, 3]
    assert entry["versions"]["python"]
    assert "precision" not in hybrid.load(path).description


@NEEDS_BF16
def test_a_closure_that_bf16_breaks_is_refused_with_the_numbers(
    offset: Path, tmp_path: Path
) -> None:
    path = copy_of(offset, tmp_path / "closure.pt")
    evidence = assess(path, SHORT, host=SHORT.text, seeds=range(3))
    assert not evidence.is_passed
    (variable,) = evidence.variables
    assert variable.distance > 3.0 * variable.spread
    keep(path, evidence)
    expected = f"one that failed it: x [1]: runs in bf16 are {variable.distance:.3g} from those in"
    with pytest.raises(BridgeError) as caught:
        hybrid.load(path, precision="bf16")
    assert expected in str(caught.value)
    assert hybrid.load(path).spec.name == "offset"


@NEEDS_BF16
def test_columns_run_with_an_archive_in_both_precisions(tmp_path: Path) -> None:
    """A few steps of six columns: what is compared, not whether it passes."""
    path = tmp_path / "columns.pt"
    hybrid.export(ColumnPerceptron(), path)
    host = ColumnHost(days=0.125, spin_up=1 / 24, grid=generated_grid(60, 1), save_every=3)
    seen: dict[tuple[str, int], Climate] = {}

    def run(archive: Path, precision: str, seed: int) -> Climate:
        seen[precision, seed] = host(archive, precision, seed)
        return seen[precision, seed]

    evidence = assess(path, run, host=host.text, seeds=range(3))
    names = [variable.name for variable in evidence.variables]
    assert names == [
        *(f"{part} temperature [K]" for part in ("upper", "middle", "lower")),
        *(f"{part} vapour [kg kg-1]" for part in ("upper", "middle", "lower")),
        "lost columns [1]",
    ]
    n_column = host.grid.n_column if host.grid else 0
    assert seen["bf16", 0]["lower temperature [K]"].shape == (3, n_column, 20)
    for seed in range(3):
        full, reduced = (seen[p, seed]["lower temperature [K]"] for p in ("float32", "bf16"))
        assert 0.0 < np.abs(full - reduced).max() < 0.1
    assert str(n_column) in host.text


def test_evidence_of_another_archive_is_refused(
    perceptron: Path, offset: Path, tmp_path: Path
) -> None:
    path = copy_of(offset, tmp_path / "closure.pt")
    before = path.read_bytes()
    with pytest.raises(PrecisionError, match=r"expected evidence of this archive, .* of another"):
        keep(path, made_up(perceptron))
    assert path.read_bytes() == before


def test_evidence_leaves_everything_else_as_it_is(perceptron: Path, tmp_path: Path) -> None:
    path = copy_of(perceptron, tmp_path / "closure.pt")
    digest = content_digest(path)
    keep(path, made_up(path))
    own = {"extra/hybrid.json", "extra/hybrid.sha256.json"}
    before, after = (
        {name: content for name, content in verified_entries(file).items() if name not in own}
        for file in (perceptron, path)
    )
    assert after == before
    told = read_manifest(path)
    assert told.format_version == "1.2"
    first = read_manifest(perceptron)
    assert (told.spec, told.engine, told.versions, told.native) == (
        *(first.spec, first.engine, first.versions, first.native),
    )
    assert content_digest(path) == digest
    x = {"x": np.linspace(-10.0, 10.0, 8)}
    found, expected = (hybrid.load(p).evaluate(x)["x_tendency"] for p in (path, perceptron))
    np.testing.assert_array_equal(found, expected)
    # The last one counts.
    keep(path, made_up(path, distance=0.5))
    assert read_manifest(path).reduced_precision["bf16"]["verdict"] == "failed"


@pytest.mark.parametrize("distance", [0.01, math.inf])
def test_the_manifest_with_evidence_is_json_that_others_read(
    perceptron: Path, tmp_path: Path, distance: float
) -> None:
    path = copy_of(perceptron, tmp_path / "closure.pt")
    keep(path, made_up(path, distance=distance))
    text = verified_entries(path)["extra/hybrid.json"].decode()
    assert "Infinity" not in text
    entry = json.loads(text)["reduced_precision"]["bf16"]
    assert entry["verdict"] == ("passed" if distance < 1.0 else "failed")
    assert entry["variables"][0]["reduced"] == [0.01 if distance < 1.0 else None] * 3


@NEEDS_BF16
def test_a_test_that_was_interrupted_goes_on(perceptron: Path, tmp_path: Path) -> None:
    calls: list[tuple[str, int]] = []

    def run(archive: Path, precision: str, seed: int) -> Climate:
        if len(calls) == 4:
            raise KeyboardInterrupt
        calls.append((precision, seed))
        return alike(archive, precision, seed)

    with pytest.raises(KeyboardInterrupt):
        assess(perceptron, run, host="alike", seeds=range(3), kept=tmp_path)
    first = list(calls)
    calls.clear()
    resumed = assess(perceptron, run, host="alike", seeds=range(3), kept=tmp_path)
    assert calls == [("float32", 2), ("bf16", 2)]
    assert [*first, *calls] == [(p, s) for s in range(3) for p in ("float32", "bf16")]
    assert resumed == assess(perceptron, alike, host="alike", seeds=range(3))
    # A test that has ended is not taken for another one, of a host that may have changed.
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seeds", [(), (0, 1), (0, 1, 1)])
def test_few_seeds_are_refused(perceptron: Path, seeds: tuple[int, ...]) -> None:
    with pytest.raises(PrecisionError, match="seeds: expected at least 3, all different, got"):
        assess(perceptron, alike, host="alike", seeds=seeds)


def test_float32_in_the_place_of_bf16_is_no_test(perceptron: Path) -> None:
    """As on a processor without it: everything would pass."""
    program = (
        "from hybrid.reduced_precision import assess, PrecisionError\n"
        "try:\n"
        f"    assess({str(perceptron)!r}, None, host='none')\n"
        "except PrecisionError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HYBRID_ISA": "base"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (
        "perceptron.pt: expected bf16 to be computed in for a test of it, got float32, not bf16: "
        "HYBRID_ISA asks for 'base'; test it on a processor with AVX512_BF16, without HYBRID_ISA\n"
    )


def test_an_archive_without_a_program_cannot_be_tested(periodic_archive: Path) -> None:
    with pytest.raises(BridgeError, match="expected a native program in the archive"):
        assess(periodic_archive, alike, host="alike")


def test_hosts_are_found_by_name() -> None:
    host, text = host_named("lorenz96", 7.0)
    assert host == Lorenz96Host(time=7.0)
    assert text == "Lorenz-96, K = 8, F = 20, 8 members over 7 time units"
    host, text = host_named("columns", 3.0)
    assert host == ColumnHost(days=3.0)
    assert text == "384 generated columns over 3 days"
    assert host_named(f"{__name__}:alike") == (alike, f"{__name__}:alike")


@pytest.mark.parametrize(
    ("name", "length", "message"),
    [
        ("weather", None, "online: expected lorenz96, columns, or a function as package.module"),
        ("no_such_module:run", None, "online: no_such_module:run cannot be imported: No module"),
        ("math:no_such", None, "online: math:no_such cannot be imported: module 'math' has no"),
        ("math:pi", None, "online: expected lorenz96, columns, or a function"),
        ("math:sin", 3.0, "length: expected none for math:sin, which has its own; leave it out"),
        ("lorenz96", 0.0, "length: expected a positive one, got 0"),
    ],
)
def test_other_hosts_are_refused(name: str, length: float | None, message: str) -> None:
    with pytest.raises(PrecisionError) as caught:
        host_named(name, length)
    assert str(caught.value).startswith(message)


@NEEDS_BF16
@pytest.mark.parametrize(
    ("n", "shift", "code", "verdict"),
    [(2000, 1e-6, 0, "passed"), (2000, 1.0, 1, "failed"), (20, 1e-6, 2, "undecided")],
)
def test_the_command_keeps_a_verdict_and_inspect_shows_it(
    perceptron: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    n: int,
    shift: float,
    code: int,
    verdict: str,
) -> None:
    path = copy_of(perceptron, tmp_path / "closure.pt")
    before = path.read_bytes()
    module = (
        "import numpy as np\n"
        "def run(archive, precision, seed):\n"
        f"    x = np.random.default_rng(seed).normal(size={n})\n"
        f"    return {{'x [1]': x + ({shift} if precision == 'bf16' else 0.0)}}\n"
    )
    (tmp_path / f"own_host_{code}.py").write_text(module)
    monkeypatch.chdir(tmp_path)
    online = f"own_host_{code}:run"
    result = CliRunner().invoke(
        app, ["precision", "closure.pt", "--online", online, "--runs", "3", "--out", "kept"]
    )
    assert result.exit_code == code, result.output
    assert f"closure.pt: bf16 {verdict}: " in result.stdout
    shown = " ".join(CliRunner().invoke(app, ["inspect", "closure.pt"]).stdout.split())
    if verdict == "undecided":
        assert "make runs longer" in result.stdout
        assert path.read_bytes() == before
    else:
        assert f"precision bf16 │ {verdict}: " in shown


def test_what_does_not_decide_is_not_kept(perceptron: Path, tmp_path: Path) -> None:
    path = copy_of(perceptron, tmp_path / "closure.pt")
    compared = Compared("x [1]", 0.1, (0.02, 0.02, 0.02), (0.01,) * 3)
    evidence = replace(made_up(path), variables=(compared,))
    assert (evidence.is_passed, evidence.verdict) == (False, "undecided")
    with pytest.raises(PrecisionError, match=r"expected evidence that decides, .* runs longer"):
        keep(path, evidence)
    # Where another variable speaks against it, it has failed.
    beyond = Compared("y [1]", 1.0, (0.02, 0.02, 0.02), (0.5,) * 3)
    assert replace(evidence, variables=(compared, beyond)).verdict == "failed"
