"""The bridge's random numbers against Philox in plain integers (Salmon et al. 2011)."""

import math

import numpy as np
import pytest

from fortran_bridge.noise import noise
from hybrid.noise import standard_normal

WORD = 2**64
MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)

KEYS = [(0, 0, 0, 1), (7, 3, 12345, 6), (2**64 - 1, 1, 2**40, 4), (2**63 + 5, 0, 1, 9)]
COLUMNS = (1, 2, 384, 10**12, 2**63 - 1)


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(MULTIPLIERS[0] * c0, WORD)
        high1, low1 = divmod(MULTIPLIERS[1] * c2, WORD)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + WEYL[0]) % WORD, (k1 + WEYL[1]) % WORD
    return c0, c1, c2, c3


def normal_pair(first: int, second: int) -> tuple[float, float]:
    """Box-Muller; a uniform number is the upper 53 bits of a word."""
    uniform_log = (first // 2**11 + 1) / 2**53
    uniform_angle = (second // 2**11) / 2**53
    radius = math.sqrt(-2.0 * math.log(uniform_log))
    angle = 2.0 * math.pi * uniform_angle
    return radius * math.cos(angle), radius * math.sin(angle)


def normals(seed: int, field: int, step: int, column: int, size: int) -> list[float]:
    values: list[float] = []
    quartet = 0
    while len(values) < size:
        w = philox((column % WORD, step % WORD, field, quartet), (seed, 0))
        values += [*normal_pair(w[0], w[1]), *normal_pair(w[2], w[3])]
        quartet += 1
    return values[:size]


def test_philox_is_the_published_generator() -> None:
    # Published known answers of Random123, and numpy, which steps its counter before it draws.
    assert philox((0, 0, 0, 0), (0, 0)) == (
        0x16554D9ECA36314C,
        0xDB20FE9D672D0FDC,
        0xD7E772CEE186176B,
        0x7E68B68AEC7BA23B,
    )
    counter, key = (41, 7, 3, 2**60), (99, 2**63 + 1)
    before = np.array([counter[0] - 1, *counter[1:]], dtype=np.uint64)
    theirs = np.random.Philox(counter=before, key=np.array(key, dtype=np.uint64)).random_raw(4)
    assert philox(counter, key) == tuple(int(word) for word in theirs)


@pytest.mark.parametrize(("seed", "field", "step", "size"), KEYS)
def test_native_noise(seed: int, field: int, step: int, size: int) -> None:
    expected = [normals(seed, field, step, column, size) for column in COLUMNS]
    given = noise(seed, field, step, np.array(COLUMNS, dtype=np.int64), size)
    # The bits are the same; libm may differ in the last places of log, cos and sin.
    np.testing.assert_allclose(given, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("seed", "field", "step", "size"), KEYS)
def test_numpy_noise(seed: int, field: int, step: int, size: int) -> None:
    expected = [normals(seed, field, step, column, size) for column in COLUMNS]
    given = standard_normal(seed, field, step, np.array(COLUMNS, dtype=np.int64), size)
    np.testing.assert_allclose(given, expected, rtol=1e-13, atol=1e-15)
