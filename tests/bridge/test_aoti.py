"""Archives of native code: exported once, then run through the library that Fortran calls."""

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from bridge.archives import read_entries, with_manifest, write_entries
from closure_examples import ColumnNetwork, Persistence

import hybrid
from fortran_bridge.errors import BridgeError
from fortran_bridge.native_closure import NativeClosure
from hybrid.archive import read_manifest, read_reference
from hybrid.errors import ExportError
from hybrid.export import python_function

METADATA = ".wrapper_metadata.json"
BOUND = 16.0


@pytest.fixture(scope="session")
def aoti_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archive of native code of a closure with profile, scalars, state and noise."""
    path = tmp_path_factory.mktemp("aoti") / "sum.pt2"
    hybrid.export(Persistence(), path)
    return path


def test_export_names_engine_device_and_instructions(aoti_archive: Path) -> None:
    manifest = read_manifest(aoti_archive)
    assert manifest.engine == "aoti"
    assert manifest.versions["device"] == "cpu"
    assert manifest.versions["instruction_set"]
    assert "hybrid.reference.npz" in manifest.hashes


@pytest.mark.parametrize("n", [1, 7, 16, 384])
def test_results_are_eager_ones_but_for_rounding(aoti_archive: Path, n: int) -> None:
    reference = read_reference(aoti_archive)
    compiled = hybrid.load(aoti_archive)
    spec = compiled.spec
    binding = compiled.create(n)
    x = reference.arguments["x"][:n].copy()
    tendency = np.empty(n, np.float32)
    binding.bind("x", x, dims="column", units="1")
    binding.bind("x_tendency", tendency, dims="column", units="s-1")
    binding.state_set("memory", reference.arguments["memory"][:n])
    binding.run(1)
    binding.commit()
    memory = binding.state_get("memory", spec.state[0].size).reshape(n, -1)
    for found, name in ((tendency, "x_tendency"), (memory, "memory")):
        expected = reference.largest[name][:n]
        tolerance = BOUND * np.finfo(np.float32).eps * np.abs(reference.largest[name]).max()
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=tolerance)


def test_several_threads_at_once_get_the_same(aoti_archive: Path) -> None:
    compiled = hybrid.load(aoti_archive)
    inputs = {"x": np.linspace(-2.0, 2.0, 100, dtype=np.float32)}
    expected = compiled.evaluate(inputs)["x_tendency"]
    wrong: list[int] = []

    def evaluate() -> None:
        wrong.extend(
            i
            for i in range(30)
            if not np.array_equal(compiled.evaluate(inputs)["x_tendency"], expected)
        )

    threads = [threading.Thread(target=evaluate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_strided_and_double_inputs_are_not_misread(aoti_archive: Path) -> None:
    compiled = hybrid.load(aoti_archive)
    wide = np.linspace(-2.0, 2.0, 60).reshape(20, 3)
    found = np.empty((20, 2))[:, 1]
    binding = compiled.create(20)
    binding.bind("x", wide[:, 1], dims="column", units="1")
    binding.bind("x_tendency", found, dims="column", units="s-1")
    binding.run(1)
    expected = compiled.evaluate({"x": wide[:, 1].astype(np.float32)}, step=1)["x_tendency"]
    np.testing.assert_array_equal(found.astype(np.float32), expected)


def test_loading_needs_no_compiler_and_leaves_nothing(
    aoti_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    NativeClosure(aoti_archive)
    assert list(tmp_path.iterdir()) == []


def test_without_a_temporary_folder_the_message_names_it(
    aoti_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with pytest.raises(BridgeError, match="expected a temporary folder to write to"):
        NativeClosure(aoti_archive)


def test_plain_torch_opens_it(aoti_archive: Path) -> None:
    reference = read_reference(aoti_archive)
    arguments = [torch.from_numpy(array) for array in reference.arguments.values()]
    tendency, memory = python_function(aoti_archive, "aoti")(*arguments)
    assert tendency.shape == (384,)
    assert memory.shape == (384, 5)


def test_another_number_of_arguments_is_refused(aoti_archive: Path, tmp_path: Path) -> None:
    path = with_manifest(
        aoti_archive, tmp_path / "a.pt2", lambda manifest: manifest["spec"].update(noise=[])
    )
    with pytest.raises(BridgeError, match=r"expected 2 arguments .*, got 3"):
        NativeClosure(path)


def test_results_of_another_width_are_refused(aoti_archive: Path, tmp_path: Path) -> None:
    def widen(manifest: dict[str, dict[str, list[dict[str, object]]]]) -> None:
        manifest["spec"]["outputs"][0] |= {"dims": ["level"], "shape": [5]}

    path = with_manifest(aoti_archive, tmp_path / "a.pt2", widen)
    with pytest.raises(BridgeError, match=r"x_tendency: expected float32 \[\d+, 5\], got float32"):
        NativeClosure(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"AOTI_MACHINE": "sparc"}, "expected a processor with what it was compiled for .sparc"),
        (
            {"AOTI_DEVICE_KEY": "cuda"},
            "expected the kind that the archive was compiled for, 'cuda'",
        ),
    ],
)
def test_code_for_another_machine_is_refused(
    aoti_archive: Path, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    entries = read_entries(aoti_archive)
    for name in [name for name in entries if name.endswith(METADATA)]:
        entries[name] = json.dumps(json.loads(entries[name]) | change).encode()
    path = write_entries(tmp_path / "a.pt2", entries, seal=True)
    with pytest.raises(BridgeError, match=message):
        NativeClosure(path)


def test_torchscript_is_not_native_code(column_archive: Path, tmp_path: Path) -> None:
    path = with_manifest(
        column_archive, tmp_path / "a.pt2", lambda manifest: manifest.update(engine="aoti")
    )
    with pytest.raises(BridgeError, match="expected an AOTInductor model below"):
        NativeClosure(path, engine="aoti")


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("a.pt", {"engine": "aoti"}, r"expected a name that ends in \.pt2"),
        ("a.pt2", {"engine": "torchscript"}, r"expected a name that ends in \.pt for"),
        ("a.pt", {"engine": "onnx"}, "expected engine 'auto', 'torchscript' or 'aoti', got 'onnx'"),
        ("a.pt", {"device": "cuda"}, "expected no device for engine 'torchscript'"),
        ("a.pt2", {"device": "tpu"}, "expected device 'cpu' or 'cuda', got 'tpu'"),
    ],
)
def test_requests_that_contradict_themselves(
    tmp_path: Path, name: str, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(ExportError, match=message):
        hybrid.export(ColumnNetwork(), tmp_path / name, **settings)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_export_says_that_it_needs_a_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ExportError, match=r"expected a C\+\+ compiler .*, got no no-such-compiler"):
        hybrid.export(ColumnNetwork(), tmp_path / "a.pt2")


@pytest.mark.gpu
@pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a CUDA device and a torch built for CUDA"
)
def test_native_code_on_a_gpu_agrees_with_eager(tmp_path: Path) -> None:
    path = tmp_path / "gpu.pt2"
    hybrid.export(ColumnNetwork(), path, device="cuda")
    reference = read_reference(path)
    compiled = hybrid.load(path, device="cuda:0")
    found = compiled.evaluate({f.name: reference.arguments[f.name] for f in compiled.spec.inputs})
    for name, expected in reference.largest.items():
        np.testing.assert_allclose(
            found[name], expected, rtol=1e-4, atol=1e-4 * abs(expected).max()
        )
