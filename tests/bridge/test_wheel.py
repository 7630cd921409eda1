"""The wheel holds all it takes to build the native library where there is no checkout."""

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from bridge.consumers import relaxation

CHECKOUT = Path(__file__).parents[2]
CONSUMERS = Path(__file__).parent / "consumers"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the checkout, built with the running environment's backend."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, CHECKOUT],
        check=True,
    )
    (file,) = folder.iterdir()
    return file


def test_it_holds_all_sources_of_the_bridge(wheel: Path) -> None:
    sources = {
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "fortran_bridge").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(sources) > 50
    with zipfile.ZipFile(wheel) as file:
        assert sources - set(file.namelist()) == set()


def test_its_build_needs_hatchling_alone() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    assert [name.split(">")[0] for name in project["build-system"]["requires"]] == ["hatchling"]


@pytest.fixture
def environment(wheel: Path, tmp_path: Path) -> dict[str, str]:
    """Variables of a new Python environment with the wheel, and the running one's packages."""
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=True)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "running.pth").write_text("\n".join(sorted(paths)))
    python = folder / "bin" / "python"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps"),
            *("--no-index", "--quiet", "--ignore-installed", wheel),
        ],
        check=True,
    )
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "VIRTUAL_ENV"} and not name.startswith("HYBRID_")
    }
    return {**kept, "PATH": f"{python.parent}:{os.environ['PATH']}"}


@pytest.mark.slow
@pytest.mark.fortran
@pytest.mark.timeout(1200)
def test_it_builds_and_runs_without_the_checkout(
    environment: dict[str, str], tmp_path: Path
) -> None:
    def output(command: str, **variables: str) -> str:
        done = subprocess.run(
            command.split(),
            cwd=tmp_path,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    (tmp_path / "where.py").write_text("import fortran_bridge; print(fortran_bridge.__file__)")
    where = output("python where.py")
    assert where.startswith(str(tmp_path))
    prefix = tmp_path / "prefix"
    said = output(f"hybrid bridge build --prefix {prefix}")
    assert said == f"native library: {prefix}/lib/libhybrid.so"
    chosen = {"HYBRID_PREFIX": str(prefix)}
    output(f"python {CONSUMERS / 'relaxation.py'} relaxation.pt", **chosen)
    # Through Fortran, from the manifest alone, and compared with the Python closure.
    output("hybrid verify relaxation.pt", **chosen)
    (tmp_path / "step.py").write_text(
        "from fortran_bridge.hosts import Lorenz96Host\n"
        "host = Lorenz96Host([[1.0] * 8])\n"
        "host.advance(3)\n"
        "print(host.step)\n"
    )
    assert output("python step.py", **chosen) == "3"
    flags = output(f"hybrid bridge config --prefix {prefix} --cflags --source --ldflags").split()
    include, source, *linker = flags
    for compiler in (
        ["gcc", include, str(CONSUMERS / "model.c")],
        ["gfortran", f"-J{tmp_path}", source, str(CONSUMERS / "model.f90")],
    ):
        program = tmp_path / compiler[0]
        output(" ".join([*compiler, *linker, "-o", f"{program}-model"]))
        assert output(f"{program}-model relaxation.pt") == relaxation.EXPECTED
    assert not (tmp_path / "environment" / "hybrid").exists()
