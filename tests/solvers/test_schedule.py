import pytest

from solvers.schedule import Schedule


@pytest.mark.parametrize(
    ("duration", "n_step"), [({"steps": 30}, 30), ({"time": 216000.0}, 30), ({"days": 2.5}, 30)]
)
def test_a_duration_is_so_many_steps(duration: dict[str, float], n_step: int) -> None:
    assert Schedule.of(7200.0, "s", **duration).n_step == n_step  # type: ignore[arg-type]


def test_a_step_that_binary_numbers_cannot_hold() -> None:
    # 0.3 / 0.1 is 2.9999999999999996.
    assert Schedule.of(0.1, "1", time=0.3) == Schedule(n_step=3, save_every=1)


@pytest.mark.parametrize(("steps", "save_every"), [(1, 1), (30, 1), (31, 2), (360, 12), (1000, 34)])
def test_about_thirty_states_are_saved(steps: int, save_every: int) -> None:
    schedule = Schedule.of(1.0, "1", steps=steps)
    assert schedule.save_every == save_every
    assert len(schedule.saves(0)) <= 31


def test_save_every_is_in_the_unit_of_the_duration() -> None:
    assert Schedule.of(7200.0, "s", days=1, save_every=0.25).save_every == 3
    assert Schedule.of(7200.0, "s", time=86400.0, save_every=14400.0).save_every == 2
    assert Schedule.of(7200.0, "s", steps=12, save_every=4).save_every == 4


def test_a_run_saves_its_beginning_and_its_end() -> None:
    assert Schedule(n_step=10, save_every=4).saves(0) == [0, 4, 8, 10]
    assert Schedule(n_step=8, save_every=4).saves(0) == [0, 4, 8]
    assert Schedule(n_step=3, save_every=4).saves(0) == [0, 3]


def test_a_continued_run_leaves_its_beginning_to_the_run_before() -> None:
    assert Schedule(n_step=10, save_every=4).saves(100) == [104, 108, 110]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "run: expected one of steps, time, days, got none"),
        ({"steps": 3, "days": 1.0}, "run: expected one of steps, time, days, got steps, days"),
        (
            {"time": 10000.0},
            "time: expected a positive multiple of dt = 7200, got 10000, which is 1.38889 steps",
        ),
        ({"steps": 0}, "steps: expected a positive multiple of dt = 7200, got 0, which is 0 steps"),
        (
            {"days": -1.0},
            "days: expected a positive multiple of dt = 7200, got -1, which is -12 steps",
        ),
        (
            {"days": 1.0, "save_every": 0.01},
            "save_every: expected a positive multiple of dt = 7200, got 0.01, which is 0.12 steps",
        ),
    ],
)
def test_what_is_wrong_with_a_duration(given: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        Schedule.of(7200.0, "s", **given)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_duration_is_finite(value: float) -> None:
    with pytest.raises(ValueError, match="time: expected a positive multiple of dt = 1, got"):
        Schedule.of(1.0, "1", time=value)


def test_days_need_units() -> None:
    message = "days: expected steps or time, because this model has no units"
    with pytest.raises(ValueError, match=message):
        Schedule.of(0.01, "1", days=1.0)


def test_long_durations_are_whole_too() -> None:
    with pytest.raises(ValueError, match="steps: expected a positive multiple of dt"):
        Schedule.of(1e-3, "1", steps=1_000_000.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="time: expected a positive multiple of dt"):
        Schedule.of(1e-3, "1", time=600.0003)
    assert Schedule.of(1e-3, "1", time=1e6).n_step == 10**9
