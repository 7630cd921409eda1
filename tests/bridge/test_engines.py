"""What engines promise: eager's results, any thread, devices named in messages."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from closure_examples import ColumnNetwork

import hybrid
from fortran_bridge.errors import BridgeError
from fortran_bridge.native_closure import NativeClosure
from hybrid.archive import read_reference

needs_gpu = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a CUDA device and a torch built for CUDA"
)


@pytest.mark.parametrize("n", [1, 7, 16, 384])
def test_whole_batches_equal_eager_bit_for_bit(column_archive: Path, n: int) -> None:
    reference = read_reference(column_archive)
    compiled = hybrid.load(column_archive, "torchscript")
    binding = compiled.create(n, reproducible=False)
    found = {f.name: np.empty((n, *f.sizes), f.dtype) for f in compiled.spec.outputs}
    for field in (*compiled.spec.inputs, *compiled.spec.outputs):
        array = found.get(field.name)
        values = reference.arguments[field.name][:n].copy() if array is None else array
        binding.bind(field.name, values, dims=",".join(("column", *field.dims)), units=field.units)
    binding.run(1)
    for name, expected in reference.results[n].items():
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize("engine", ["torchscript", "native"])
def test_one_closure_serves_several_threads_at_once(column_archive: Path, engine: str) -> None:
    compiled = hybrid.load(column_archive, engine)
    reference = read_reference(column_archive)
    inputs = {f.name: reference.arguments[f.name] for f in compiled.spec.inputs}
    expected = compiled.evaluate(inputs)
    failures: list[str] = []

    def evaluate() -> None:
        for _ in range(20):
            for name, found in compiled.evaluate(inputs).items():
                if not np.array_equal(found, expected[name]):
                    failures.append(name)

    threads = [threading.Thread(target=evaluate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("device", ["gpu", "cuda", "cuda:", "cuda:-1", "cuda:0x", "cpu:0"])
def test_unknown_devices_are_named(column_archive: Path, device: str) -> None:
    with pytest.raises(BridgeError, match=f"expected 'cpu' or 'cuda:N' .*, got '{device}'"):
        NativeClosure(column_archive, device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="only where there is no CUDA device")
def test_a_device_that_is_not_there_is_refused(column_archive: Path) -> None:
    with pytest.raises(BridgeError, match=r"expected a CUDA device for 'cuda:0', got none.*'cpu'"):
        NativeClosure(column_archive, device="cuda:0")


@pytest.mark.gpu
@needs_gpu
def test_torchscript_on_a_gpu_agrees_with_eager(column_archive: Path) -> None:
    reference = read_reference(column_archive)
    spec = ColumnNetwork().spec
    compiled = hybrid.load(column_archive, device="cuda:0")
    found = compiled.evaluate({f.name: reference.arguments[f.name] for f in spec.inputs})
    for name, expected in reference.largest.items():
        np.testing.assert_allclose(
            found[name], expected, rtol=1e-4, atol=1e-4 * abs(expected).max()
        )
