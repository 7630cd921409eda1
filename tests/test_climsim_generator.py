"""Generated files: consecutive steps, continuing, refusing, the command line."""

import re
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from climsim_folder import real_climsim_folder
from typer.testing import CliRunner

from closures.climsim.errors import DataError
from closures.climsim.files import list_pairs
from closures.climsim.grid import ColumnGrid, find_grid, read_grid
from closures.climsim.pair_files import write_pair
from hybrid.cli import app
from hybrid.climsim_generator import (
    MANIFEST,
    TITLE,
    Generation,
    generate,
    generated_label,
    starts_over_year,
)
from solvers.column_physics import Columns, ColumnSettings

PLAIN = re.compile(r"\x1b\[[0-9;]*m")
LATE = Generation(((365, 71),), n_consecutive=3, scheme="low", warming=4.0, n_spin_up=1)


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three steps across the end of the year."""
    folder = tmp_path_factory.mktemp("late")
    generate(folder, LATE)
    return folder


def values(path: Path, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    with netCDF4.Dataset(path) as file:
        return np.asarray(file[name][...])


def test_steps_follow_one_another_across_the_year(late: Path) -> None:
    pairs = list_pairs(late)
    assert [(p.year, p.month, p.day, p.second) for p in pairs] == [
        (8, 12, 31, 85200),
        (9, 1, 1, 0),
        (9, 1, 1, 1200),
    ]
    assert np.diff([pair.hours for pair in pairs]) == pytest.approx(1.0 / 3.0)
    for first, second in ((0, 1), (1, 2)):
        # The flow between two steps carries no cloud.
        np.testing.assert_array_equal(
            values(pairs[second].mli, "state_q0002"), values(pairs[first].mlo, "state_q0002")
        )
        drift = values(pairs[second].mli, "state_t") - values(pairs[first].mlo, "state_t")
        assert 0.0 < np.abs(drift).mean() < 0.5


def test_files_hold_what_the_columns_gave(late: Path) -> None:
    columns = Columns(ColumnSettings("low", warming=4.0))
    step = next(columns.run(364 * 86400.0 + 71 * 1200.0, 1, 1))
    pair = list_pairs(late)[0]
    np.testing.assert_array_equal(values(pair.mli, "state_t").T, step.before["temperature"])
    np.testing.assert_array_equal(values(pair.mlo, "state_q0001").T, step.after["vapour"])
    np.testing.assert_array_equal(values(pair.mlo, "cam_out_PRECC"), step.after["precipitation"])
    np.testing.assert_array_equal(
        values(pair.mli, "cam_in_ASDIF"), step.before["albedo_visible_diffuse"]
    )


def test_interrupted_generation_goes_on_and_gives_the_same_files(tmp_path: Path) -> None:
    what = Generation(((10, 0), (200, 30)), scheme="low", n_spin_up=1)

    def interrupt(fraction: float) -> None:
        if fraction < 1.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "broken", what, interrupt)
    (kept,) = list_pairs(tmp_path / "broken")
    stamp = kept.mli.stat().st_mtime_ns
    seen: list[float] = []
    generate(tmp_path / "broken", what, seen.append)
    assert seen == [0.5, 1.0]
    assert kept.mli.stat().st_mtime_ns == stamp
    generate(tmp_path / "whole", what, n_thread=1)
    for a, b in zip(list_pairs(tmp_path / "broken"), list_pairs(tmp_path / "whole"), strict=True):
        assert a.mli.read_bytes() == b.mli.read_bytes()
        assert a.mlo.read_bytes() == b.mlo.read_bytes()


def test_other_settings_or_real_files_are_not_mixed(late: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="same settings, got others; choose another folder"):
        generate(late, Generation(((1, 0),)))
    (tmp_path / "E3SM-MMF.mli.0001-01-01-00000.nc").touch()
    with pytest.raises(DataError, match="expected an empty folder, got ClimSim files"):
        generate(tmp_path, Generation(((1, 0),)))
    assert not (tmp_path / MANIFEST).exists()


def test_folder_says_how_it_was_made(late: Path, tmp_path: Path) -> None:
    assert generated_label(late) == "generated columns, scheme low, +4 K"
    assert generated_label(tmp_path) is None


def test_generated_grid_is_that_of_the_real_file(late: Path) -> None:
    real = read_grid(find_grid(real_climsim_folder()))
    own = read_grid(find_grid(late))
    assert isinstance(own, ColumnGrid)
    for name in ("area", "hyai", "hybi", "hyam", "hybm"):
        np.testing.assert_allclose(getattr(own, name), getattr(real, name), rtol=0, atol=1e-14)
    for name in ("lat", "lon"):
        np.testing.assert_allclose(getattr(own, name), getattr(real, name), rtol=0, atol=1e-12)


def test_grid_of_a_file_is_used(late: Path, tmp_path: Path) -> None:
    generate(tmp_path, LATE, grid_file=find_grid(late))
    first, second = list_pairs(tmp_path)[0], list_pairs(late)[0]
    assert first.mlo.read_bytes() == second.mlo.read_bytes()


def test_incomplete_columns_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mlo: expected all variables .* missing \['cam_out_FLWDS"):
        write_pair(tmp_path, (8, 1, 1, 0), {}, {}, TITLE)
    assert list(tmp_path.iterdir()) == []


def test_runs_that_would_overlap(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected 100 runs of 300 steps to fit into a year"):
        starts_over_year(100, 300)
    with pytest.raises(DataError, match="at least one run of at least one pair"):
        Generation(())
    starts = starts_over_year(12, 72, seed=1)
    assert len({day for day, _ in starts}) == 12
    assert all(0 <= step < 72 for _, step in starts)


def test_command(tmp_path: Path) -> None:
    arguments = ["climsim", "generate", str(tmp_path / "out"), "--pairs", "4", "--consecutive", "2"]
    arguments += ["--scheme", "low", "--warming", "2", "--seed", "3", "--spin-up", "0"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "wrote 4 pairs" in result.output
    assert TITLE in result.output
    assert "generating 4 pairs: done" in result.stderr
    pairs = list_pairs(tmp_path / "out")
    assert len(pairs) == 4
    assert pairs[1].hours - pairs[0].hours == pytest.approx(1.0 / 3.0)


def test_command_refuses_part_of_a_run(tmp_path: Path) -> None:
    arguments = ["climsim", "generate", str(tmp_path), "--pairs", "5", "--consecutive", "2"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "expected a multiple of 2, got 5" in PLAIN.sub("", result.stderr)


def test_help_shows_examples() -> None:
    result = CliRunner().invoke(app, ["climsim", "generate", "--help"])
    assert "hybrid climsim generate rollout --pairs 144" in PLAIN.sub("", result.output)
