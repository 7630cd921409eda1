"""Early exits: which columns they take, what these get, and how the windows are found."""

import fidelity_ensembles as made
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from closures.multifidelity import (
    Agreement,
    Cascade,
    GuardedEnsemble,
    Window,
    calibrated_windows,
    confidence_of,
    member_spreads,
)
from closures.multifidelity.guarded import part_of
from closures.multifidelity.moments import deviation_bias

N = made.N_MEMBER
COUNTS = made.COUNTS


def known_spreads(n: int, seed: int = 0) -> NDArray[np.float32]:
    return member_spreads(made.ensemble(), made.spread(), made.features(n, seed), (*COUNTS, N))


def threshold_of(spreads: NDArray[np.float32]) -> float:
    return float(np.quantile(spreads[-1], 0.7))


@pytest.fixture(scope="module")
def calibrated() -> tuple[Cascade, GuardedEnsemble, float]:
    spreads = known_spreads(4000)
    threshold = threshold_of(spreads)
    windows = calibrated_windows(spreads, COUNTS, threshold)
    whole, spread = made.ensemble(), made.spread()
    return (
        Cascade(whole, spread, threshold, windows, block=16).eval(),
        GuardedEnsemble(whole, spread, threshold).eval(),
        threshold,
    )


def test_decisions_agree_on_columns_that_were_not_calibrated_with(
    calibrated: tuple[Cascade, GuardedEnsemble, float],
) -> None:
    cascade, full, threshold = calibrated
    x = made.features(4000, seed=1)
    with torch.no_grad():
        few, all_of_them = cascade.guarded(x)[2], full.guarded(x)[2]
    flagged = all_of_them < full.least_confidence
    same = (few < cascade.least_confidence) == flagged
    assert 0.2 < float(flagged.float().mean()) < 0.5
    assert float(same.float().mean()) >= 0.99
    assert float(same[flagged].float().mean()) >= 0.97
    assert float(same[~flagged].float().mean()) >= 0.97
    assert cascade.least_confidence == full.least_confidence == confidence_of(threshold)


def test_columns_leave_where_the_windows_say(
    calibrated: tuple[Cascade, GuardedEnsemble, float],
) -> None:
    cascade, full, _ = calibrated
    x, whole = made.features(300, seed=2), made.ensemble()
    spreads = known_spreads(300, seed=2)
    # Seen by the first 3 or 6 members, or by all.
    stage = np.zeros(300, dtype=int)
    for i in range(2):
        stage[(stage == i) & (spreads[i] >= cascade.low[i]) & (spreads[i] <= cascade.high[i])] += 1
    assert set(stage) == {0, 1, 2}
    with torch.no_grad():
        mean, deviation, confidence = cascade.guarded(x)
        for i, n in enumerate((*COUNTS, N)):
            part, at = part_of(whole, 0, n), torch.from_numpy(stage == i)
            members, noise = part.members(x[at]), part.deviation(x[at])
            scaled = members.std(dim=0) * deviation_bias(N) / deviation_bias(n)
            expected = torch.sqrt(scaled.square() + noise.square())
            torch.testing.assert_close(mean[at], members.mean(dim=0), rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(deviation[at], expected, rtol=1e-4, atol=1e-5)
        all_of_them = full.guarded(x)
    last = torch.from_numpy(stage == 2)
    for found, expected in zip((mean, deviation, confidence), all_of_them, strict=True):
        torch.testing.assert_close(found[last], expected[last], rtol=1e-4, atol=1e-5)


def test_neighbours_change_no_bit(calibrated: tuple[Cascade, GuardedEnsemble, float]) -> None:
    cascade = calibrated[0]
    x = made.features(256, seed=3)
    with torch.no_grad():
        whole = cascade.guarded(x)
        # Blocks of 32: others go on to the next stage together, and in other places.
        pieces = [cascade.guarded(part) for part in torch.split(x, 32)]
        order = torch.randperm(256, generator=torch.Generator().manual_seed(0))
        turned = cascade.guarded(x[order])
    for i, found in enumerate(whole):
        assert torch.equal(torch.cat([piece[i] for piece in pieces]), found)
        assert torch.equal(turned[i], found[order])


def test_windows_without_width_and_without_end() -> None:
    x, whole, spread = made.features(50), made.ensemble(), made.spread()
    spreads = known_spreads(50)
    threshold = threshold_of(spreads)
    none = Cascade(whole, spread, threshold, (Window(3, threshold, threshold),))
    every = Cascade(whole, spread, threshold, (Window(3, 0.0, 1e9),))
    with torch.no_grad():
        first, last = none.guarded(x), every.guarded(x)
        full = GuardedEnsemble(whole, spread, threshold).guarded(x)
        torch.testing.assert_close(first[0], part_of(whole, 0, 3).moments(x)[0])
    for found, expected in zip(last, full, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_columns_that_are_not_finite_leave_at_once(
    calibrated: tuple[Cascade, GuardedEnsemble, float],
) -> None:
    cascade = calibrated[0]
    x = made.features(64, seed=4)
    with torch.no_grad():
        expected = cascade.guarded(x)
        x[5] = torch.nan
        found = cascade.guarded(x)
    for a, b in zip(found, expected, strict=True):
        assert bool(a[5].isnan().all())
        others = torch.arange(64) != 5
        assert torch.equal(a[others], b[others])


def test_windows_spend_what_is_allowed_and_no_more() -> None:
    spreads = known_spreads(3000)
    threshold = threshold_of(spreads)
    agreement = Agreement(overall=0.98, each=0.95)
    flagged = spreads[-1] > threshold
    windows = calibrated_windows(spreads, COUNTS, threshold, agreement)
    decided = np.zeros(3000, dtype=bool)
    wrong = np.zeros(3000, dtype=bool)
    for i, window in enumerate(windows):
        leaves = ~decided & ((spreads[i] < window.low) | (spreads[i] > window.high))
        wrong |= leaves & ((spreads[i] > threshold) != flagged)
        decided |= leaves
    allowed = agreement.allowed(3000, 0.98)
    assert 0.5 * allowed < wrong.sum() <= allowed
    for one in (flagged, ~flagged):
        assert wrong[one].sum() <= agreement.allowed(int(one.sum()), 0.95)
    # A stricter demand sends more columns on.
    strict = calibrated_windows(spreads, COUNTS, threshold, Agreement(0.995, 0.98))
    assert strict[0].low < windows[0].low
    assert strict[0].high > windows[0].high


def test_what_is_allowed_holds_with_certainty() -> None:
    agreement = Agreement(certainty=0.95)
    m = agreement.allowed(2000, 0.99)
    draws = np.random.default_rng(0).binomial(2000, 0.01, 200_000)
    assert (draws <= m).mean() <= 0.05 < (draws <= m + 1).mean()


def test_too_few_columns_to_be_certain() -> None:
    with pytest.raises(ValueError, match=r"0.95 certain that 0.97 of the decisions .* got 40"):
        Agreement().allowed(40, 0.97)
    with pytest.raises(ValueError, match="expected certainty between 0 and 1, got 1"):
        Agreement(certainty=1.0)
    with pytest.raises(ValueError, match=r"spreads of 2 numbers of members and of all"):
        calibrated_windows(known_spreads(10)[:2], COUNTS, 1.0)


def test_windows_that_make_no_sense() -> None:
    whole, spread = made.ensemble(), made.spread()
    for windows in ((), (Window(6, 0, 2), Window(3, 0, 2)), (Window(N, 0, 2),)):
        with pytest.raises(ValueError, match=r"ascending numbers of members, fewer than 12"):
            Cascade(whole, spread, 1.0, windows)
    with pytest.raises(ValueError, match=r"contain the threshold 1, got 1.5 to 2 after 3"):
        Cascade(whole, spread, 1.0, (Window(3, 1.5, 2.0),))
    with pytest.raises(ValueError, match="blocks of at least one column, got 0"):
        Cascade(whole, spread, 1.0, (Window(3, 0.5, 2.0),), block=0)
    with pytest.raises(ValueError, match="window: expected at least 2 members"):
        Window(1, 0.5, 2.0)
    with pytest.raises(ValueError, match=r"0 <= low <= high, got 3, 2\.0 and 1\.0"):
        Window(3, 2.0, 1.0)
