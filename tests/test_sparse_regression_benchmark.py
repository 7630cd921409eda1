"""The comparison of sparse regressions: its problems, its names, its scores."""

import numpy as np
import pytest

from benchmarks import sparse_regression as benchmark
from benchmarks.interleaved import Session
from benchmarks.interval import FEWEST
from hybrid.experiments.medida_ks.cases import CASES, missing_terms
from hybrid.experiments.medida_ks.truth import Truth

FEW = tuple(CASES)[:FEWEST]
TRUTH = Truth(nx=128, length=50.0, n_sample=40)


def test_scores_of_two_regressions_on_few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "CASES", {case: CASES[case] for case in FEW})
    chosen = {name: benchmark.REGRESSIONS[name] for name in ("RVM", "FROLS")}
    monkeypatch.setattr(benchmark, "REGRESSIONS", chosen)
    done: list[tuple[str, float]] = []
    session = Session(progress=lambda label, part: done.append((label, part)))
    found = list(benchmark.measure([(128, 50.0)], session))
    assert [(score.library, score.regression) for score in found][:2] == [
        ("step-consistent", "RVM"),
        ("step-consistent", "FROLS"),
    ]
    assert len(found) == 8
    assert len(done) == 4 * len(FEW)
    # Ours beside the other, of the same fit each time.
    (comparison,) = found[1].comparisons
    assert (comparison.what, comparison.beside) == (
        "128 points, step-consistent, RVM", "FROLS"
    )  # fmt: skip
    assert 0.0 < comparison.low <= comparison.ratio <= comparison.high
    assert found[0].comparisons == ()
    exact, noisy = found[0], found[4]
    assert (exact.right, exact.cases) == (FEWEST, FEWEST)
    assert exact.error < 1e-3 < noisy.error < 5.0
    assert exact.row()["right"] == "6 of 6"
    # As it comes, FROLS keeps its ten terms.
    assert found[1].right == 0


def test_a_filter_by_the_spectrum_takes_most_of_the_noise_away() -> None:
    exact = TRUTH.samples()
    analysed = benchmark.filtered(exact, 0.01, np.random.default_rng(0))
    noise = 0.01 * exact.end.std()
    assert np.sqrt(np.mean((analysed.end - exact.end) ** 2)) < 0.75 * noise


def test_the_weak_form_has_the_terms_of_the_equation() -> None:
    columns, target, names = benchmark.weak_form(TRUTH, 0.0, 120)(CASES["half_hyperdiffusion"])
    assert len(names) == columns.shape[1] == 24
    assert set(missing_terms(CASES["doubled"])) <= set(names)
    found = dict(zip(names, np.linalg.lstsq(columns, target, rcond=None)[0], strict=True))
    assert found["u_xxxx"] == pytest.approx(-0.5, rel=0.02)
    # Its differences are of second order: the advection has an error of dx^2 u u_xxx / 6.
    assert found["u u_xxx"] == pytest.approx((50.0 / 128) ** 2 / 6.0, rel=0.1)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("u", "u"), ("u^3", "u^3"), ("u_1", "u_x"), ("u_1111", "u_xxxx"), ("uu_11", "u u_xx"),
     ("u^4u_1", "u^4 u_x")],
)  # fmt: skip
def test_names_are_ours(theirs: str, ours: str) -> None:
    assert benchmark._our_name(theirs) == ours
