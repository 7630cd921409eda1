"""Hosts of other projects find the library: with make, CMake and pkg-config, wherever it lies."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from bridge.archives import read_entries, write_entries
from bridge.consumers import relaxation

from fortran_bridge import build
from fortran_bridge.build import Prefix
from fortran_bridge.c_library import library

CONSUMERS = Path(__file__).parent / "consumers"
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "install.md"
INSTALLED = ("bin", "include", "lib", "share")
ABI = re.compile(r"HYBRID_API [^;(]*?\b(hybrid_\w+)\(")


def output(*command: str | Path, folder: Path, **environment: str) -> str:
    """Run a command as a user of the running Python environment does; return what it says."""
    bin_folder = Path(sys.executable).parent
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.strip()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that the consumers run."""
    path = tmp_path_factory.mktemp("relaxation") / "relaxation.pt"
    relaxation.export(path)
    return path


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    """The installation, copied and then renamed."""
    folder = tmp_path_factory.mktemp("moved")
    for part in INSTALLED:
        source = build.ensure_built().root / part
        shutil.copytree(source, folder / "first" / part, symlinks=True)
    return Prefix((folder / "first").rename(folder / "second"))


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    """A copy of the consumers, outside the checkout."""
    return shutil.copytree(CONSUMERS, tmp_path / "consumers")


@pytest.mark.fortran
def test_a_makefile_that_asks_bridge_config(prefix: Prefix, consumer: Path, archive: Path) -> None:
    output("make", folder=consumer / "makefile")
    said = output("./model", archive, folder=consumer / "makefile")
    assert said == relaxation.EXPECTED


@pytest.mark.fortran
def test_a_cmake_project(moved: Prefix, consumer: Path, archive: Path) -> None:
    folder = consumer / "cmake"
    output("cmake", "-B", "build", f"-Dhybrid_DIR={moved.cmake}", folder=folder)
    output("cmake", "--build", "build", folder=folder)
    for model in ("model_c", "model_fortran"):
        assert output(f"build/{model}", archive, folder=folder) == relaxation.EXPECTED
        assert f"{moved.root}/lib/libhybrid.so.1" in output("ldd", f"build/{model}", folder=folder)


@pytest.mark.fortran
def test_a_makefile_that_asks_pkg_config(moved: Prefix, consumer: Path, archive: Path) -> None:
    folder = consumer / "pkg_config"
    output("make", folder=folder, PKG_CONFIG_PATH=str(moved.pkg_config))
    for model in ("model_c", "model_fortran"):
        assert output(f"./{model}", archive, folder=folder) == relaxation.EXPECTED


def test_pkg_config_and_cmake_know_the_version(moved: Prefix, tmp_path: Path) -> None:
    version = output(
        *("pkg-config", "--modversion", "hybrid"),
        folder=tmp_path,
        PKG_CONFIG_PATH=str(moved.pkg_config),
    )
    assert version == library().hybrid_version().decode()
    major, minor = map(int, version.split(".")[:2])
    assert find_package(moved, tmp_path, f"hybrid {major}.{minor} REQUIRED") == ""
    later = find_package(moved, tmp_path, f"hybrid {major}.{minor + 1} REQUIRED")
    assert f'is compatible with requested version "{major}.{minor + 1}"' in later
    assert f"hybridConfig.cmake, version: {version}" in later


@pytest.mark.parametrize(
    ("components", "message"),
    [
        ("C", ""),
        ("Fortran", "component Fortran: expected language Fortran to be enabled, got C; write"),
        ("Python", "expected components C and Fortran, got 'Python'"),
    ],
)
def test_components(components: str, message: str, moved: Prefix, tmp_path: Path) -> None:
    said = find_package(moved, tmp_path, f"hybrid REQUIRED COMPONENTS {components}")
    assert message in said
    assert bool(said) == bool(message)


def find_package(prefix: Prefix, folder: Path, arguments: str) -> str:
    """Return why CMake does not find the package for a C project; empty if it does."""
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\n"
        f"project(host LANGUAGES C)\nfind_package({arguments})\n"
    )
    done = subprocess.run(
        ["cmake", "-B", "build", f"-Dhybrid_DIR={prefix.cmake}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(done.stderr) == bool(done.returncode)
    return " ".join(done.stderr.split())


def test_nothing_installed_names_the_prefix(prefix: Prefix, moved: Prefix) -> None:
    files = [path for path in moved.root.rglob("*") if path.is_file()]
    assert len(files) > 10
    named = [path.name for path in files if f"{prefix.root}/".encode() in path.read_bytes()]
    # A build below the prefix leaves the name of the generated source in the messages of hosts.
    assert [name for name in named if not name.endswith("-host")] == []


def loaded(listing: str, name: str) -> Path:
    """Return from what file the loader took a library, out of what LD_DEBUG=libs listed."""
    found = re.search(rf"calling init: (\S*/{name})$", listing, re.MULTILINE)
    assert found, listing
    return Path(found[1])


def test_a_moved_host_loads_what_was_moved(
    prefix: Prefix, moved: Prefix, archive: Path, tmp_path: Path
) -> None:
    program = tmp_path / "load"
    flags = (f"-I{moved.include}", f"-L{moved.root / 'lib'}", "-lhybrid")
    # As a host is linked that lies beside the library and moves with it.
    rpath = "-Wl,-rpath,$ORIGIN/../lib"
    output("gcc", CONSUMERS / "model.c", *flags, rpath, "-o", program, folder=tmp_path)
    host = moved.root / "bin" / "load"
    program.replace(host)
    torch_lib = Path(torch.__file__).parent / "lib"
    chosen = tmp_path / "torch"
    chosen.mkdir()
    for path in torch_lib.glob("*.so*"):
        (chosen / path.name).symlink_to(path)
    entries = read_entries(archive)
    kept = {name: entries[name] for name in entries if not name.startswith("extra/native.")}
    plain = write_entries(tmp_path / "plain.pt", kept, seal=True)
    lists = {
        str(folder): output(
            host, plain, folder=tmp_path, LD_DEBUG="libs", HYBRID_TORCH_LIB=str(folder)
        )
        for folder in ("", chosen)
    }
    native = output(host, archive, folder=tmp_path, LD_DEBUG="libs")
    assert relaxation.EXPECTED in native
    assert loaded(native, "libhybrid_native.so").resolve().parent == moved.root / "lib"
    assert "libtorch" not in native
    for folder, listing in lists.items():
        assert relaxation.EXPECTED in listing
        for name in ("libhybrid.so.1", "libhybrid_torchscript.so"):
            assert loaded(listing, name).resolve().parent == moved.root / "lib"
        assert loaded(listing, "libtorch_cpu.so").parent == (chosen if folder else torch_lib)
    host_models = output("ldd", moved.host("verify"), folder=tmp_path)
    assert str(moved.root / "lib" / "libhybrid.so.1") in host_models.replace("bin/../", "")


def exported(file: Path) -> set[str]:
    """Return all symbols that a shared object defines for others, with their versions."""
    lines = subprocess.run(
        ["nm", "-D", "--defined-only", "--with-symbol-versions", str(file)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return {line.split()[-1] for line in lines}


def test_the_library_exports_the_versioned_abi_alone(prefix: Prefix) -> None:
    declared = ABI.findall((prefix.include / "hybrid.h").read_text())
    assert len(declared) > 40
    # The node itself is listed as a symbol too.
    assert exported(prefix.library) == {"HYBRID_1", *(f"{name}@@HYBRID_1" for name in declared)}


@pytest.mark.parametrize("engine", build.ENGINES)
def test_an_engine_exports_its_entry_alone(engine: str, prefix: Prefix) -> None:
    file = prefix.library.with_name(f"libhybrid_{engine}.so")
    if engine == "aoti" and not file.exists():
        pytest.skip("this torch has no AOTInductor runner")
    assert exported(file) == {"hybrid_engine_v4"}


def test_hosts_ask_for_the_versioned_name(prefix: Prefix) -> None:
    needed = subprocess.run(
        ["readelf", "-d", str(prefix.host("verify")), str(prefix.library)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Shared library: [libhybrid.so.1]" in needed
    assert "Library soname: [libhybrid.so.1]" in needed
    assert prefix.library.readlink() == Path("libhybrid.so.1")


def test_the_abi_version_is_that_of_the_header(prefix: Prefix) -> None:
    header = (prefix.include / "hybrid.h").read_text()
    macro = re.search(r"#define HYBRID_ABI_VERSION (\d+)", header)
    assert macro
    # Apart from `library()`: a plain look at the symbol, as another language does it.
    assert ctypes.CDLL(str(prefix.library)).hybrid_abi_version() == int(macro[1])


def test_the_core_is_configured_without_torch_and_instrumented(tmp_path: Path) -> None:
    options = ("HYBRID_ENGINES=", "HYBRID_SANITIZE=address,undefined", "HYBRID_TORCH_CMAKE=/none")
    output(
        *("cmake", "-S", build.SOURCE, "-B", tmp_path, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"),
        *(f"-D{option}" for option in options),
        folder=tmp_path,
    )
    commands = (tmp_path / "compile_commands.json").read_text()
    assert "torchscript_engine" not in commands
    compilations = re.findall(r'"command": "(.*)"', commands)
    assert len(compilations) > 10
    assert all("-fsanitize=address,undefined" in line for line in compilations)


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        ["cmake", "-S", str(build.SOURCE), "-B", str(tmp_path), "-DHYBRID_ENGINES=onnx"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        "HYBRID_ENGINES: expected a list of: torchscript, aoti, native; got 'onnx'" in done.stderr
    )


def test_the_guide_shows_what_the_consumers_are() -> None:
    blocks = re.findall(r"```(?:make|cmake)\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(blocks) == 3
    files = [
        "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
        for path in CONSUMERS.rglob("*")
        if path.name in {"Makefile", "CMakeLists.txt"}
    ]
    for block in blocks:
        assert any(block.strip() in text for text in files), block
