"""Test bed of Lorenz-96: its cheap physics, samples, features and scores of coupled runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hybrid.evaluation import hellinger_distance
from hybrid.experiments.multifidelity.bed import Tables
from hybrid.experiments.multifidelity.equilibrium import equilibrium_mean
from hybrid.experiments.multifidelity.lorenz96 import (
    OFFSETS,
    InvariantNeighbours,
    LorenzSizes,
    cheap_physics,
    coarse_model,
    code,
    lorenz_bed,
    lorenz_tables,
    two_scale,
)
from hybrid.experiments.multifidelity.lorenz96_online import (
    LIMIT,
    SAVE_STEP,
    STEP,
    Climate,
    OnlineSizes,
    cheap_closure,
    coarse_run,
    no_closure,
    online_scores,
    reference_scores,
    residual_memory,
)

Array = NDArray[np.float64]

SIZES = LorenzSizes(low=48, high=10, test=120, n_member=8)
ONLINE = OnlineSizes(n_member=16, time=4.0, reference_time=12.0, spin_up_time=2.0)


@pytest.fixture(scope="module")
def tables() -> Tables:
    return lorenz_tables(SIZES, lambda _: None)


@pytest.fixture(scope="module")
def climate() -> Climate:
    return Climate.of(24.0, ONLINE)


def r2(truth: Array, predicted: Array) -> float:
    return float(1.0 - ((truth - predicted) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def test_weak_fast_forcing_has_the_fixed_point_as_its_mean() -> None:
    # Below 8/9 the uniform state Z = F of Lorenz-96 is stable.
    assert equilibrium_mean(np.array([0.5])) == pytest.approx([0.5], abs=1e-3)


def test_mean_of_strong_fast_forcing_grows_as_its_cube_root() -> None:
    weaker, stronger = equilibrium_mean(np.array([16.0, 32.0]))
    assert np.log2(stronger / weaker) == pytest.approx(1.0 / 3.0, abs=0.06)


def test_cheap_physics_is_skilful_yet_another_scheme_in_every_climate(tables: Tables) -> None:
    for table in tables.tests.values():
        assert table.code is not None
        assert 0.3 < r2(table.outputs, table.code) < 0.85


def test_cheap_physics_needs_no_run_of_the_truth_and_removes_energy() -> None:
    x = np.linspace(-15.0, 30.0, 10)
    u = np.polynomial.polynomial.polyval(x, cheap_physics())
    assert (x * u <= 0.0)[np.abs(x) > 5.0].all()
    # Exactly the same again: runs have fixed seeds.
    cheap_physics.cache_clear()
    assert (np.polynomial.polynomial.polyval(x, cheap_physics()) == u).all()


def test_low_fidelity_is_its_code_and_high_fidelity_is_the_truth(tables: Tables) -> None:
    low, high = tables.low, tables.high
    assert (low.outputs == code(low.inputs)).all()
    assert high.code is not None
    assert np.abs(high.outputs - high.code).mean() > 0.5
    assert len(low) == 8 * SIZES.low
    assert len(high) == 8 * SIZES.high
    assert list(tables.tests) == ["present", "f24", "f28"]


def test_moments_are_groups_of_the_samples_of_one_ring(tables: Tables) -> None:
    for table in (tables.low, tables.high, *tables.tests.values()):
        assert (np.bincount(table.group) == 8).all()
        centre = table.inputs[:, OFFSETS.index(0)].reshape(-1, 8)
        ahead = table.inputs[:, OFFSETS.index(1)].reshape(-1, 8)
        assert (np.roll(centre, -1, axis=1) == ahead).all()


def test_moments_of_training_and_tests_are_different_ones(tables: Tables) -> None:
    sets = [
        {*map(tuple, table.inputs)} for table in (tables.low, tables.high, *tables.tests.values())
    ]
    assert len(set.union(*sets)) == sum(map(len, sets))


def test_samples_do_not_depend_on_anything_but_their_sizes(tables: Tables) -> None:
    again = lorenz_tables(replace(SIZES, low=12, test=1), lambda _: None)
    assert (again.high.inputs == tables.high.inputs).all()
    assert (again.high.outputs == tables.high.outputs).all()


def test_samples_span_wider_in_climates_of_stronger_forcing(tables: Tables) -> None:
    spread = [float(table.inputs.std()) for table in tables.tests.values()]
    assert spread == sorted(spread)
    assert spread[-1] > 1.2 * spread[0]


def test_progress_ends_at_one() -> None:
    seen: list[float] = []
    lorenz_tables(LorenzSizes(low=2, high=1, test=1, n_member=1), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_invariant_features_keep_sign_and_gain_less_range_than_x(tables: Tables) -> None:
    features = InvariantNeighbours()
    x = torch.tensor([[-8.0, -0.01, 0.0, 0.01, 1000.0]], dtype=torch.float64)
    shown = features(x)
    assert torch.sign(shown).equal(torch.sign(x))
    assert shown[0, 3].item() == pytest.approx(0.01, rel=1e-4)
    assert shown[0, 4].item() == pytest.approx(10.0, rel=1e-4)
    assert torch.jit.script(features)(x).equal(shown)

    def growth(values: dict[str, Array]) -> float:
        return float(values["f28"].std() / values["present"].std())

    raw = {name: table.inputs for name, table in tables.tests.items()}
    derived = {name: features(torch.from_numpy(each)).numpy() for name, each in raw.items()}
    assert growth(derived) - 1.0 < 0.7 * (growth(raw) - 1.0)


def test_bed_fits_its_tables(tables: Tables) -> None:
    bed = lorenz_bed()
    assert bed.spec.inputs[0].size == tables.high.inputs.shape[1]
    assert sum(each.size for each in bed.spec.outputs) == tables.high.outputs.shape[1]
    assert set(bed.shifted) == set(tables.tests) - {"present"}
    for way in bed.inputs.values():
        raw = torch.from_numpy(tables.high.inputs)
        shown = raw if way.derived is None else way.derived(raw)
        assert shown.shape[1] == way.n_feature


def test_a_tested_forcing_of_the_present_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected tested forcings other than \(16, .*got \(18,"):
        LorenzSizes(1, 1, 1, tested=(18,))
    with pytest.raises(ValueError, match="at least one moment"):
        LorenzSizes(1, 0, 1)


def test_coarse_run_is_the_solver_with_the_same_polynomial() -> None:
    start = two_scale(20.0).random_state(3, np.random.default_rng(0))[:, :8] + 3.0
    ours = coarse_run(cheap_closure, 20.0, start, 0.2, 0.0, np.random.default_rng(0))
    solver = (
        coarse_model(20.0)
        .run(time=0.2, save_every=SAVE_STEP, initial=start, progress=False)["x"]
        .to_numpy()[1:]
    )
    assert ours.shape == solver.shape
    # Closure once a step against at every stage, of half the step.
    assert ours == pytest.approx(solver, abs=0.02)
    assert np.abs(ours - start).max() > 1.0


def test_noise_has_the_memory_and_deviation_asked_for() -> None:
    phi, deviation = 0.9, 0.5
    seen = []

    def noisy(inputs: Array) -> tuple[Array, Array]:
        seen.append(inputs[:, OFFSETS.index(0)].copy())
        # Cancels everything but the noise, to first order in the step.
        west, far_west, east = inputs[:, 1], inputs[:, 0], inputs[:, 3]
        return west * (far_west - east) + inputs[:, 2], np.full(len(inputs), deviation)

    start = np.zeros((4000, 8))
    coarse_run(noisy, 0.0, start, SAVE_STEP, phi, np.random.default_rng(0))
    noise = np.diff(np.array(seen), axis=0) / STEP
    assert noise.std() == pytest.approx(deviation, rel=0.02)
    lagged = float(np.mean(noise[1:] * noise[:-1]) / np.mean(noise**2))
    assert lagged == pytest.approx(phi, abs=0.01)


def test_memory_is_that_of_the_residual_in_the_present() -> None:
    def with_noise(inputs: Array) -> tuple[Array, Array]:
        return code(inputs)[:, 0], np.ones(len(inputs))

    assert residual_memory(no_closure) == 0.0
    assert 0.8 < residual_memory(with_noise) < 0.98


def test_runs_that_blow_up_count_against_the_closure(climate: Climate) -> None:
    def pushing(inputs: Array) -> tuple[Array, None]:
        return 50.0 * inputs[:, 2], None

    scores = online_scores(pushing, climate, ONLINE)
    assert scores["blown_up"] == 1.0
    assert scores["hellinger"] == 1.0

    def not_finite(inputs: Array) -> tuple[Array, None]:
        return np.full(len(inputs), np.nan), None

    x = coarse_run(not_finite, 8.0, climate.initial, SAVE_STEP, 0.0, np.random.default_rng(0))
    assert (x == LIMIT).all()


def test_climates_of_truth_and_closures_are_in_order(climate: Climate) -> None:
    scores = reference_scores(climate, ONLINE)
    floor, code_, none = (scores[name]["hellinger"] for name in ("floor", "code", "none"))
    assert floor < code_ < none
    assert scores["code"]["blown_up"] == 0.0
    assert floor == hellinger_distance(climate.reference, climate.floor)


def test_same_seed_gives_the_same_climate(climate: Climate) -> None:
    def noisy(inputs: Array) -> tuple[Array, Array]:
        return code(inputs)[:, 0], np.full(len(inputs), 1.5)

    first, again, other = (online_scores(noisy, climate, ONLINE, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
