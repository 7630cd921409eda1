from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.animation import FFMpegWriter
from PIL import Image

from solvers.animation import animate


def run(n_time: int = 4, layers: bool = True) -> xr.Dataset:
    """Waves that move by two cells of 16 a frame."""
    x = np.arange(16) / 16
    time = np.arange(n_time)
    wave = np.cos(2 * np.pi * (x - time[:, None] / 8))[:, None, None, None, :]
    values = np.broadcast_to(wave, (n_time, 2, 2, 16, 16)).copy()
    dims: tuple[str, ...] = ("time", "member", "layer", "y", "x")
    if not layers:
        values, dims = values[:, :, 0], ("time", "member", "y", "x")
    length = ("x", 1e5 * x, {"units": "m"})
    return xr.Dataset(
        {
            "u": (dims, 2 * values, {"units": "m s-1"}),
            "q" if layers else "vorticity": (dims, values, {"units": "s-1"}),
        },
        coords={
            "time": ("time", 86400.0 * time, {"units": "s"}),
            "x": length,
            "y": ("y", *length[1:]),
            **({"layer": [0, 1]} if layers else {}),
        },
    )


def difference(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    """Mean difference of two pictures below their titles, in colour steps of 255.

    Colours are rounded to those of the palette.
    """
    return float(np.abs(a[60:].astype(float) - b[60:]).mean())


def frames(path: Path) -> list[np.ndarray[Any, Any]]:
    with Image.open(path) as film:
        pictures = []
        for i in range(getattr(film, "n_frames", 1)):
            film.seek(i)
            pictures.append(np.asarray(film.convert("RGB")))
        return pictures


@pytest.mark.parametrize("layers", [True, False])
def test_a_film_has_a_frame_for_each_time(tmp_path: Path, layers: bool) -> None:
    path = animate(run(4, layers), tmp_path / "new" / "film.gif")
    pictures = frames(path)
    assert len(pictures) == 4
    height, width, _ = pictures[0].shape
    assert (width > 1.5 * height) == layers
    assert all((a != b).any() for a, b in pairwise(pictures))


def test_frames_show_the_field_as_it_moves(tmp_path: Path) -> None:
    pictures = frames(animate(run(9, layers=False), tmp_path / "film.gif"))
    # After eight frames the wave is where it was; only the time is another.
    assert difference(pictures[0], pictures[8]) < 1.0
    assert difference(pictures[0], pictures[4]) > 20.0


def test_variable_and_member_are_chosen(tmp_path: Path) -> None:
    dataset = run()
    dataset["u"][:, 1] = 0.0
    pictures = frames(animate(dataset, tmp_path / "still.gif", "u", member=1))
    assert max(difference(picture, pictures[0]) for picture in pictures) < 1.0


def test_speed_is_that_asked_for(tmp_path: Path) -> None:
    path = animate(run(), tmp_path / "film.gif", frames_per_second=5)
    with Image.open(path) as film:
        assert film.info["duration"] == 200


def test_a_bar_is_shown_when_it_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("solvers.animation._SECONDS_WITHOUT_BAR", 0.0)
    animate(run(), tmp_path / "film.gif", show_progress=True)
    assert "animation" in capfd.readouterr().err
    animate(run(), tmp_path / "film.gif", show_progress=False)
    assert capfd.readouterr().err == ""


def test_mp4_without_ffmpeg_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FFMpegWriter, "isAvailable", lambda: False)
    with pytest.raises(RuntimeError, match=r"expected the program ffmpeg for \.mp4, found none"):
        animate(run(), tmp_path / "film.mp4")


@pytest.mark.skipif(not FFMpegWriter.isAvailable(), reason="needs ffmpeg")
def test_mp4_is_written(tmp_path: Path) -> None:
    assert animate(run(), tmp_path / "film.mp4").stat().st_size > 0


def test_bad_requests_are_refused(tmp_path: Path) -> None:
    dataset = run()
    with pytest.raises(
        ValueError, match=r"expected a name that ends in \.gif or \.mp4, got '\.avi"
    ):
        animate(dataset, tmp_path / "film.avi")
    with pytest.raises(ValueError, match="variable: expected one of u, q, got psi"):
        animate(dataset, tmp_path / "film.gif", "psi")
    with pytest.raises(ValueError, match="variable: expected one of u, got None"):
        animate(dataset.drop_vars("q"), tmp_path / "film.gif")
    with pytest.raises(ValueError, match="member: expected a number below 2, got 2"):
        animate(dataset, tmp_path / "film.gif", member=2)
    with pytest.raises(ValueError, match="with at least 2 times"):
        animate(dataset.isel(time=[0]), tmp_path / "film.gif")
    with pytest.raises(ValueError, match="frames_per_second: expected at least 1, got 0"):
        animate(dataset, tmp_path / "film.gif", frames_per_second=0)
    assert not list(tmp_path.iterdir())


def test_staggered_fields_are_shown(tmp_path: Path) -> None:
    corners = run(layers=False).rename(y="y_v", x="x_u")
    assert len(frames(animate(corners, tmp_path / "film.gif"))) == 4


@pytest.mark.parametrize("layers", [True, False])
def test_frames_are_800_pixels_wide_and_small(tmp_path: Path, layers: bool) -> None:
    dataset = run(10, layers)
    noise = np.random.default_rng(0).normal(size=dataset["u"].shape)
    dataset["u"] = dataset["u"].copy(data=noise)
    path = animate(dataset, tmp_path / "film.gif", "u")
    assert abs(frames(path)[0].shape[1] - 800) <= 1
    # A hundred frames stay below 5 MB.
    assert path.stat().st_size < 5e5
