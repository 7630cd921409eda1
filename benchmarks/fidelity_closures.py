"""A trained ensemble of columns, the cascade and the student made of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.ensemble_training import FULL_TRAININGS, QUICK_TRAININGS, TrainingSizes
from benchmarks.fidelity_columns import (
    N_INPUT,
    N_LEVEL,
    N_OUTPUT,
    PROFILES,
    SCALARS,
    FidelityColumns,
    Scaling,
    column_contract,
    generated_columns,
    scored_outputs,
)
from closures.columns.emulator import ColumnEmulator, Results
from closures.multifidelity import (
    Agreement,
    Cascade,
    Distillation,
    EnsembleSizes,
    EnsembleTraining,
    FeatureCount,
    FidelityEnsemble,
    GuardedEnsemble,
    NoiseSizes,
    RelativeSpread,
    Samples,
    StudentSizes,
    calibrated_windows,
    distill,
    fit_ensemble,
    member_spreads,
)
from closures.multifidelity.guarded import part_of
from closures.training import Training

WARM = 4.0
"""Warming of a third of the columns of calibration and test [K]."""

_CLIMATES = (0.0, WARM, 0.0)
_TRUSTED_NOW = 0.9
"""The threshold is this quantile of the relative spread in the present climate."""


@dataclass(frozen=True)
class Setup:
    """Sizes of everything.

    Parameters
    ----------
    n_member, widths
        Of the ensemble.
    counts
        Members after which the cascade looks.
    ensemble, noise, student
        How they are trained.
    moments
        Of 384 columns each: of the training, of the cheap physics for the student alone, of the
        calibration and of the test; of the last two every third is warm.
    n_between
        Samples between others that the student sees too.
    agreement
        Asked of the cascade: more than it must hold, as columns of a moment are alike, and those
        of other moments less so.
    trainings
        Epochs that are timed, all members together and one after the other.
    """

    n_member: int = 32
    widths: tuple[int, ...] = (512, 512, 512)
    counts: tuple[int, ...] = (4,)
    ensemble: Training = field(default_factory=lambda: Training(8, 64, 2e-3))
    noise: Training = field(default_factory=lambda: Training(20, 64))
    student: Training = field(default_factory=lambda: Training(25, 128, 2e-3))
    student_widths: tuple[int, ...] = (512, 512, 512)
    moments: tuple[int, int, int, int] = (8, 20, 12, 12)
    n_between: int = 8000
    agreement: Agreement = field(default_factory=lambda: Agreement(0.995, 0.985))
    trainings: tuple[TrainingSizes, ...] = FULL_TRAININGS


FULL_SETUP = Setup()
QUICK_SETUP = Setup(
    n_member=4,
    widths=(32, 32),
    counts=(2,),
    ensemble=Training(2, 64),
    noise=Training(2, 64),
    student=Training(2, 64),
    student_widths=(32, 32),
    moments=(5, 2, 3, 3),
    n_between=0,
    agreement=Agreement(0.95, 0.9),
    trainings=QUICK_TRAININGS,
)


@dataclass(frozen=True)
class TrainedClosures:
    """Closures, and the columns to test them with.

    Parameters
    ----------
    ensemble
        The ensemble without normalisation.
    full, cascade, student
        Closures with standard deviations and confidence.
    members
        One closure a member.
    scaling
        Normalisation of all.
    test
        Columns of moments that nothing was trained or calibrated with.
    threshold
        Relative spread above which columns are flagged.
    """

    ensemble: FidelityEnsemble
    full: ColumnEmulator
    cascade: ColumnEmulator
    student: ColumnEmulator
    members: tuple[ColumnEmulator, ...]
    scaling: Scaling
    test: FidelityColumns
    threshold: float

    @property
    def is_warm(self) -> NDArray[np.bool_]:
        """Which of the test's columns are of the warm climate."""
        return np.asarray(_CLIMATES)[self.test.group % len(_CLIMATES)] > 0.0

    def test_columns(self, n: int) -> dict[str, NDArray[np.float32]]:
        """Return n of the test's columns by field, evenly from all moments."""
        rows = np.linspace(0, len(self.test.inputs) - 1, n).round().astype(np.int64)
        return by_field(self.test.inputs[rows])


def by_field(inputs: NDArray[np.float64]) -> dict[str, NDArray[np.float32]]:
    """Return inputs as a host has them."""
    values = inputs.astype(np.float32)
    n_profile = len(PROFILES)
    found = {
        name: np.ascontiguousarray(values[:, N_LEVEL * i : N_LEVEL * (i + 1)])
        for i, name in enumerate(PROFILES)
    }
    first = N_LEVEL * n_profile
    scalars = {name: np.ascontiguousarray(values[:, first + i]) for i, name in enumerate(SCALARS)}
    return found | scalars


def trained(setup: Setup, on_progress: Callable[[str, float], None]) -> TrainedClosures:
    """Generate columns, train the ensemble, calibrate the cascade, distil the student."""
    on_progress("generating columns", 0.0)
    n_high, n_low, n_valid, n_test = setup.moments
    high = generated_columns("high", (0.0,), n_high, 1)
    low = generated_columns("low", (0.0, 2.0, 4.0, 6.0, 8.0), n_low, 2)
    valid, test = (
        generated_columns("high", _CLIMATES, n, seed) for n, seed in ((n_valid, 3), (n_test, 4))
    )
    scaling = Scaling.of(high)
    features = scaling.features(high)
    ensemble, _ = fit_ensemble(
        EnsembleSizes("single", setup.n_member, setup.widths, 1.0),
        FeatureCount(N_INPUT, N_OUTPUT),
        EnsembleTraining(setup.ensemble, noise=setup.noise, noise_sizes=NoiseSizes((64, 64))),
        high=Samples(features, scaling.targets(high), high.group),
        on_progress=lambda done: on_progress("training the ensemble", done),
    )
    ensemble.eval()
    on_progress("calibrating the cascade", 0.0)
    spread = RelativeSpread.of_outputs(
        scored_outputs(scaling.outputs.spread), scaling.outputs.spread
    )
    spreads = member_spreads(
        ensemble, spread, scaling.features(valid), (*setup.counts, setup.n_member)
    )
    is_now = np.asarray(_CLIMATES)[valid.group % len(_CLIMATES)] == 0.0
    threshold = float(np.quantile(spreads[-1, is_now], _TRUSTED_NOW))
    windows = calibrated_windows(spreads, setup.counts, threshold, setup.agreement)
    student, _ = distill(
        ensemble,
        torch.cat([features, scaling.features(low)]),
        Distillation(setup.student, StudentSizes(setup.student_widths), n_between=setup.n_between),
        spread=spread,
        threshold=threshold,
        on_progress=lambda done: on_progress("training the student", done),
    )

    def closure(network: torch.nn.Module, results: Results) -> ColumnEmulator:
        spec = column_contract(high)
        made = ColumnEmulator(spec, network, scaling.inputs, scaling.outputs, results=results)
        return made.eval()

    return TrainedClosures(
        ensemble,
        closure(GuardedEnsemble(ensemble, spread, threshold), "guarded"),
        closure(Cascade(ensemble, spread, threshold, windows), "guarded"),
        closure(student, "guarded"),
        tuple(
            closure(part_of(ensemble, k, k + 1, noise=False), "mean") for k in range(setup.n_member)
        ),
        scaling,
        test,
        threshold,
    )
