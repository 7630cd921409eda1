"""One network that has learned what an ensemble predicts."""

import math
from pathlib import Path

import fidelity_ensembles as made
import numpy as np
import pytest
import torch
from torch import Tensor

from closures.multifidelity import (
    Distillation,
    EnsembleSizes,
    EnsembleTraining,
    FeatureCount,
    FeatureDistance,
    FidelityEnsemble,
    RelativeSpread,
    Samples,
    Student,
    StudentSizes,
    distill,
    fit_ensemble,
)
from closures.training import Checkpoint, Training, TrainingError

SIZES = StudentSizes((48, 48))


def line(n: int, low: float, high: float) -> Tensor:
    return torch.linspace(low, high, n).unsqueeze(1)


@pytest.fixture(scope="module")
def ensemble() -> FidelityEnsemble:
    """Sines that were seen between -1 and 1 only."""
    x = line(400, -1.0, 1.0)
    samples = Samples(
        x, torch.cat([torch.sin(3.0 * x), torch.cos(3.0 * x)], dim=1), np.arange(400) // 20
    )
    sizes = EnsembleSizes("single", 12, (24, 24), 1.0)
    how = EnsembleTraining(Training(40, 50, 5e-3))
    return fit_ensemble(sizes, FeatureCount(1, 2), how, high=samples)[0].eval()


@pytest.fixture(scope="module")
def student(ensemble: FidelityEnsemble) -> Student:
    """Has been told what the ensemble predicts up to 2."""
    how = Distillation(Training(60, 100, 5e-3), SIZES, n_between=200)
    x = line(1500, -2.0, 2.0)
    found, history = distill(ensemble, x, how, spread=RelativeSpread([0.5, 0.5]), threshold=0.3)
    assert history.training[-1] < 0.1 * history.training[0]
    return found


def test_mean_and_spread_are_those_of_the_ensemble(
    ensemble: FidelityEnsemble, student: Student
) -> None:
    x = line(333, -1.9, 1.9)
    with torch.no_grad():
        mean, deviation = ensemble.moments(x)
        found_mean, found_deviation, confidence = student.guarded(x)
    assert float((found_mean - mean).square().mean().sqrt()) < 0.05
    ratio = (found_deviation / deviation).log()
    assert float(ratio.square().mean().sqrt()) < 0.35
    # Where no truth was seen, the members disagree, and so the student says.
    inside = x[:, 0].abs() < 0.8
    assert float(found_deviation[~inside].mean()) > 3.0 * float(found_deviation[inside].mean())
    assert bool((confidence[inside] > student.least_confidence).all())


def test_spread_widens_beyond_all_that_was_seen(student: Student) -> None:
    x = torch.tensor([[3.0], [6.0], [12.0], [100.0], [1000.0]])
    with torch.no_grad():
        for side in (x, -x):
            _, deviation, confidence = student.guarded(side)
            assert bool((confidence < student.least_confidence).all())
            assert bool((confidence.diff() < 0.0).all())
            assert bool((deviation[-1] > 50.0 * student.log_range[0].exp()).all())


def test_distance_is_that_of_mahalanobis() -> None:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.tensor([[2.0, 0.0, 0.0], [1.5, 0.7, 0.0], [0.3, -0.4, 1.1]])
    x = torch.randn(5000, 3, generator=generator) @ mixing + 4.0
    distance = FeatureDistance(x, share=0.9)
    at = 3.0 * torch.randn(20, 3, generator=generator)
    centred = at - x.mean(dim=0)
    expected = ((centred @ torch.linalg.inv(torch.cov(x.T))) * centred).sum(dim=1).sqrt()
    found = distance(at)
    torch.testing.assert_close(found / found[0], expected / expected[0], rtol=1e-3, atol=0.0)
    assert float((distance(x) < 1.0).float().mean()) == pytest.approx(0.9, abs=0.001)


def test_directions_that_never_varied_are_not_infinitely_far() -> None:
    x = torch.cat([torch.randn(500, 2, generator=torch.Generator().manual_seed(1)),
                   torch.full((500, 1), 7.0)], dim=1)  # fmt: skip
    found = FeatureDistance(x)(torch.tensor([[0.0, 0.0, 7.0], [0.0, 0.0, 8.0]]))
    assert float(found[0]) < 0.2
    assert 1.0 < float(found[1]) < 1000.0
    with pytest.raises(ValueError, match="expected samples that differ"):
        FeatureDistance(torch.ones(5, 3))


def test_noise_is_taken_over() -> None:
    whole, x = made.ensemble(), made.features(400)
    how = Distillation(Training(1), StudentSizes((16,)))
    student, _ = distill(whole, x, how, spread=made.spread(), threshold=0.5)
    with torch.no_grad():
        noise = whole.deviation(x)
        _, logarithm = student.predicted(x)
        _, deviation, _ = student.guarded(x)
        assert torch.equal(student.noise(x).exp(), noise)
        ends = student.log_range
        alone = torch.minimum(torch.maximum(logarithm, ends[0]), ends[1]).exp()
        widened = alone * student.distance(x).clamp_min(1.0).unsqueeze(1)
    torch.testing.assert_close(deviation, (widened.square() + noise.square()).sqrt())


def test_a_training_that_was_stopped_goes_on_to_the_same_student(
    ensemble: FidelityEnsemble, tmp_path: Path
) -> None:
    x, spread = line(300, -2.0, 2.0), RelativeSpread([0.5, 0.5])
    file = tmp_path / "student.pt"

    class Stopped(Exception):  # noqa: N818 -- no error
        pass

    def train(checkpoint: Checkpoint | None, last: float) -> Student:
        def progress(done: float) -> None:
            if done > last:
                raise Stopped

        how = Distillation(Training(4, 50), SIZES)
        return distill(
            ensemble, x, how, spread=spread, threshold=0.3, checkpoint=checkpoint,
            on_progress=progress,
        )[0]  # fmt: skip

    whole = train(None, math.inf)
    with pytest.raises(Stopped):
        train(Checkpoint(file, {}), 0.6)
    resumed = train(Checkpoint(file, {}), math.inf)
    for name, values in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], values), name


def test_what_cannot_be_distilled(ensemble: FidelityEnsemble) -> None:
    spread, how = RelativeSpread([0.5, 0.5]), Distillation(Training(1))
    with pytest.raises(TrainingError, match="at least 2 members and 2 samples, got 12 and 1"):
        distill(ensemble, line(1, 0.0, 0.0), how, spread=spread, threshold=0.3)
    with pytest.raises(ValueError, match=r"student: expected hidden layers .* got widths \(\)"):
        StudentSizes(())
