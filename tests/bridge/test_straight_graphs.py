"""Closures whose operations the engine repeats without an interpreter give the interpreter's bits.

Some of these are such, others only nearly: they branch, loop, alter tensors, or raise.
"""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import hybrid
from closures import Closure, ClosureSpec, Field
from fortran_bridge.errors import BridgeError
from hybrid.runtime import CompiledClosure

TORCHSCRIPT = "torchscript"
N_LEVEL = 4
SIZES = (1, 5, 33, 100)
Values = NDArray[np.float32]


class Profile(Closure):
    """A profile `x` and a number `s` a column in, a profile `y` and a number `z` out."""

    scale: Tensor

    def __init__(self) -> None:
        level = ("level",)
        super().__init__(
            ClosureSpec(
                name="profile",
                version="1",
                inputs=(
                    Field("x", "1", level, (N_LEVEL,), valid_min=-9.0, valid_max=9.0),
                    Field("s", "1", valid_min=-9.0, valid_max=9.0),
                ),
                outputs=(Field("y", "1", level, (N_LEVEL,)), Field("z", "1")),
            )
        )
        generator = torch.Generator().manual_seed(0)
        self.first, self.second = nn.Linear(N_LEVEL, 7), nn.Linear(7, N_LEVEL)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)
        self.register_buffer("scale", torch.linspace(0.3, 1.7, N_LEVEL))


class Unchanged(Profile):
    """What comes in goes out."""

    def forward(self, x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        return (x, s)


class Parts(Profile):
    """Outputs are parts of one tensor, one of them strided."""

    def forward(self, x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        y = torch.tanh(self.first(x * s[:, None]))
        return (y[:, 2:6], y[:, 3])


class KeptLonger(Profile):
    """A value is needed again after another one could have taken its place."""

    def forward(self, x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        a = x * self.scale
        b = torch.relu(a)
        c = b - self.scale
        d = torch.sigmoid(b[:, 1])
        return (self.second(self.first(c)) + b / 3.0 + a * a, d * s + s)


class Reused(Profile):
    """Sizes come and go, so that memory changes its owner."""

    def forward(self, x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        a = nn.functional.leaky_relu(self.first(x), 0.15)
        b = nn.functional.silu(self.second(a))
        c = nn.functional.leaky_relu(self.first(b), 0.01)
        d = torch.cat([c[:, :2], x[:, 1:2], s[:, None]], dim=1)
        return (torch.clamp(d, -2.0, 2.0), torch.exp(c[:, 5]))


class Broadcast(Profile):
    """Operands of other shapes, on either side."""

    def forward(self, x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        column = s[:, None]
        return ((self.scale + x) * column - column / (x * x + 1.0), 2.0 - s)


class Stacked(Profile):
    """Lists made and taken apart."""

    def forward(self, x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        a, b, c, d = torch.unbind(x, 1)
        return (torch.stack([d, c, a + b, s], 1), torch.addcmul(a, b, s))


class Branching(Profile):
    """The values decide."""

    def forward(self, x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        y = x * self.scale
        while bool((y.abs() > 0.5).any()):
            y = torch.where(y.abs() > 0.5, 0.5 * y, y)
        if bool((s > 2.0).any()):
            return (y, torch.clamp(s, max=2.0))
        return (y, s)


class Altering(Profile):
    """An intermediate tensor is altered in place."""

    def forward(self, x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        y = x * self.scale
        before = y[:, 0] * 1.0
        y[:, 0] = s
        y.add_(1.0)
        return (y, before)


class Turned(Profile):
    """A part that only seems to be one: reshape has to copy what was turned."""

    def forward(self, x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        pairs = (x * self.scale).view(-1, 2, 2).transpose(1, 2).reshape(-1, 4)
        return (pairs + x, s * 1.0)


class Refusing(Profile):
    """Raises for what it does not like."""

    def forward(self, x: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        if bool((s > 20.0).any()):
            raise ValueError("too large")
        return (x + self.scale, s)


CLOSURES = (
    Unchanged, Parts, KeptLonger, Reused, Broadcast, Stacked, Branching, Altering, Turned, Refusing,
)  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Closure, Path]:
    closure = request.param().eval()
    hybrid.export(closure, tmp_path / "closure.pt")
    return closure, tmp_path / "closure.pt"


def drawn(n: int, seed: int) -> tuple[Values, Values]:
    generator = np.random.default_rng(seed)
    x, s = generator.uniform(-3.0, 3.0, (2, n, N_LEVEL)).astype(np.float32)
    return x, s[:, 0].copy()


class Host:
    """Arrays of `n` columns, bound."""

    def __init__(self, compiled: CompiledClosure, n: int, *, reproducible: bool = False) -> None:
        self.x, self.s = np.zeros((n, N_LEVEL), np.float32), np.zeros(n, np.float32)
        self.y, self.z = np.zeros_like(self.x), np.zeros_like(self.s)
        self.binding = compiled.create(n, reproducible=reproducible, policy="flag")
        for name in ("x", "y"):
            self.binding.bind(name, getattr(self, name), dims="column,level", units="1")
        for name in ("s", "z"):
            self.binding.bind(name, getattr(self, name), dims="column", units="1")

    def run(self, x: Values, s: Values) -> tuple[Values, Values]:
        self.x[...], self.s[...] = x, s
        self.binding.run(0)
        return self.y.copy(), self.z.copy()


def eager(closure: Closure, x: Values, s: Values) -> tuple[Values, Values]:
    with torch.inference_mode():
        y, z = closure(torch.from_numpy(x.copy()), torch.from_numpy(s.copy()))
    return y.numpy(), z.numpy()


@pytest.mark.parametrize("archive", CLOSURES, indirect=True)
@pytest.mark.parametrize("n", SIZES)
def test_each_run_gives_eager_bits_and_nothing_of_the_run_before(
    archive: tuple[Closure, Path], n: int
) -> None:
    closure, path = archive
    host = Host(hybrid.load(path, TORCHSCRIPT), n)
    for seed in (1, 2, 1):
        values = drawn(n, seed)
        for found, expected in zip(host.run(*values), eager(closure, *values), strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("archive", [Reused], indirect=True)
def test_what_is_not_finite_stays_in_its_column_and_run(archive: tuple[Closure, Path]) -> None:
    closure, path = archive
    host = Host(hybrid.load(path, TORCHSCRIPT), 5)
    clean = drawn(5, 1)
    x, s = drawn(5, 2)
    x[1, 2], x[3, 0], s[4] = np.nan, np.inf, -np.inf
    for values in (clean, (x, s), clean):
        for found, expected in zip(host.run(*values), eager(closure, *values), strict=True):
            ordinary = np.isfinite(values[1]) & np.isfinite(values[0]).all(axis=1)
            np.testing.assert_array_equal(found[ordinary], expected[ordinary])


@pytest.mark.parametrize("archive", [Reused, Stacked], indirect=True)
def test_blocks_of_several_sizes_give_the_bits_of_one_column(
    archive: tuple[Closure, Path],
) -> None:
    _, path = archive
    compiled = hybrid.load(path, TORCHSCRIPT)
    x, s = drawn(101, 3)
    together = Host(compiled, 101, reproducible=True).run(x, s)
    alone = Host(compiled, 1, reproducible=True)
    for column in range(101):
        y, z = alone.run(x[column : column + 1], s[column : column + 1])
        np.testing.assert_array_equal(y[0], together[0][column])
        assert z[0] == together[1][column]


@pytest.mark.parametrize("archive", [Reused, Branching], indirect=True)
def test_sessions_of_one_closure_run_in_several_threads(archive: tuple[Closure, Path]) -> None:
    closure, path = archive
    compiled = hybrid.load(path, TORCHSCRIPT)
    wrong: list[int] = []

    def evaluate(n: int) -> None:
        host = Host(compiled, n)
        for seed in range(200):
            values = drawn(n, seed)
            pairs = zip(host.run(*values), eager(closure, *values), strict=True)
            wrong.extend(seed for found, expected in pairs if not np.array_equal(found, expected))

    threads = [threading.Thread(target=evaluate, args=(n,)) for n in (7, 33, 33)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("archive", [Refusing], indirect=True)
def test_a_session_goes_on_after_an_exception(archive: tuple[Closure, Path]) -> None:
    closure, path = archive
    host = Host(hybrid.load(path, TORCHSCRIPT), 5)
    x, s = drawn(5, 1)
    first = host.run(x, s)
    with pytest.raises(BridgeError, match="too large"):
        host.run(x, s + 30.0)
    np.testing.assert_array_equal(host.y, first[0])
    np.testing.assert_array_equal(host.run(x, s)[0], eager(closure, x, s)[0])


@pytest.mark.parametrize("archive", [Reused, Altering], indirect=True)
def test_ten_thousand_runs_take_no_memory(archive: tuple[Closure, Path]) -> None:
    host = Host(hybrid.load(archive[1], TORCHSCRIPT), 33)
    values = drawn(33, 1)
    for _ in range(1000):
        host.run(*values)
    before = resident_mb()
    for _ in range(10_000):
        host.run(*values)
    assert resident_mb() - before < 1.0


def resident_mb() -> float:
    """Return the resident memory of this process [MiB]."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
