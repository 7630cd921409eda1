"""All FFT libraries give the same spectra; the fastest is found once and remembered."""

import ctypes.util
import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from solvers import TwoLayerQG
from solvers.cache import CACHE_VARIABLE, cache_folder, machine
from solvers.fft import (
    Addresses,
    Transform,
    aligned_zeros,
    available_backends,
    backend_version,
    backends_for,
    choice,
    complex_dtype,
    fftw,
    forward,
    inverse,
    measure,
    plan_transform,
    simd,
    spectral_shape,
)
from solvers.fft.plan import ALIGNMENT

BACKENDS = available_backends()
SHAPES = [(16,), (96,), (4, 4), (6, 4), (16, 16), (64, 64), (12, 20), (20, 12), (128, 32)]
Array = NDArray[Any]


@njit(cache=True)
def transform_members(addresses: Addresses, fields: Array, spectra: Array) -> None:
    """Transform every member forth, in compiled code as solvers do."""
    for member in range(fields.shape[0]):
        forward(addresses, fields[member], spectra[member])


@njit(cache=True)
def transform_members_back(addresses: Addresses, spectra: Array, fields: Array) -> None:
    """Transform every member back."""
    for member in range(fields.shape[0]):
        inverse(addresses, spectra[member], fields[member])


def random_field(shape: tuple[int, ...], dtype: str) -> Array:
    field = aligned_zeros(shape, dtype)
    field[...] = np.random.default_rng(0).standard_normal(shape)
    return field


def members(shape: tuple[int, ...]) -> int:
    """Number of fields in a row: of those in two dimensions each begins at an aligned address."""
    return 1 if len(shape) == 1 else 3


def rounding(shape: tuple[int, ...], dtype: str) -> float:
    """Bound of the relative root mean square error of a transform.

    It grows with the logarithm of the size (Higham 2002, Accuracy and Stability of Numerical
    Algorithms, theorem 24.2), by a few units of rounding for each of the radix-2 passes.
    """
    return float(2.0 * np.finfo(dtype).eps * np.log2(np.prod(shape)))


def relative_error(values: Array, exact: Array) -> float:
    return float(np.linalg.norm(values - exact) / np.linalg.norm(exact))


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where nothing is remembered, as a new process finds it."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    choice._fastest.cache_clear()
    choice._planned.cache_clear()
    fftw._library.cache_clear()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("backend", "shape"), [(name, shape) for shape in SHAPES for name in backends_for(shape)]
)
def test_forward_is_that_of_numpy(backend: str, shape: tuple[int, ...], dtype: str) -> None:
    transform = plan_transform(shape, dtype, backend)
    fields = random_field((members(shape), *shape), dtype)
    spectra = aligned_zeros((len(fields), *spectral_shape(shape)), complex_dtype(dtype))
    before = fields.copy()
    transform_members(transform.addresses, fields, spectra)
    axes = tuple(range(1, len(shape) + 1))
    exact = np.fft.rfftn(fields.astype(np.float64), axes=axes)
    assert relative_error(spectra, exact) < rounding(shape, dtype)
    np.testing.assert_array_equal(fields, before)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("backend", "shape"), [(name, shape) for shape in SHAPES for name in backends_for(shape)]
)
def test_inverse_is_that_of_numpy_unnormalised(
    backend: str, shape: tuple[int, ...], dtype: str
) -> None:
    transform = plan_transform(shape, dtype, backend)
    axes, values = tuple(range(1, len(shape) + 1)), random_field((members(shape), *shape), dtype)
    spectra = aligned_zeros((len(values), *spectral_shape(shape)), complex_dtype(dtype))
    spectra[...] = np.fft.rfftn(values, axes=axes)
    exact = np.fft.irfftn(spectra.astype(np.complex128), s=shape, axes=axes, norm="forward")
    fields = aligned_zeros(values.shape, dtype)
    transform_members_back(transform.addresses, spectra, fields)
    assert relative_error(fields, exact) < rounding(shape, dtype)


@pytest.mark.parametrize("backend", backends_for((16, 24)))
def test_a_wave_has_one_coefficient(backend: str) -> None:
    transform = plan_transform((16, 24), backend=backend)
    field = aligned_zeros((1, 16, 24), "float64")
    y, x = np.mgrid[:16, :24]
    field[0] = np.cos(2.0 * np.pi * (5 * x / 24 - 3 * y / 16))
    spectrum = aligned_zeros((1, 16, 13), "complex128")
    transform_members(transform.addresses, field, spectrum)
    exact = np.zeros((16, 13))
    exact[-3, 5] = 16 * 24 / 2
    np.testing.assert_allclose(spectrum[0], exact, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_bits_every_time(backend: str) -> None:
    field = random_field((1, 32, 32), "float64")
    spectra = []
    for _ in range(2):
        choice._planned.cache_clear()
        spectrum = aligned_zeros((1, 32, 17), "complex128")
        transform_members(plan_transform((32, 32), backend=backend).addresses, field, spectrum)
        spectra.append(spectrum)
    np.testing.assert_array_equal(spectra[0], spectra[1])


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4, 4), (1, 7, 9)])
def test_arrays_are_aligned(shape: tuple[int, ...], dtype: str) -> None:
    array = aligned_zeros(shape, dtype)
    assert array.ctypes.data % ALIGNMENT == 0
    assert array.flags.c_contiguous
    assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
    assert not array.any()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_library_can_be_asked_for(backend: str, empty_cache: Path) -> None:
    assert plan_transform((16, 16), backend=backend).backend == backend
    assert TwoLayerQG(nx=16, fft=backend).start().transform.backend == backend  # type: ignore[attr-defined]
    # Nothing was measured for it.
    assert not (empty_cache / "fft-choice.json").exists()


def test_an_unknown_library() -> None:
    names = ", ".join(("auto", *BACKENDS))
    with pytest.raises(ValueError, match="fft: expected one of") as caught:
        plan_transform((8, 8), backend="mkl")
    assert str(caught.value) == f"fft: expected one of {names}, got 'mkl'"


def test_a_library_that_is_not_installed(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fftw, "available", lambda: False)
    with pytest.raises(ValueError, match="fft: expected one of") as caught:
        plan_transform((8, 8), backend="fftw")
    assert str(caught.value) == (
        "fft: expected one of auto, simd, rocket-fft, scipy, got 'fftw'; "
        "install it with: pip install pyfftw"
    )
    assert plan_transform((8, 8)).backend in ("rocket-fft", "scipy")


def test_a_library_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(fftw, "find_spec", lambda _name: None)
    monkeypatch.setattr(ctypes.util, "find_library", asked.append)
    fftw._library_path.cache_clear()
    try:
        assert [available_backends() for _ in range(3)] == [("simd", "rocket-fft", "scipy")] * 3
    finally:
        fftw._library_path.cache_clear()
    assert asked == ["fftw3"]


def test_the_fastest_is_chosen(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(transforms: list[Transform]) -> dict[str, float]:
        names = [transform.backend for transform in transforms]
        assert names == list(backends_for(transforms[0].shape))
        return {name: (1.0 if name == "rocket-fft" else 2.0) for name in names}

    monkeypatch.setattr(choice, "measure", timed)
    assert plan_transform((16, 16)).backend == "rocket-fft"


def test_all_libraries_are_timed() -> None:
    transforms = [plan_transform((16, 16), backend=name) for name in BACKENDS]
    seconds = measure(transforms)
    assert list(seconds) == list(BACKENDS)
    assert all(0.0 < value < 1.0 for value in seconds.values())
    # What crosses into Python at every transform cannot be the fastest.
    assert min(seconds, key=lambda name: seconds[name]) != "scipy"


def test_the_choice_is_remembered(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = plan_transform((16, 24)).backend
    known = json.loads((empty_cache / "fft-choice.json").read_text())
    assert list(known.values()) == [chosen]
    (key,) = known
    assert key.startswith(f"{machine()} | ")
    assert all(f"{name} {backend_version(name)}" in key for name in backends_for((16, 24)))
    assert key.endswith("| 16x24 | float64")
    # A choice that no measurement would make shows that it is read, and that none is made.
    (empty_cache / "fft-choice.json").write_text(json.dumps({key: "scipy"}))
    monkeypatch.setattr(choice, "measure", None)
    forget()
    assert plan_transform((16, 24)).backend == "scipy"


def test_registers_of_another_width_are_another_library(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = []
    for width in (32, 64):
        monkeypatch.setattr(simd, "_register_bytes", lambda width=width: width)
        versions.append(backend_version("simd"))
    assert [version.partition("-")[2] for version in versions] == ["256", "512"]


def test_each_size_and_precision_has_its_choice(empty_cache: Path) -> None:
    for shape, dtype in (((8, 8), "float64"), ((8, 8), "float32"), ((8, 16), "float64")):
        plan_transform(shape, dtype)
    known = json.loads((empty_cache / "fft-choice.json").read_text())
    assert sorted(key.split(" | ")[-2:] for key in known) == [
        ["8x16", "float64"],
        ["8x8", "float32"],
        ["8x8", "float64"],
    ]


def test_a_remembered_library_that_is_gone_is_not_used(empty_cache: Path) -> None:
    plan_transform((8, 8))
    path = empty_cache / "fft-choice.json"
    path.write_text(json.dumps(dict.fromkeys(json.loads(path.read_text()), "vanished")))
    forget()
    assert plan_transform((8, 8)).backend in BACKENDS
    assert "vanished" not in path.read_text()


@pytest.mark.skipif("fftw" not in BACKENDS, reason="needs FFTW")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_fftw_learned_is_kept(empty_cache: Path, dtype: str) -> None:
    plan_transform((12, 16), dtype, "fftw")
    (wisdom,) = empty_cache.glob("*.wisdom")
    assert wisdom.name.startswith("fftw3f-" if dtype == "float32" else "fftw3-")
    assert b"wisdom" in wisdom.read_bytes()


# Plans determine bits. The first process may search for as long as it is told, later ones for ever.
PLANS = """
import ctypes, sys
import numpy as np
from solvers.fft import fftw
fftw._PLANNING_SECONDS = float(sys.argv[1])
for n in map(int, sys.argv[2:]):
    transform = fftw.plan((n, n), np.dtype(float))
    describe = transform.keep_alive.fftw_sprint_plan
    describe.restype, describe.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    for plan in transform.addresses[1::2]:
        print(n, describe(plan).decode().split())
"""


def start_planning(folder: Path, seconds: float, *sizes: int) -> subprocess.Popen[str]:
    """Start a process that prints the plans it makes."""
    return subprocess.Popen(
        [sys.executable, "-c", PLANS, str(seconds), *map(str, sizes)],
        env={**os.environ, CACHE_VARIABLE: str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif("fftw" not in BACKENDS, reason="needs FFTW")
@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.3])
def test_a_search_cut_short_is_what_later_processes_use(tmp_path: Path, seconds: float) -> None:
    first, _ = start_planning(tmp_path, seconds, 60, 30).communicate()
    kept = {path: path.read_bytes() for path in tmp_path.glob("*.wisdom")}
    assert len(kept) == 2
    later, _ = start_planning(tmp_path, 60.0, 30, 60).communicate()
    assert sorted(later.splitlines()) == sorted(first.splitlines())
    assert len(first.splitlines()) == 4
    assert {path: path.read_bytes() for path in tmp_path.glob("*.wisdom")} == kept


@pytest.mark.skipif("fftw" not in BACKENDS, reason="needs FFTW")
def test_processes_that_plan_at_the_same_time_agree(tmp_path: Path) -> None:
    orders = [(24, 30, 36), (30, 36, 24), (36, 24, 30)]
    processes = [start_planning(tmp_path, 1.0, *sizes) for sizes in orders]
    plans = [sorted(process.communicate()[0].splitlines()) for process in processes]
    plans.append(sorted(start_planning(tmp_path, 1.0, 24, 30, 36).communicate()[0].splitlines()))
    assert len(plans[0]) == 6
    assert plans == [plans[0]] * 4


@pytest.mark.skipif("fftw" not in BACKENDS, reason="needs FFTW")
def test_what_others_taught_fftw_stays(empty_cache: Path) -> None:
    double = np.dtype(np.float64)
    plan_transform((8, 8), double, "fftw")
    (path,) = empty_cache.glob("*.wisdom")
    fftw._call(double, "forget_wisdom")
    fftw._call(double, "import_wisdom_from_string", path.read_bytes())
    # FFTW tells the same things in any order.
    others = sorted(path.read_bytes().splitlines())
    for shape in ((10, 10), (12, 12)):
        plan_transform(shape, double, "fftw")
        assert sorted(fftw._wisdom(double).splitlines()) == others
    # Nor is it kept with what is planned here.
    kept = [set(file.read_bytes().splitlines()) for file in empty_cache.glob("*.wisdom")]
    assert [set(others) <= lines for lines in kept].count(True) == 1
    assert len(kept) == 3


CORRUPT = pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"1", b"\xff\xfe\x00", b'{"a": ', b"(fftw-3.3.10 fftw_wisdom #x0 ("],
)


@CORRUPT
def test_a_cache_that_is_corrupt_is_made_again(empty_cache: Path, content: bytes) -> None:
    plan_transform((8, 8))
    files = list(empty_cache.iterdir())
    for file in files:
        file.write_bytes(content)
    forget()
    assert plan_transform((8, 8)).backend in BACKENDS
    choices = json.loads((empty_cache / "fft-choice.json").read_text())
    assert list(choices.values()) == [plan_transform((8, 8)).backend]


def test_without_a_folder_to_write_every_process_measures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "folder"))
    forget()
    assert cache_folder() is None
    assert plan_transform((8, 8)).backend in BACKENDS
    forget()


def test_a_folder_that_may_not_be_written_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    # The superuser may write everywhere: what other users are told.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert cache_folder() is None


def test_a_disk_that_is_full_is_no_reason_to_fail(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(Path, "replace", full)
    assert plan_transform((8, 8)).backend in BACKENDS
    assert {path.suffix for path in empty_cache.iterdir()} <= {".lock"}


def test_threads_at_the_same_time(empty_cache: Path) -> None:
    sizes = range(8, 40, 2)
    with ThreadPoolExecutor(4) as threads:
        transforms = list(threads.map(lambda n: plan_transform((n, n)), sizes))
    assert [transform.shape[0] for transform in transforms] == list(sizes)
    assert set(json.loads((empty_cache / "fft-choice.json").read_text()).values()) <= set(BACKENDS)


def test_processes_at_the_same_time(tmp_path: Path) -> None:
    # Left to itself, each would choose another library, after a measurement that takes its time.
    program = (
        "import sys, time\n"
        "from solvers.fft import choice, plan_transform\n"
        "def measure(transforms):\n"
        "    time.sleep(0.1)\n"
        "    names = [each.backend for each in transforms]\n"
        "    return {name: (i + int(sys.argv[1])) % len(names) for i, name in enumerate(names)}\n"
        "choice.measure = measure\n"
        "for n in (8, 12, 16, 20, 24):\n"
        "    print(plan_transform((n, n)).backend, plan_transform((n,), 'float32').backend)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, number],
            env={**os.environ, CACHE_VARIABLE: str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in "012"
    ]
    chosen = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    known = json.loads((tmp_path / "fft-choice.json").read_text())
    # They agree, and no choice was lost.
    assert chosen == [chosen[0]] * 3
    assert sorted(known.values()) == sorted(chosen[0])
    assert len(known) == 10
    # No file that was begun is left.
    assert {file.suffix for file in tmp_path.iterdir()} <= {".json", ".wisdom", ".lock"}
