"""What a run shows of its progress, by a clock that the tests turn."""

import io
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from solvers import TwoLayerQG, progress
from solvers.integration import Integration
from solvers.progress import RunProgress
from solvers.quasigeostrophic import TwoLayerQGIntegration

MODEL = TwoLayerQG(nx=16, fft="scipy")


class Clock:
    """Stands in for the module `time`."""

    now = 0.0

    def perf_counter(self) -> float:
        """Return the time [s]."""
        return self.now


class Terminal(io.StringIO):
    """Text that claims to go to a terminal."""

    def isatty(self) -> bool:
        """Claim it."""
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=terminal))
    for name, value in (("TERM", "xterm"), ("COLUMNS", "150"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    return terminal


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    log = io.StringIO()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=log))
    return log


@pytest.fixture
def courant_calls(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[float]:
    """Times at which the Courant number was computed, which takes a tenth of a second."""
    calls = list[float]()

    def courant_number(_self: Integration) -> float:
        calls.append(clock.now)
        clock.now += 0.1
        return 0.125

    monkeypatch.setattr(TwoLayerQGIntegration, "courant_number", courant_number)
    return calls


def advance(integration: Integration, clock: Clock, seconds: float, n_step: int = 12) -> None:
    integration.advance(n_step)
    clock.now += seconds


def lines(text: str) -> list[str]:
    """What a terminal shows, one line for every time it was drawn."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n")
    return [line for line in plain.split("\n") if line.strip()]


def test_a_bar_with_simulated_time_speed_and_courant_number(
    clock: Clock, terminal: Terminal, courant_calls: list[float]
) -> None:
    integration = MODEL.start()
    courant_calls.clear()
    clock.now = 0.0
    with RunProgress(integration, 0, 36) as display:
        advance(integration, clock, 1.9)
        display.update()
        advance(integration, clock, 2.0)
        display.update()
        advance(integration, clock, 0.1)
        display.update()
    shown = lines(terminal.getvalue())
    # A day is 12 steps. The Courant number takes the tenth of a second up to 2 s.
    assert any("33%" in line and "day 1.0, 0.526 days/s, CFL 0.125" in line for line in shown)
    assert any("67%" in line and "day 2.0, 0.5 days/s, CFL 0.125" in line for line in shown)
    assert "two-layer quasi-geostrophic" in shown[-1]
    assert "100%" in shown[-1]
    assert "day 3.0, 0.732 days/s" in shown[-1]
    # The cursor, hidden while the bar is drawn, is there again.
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l")


def test_a_short_run_shows_nothing_and_computes_nothing(
    clock: Clock, terminal: Terminal, courant_calls: list[float]
) -> None:
    integration = MODEL.start()
    courant_calls.clear()
    with RunProgress(integration, 0, 24) as display:
        for _ in range(2):
            advance(integration, clock, 0.2)
            display.update()
    assert terminal.getvalue() == ""
    assert courant_calls == []


def test_a_short_run_shows_its_end_where_it_is_asked_to(clock: Clock, terminal: Terminal) -> None:
    integration = MODEL.start()
    with RunProgress(integration, 0, 12, show=True) as display:
        advance(integration, clock, 0.1)
        display.update()
    assert "100%" in lines(terminal.getvalue())[-1]


def test_nothing_is_shown_where_no_terminal_is(
    clock: Clock, log: io.StringIO, courant_calls: list[float]
) -> None:
    integration = MODEL.start()
    courant_calls.clear()
    with RunProgress(integration, 0, 24) as display:
        for _ in range(2):
            advance(integration, clock, 1000.0)
            display.update()
    assert log.getvalue() == ""
    assert courant_calls == []


def test_nothing_is_shown_at_a_terminal_where_it_is_not_wanted(
    clock: Clock, terminal: Terminal
) -> None:
    integration = MODEL.start()
    with RunProgress(integration, 0, 12, show=False) as display:
        advance(integration, clock, 1000.0)
        display.update()
    assert terminal.getvalue() == ""


def test_a_file_gets_a_line_now_and_then(clock: Clock, log: io.StringIO) -> None:
    integration = MODEL.start()
    with RunProgress(integration, 0, 120, show=True) as display:
        for _ in range(10):
            advance(integration, clock, 6.0)
            display.update()
    courant = f"CFL {integration.courant_number():.3f}"
    shown = log.getvalue().splitlines()
    # After 6, 24, 42 and 60 seconds: at least 15 from one to the next.
    assert [line.partition(":")[0] for line in shown] == ["10 %", "40 %", "70 %", "100 %"]
    assert shown[-1] == f"100 %: day 10.0, 0.167 days/s, {courant}"


def test_the_courant_number_takes_a_hundredth_of_the_time(
    clock: Clock, terminal: Terminal, courant_calls: list[float]
) -> None:
    integration = MODEL.start()
    courant_calls.clear()
    clock.now = 0.0
    with RunProgress(integration, 0, 1000) as display:
        for _ in range(100):
            advance(integration, clock, 0.6, n_step=1)
            display.update()
    assert len(lines(terminal.getvalue())) >= 100
    np.testing.assert_allclose(np.diff(courant_calls), 10.1, atol=0.7)


def test_a_resumed_run_counts_from_its_beginning_and_is_timed_from_now(
    clock: Clock, terminal: Terminal
) -> None:
    fractions = list[float]()
    integration = MODEL.start()
    integration.advance(60)
    with RunProgress(integration, 0, 120, on_progress=fractions.append) as display:
        advance(integration, clock, 4.0)
        display.update()
    assert fractions == [0.6]
    assert "day 6.0, 0.25 days/s" in lines(terminal.getvalue())[-1]


def test_a_model_without_units(clock: Clock, log: io.StringIO) -> None:
    class Dimensionless(TwoLayerQG):
        time_units = "1"

    integration = Dimensionless(nx=16, fft="scipy", dt=0.25, u1=0.0).start()
    with RunProgress(integration, 0, 12, show=True) as display:
        advance(integration, clock, 2.0)
        display.update()
    assert log.getvalue().startswith("100 %: time 3, 1.5 per s, CFL ")


def test_a_run_shows_its_bar(terminal: Terminal) -> None:
    MODEL.run(days=3, progress=True)
    assert "day 3.0" in lines(terminal.getvalue())[-1]


def test_an_error_leaves_the_terminal_in_order(clock: Clock, terminal: Terminal) -> None:
    def fail() -> Any:
        integration = MODEL.start()
        with RunProgress(integration, 0, 24) as display:
            advance(integration, clock, 1.0)
            display.update()
            raise RuntimeError("a closure failed")

    with pytest.raises(RuntimeError, match="a closure failed"):
        fail()
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l")
