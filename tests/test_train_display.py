"""Losses as they come, on a terminal and in a file."""

import io

from rich.console import Console

from closures.training import EpochReport
from hybrid.training.display import LossDisplay

REPORTS = (
    EpochReport(1, 3, 1.0, 0.9, 0.9, True, 1e-3, 4321.4, 3700.0),
    EpochReport(2, 3, 0.8, 0.95, 0.9, False, 5e-4, 4000.0, 62.0),
    EpochReport(3, 3, 0.7, None, 0.7, True, 0.0, 4000.0, 0.4),
)


def shown(*, terminal: bool) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=120)
    with LossDisplay(console, "mlp") as display:
        for i, report in enumerate(REPORTS, start=1):
            display.on_progress(i / 3)
            display.on_epoch(report)
    return stream.getvalue()


def test_a_file_gets_a_line_an_epoch_and_no_control_characters() -> None:
    text = shown(terminal=False)
    assert "\x1b" not in text
    rows = [line.split("  ") for line in text.splitlines() if "/3" in line]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells == [
        ["1/3", "1", "0.9*", "0.9", "0.001", "4321", "1 h 01 min"],
        ["2/3", "0.8", "0.95", "0.9", "0.0005", "4000", "1 min 02 s"],
        ["3/3", "0.7", "-", "0.7", "0", "4000", "0 s"],
    ]
    assert text.startswith("training mlp: started")


def test_a_terminal_gets_a_table() -> None:
    text = shown(terminal=True)
    last = text[text.rindex("training mlp") :]
    assert "samples/s" in last
    assert "0.95" in last
