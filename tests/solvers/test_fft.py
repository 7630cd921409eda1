"""All FFT libraries give the same spectra; the fastest is found once and remembered."""

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
    backends_for,
    choice,
    complex_dtype,
    fftw,
    forward,
    inverse,
    measure,
    plan_transform,
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


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fftw, "available", lambda: False)
    with pytest.raises(ValueError, match="fft: expected one of") as caught:
        plan_transform((8, 8), backend="fftw")
    assert str(caught.value) == (
        "fft: expected one of auto, simd, rocket-fft, scipy, got 'fftw'; "
        "install it with: pip install pyfftw"
    )
    monkeypatch.setattr(choice, "_remembered", dict)
    monkeypatch.setattr(choice, "_remember", lambda _known: None)
    choice._fastest.cache_clear()
    assert plan_transform((8, 8)).backend in ("rocket-fft", "scipy")
    choice._fastest.cache_clear()


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
    assert key.endswith("| 16x24 | float64")
    # A choice that no measurement would make shows that it is read, and that none is made.
    (empty_cache / "fft-choice.json").write_text(json.dumps({key: "scipy"}))
    monkeypatch.setattr(choice, "measure", None)
    forget()
    assert plan_transform((16, 24)).backend == "scipy"


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

    monkeypatch.setattr(Path, "write_text", full)
    monkeypatch.setattr(Path, "replace", full)
    assert plan_transform((8, 8)).backend in BACKENDS
    assert list(empty_cache.iterdir()) == []


def test_threads_at_the_same_time(empty_cache: Path) -> None:
    sizes = range(8, 40, 2)
    with ThreadPoolExecutor(4) as threads:
        transforms = list(threads.map(lambda n: plan_transform((n, n)), sizes))
    assert [transform.shape[0] for transform in transforms] == list(sizes)
    assert set(json.loads((empty_cache / "fft-choice.json").read_text()).values()) <= set(BACKENDS)


def test_processes_at_the_same_time(tmp_path: Path) -> None:
    program = (
        "from solvers.fft import plan_transform\n"
        "for n in (8, 12, 16, 20, 24): plan_transform((n, n)), plan_transform((n,), 'float32')"
    )
    environment = {**os.environ, CACHE_VARIABLE: str(tmp_path)}
    processes = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in "123"]
    assert [process.wait() for process in processes] == [0, 0, 0]
    known = json.loads((tmp_path / "fft-choice.json").read_text())
    # Processes may overwrite each other's choices; the last one has written its own.
    assert known
    assert set(known.values()) <= set(BACKENDS)
    # No file that was begun is left.
    assert {file.suffix for file in tmp_path.iterdir()} <= {".json", ".wisdom"}
