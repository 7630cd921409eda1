"""Figures as data URIs, small enough to stand inside a page."""

import base64
import io
from typing import Any

import matplotlib
from matplotlib.figure import Figure

SVG_LIMIT = 120_000
"""Largest SVG that is embedded as such [bytes]; beyond, a picture is smaller."""

DPI = 200
"""Resolution of a picture [dots per inch], about twice that of a common screen."""

# A fixed salt makes the identifiers inside the SVG, and so the page, the same for each run.
_SVG: dict[Any, Any] = {"svg.hashsalt": "hybrid-closures", "svg.fonttype": "path"}


def data_uri(figure: Figure) -> str:
    """Return `figure` as a ``data:`` URI: SVG if small, else PNG.

    Line plots stay sharp at any size; maps and scatter plots of many thousand elements do not
    bloat the page.
    """
    stream = io.BytesIO()
    with matplotlib.rc_context(_SVG):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    if stream.tell() <= SVG_LIMIT:
        return _encode("image/svg+xml", stream)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI)
    return _encode("image/png", stream)


def _encode(media_type: str, stream: io.BytesIO) -> str:
    return f"data:{media_type};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
