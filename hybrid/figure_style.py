"""One look for all figures: sizes, colours by closure role, grid.

Figures are built with matplotlib's object interface, so nothing here depends on a display or
on global state::

    figure, axes = new_figure(columns=2)
    axes[0, 0].plot(time, truth, **line("truth"))
    axes[0, 0].plot(time, cubic, **line("cubic_ar1"))
    panel_title(axes[0, 0], "c = 10")
    legend(axes[0, 0])
"""

from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.rcsetup import cycler
from numpy.typing import NDArray

WIDTH = 7.4
"""Width of a figure that fills the text column of the report [inch]."""

PANEL_HEIGHT = 3.2
"""Height of one row of panels [inch]."""

SEQUENTIAL = "viridis"
"""Colour map of a quantity with one sign."""

DIVERGING = "RdBu_r"
"""Colour map of a quantity with two signs; centre it with `symmetric_limits`."""


@dataclass(frozen=True)
class Look:
    """Colour, dash pattern and label of one closure role.

    The dash pattern differs where colours are close, so that a figure also reads in grey.
    """

    color: str
    linestyle: str | tuple[int, tuple[int, ...]]
    label: str
    linewidth: float = 1.8


_DOTS = (0, (1, 1))
_LONG = (0, (7, 2))

# Okabe and Ito (2008), https://jfly.uni-koeln.de/color/: distinct for all common kinds of
# colour blindness. Yellow is left out: it vanishes on white.
ROLES: dict[str, Look] = {
    "truth": Look("#000000", "-", "truth", 2.4),
    "floor": Look("#808080", _DOTS, "sampling floor"),
    "none": Look("#D55E00", "--", "no closure"),
    "cubic": Look("#56B4E9", "-", "cubic"),
    "cubic_ar1": Look("#0072B2", "-.", "cubic + AR(1)"),
    "mlp": Look("#009E73", "-", "MLP"),
    "mlp_ar1": Look("#009E73", _LONG, "MLP + AR(1)"),
    "ridge": Look("#E69F00", "-.", "ridge"),
    "climatology": Look("#CC79A7", "--", "climatology"),
}
"""Look of each closure role; an experiment with a new kind of closure adds a line."""

_RC: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.labelsize": 10.0,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.prop_cycle": cycler(
        color=["#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"]
    ),
}


def look(role: str) -> Look:
    """Return the look of a closure role.

    Raises
    ------
    KeyError
        If the role is unknown; the message names the known ones.
    """
    try:
        return ROLES[role]
    except KeyError:
        known = ", ".join(ROLES)
        raise KeyError(
            f"figure style: expected one of the roles {known}; got {role!r}; "
            "add it to hybrid.figure_style.ROLES"
        ) from None


def line(role: str, **overrides: Any) -> dict[str, Any]:
    """Return keyword arguments for ``axes.plot``: colour, dashes, width and label of a role.

    Examples
    --------
    >>> line("truth", label="truth, second half")["label"]
    'truth, second half'
    """
    chosen = look(role)
    return {
        "color": chosen.color,
        "linestyle": chosen.linestyle,
        "linewidth": chosen.linewidth,
        "label": chosen.label,
        **overrides,
    }


def band(role: str, **overrides: Any) -> dict[str, Any]:
    """Return keyword arguments for ``axes.fill_between``: one standard deviation about a line.

    Examples
    --------
    >>> band("mlp")["label"]
    'MLP, ± one s.d.'
    """
    chosen = look(role)
    return {
        "color": chosen.color,
        "alpha": 0.2,
        "linewidth": 0.0,
        "label": f"{chosen.label}, ± one s.d.",
        **overrides,
    }


def new_figure(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = WIDTH,
    height: float | None = None,
    **subplots: Any,
) -> tuple[Figure, NDArray[np.object_]]:
    """Create a figure in the common style.

    Parameters
    ----------
    rows, columns
        Number of panels.
    width, height
        Size [inch]; the height follows from `rows` if None.
    **subplots
        Passed to ``Figure.subplots``, for example ``sharey=True``.

    Returns
    -------
    Figure, ndarray of Axes
        The axes have shape ``(rows, columns)``, also for a single panel.
    """
    size = (width, PANEL_HEIGHT * rows if height is None else height)
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=size, layout="constrained")
        axes: NDArray[np.object_] = figure.subplots(rows, columns, squeeze=False, **subplots)
    return figure, axes


def legend(axes: Axes, **options: Any) -> Legend:
    """Add a legend in the common style; `options` are those of ``axes.legend``."""
    chosen = {"frameon": False, "fontsize": 9.0, "handlelength": 2.4, **options}
    return axes.legend(**chosen)


def common_legend(figure: Figure, row_length: int | None = None) -> Legend:
    """Add one legend above all panels, with each label once, where it hides no curve.

    Parameters
    ----------
    figure
        Figure with labelled lines.
    row_length
        Characters that a row may hold, where labels are names of any length; default: up to
        five labels a row.
    """
    entries: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    # One row holds five labels of usual length.
    n_column = len(entries) if len(entries) <= 5 else -(-len(entries) // 2)
    if row_length is not None:
        longest = max((len(label) for label in entries), default=1)
        n_column = max(1, min(len(entries), row_length // longest))
    return figure.legend(
        list(entries.values()),
        list(entries),
        loc="outside upper center",
        ncols=n_column,
        frameon=False,
        fontsize=9.0,
        handlelength=2.4,
    )


def panel_title(axes: Axes, text: str) -> None:
    """Write `text` above one panel, at the left as in journals."""
    axes.set_title(text, loc="left", fontsize=10.0)


def symmetric_limits(values: NDArray[np.floating], quantile: float = 0.99) -> tuple[float, float]:
    """Return colour limits ``(-limit, limit)`` for a field with two signs.

    The limit is the given quantile of the absolute finite values, so that a few extremes do
    not wash out the rest; 1 if there is nothing but zeros.

    Examples
    --------
    >>> symmetric_limits(np.array([-2.0, 1.0]), quantile=1.0)
    (-2.0, 2.0)
    """
    finite = np.abs(values[np.isfinite(values)])
    limit = float(np.quantile(finite, quantile)) if finite.size else 0.0
    return (-limit, limit) if limit > 0.0 else (-1.0, 1.0)
