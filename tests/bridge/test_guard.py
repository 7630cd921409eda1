"""What lies outside the envelope is counted, marked, and treated as the policy says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from guarded_closure import (
    GAIN,
    INFINITE_RESULT,
    INFINITE_STATE,
    N_LEVEL,
    NAN_RESULT,
    NAN_STATE,
    Guarded,
)

import hybrid
from fortran_bridge import BridgeError
from hybrid.runtime import Binding, CompiledClosure

Array = np.ndarray[Any, Any]

N = 19  # no multiple of a block: the last column is also the padding
NOT_FINITE, BELOW, ABOVE, OVERFLOW, NOT_CONFIDENT, UNTOUCHED = 1, 2, 4, 8, 16, 128
POLICIES = ("error", "flag", "clip", "zero", "host")
BOUNDS: dict[str, dict[str, Any]] = {
    "scalar": {"low": -10.0, "high": 10.0, "result_low": -15.0, "result_high": 15.0},
    "per element": {
        "low": (-12.0, -10.0, -11.0),
        "high": (12.0, 10.0, 11.0),
        "result_low": (-17.0, -15.0, -16.0),
        "result_high": (17.0, 15.0, 16.0),
    },
}
# x of one element, and the reasons found in each field if nothing is clipped or left.
FAULTS: dict[str, tuple[float, dict[str, int]]] = {
    "input below": (-20.0, {"x": BELOW, "y": BELOW}),
    "input above": (20.0, {"x": ABOVE, "y": ABOVE}),
    "input NaN": (np.nan, {"x": NOT_FINITE}),
    "input infinite": (-np.inf, {"x": NOT_FINITE}),
    "output below": (-7.75, {"y": BELOW}),
    "output above": (7.75, {"y": ABOVE}),
    "output NaN": (NAN_RESULT, {"y": NOT_FINITE}),
    "output infinite": (INFINITE_RESULT, {"y": NOT_FINITE}),
    "state NaN": (NAN_STATE, {"total": NOT_FINITE}),
    "state infinite": (INFINITE_STATE, {"total": NOT_FINITE}),
}


@pytest.fixture(scope="module", params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=list(BOUNDS))
def guarded(
    request: pytest.FixtureRequest, dtype: str, tmp_path_factory: pytest.TempPathFactory
) -> CompiledClosure:
    path = tmp_path_factory.mktemp("guarded") / "guarded.pt"
    hybrid.export(Guarded(dtype, **BOUNDS[request.param]), path)
    return hybrid.load(path)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> CompiledClosure:
    """The same in single precision with scalar bounds, where they do not matter."""
    path = tmp_path_factory.mktemp("guarded") / "plain.pt"
    hybrid.export(Guarded(), path)
    return hybrid.load(path)


class Host:
    """Arrays of a host, bound, and a closure that is evaluated for them."""

    def __init__(self, closure: CompiledClosure, policy: str, dtype: Any = np.float64) -> None:
        rng = np.random.default_rng(1)
        # Few binary places, so that all arithmetic is exact.
        self.x = (rng.integers(65, 128, (N, N_LEVEL)) / 64.0).astype(dtype)
        self.trust = np.full(N, 0.75, dtype)
        self.y = np.full((N, N_LEVEL), 99.0, dtype)
        self.confidence = np.full(N, 99.0, dtype)
        self.binding: Binding = closure.create(N, policy=policy)
        self.binding.bind("x", self.x, dims="column,level", units="K")
        self.binding.bind("trust", self.trust, dims="column", units="1")
        self.binding.bind("y", self.y, dims="column,level", units="K s-1")
        self.binding.bind("confidence", self.confidence, dims="column", units="1")
        self.binding.state_set("total", np.full((N, N_LEVEL), 5.0))

    def total(self) -> Array:
        return self.binding.state_get("total", N_LEVEL)


def fields_of(policy: str, found: dict[str, int]) -> dict[str, int]:
    """Reasons in each field, when a column is left or clipped after the first of them."""
    if policy in ("zero", "host") and "x" in found:
        return {"x": found["x"]}
    return found


def check_counts(binding: Binding, found: dict[str, int]) -> None:
    """Check the counts of all fields after one run in which one column was flagged."""
    names = {NOT_FINITE: "not_finite", BELOW: "below", ABOVE: "above"}
    for name in ("x", "trust", "y", "confidence", "total", None):
        bits = np.bitwise_or.reduce(list(found.values())) if name is None else found.get(name, 0)
        counts = dict.fromkeys(binding.counts(), 0) | {"evaluated": N}
        counts |= {names[bit]: 1 for bit in names if bits & bit}
        assert binding.counts(name) == counts


@pytest.mark.parametrize("host_dtype", [np.float32, np.float64])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("fault", list(FAULTS))
def test_every_fault_under_every_policy(
    guarded: CompiledClosure, fault: str, policy: str, host_dtype: Any
) -> None:
    value, found = FAULTS[fault]
    host = Host(guarded, policy, host_dtype)
    host.x[-1, 1] = value
    is_finite = NOT_FINITE not in found.values()
    if policy == "error" and not is_finite:
        name = next(iter(found))
        with pytest.raises(BridgeError, match=rf"{name}: expected finite .* column 19 of 19"):
            host.binding.run(0)
        assert np.all(host.y == 99.0)
        assert not host.binding.mask().any()
        assert host.binding.counts() == dict.fromkeys(host.binding.counts(), 0)
        assert host.binding.counts(name)["not_finite"] == 0
        return
    host.binding.run(0)
    host.binding.commit()

    good, bad = slice(0, N - 1), N - 1
    np.testing.assert_array_equal(host.y[good], GAIN * host.x[good])
    np.testing.assert_array_equal(host.total()[good], 5.0 + host.x[good].astype(float))

    is_left = policy in ("zero", "host") or not is_finite
    check_counts(host.binding, fields_of(policy, found))
    reasons = np.bitwise_or.reduce(list(fields_of(policy, found).values()))
    touched = not is_left or policy == "zero"
    assert host.binding.reasons()[bad] == reasons | (0 if touched else UNTOUCHED)
    assert not host.binding.reasons()[good].any()

    expected = GAIN * host.x[bad]
    state = 5.0 + host.x[bad].astype(float)
    if is_left:
        expected = np.full(N_LEVEL, 0.0 if policy == "zero" else 99.0)
        state = np.full(N_LEVEL, 5.0)
    elif policy == "clip":
        x = np.clip(host.x[bad], -10.0, 10.0)
        # Neighbours on the level are inside both envelopes.
        expected, state = np.clip(GAIN * x, -15.0, 15.0), 5.0 + x.astype(float)
    np.testing.assert_array_equal(host.y[bad], expected)
    np.testing.assert_array_equal(host.total()[bad], state)

    host.x[bad, 1] = 1.5
    before = host.binding.counts("x")
    host.binding.run(1)
    assert not host.binding.reasons().any()
    assert host.binding.counts("x") == before | {"evaluated": 2 * N}


def test_summary_is_one_line(plain: CompiledClosure) -> None:
    host = Host(plain, "flag")
    assert host.binding.summary == (
        "guarded 1.0: 0 of 0 column evaluations flagged (0 %), policy flag"
    )
    host.x[0, 0], host.x[1, 2], host.x[2, 0] = 20.0, np.nan, -7.75
    host.trust[3] = 0.25
    host.binding.run(0)
    assert host.binding.summary == (
        "guarded 1.0: 4 of 19 column evaluations flagged (21.1 %), policy flag: "
        "x 1 not finite, 1 above; y 1 below, 1 above; confidence 1 not confident"
    )


@pytest.mark.parametrize("policy", POLICIES)
def test_confidence(plain: CompiledClosure, policy: str) -> None:
    host = Host(plain, policy)
    host.trust[[4, 6]] = 0.25, np.float32(0.6)
    host.binding.run(0)
    is_left = policy in ("zero", "host")
    marked = NOT_CONFIDENT | (UNTOUCHED if policy == "host" else 0)
    assert host.binding.reasons()[4] == marked
    assert host.binding.reasons()[6] == 0
    expected = {"zero": 0.0, "host": 99.0}.get(policy, 0.25)
    # A confidence is not clipped: it says how far the rest can be trusted.
    assert host.confidence[4] == expected
    assert np.array_equal(host.y[4], GAIN * host.x[4]) is not is_left
    host.binding.set_threshold(0.65)
    host.binding.run(1)
    assert set(np.flatnonzero(host.binding.mask())) == {4, 6}
    assert host.binding.counts("confidence")["not_confident"] == 3
    host.binding.set_threshold(0.2)
    host.binding.run(2)
    assert not host.binding.mask().any()


def test_thresholds_that_make_no_sense(plain: CompiledClosure, column_archive: Path) -> None:
    binding = plain.create(1)
    with pytest.raises(BridgeError, match="threshold: expected a finite number"):
        binding.set_threshold(np.nan)
    with pytest.raises(BridgeError, match="expected an output with role 'confidence' to compare"):
        hybrid.load(column_archive).create(1).set_threshold(0.5)


@pytest.mark.parametrize("bounds", [(0.1, 0.3), ((0.1, 0.2, 0.3), (0.7, 0.8, 0.9))])
def test_values_on_a_bound_are_inside(tmp_path: Path, dtype: str, bounds: tuple[Any, Any]) -> None:
    low, high = bounds
    path = tmp_path / "bounds.pt"
    hybrid.export(Guarded(dtype, low, high), path)
    host = Host(hybrid.load(path), "flag")
    lowest, highest = (np.broadcast_to(bound, N_LEVEL) for bound in bounds)
    host.x[:] = 0.5 * (lowest + highest)
    # In the host's double precision 0.1 is not the 0.1 of a closure in single precision.
    host.x[0], host.x[1] = lowest, highest
    closure_low, closure_high = lowest.astype(dtype), highest.astype(dtype)
    host.x[2], host.x[3] = closure_low, closure_high
    host.x[4, 1] = np.nextafter(closure_low, np.array(-1, dtype))[1]
    host.x[5, 2] = np.nextafter(closure_high, np.array(9, dtype))[2]
    host.binding.run(0)
    assert list(np.flatnonzero(host.binding.reasons())) == [4, 5]
    assert list(host.binding.reasons()[[4, 5]]) == [BELOW, ABOVE]


def test_clipped_values_are_on_the_bound(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "clip.pt"
    hybrid.export(Guarded(dtype, -0.1, 0.1), path)
    host = Host(hybrid.load(path), "clip")
    host.x[:] = 0.5
    host.binding.run(0)
    np.testing.assert_array_equal(host.y, np.full_like(host.y, GAIN * np.array(0.1, dtype)))


@pytest.mark.parametrize("policy", POLICIES)
def test_overflow_of_the_hosts_array(plain: CompiledClosure, policy: str) -> None:
    def evaluate(accumulate: bool) -> tuple[Binding, Array, Array]:
        binding = plain.create(3, policy=policy)
        y = np.full((3, N_LEVEL), 1.0, np.float32)
        confidence = np.full(3, 99.0)
        x = np.array([[1.0] * 3, [1e-4] * 3, [1.0] * 3])
        binding.put("x", x, dims="column,level", units="K")
        binding.put("trust", np.ones(3), dims="column", units="1")
        binding.apply(0)
        # 2 K s-1 is 2e39 in these units, more than single precision holds.
        binding.get("y", y, dims="column,level", units="1e-39 K s-1", accumulate=accumulate)
        binding.get("confidence", confidence, dims="column", units="1")
        return binding, y, confidence

    for accumulate in (False, True):
        if policy == "error":
            with pytest.raises(BridgeError, match=r"y: expected a value that the host's array hol"):
                evaluate(accumulate)
            continue
        binding, y, confidence = evaluate(accumulate)
        is_zero = policy == "zero"
        left = np.full(N_LEVEL, 0.0 if is_zero and not accumulate else 1.0)
        np.testing.assert_array_equal(y[[0, 2]], [left, left])
        np.testing.assert_allclose(y[1], 2e35, rtol=1e-6)
        np.testing.assert_array_equal(confidence, [0, 1, 0] if is_zero else [99, 1, 99])
        marked = OVERFLOW | (0 if is_zero else UNTOUCHED)
        assert list(binding.reasons()) == [marked, 0, marked]
        assert binding.counts("y")["overflow"] == 2
        assert binding.counts()["overflow"] == 2
        assert "2 of 3 column evaluations flagged (66.7 %)" in binding.summary


def test_overflow_counts_a_column_once(plain: CompiledClosure) -> None:
    binding = plain.create(1, policy="flag")
    binding.put("x", np.full((1, 3), 9.0), dims="column,level", units="K")
    binding.put("trust", np.ones(1), dims="column", units="1")
    binding.apply(0)
    for _ in range(2):
        y = np.zeros((1, 3), np.float32)
        binding.get("y", y, dims="column,level", units="1e-39 K s-1")
    assert binding.counts() == {
        "evaluated": 1,
        "not_finite": 0,
        "below": 0,
        "above": 1,
        "overflow": 1,
        "not_confident": 0,
    }
    assert binding.summary.startswith("guarded 1.0: 1 of 1 ")


def test_negative_zero_passes_unchanged(plain: CompiledClosure) -> None:
    host = Host(plain, "clip")
    host.x[:] = -0.0
    host.binding.run(0)
    assert np.all(np.signbit(host.y))
