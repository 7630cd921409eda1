"""Emitted Fortran: compiled with warnings as errors, run in small hosts with hand-written caps."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from closure_examples import N_LEVEL, ColumnNetwork, Persistence
from numpy.typing import NDArray
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field
from closures.spec import Grid
from fortran_bridge.build import Prefix
from hybrid.emit import Emission, SchemeOptions, coupling, scheme, write

pytestmark = pytest.mark.fortran

HERE = Path(__file__).parent
FLAGS = (
    *("-g", "-std=f2018", "-Wall", "-Wextra", "-Werror", "-fopenmp", "-fcheck=all"),
    *("-ffpe-trap=invalid,zero,overflow", "-finit-real=snan"),
)
Compile = Callable[..., Path]
Floats = NDArray[np.float64]

# Names that the emitted code uses by itself, or that are as long as Fortran allows.
AWKWARD = (
    *("errmsg", "errflg", "closure", "columns", "column_id", "real", "int", "step", "n_level"),
    *(
        "size",
        "shape",
        "n_column",
        "awkward",
        "awkward_run",
        "x" * 63,
        "stat",
        "stat_packed",
        "archive",
    ),
)


@pytest.fixture(scope="module")
def module_objects(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the compiled module of the bridge."""
    folder = tmp_path_factory.mktemp("module")
    _gfortran(folder, "-c", "-g", str(prefix.fortran_source))
    return folder


@pytest.fixture
def compiled(prefix: Prefix, module_objects: Path, tmp_path: Path) -> Compile:
    """Compile an emission, and with `host` make it a program."""

    def compile_(
        emission: Emission, host: str = "", kinds: tuple[str, ...] = (), n_host: int = 0
    ) -> Path:
        sources = [str(HERE / "ccpp" / "ccpp_kinds.F90")]
        sources += [str(p) for p in write(emission, tmp_path, force=True) if p.suffix != ".meta"]
        build = (f"-I{module_objects}", *FLAGS, *kinds)
        if not host:
            _gfortran(tmp_path, *build, "-c", *sources)
            return tmp_path
        library = str(prefix.library.parent)
        program = tmp_path / Path(host).stem
        _gfortran(
            tmp_path,
            *(*build, "-o", str(program), str(module_objects / "hybrid.o"), *sources),
            *(str(HERE / host), f"-L{library}", "-lhybrid", f"-Wl,-rpath,{library}"),
        )
        return program

    return compile_


def _gfortran(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["gfortran", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _run(program: Path, *arguments: str | int | Path, text: str = "") -> Floats:
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        input=text,
        cwd=program.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return np.array(done.stdout.split(), dtype=float)


def _columns() -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(3)
    return {
        "state_t": generator.uniform(220, 300, (11, N_LEVEL)).astype("f4"),
        "state_ps": generator.uniform(6e4, 1e5, 11).astype("f4"),
    }


def _lines(state_t: NDArray[np.floating], state_ps: NDArray[np.floating]) -> str:
    return "\n".join(
        " ".join(f"{float(value)!r}" for value in (*t, p))
        for t, p in zip(state_t, state_ps, strict=True)
    )


@pytest.mark.parametrize("kinds", [(), ("-DSINGLE_PRECISION",)])
def test_chunks_and_sections_give_what_python_gives(
    compiled: Compile, column_archive: Path, kinds: tuple[str, ...]
) -> None:
    program = compiled(scheme(ColumnNetwork().spec), "ccpp/host_column_network.F90", kinds)
    inputs = _columns()
    found = _run(program, column_archive, text=_lines(**inputs)).reshape(11, N_LEVEL + 1)
    expected = hybrid.load(column_archive).evaluate(inputs)
    np.testing.assert_array_equal(found[:, :-1], expected["ptend_t"])
    np.testing.assert_array_equal(found[:, -1], expected["precipitation"])


def test_units_of_the_host_are_converted(compiled: Compile, column_archive: Path) -> None:
    options = SchemeOptions(units={"state_ps": "hPa", "ptend_t": "K h-1"})
    program = compiled(scheme(ColumnNetwork().spec, options), "ccpp/host_column_network.F90")
    inputs = _columns()
    text = _lines(inputs["state_t"], inputs["state_ps"].astype(float) / 100.0)
    found = _run(program, column_archive, text=text).reshape(11, N_LEVEL + 1)
    expected = hybrid.load(column_archive).evaluate(inputs)
    # The converted pressure rounds once more on its way to single precision.
    np.testing.assert_allclose(found[:, :-1], expected["ptend_t"] * 3600.0, rtol=1e-4, atol=1e-7)


def test_state_and_noise_do_not_feel_chunks_nor_a_restart(
    compiled: Compile, persistence_archive: Path
) -> None:
    program = compiled(scheme(Persistence().spec), "ccpp/host_persistence.F90")
    whole = _run(program, persistence_archive, 1, "F")
    for n_chunk, restart in ((3, "F"), (10, "F"), (1, "T"), (3, "T")):
        np.testing.assert_array_equal(
            _run(program, persistence_archive, n_chunk, restart), whole, str((n_chunk, restart))
        )
    columns = hybrid.load(persistence_archive).create(
        10, column_id=100 + 3 * np.arange(1, 11), seed=42
    )
    x, tendency = 0.1 * np.arange(1, 11), np.zeros(10)
    columns.bind("x", x, dims="column", units="1")
    columns.bind("x_tendency", tendency, dims="column", units="s-1")
    for step in range(1, 7):
        columns.run(step)
        columns.commit()
    np.testing.assert_array_equal(whole[:10], tendency)
    np.testing.assert_array_equal(
        whole[10:].reshape(N_LEVEL, 10).T, columns.state_get("memory", N_LEVEL)
    )


def test_policy_host_leaves_columns_and_accumulates_in_the_others(
    compiled: Compile, column_archive: Path
) -> None:
    options = SchemeOptions(
        name="guarded", policy="host", accumulate=("ptend_t",), units={"state_ps": "hPa"}
    )
    program = compiled(scheme(ColumnNetwork().spec, options), "ccpp/host_policy.F90")
    output = subprocess.run(
        [str(program), str(column_archive)], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    assert output[0].split() == ["F", "T", "F"]
    values = np.array(output[1].split(), dtype=float)
    result = hybrid.load(column_archive).evaluate(
        {"state_t": np.full((1, N_LEVEL), 250, "f4"), "state_ps": np.full(1, 8e4, "f4")}
    )
    once = 1.0 + float(result["ptend_t"][0, 0])
    rain = float(result["precipitation"][0])
    np.testing.assert_array_equal(values, [once, 1.0, once, rain, -1.0, rain])


def test_commands_of_the_guide_give_a_scheme_that_compiles(
    column_archive: Path, module_objects: Path, tmp_path: Path
) -> None:
    page = (HERE.parents[1] / "docs" / "guide" / "ccpp.md").read_text()
    (commands,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    shutil.copy(column_archive, tmp_path / "convection.pt")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    names = sorted(path.name for path in (tmp_path / "physics").iterdir())
    assert names == ["hybrid.F90", "learned_convection.F90", "learned_convection.meta"]
    kinds = str(HERE / "ccpp" / "ccpp_kinds.F90")
    scheme_source = "physics/learned_convection.F90"
    _gfortran(tmp_path, f"-I{module_objects}", *FLAGS, "-c", kinds, scheme_source)


class Stack(Closure):
    """A state with two dimensions, no two elements of which are treated alike."""

    rate: Tensor

    def __init__(self) -> None:
        dims, shape = ("layer", "band"), (2, 3)
        super().__init__(
            ClosureSpec(
                name="stack",
                version="1.0",
                inputs=(Field("x", "1", valid_min=-5.0, valid_max=5.0),),
                outputs=(Field("weight", "1"), Field("total", "1", dims, shape)),
                state=(Field("memory", "1", dims, shape),),
            )
        )
        self.register_buffer("rate", torch.arange(1.0, 7.0).reshape(2, 3))

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        new = memory + self.rate * (x[:, None, None] + 0.5 * memory)
        return (new[:, 1, 0], new - memory, new)


def test_state_of_two_dimensions_keeps_its_order(compiled: Compile, tmp_path: Path) -> None:
    closure, archive = Stack(), tmp_path / "stack.pt"
    hybrid.export(closure, archive)
    found = _run(compiled(scheme(closure.spec), "ccpp/host_stack.F90"), archive).reshape(2, 13)
    x, memory = torch.tensor([1.0, 2.0]), torch.zeros(2, 2, 3)
    weight = total = torch.zeros(0)
    for _ in range(3):
        weight, total, memory = closure(x, memory)
    np.testing.assert_allclose(found[:, 0], weight.numpy(), rtol=1e-6)
    np.testing.assert_allclose(found[:, 1:7], memory.numpy().reshape(2, 6), rtol=1e-6)
    np.testing.assert_allclose(found[:, 7:], total.numpy().reshape(2, 6), rtol=1e-6)


def _awkward() -> ClosureSpec:
    fields = [Field(name, "1", ("level",), (3,)) for name in AWKWARD]
    third = len(fields) // 3
    return ClosureSpec(
        name="awkward",
        version="1.0 /* &",
        inputs=tuple(fields[:third]),
        outputs=tuple(fields[third : 2 * third]),
        state=(Field("s" * 63, "arcminute"), *fields[2 * third :]),
        noise=(Field("shock", "1"),),
        description='it\'s "odd" /* \\\n#error stop\n!$omp parallel ' + "word " * 60 + "\\",
    )


def _emissions() -> Iterator[tuple[str, Emission]]:
    yield "ccpp", scheme(_awkward(), SchemeOptions(policy="host"))
    yield "fortran", coupling(_awkward(), kind="real32", column_last=True)
    yield "long name", scheme(_awkward(), SchemeOptions(name="n" * 57, accumulate=("step",)))
    column = ColumnNetwork().spec
    yield "machine", coupling(replace(column, name="m" * 63))


EMISSIONS = dict(_emissions())


@pytest.mark.parametrize("case", EMISSIONS)
def test_awkward_names_and_texts_compile(case: str, compiled: Compile) -> None:
    compiled(EMISSIONS[case])
    (source,) = (t for name, t in EMISSIONS[case].files.items() if not name.endswith(".meta"))
    assert max(map(len, source.splitlines())) <= 132


@pytest.mark.parametrize(
    "emission",
    [scheme(Persistence().spec), scheme(ColumnNetwork().spec), coupling(Persistence().spec)],
    ids=["state", "column", "module"],
)
def test_source_is_formatted_as_that_of_the_bridge(emission: Emission, tmp_path: Path) -> None:
    path = write(emission, tmp_path)[0]
    fprettify = Path(sys.executable).parent / "fprettify"
    settings = HERE.parent.parent / ".fprettify.rc"
    before = path.read_text()
    subprocess.run([str(fprettify), "--config-file", str(settings), str(path)], check=True)
    assert path.read_text() == before


def test_emitted_module_couples_two_bindings(compiled: Compile, persistence_archive: Path) -> None:
    program = compiled(coupling(Persistence().spec), "emitted/persistence_model.f90")
    x, tendency = np.full(6, 0.5), np.zeros(6)
    columns = hybrid.load(persistence_archive).create(6, seed=7)
    columns.bind("x", x, dims="column", units="1")
    columns.bind("x_tendency", tendency, dims="column", units="s-1")
    for step in range(1, 5):
        columns.run(step)
        columns.commit()
    np.testing.assert_array_equal(_run(program, persistence_archive), tendency)


class Smoothing(Closure):
    """Relaxation towards the mean of two neighbours along x, and a little of one along y."""

    def __init__(self) -> None:
        dims, shape = ("y", "x"), (3, 4)
        super().__init__(
            ClosureSpec(
                name="smoothing",
                version="1.0",
                inputs=(Field("q", "1", dims, shape, valid_min=0.0, valid_max=600.0),),
                outputs=(Field("q_tendency", "s-1", dims, shape),),
                locality="grid",
                grid=Grid((0.5, 0.25), ("periodic", "periodic")),
            )
        )

    def forward(self, q: Tensor) -> tuple[Tensor]:
        along_x = 0.5 * (torch.roll(q, 1, dims=[2]) + torch.roll(q, -1, dims=[2])) - q
        return (along_x + 0.125 * torch.roll(q, 1, dims=[1]),)


def test_emitted_module_couples_a_grid(compiled: Compile, tmp_path: Path) -> None:
    closure, archive = Smoothing(), tmp_path / "smoothing.pt"
    hybrid.export(closure, archive)
    program = compiled(coupling(closure.spec, kind="real32"), "emitted/smoothing_model.f90")
    q = (torch.arange(1.0, 25.0) ** 2).reshape(2, 3, 4)
    expected = closure(q)[0].numpy().ravel()
    np.testing.assert_allclose(_run(program, archive), expected, rtol=1e-6)
