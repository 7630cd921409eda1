"""Moving pictures of a run."""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, PillowWriter
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from solvers.plots.labels import layer_label, time_label
from solvers.plots.maps import add_colour_bar, draw_mesh, figure_height, horizontal_dimensions

#: What is shown if nothing else is asked for: the first of these that a Dataset has.
SHOWN = ("vorticity", "q")

_SECONDS_WITHOUT_BAR = 3.0
_WIDTH = 800  # pixel
_N_COLOUR, _N_GREY = 48, 16


def animate(
    dataset: xr.Dataset,
    path: str | Path,
    variable: str | None = None,
    *,
    member: int = 0,
    limit: float | None = None,
    frames_per_second: int = 15,
    show_progress: bool | None = None,
) -> Path:
    """Write an animation of a field, a frame for each time, its layers side by side.

    Colours are the same in all frames, so that growth and decay are seen.

    Parameters
    ----------
    dataset
        A run, with dimensions ``(time, [member,] [layer,] y, x)``; y and x may be those of a
        staggered grid, such as ``y_v`` and ``x_u``.
    path
        Where to write: ``.gif``, or ``.mp4``, which needs the program ffmpeg.
    variable
        Name of the field; by default ``vorticity`` or ``q``.
    member
        Which member is shown.
    limit
        Colours go from ``-limit`` (0 without negative values) to `limit` [field]; by default as
        `solvers.plots.maps.colour_range` says of the whole run, for each layer.
    frames_per_second
        Speed of the film.
    show_progress
        Show a bar if it takes more than a few seconds; None: where the standard error is a
        terminal.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ValueError
        If the ending of the path, the field, or the member is unknown, or there is one time only.
    RuntimeError
        If an ``.mp4`` is asked for and ffmpeg is missing.

    Examples
    --------
    >>> import tempfile
    >>> from solvers.quasigeostrophic import TwoLayerQG
    >>> run = TwoLayerQG(nx=16).run(days=2, save_every=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animate(run, Path(folder) / "q.gif").name
    'q.gif'
    """
    path = Path(path)
    writer = _writer(path, frames_per_second)
    field = _shown(dataset, variable, member)
    panels = (
        [field.isel(layer=i) for i in range(field.sizes["layer"])]
        if "layer" in field.dims
        else [field]
    )
    figure, meshes = _first_frame(panels, limit)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(writer, _SmallGifWriter):
        writer.palette = _palette(meshes)
    with writer.saving(figure, str(path), dpi=_WIDTH / figure.get_figwidth()):
        for i in _counted(field.sizes["time"], show_progress):
            for mesh, panel in zip(meshes, panels, strict=True):
                mesh.set_array(panel.isel(time=i).values)
            figure.suptitle(time_label(field["time"][i]), x=0.02, ha="left", fontsize=11.0)
            writer.grab_frame()
    return path


class _SmallGifWriter(PillowWriter):
    """Writes all frames in one palette: what does not change is not stored again."""

    palette: Image.Image
    _frames: list[Image.Image]

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        super().grab_frame(**savefig_kwargs)
        frame = self._frames[-1].convert("RGB")
        self._frames[-1] = frame.quantize(palette=self.palette, dither=Image.Dither.NONE)


def _palette(meshes: Sequence[QuadMesh]) -> Image.Image:
    """Return steps of the colour maps, and greys for the text."""
    maps = {mesh.get_cmap().name: mesh.get_cmap() for mesh in meshes}
    colours = [cmap(np.linspace(0.0, 1.0, _N_COLOUR))[:, :3] for cmap in maps.values()]
    greys = np.repeat(np.linspace(0.0, 1.0, _N_GREY)[:, np.newaxis], 3, axis=1)
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.rint(255.0 * np.vstack([*colours, greys])).astype(int).ravel().tolist())
    return palette


def _writer(path: Path, frames_per_second: int) -> AbstractMovieWriter:
    if frames_per_second < 1:
        raise ValueError(f"frames_per_second: expected at least 1, got {frames_per_second}")
    match path.suffix.lower():
        case ".gif":
            return _SmallGifWriter(fps=frames_per_second)
        case ".mp4":
            if not FFMpegWriter.isAvailable():
                raise RuntimeError(
                    f"{path}: expected the program ffmpeg for .mp4, found none; install it "
                    "(apt-get install ffmpeg) or write a .gif"
                )
            return FFMpegWriter(fps=frames_per_second, codec="h264", bitrate=4000)
        case suffix:
            raise ValueError(f"path: expected a name that ends in .gif or .mp4, got {suffix!r}")


def _shown(dataset: xr.Dataset, variable: str | None, member: int) -> xr.DataArray:
    """Return the field to show, dimensions ``(time, [layer,] y, x)``."""
    if variable is None:
        variable = next((name for name in SHOWN if name in dataset), None)
    if variable is None or variable not in dataset:
        known = ", ".join(str(name) for name in dataset)
        raise ValueError(f"variable: expected one of {known}, got {variable}")
    field = dataset[variable]
    if "member" in field.dims:
        n_member = field.sizes["member"]
        if not -n_member <= member < n_member:
            raise ValueError(f"member: expected a number below {n_member}, got {member}")
        field = field.isel(member=member)
    horizontal = horizontal_dimensions(field)
    if len(horizontal) != 2:
        horizontal = ("y", "x")
    wanted = ("time", *(["layer"] if "layer" in field.dims else []), *horizontal)
    if set(field.dims) != set(wanted) or field.sizes["time"] < 2:
        raise ValueError(
            f"{variable}: expected dimensions {wanted} with at least 2 times, "
            f"got {dict(field.sizes)}"
        )
    return field.transpose(*wanted)


def _first_frame(
    panels: Sequence[xr.DataArray], limit: float | None
) -> tuple[Figure, list[QuadMesh]]:
    size = (0.4 + 4.6 * len(panels), 0.6 + figure_height(panels[0]))
    figure = Figure(figsize=size, layout="constrained")
    meshes = []
    for i, panel in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), i + 1)
        mesh = draw_mesh(axes, panel, limit)
        add_colour_bar(axes, mesh, panel)
        if "layer" in panel.coords:
            axes.set_title(layer_label(int(panel["layer"])), loc="left", fontsize=10.0)
        meshes.append(mesh)
    figure.suptitle(time_label(panels[0]["time"][0]), x=0.02, ha="left", fontsize=11.0)
    # Laid out once: nothing jumps from frame to frame.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure, meshes


def _counted(n: int, show: bool | None) -> Iterator[int]:
    """Count to `n`, with a bar once it has taken more than a few seconds."""
    visible = sys.stderr.isatty() if show is None else show
    bar = Progress(console=Console(stderr=True), disable=not visible)
    began = time.monotonic()
    task = None
    try:
        for i in range(n):
            yield i
            if task is None and time.monotonic() - began > _SECONDS_WITHOUT_BAR:
                bar.start()
                task = bar.add_task("animation", total=n)
            if task is not None:
                bar.update(task, completed=i + 1)
    finally:
        bar.stop()
