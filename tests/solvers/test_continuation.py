"""What is compared when a run continues another, and what the data say of a run."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from coupling_examples import MODEL as COUPLED
from coupling_examples import Archives

from hybrid.coupling import couple
from solvers import (
    BandForcing,
    Barotropic,
    CTendency,
    KuramotoSivashinsky,
    Lorenz63,
    Lorenz96,
    ShallowWater,
    StabilityWarning,
    TwoLayerQG,
    continuation,
)
from solvers.caller_warning import warn_caller
from solvers.continuation import describe
from solvers.fft import backend_version
from solvers.model import Model
from solvers.tendency_source import PythonTendencySource

MODEL = TwoLayerQG(nx=16, fft="scipy")


def drag(fields: Any, step: int) -> Any:
    return -1e-7 * fields["q"]


def no_tendency(fields: Any, step: int) -> Any:
    return 0.0 * fields["q"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dt": 3600.0}, "initial: dt: expected 3600.0 as in the model, got 7200.0 in the"),
        ({"beta": 2e-11}, "initial: beta: expected 2e-11 as in the model, got 1.5e-11 in the"),
        ({"filter": False}, "initial: filter: expected 0 as in the model, got 1 in the dataset"),
        ({"dtype": "float32"}, "initial: dtype: expected float32 as in the model, got float64 in"),
        ({"nx": 32, "ny": 16, "length_y": 1e6}, "initial: nx: expected 32 as in the model, got 16"),
    ],
)
def test_a_run_of_other_parameters_is_not_continued(changed: dict[str, Any], message: str) -> None:
    begun = MODEL.run(steps=2)
    with pytest.raises(ValueError, match="initial") as caught:
        replace(MODEL, **changed).run(steps=2, initial=begun)
    assert str(caught.value).startswith(message)


def test_the_remedy_for_other_parameters_works() -> None:
    begun, other = MODEL.run(steps=2), replace(MODEL, dt=3600.0)
    remedy = "; to begin anew from its last fields give initial=run.q[-1]"
    with pytest.raises(ValueError, match="initial") as caught:
        other.start(begun)
    assert str(caught.value).endswith(remedy)
    again = other.run(steps=1, initial=begun.q[-1])
    np.testing.assert_allclose(again.q[0], begun.q[-1], atol=1e-18)


def test_where_the_fields_do_not_fit_the_remedy_names_the_shape() -> None:
    with pytest.raises(ValueError, match=r"give an array of shape \(2, 32, 32\) for each member"):
        TwoLayerQG(nx=32, fft="scipy").start(MODEL.run(steps=1))


def test_a_run_of_another_model_is_not_continued() -> None:
    message = "initial: model: expected Lorenz-63.* as in the model, got two-layer"
    with pytest.raises(ValueError, match=message):
        Lorenz63().run(steps=1, initial=MODEL.run(steps=1))


def test_a_dataset_that_has_lost_its_attributes_is_not_continued() -> None:
    with pytest.raises(ValueError, match=r"initial: model: expected two-layer .*, got noth"):
        MODEL.start(MODEL.run(steps=1).drop_attrs())


def test_what_others_note_in_the_attributes_does_not_matter() -> None:
    begun = MODEL.run(steps=2).assign_attrs(history="copied", source="our machine")
    np.testing.assert_array_equal(MODEL.run(steps=2, initial=begun).q[-1], MODEL.run(steps=4).q[-1])


def test_a_run_over_another_bottom_is_not_continued(tmp_path: Path) -> None:
    hill = np.zeros((16, 16))
    flat, hilly = (
        ShallowWater(nx=16, ny=16, topography=bottom) for bottom in (hill, hill + np.eye(16))
    )
    begun = flat.run(steps=2, path=tmp_path / "run.nc")
    assert begun.attrs["topography"] == hilly.attributes()["topography"]
    with pytest.raises(ValueError, match=r"initial: bottom: expected 256 values from 0.0 to 1.0"):
        hilly.start(begun)
    with pytest.raises(ValueError, match=r"resume: bottom: .* was written with 256 values from"):
        hilly.run(steps=2, path=tmp_path / "run.nc", resume=True)


@pytest.mark.parametrize(
    "part", [{"time": 0}, {"time": slice(0, 3)}, {"time": slice(0, 0)}], ids=str
)
def test_only_the_last_moment_is_continued(part: dict[str, Any]) -> None:
    run = MODEL.run(steps=6, save_every=2)
    with pytest.raises(ValueError, match="initial: time: expected 43200 at the end") as caught:
        MODEL.start(run.isel(part))
    assert str(caught.value).endswith(
        ": only the last moment can be continued; to begin anew from another one give its fields, "
        "as in initial=ds.q.isel(time=i)"
    )


@pytest.mark.parametrize("part", [{"time": -1}, {"time": [-1]}, {"time": slice(2, None)}], ids=str)
def test_a_dataset_that_ends_with_the_last_moment_is_continued(part: dict[str, Any]) -> None:
    run = MODEL.run(steps=6, save_every=2)
    np.testing.assert_array_equal(
        MODEL.start(run.isel(part)).prognostic["q"], MODEL.start(run).prognostic["q"]
    )


def test_other_versions_are_a_warning_at_the_line_of_the_caller() -> None:
    begun = MODEL.run(steps=1)
    old = begun.assign_attrs(versions=begun.versions.replace("numpy 2", "numpy 0"))
    for continued in (lambda: MODEL.start(old), lambda: MODEL.run(steps=1, initial=old)):
        with pytest.warns(
            UserWarning, match="begun with .*numpy 0.* continues with .*numpy 2"
        ) as w:
            continued()
        assert [warning.filename for warning in w] == [__file__]


def test_a_step_that_is_too_long_is_a_warning_at_the_line_of_the_caller() -> None:
    long = TwoLayerQG(nx=16, fft="scipy", dt=1e6)
    for started in (long.start, lambda: long.run(steps=1)):
        with pytest.warns(StabilityWarning) as caught:
            started()
        assert [warning.filename for warning in caught] == [__file__]


def test_a_warning_to_a_caller_outside() -> None:
    with pytest.warns(DeprecationWarning, match="old") as caught:
        warn_caller("old", DeprecationWarning)
    assert caught[0].filename == __file__


def test_the_fft_library_is_recorded_with_its_version() -> None:
    assert MODEL.run(steps=1).fft_library == f"scipy {backend_version('scipy')}"
    assert "fft_library" not in Lorenz96(n_k=8).run(steps=1).attrs


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let "auto" mean a library, as it might on another machine."""

    def choose(name: str) -> None:
        monkeypatch.setattr("solvers.fft.choice._fastest", lambda *_: name)

    return choose


@pytest.mark.parametrize(
    "auto", [TwoLayerQG(nx=16), Barotropic(nx=16, dt=2e-3), KuramotoSivashinsky(nx=32)], ids=repr
)
def test_a_continued_run_keeps_its_fft_library(
    chosen: Callable[[str], None], tmp_path: Path, auto: Model
) -> None:
    chosen("scipy")
    whole, begun = auto.run(steps=9), auto.run(steps=4)
    auto.run(steps=3, save_every=3, path=tmp_path / "run.nc").close()
    chosen("rocket-fft")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        continued = auto.run(steps=5, initial=begun)
        resumed = auto.run(steps=9, save_every=3, path=tmp_path / "run.nc", resume=True)
    assert continued.fft_library == whole.fft_library
    for run in (continued, resumed):
        for name, values in whole.isel(time=-1).data_vars.items():
            last = {"time": -1} if "time" in run[name].dims else {}
            np.testing.assert_array_equal(run[name].isel(last), values)


def test_another_fft_library_is_a_warning(
    chosen: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    auto, path = TwoLayerQG(nx=16), tmp_path / "run.nc"
    chosen("scipy")
    begun = auto.run(steps=1, path=path)
    chosen("rocket-fft")
    message = r"was begun with FFT library scipy .* and continues with FFT library rocket-fft"
    with pytest.warns(UserWarning, match=f"initial: the run {message}"):
        replace(auto, fft="rocket-fft").start(begun)
    monkeypatch.setattr(continuation, "backends_for", lambda *_: ("rocket-fft",))
    with pytest.warns(UserWarning, match=f"initial: the run {message}"):
        auto.start(begun)
    with pytest.warns(UserWarning, match=f"resume: .* {message}"):
        auto.run(steps=2, save_every=1, path=path, resume=True)


def test_the_seed_is_recorded_where_it_was_used() -> None:
    random = MODEL.run(steps=1, seed=3)
    given = MODEL.run(steps=1, seed=4, initial=np.zeros(MODEL.state_shape))
    continued = MODEL.run(steps=1, seed=5, initial=random)
    assert random.seed == continued.seed == 3
    assert "seed" not in given.attrs
    assert "seed" not in MODEL.run(steps=1, seed=6, initial=given).attrs


def test_the_names_of_closures(tmp_path: Path) -> None:
    assert describe(None) == "none"
    assert describe(drag) == describe(PythonTendencySource(drag)) == "drag"
    assert describe(CTendency(1)) == "C function"
    archives = Archives(tmp_path)
    drags = couple(archives["maps"], seed=7)
    assert describe(drags) == f"drag 1.0 {drags.closure.sha256[:12]} seed 7"
    assert describe(couple(archives["weather"])) != describe(couple(archives["weather"], seed=1))


def test_the_closure_is_recorded() -> None:
    assert MODEL.run(steps=1).tendency == "none"
    assert MODEL.run(steps=1, tendency=drag).tendency == "drag"


def test_a_file_is_not_continued_with_another_closure(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    MODEL.run(steps=1, tendency=drag, path=path).close()
    with pytest.raises(
        ValueError, match=r"resume: tendency: .* written with drag, this run has non"
    ):
        MODEL.run(steps=1, path=path, resume=True)


def test_a_closure_that_is_lost_or_changed_is_a_warning() -> None:
    begun, free = MODEL.run(steps=1, tendency=drag), MODEL.run(steps=1)
    for other, name in ((None, "none"), (no_tendency, "no_tendency")):
        with pytest.warns(UserWarning, match="begun with the closure drag and .*") as caught:
            MODEL.run(steps=1, initial=begun, tendency=other)
        assert str(caught[0].message) == (
            f"initial: the run was begun with the closure drag and continues with {name}; "
            "give the same tendency if it is to go on as it was"
        )
        assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MODEL.run(steps=1, initial=begun, tendency=drag)
        MODEL.run(steps=1, initial=free, tendency=drag)


def test_some_members_go_on_as_they_were() -> None:
    whole, begun = MODEL.run(steps=9, n_member=3), MODEL.run(steps=4, n_member=3)
    some = MODEL.run(steps=5, initial=begun.isel(member=[2, 1]))
    np.testing.assert_array_equal(some.member, [2, 1])
    np.testing.assert_array_equal(some.q[-1], whole.q[-1].isel(member=[2, 1]))
    again = MODEL.run(steps=1, initial=some.isel(member=[0]))
    np.testing.assert_array_equal(again.member, [2])


def test_members_keep_the_random_numbers_of_their_closure(tmp_path: Path) -> None:
    closure = couple(Archives(tmp_path)["weather"], seed=3)
    whole = COUPLED.run(steps=6, save_every=6, n_member=2, tendency=closure)
    begun = COUPLED.run(steps=3, n_member=2, tendency=closure)
    second = COUPLED.run(steps=3, save_every=3, initial=begun.isel(member=[1]), tendency=closure)
    np.testing.assert_array_equal(second.q[-1, 0], whole.q[-1, 1])


def test_members_of_random_forcing_are_continued_together() -> None:
    forced = Barotropic(nx=32, dt=2e-3, fft="scipy", forcing=BandForcing())
    run = forced.run(steps=2, n_member=2)
    forced.start(run.isel(member=[0]))
    with pytest.raises(ValueError, match=r"initial: member: expected all members, .* got 1:"):
        forced.start(run.isel(member=[1]))


@pytest.mark.parametrize("numbers", [[0, 0], [0, -1], [0.0, 1.0]])
def test_members_have_distinct_numbers(numbers: list[float]) -> None:
    run = MODEL.run(steps=1, n_member=2).assign_coords(member=numbers)
    with pytest.raises(ValueError, match=r"initial: member: expected distinct numbers .*range\(2"):
        MODEL.start(run)


def test_a_file_keeps_the_numbers_of_members(tmp_path: Path) -> None:
    path, run = tmp_path / "run.nc", MODEL.run(steps=2, n_member=3)
    MODEL.run(steps=2, save_every=1, initial=run.isel(member=[2]), path=path).close()
    with pytest.raises(ValueError, match=r"resume: member: .* was written with 2, this run has 1"):
        MODEL.run(steps=3, save_every=1, initial=run.isel(member=[1]), path=path, resume=True)
    longer = MODEL.run(steps=3, save_every=1, initial=run.isel(member=[2]), path=path, resume=True)
    np.testing.assert_array_equal(longer.member, [2])
    whole: xr.DataArray = MODEL.run(steps=5, n_member=3).q[-1, 2]
    np.testing.assert_array_equal(longer.q[-1, 0], whole)
