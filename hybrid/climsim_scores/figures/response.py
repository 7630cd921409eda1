"""Responses of an emulator to perturbed inputs, level by level."""

from closures.climsim.response import Responses
from hybrid.climsim_scores.figures.style import WATT, pressure_axis, pressure_edges
from hybrid.experiments.result import Figure
from hybrid.figure_style import DIVERGING, new_figure, panel_title, symmetric_limits

_PER = {"state_t": "K", "state_q0001": "10 % of q", "state_rh": "10 % of RH"}
_MADE = {"ptend_t": "heating", "ptend_q0001": "moistening"}


def response_profiles(model: str, responses: Responses) -> Figure:
    """Draw the mean Jacobian: output level upward, perturbed level to the right."""
    sources = list(dict.fromkeys(source for source, _ in responses.matrices))
    targets = list(dict.fromkeys(target for _, target in responses.matrices))
    figure, axes = new_figure(
        len(targets), len(sources), sharex=True, sharey=True, height=3.2 * len(targets)
    )
    edges = pressure_edges(responses.pressure)
    for j, source in enumerate(sources):
        for i, target in enumerate(targets):
            panel = axes[i, j]
            matrix = responses.matrices[source, target]
            low, high = symmetric_limits(matrix)
            image = panel.pcolormesh(
                edges, edges, matrix, cmap=DIVERGING, vmin=low, vmax=high, rasterized=True
            )
            panel.plot([0.0, 1000.0], [0.0, 1000.0], color="#444444", linewidth=0.5)
            panel.grid(visible=False)
            panel.set_xlim(0.0, 1000.0)
            panel_title(panel, f"{_MADE[target]} per {_PER[source]}")
            figure.colorbar(image, ax=panel, label=WATT, extend="both")
            if i == len(targets) - 1:
                panel.set_xlabel(f"level of {source} [hPa]")
        pressure_axis(axes[0, 0])
    for row in axes:
        row[0].set_ylabel("level of the response [hPa]")
    return Figure(
        name=f"response_{model}",
        title=f"Response to a change of one level: {model}",
        reading=(
            "Mean over test columns of the change of each layer's energy flux per change of one "
            "level's temperature or humidity; thick layers respond and act more. Blue on the "
            "diagonal of heating per K: the layer relaxes. Red above the diagonal: warmth or "
            "moisture below heats above, as convection does; below the diagonal, lower levels "
            "respond to higher ones."
        ),
        figure=figure,
    )
