"""Runs of the relaxed jet: the same bits however they are cut, closures, errors."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from solvers.errors import SolverBlewUp, TendencyError
from solvers.fft import available_backends
from solvers.relaxed_jet import RelaxedJetIntegration, RelaxedJetQG

Field = NDArray[Any]
Fields = Mapping[str, Field]

JET = RelaxedJetQG(nx=16, ny=32, viscosity=1e-4)
MODELS = [
    JET,
    replace(JET, hills=((3.0, 5.0, 3.0),), jacobian=0.5),
    replace(JET, dtype="float32"),
    RelaxedJetQG(nx=10, ny=14, viscosity=1e-3),
]


def label(model: RelaxedJetQG) -> str:
    return f"{model.nx}x{model.ny} {model.dtype}{' hills' if model.hills else ''}"


every_model = pytest.mark.parametrize("model", MODELS, ids=label)


def started(model: RelaxedJetQG, *arguments: Any, **how: Any) -> RelaxedJetIntegration:
    integration = model.start(*arguments, **how)
    assert isinstance(integration, RelaxedJetIntegration)
    return integration


def state(model: RelaxedJetQG, *chunks: int, **how: Any) -> Field:
    integration = started(model, **how)
    for n_step in chunks:
        integration.advance(n_step)
    return np.stack([integration.q_spectrum, integration.q_before], axis=1)


@every_model
def test_a_run_cut_in_two_has_the_same_bits(model: RelaxedJetQG) -> None:
    np.testing.assert_array_equal(state(model, 10), state(model, 3, 7))


@every_model
def test_a_restarted_run_has_the_same_bits(model: RelaxedJetQG) -> None:
    whole = model.run(steps=10, n_member=2)
    begun = model.run(steps=4, n_member=2)
    resumed = model.run(steps=6, initial=begun)
    for name in ("q", "u", "v", "psi"):
        assert whole[name].dtype == model.dtype
        np.testing.assert_array_equal(resumed[name][-1], whole[name][-1])
    for name in ("restart_q", "restart_q_before"):
        np.testing.assert_array_equal(resumed[name], whole[name])


@every_model
def test_members_and_threads_share_nothing(model: RelaxedJetQG) -> None:
    together = state(model, 10, n_member=3)
    np.testing.assert_array_equal(state(model, 10, n_member=3, n_thread=2), together)
    first = started(model, n_member=3).fields()["q"].to_numpy()
    for member in range(3):
        # Fields pass through a transform on their way here and back, which rounds.
        alone, again = started(model, first[member]), started(model, first)
        alone.advance(10)
        again.advance(10)
        np.testing.assert_array_equal(alone.q_spectrum[0], again.q_spectrum[member])
    assert np.abs(together[0] - together[1]).max() > 0.0


# The grid of the products has no power of two, which "simd" asks for.
@pytest.mark.parametrize("fft", [name for name in available_backends() if name != "simd"])
def test_every_fft_library_gives_the_same(fft: str) -> None:
    other = state(replace(JET, fft="rocket-fft"), 20)
    got = state(replace(JET, fft=fft), 20)
    np.testing.assert_allclose(got, other, rtol=0.0, atol=1e-13 * np.abs(other).max())


def test_single_precision_follows_double() -> None:
    single, double = state(replace(JET, dtype="float32"), 100), state(JET, 100)
    assert single.dtype == np.complex64
    # 100 steps of 6e-8 each, which eddies have not had the time to amplify.
    np.testing.assert_allclose(single, double, rtol=0.0, atol=1e-5 * np.abs(double).max())
    assert np.abs(single - double).max() > 0.0


def test_parameters_and_places_come_with_the_data(tmp_path: Any) -> None:
    model = replace(JET, hills=((3.0, 5.0, 3.0), (9.0, 0.0, 2.0)))
    run = model.run(steps=2, path=tmp_path / "jet.nc")
    assert run.q.dims == ("time", "member", "layer", "y", "x")
    np.testing.assert_allclose(run.y, model.y)
    assert run.y[0] == pytest.approx(-34.0 + 34.0 / 32.0)
    assert list(run.attrs["hills"]) == [3.0, 5.0, 3.0, 9.0, 0.0, 2.0]
    assert run.attrs["tau_d1"] == 0.01
    assert run.time.attrs["units"] == "1"


def test_a_closure_sees_the_fields_and_is_felt() -> None:
    seen: list[dict[str, Field]] = []

    def drag(fields: Fields, step: int) -> Field:
        seen.append({name: np.array(field) for name, field in fields.items()})
        return -0.02 * fields["q"]

    coupled = started(JET, tendency=drag)
    coupled.advance(1)
    alone = started(JET)
    fields = alone.fields()
    for name in ("q", "u", "v"):
        np.testing.assert_allclose(seen[0][name], fields[name][0], atol=1e-13)
    begun = alone.q_spectrum.copy()
    alone.advance(1)
    implicit = 1.0 + JET.dt * JET.hyperviscosity
    expected = alone.q_spectrum - 0.02 * JET.dt * begun / implicit
    # A step rounds by eps of the largest wave.
    scale = np.abs(begun).max()
    np.testing.assert_allclose(coupled.q_spectrum, expected, rtol=0.0, atol=1e-14 * scale)
    coupled.advance(3)
    assert len(seen) == 4


def test_a_closure_has_no_nyquist_waves() -> None:
    def checkerboard(fields: Fields, step: int) -> Field:
        signs = (-1.0) ** np.add.outer(np.arange(32), np.arange(16))
        return np.broadcast_to(signs, (2, 32, 16))

    np.testing.assert_allclose(
        state(JET, 5, tendency=checkerboard), state(JET, 5), rtol=0.0, atol=1e-11
    )


def test_a_closure_of_the_wrong_shape_is_refused() -> None:
    def wrong(fields: Fields, step: int) -> Field:
        return np.zeros(3)

    with pytest.raises(TendencyError, match=r"q_tendency: expected shape \(2, 32, 16\)"):
        state(JET, 1, tendency=wrong)


def test_a_run_that_blows_up_says_when() -> None:
    def ending(fields: Fields, step: int) -> Field:
        # Finite itself, but the flow that it makes within one step is not.
        return np.full((2, 32, 16), 1.0) * fields["v"] * (1e308 if step == 6 else 0.0)

    integration = started(JET, n_member=2, tendency=ending)
    with pytest.raises(SolverBlewUp, match="relaxed two-layer jet: q of member 0") as error:
        integration.advance(20)
    assert error.value.step == 7
    left = np.stack([integration.q_spectrum, integration.q_before], axis=1)
    # The calls for member 0 and 1 are those of a closure that gives nothing.
    np.testing.assert_array_equal(left, state(JET, 6, n_member=2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nx": 15}, "nx: expected an even number of at least 4 points, got 15"),
        ({"ny": 2}, "ny: expected an even number of at least 4 points, got 2"),
        ({"dt": -0.1}, "dt: expected a positive number, got -0.1"),
        ({"sigma": 0.0}, "sigma: expected a positive number, got 0.0"),
        ({"length_y": 0.0}, "length_y: expected a positive length, got 0.0"),
        ({"tau_f": -0.1}, "tau_f: expected no negative number, got -0.1"),
        ({"viscosity": -1.0}, "viscosity: expected no negative number, got -1.0"),
        ({"time_filter": 1.0}, "time_filter: expected 0 to below 1, got 1.0"),
        (
            {"hills": ((1.0, 2.0, 0.0),)},
            r"hills: expected \(x, y, positive radius\) each, got \(\(1.0, 2.0, 0.0\),\)",
        ),
        ({"dtype": "int64"}, "dtype: expected float64 or float32, got int64"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(JET, **given)
