"""Figure of moist convection: where it rains, and which layers are explained."""

from hybrid.experiments.plasim.convection.findings import ConvectionFindings
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE
from hybrid.experiments.plasim.rain import MM_PER_DAY
from hybrid.experiments.plasim.schemes import layer_middle
from hybrid.experiments.result import Figure
from hybrid.figure_style import legend, line, new_figure, panel_title

_LOOKS = {
    NATIVE: line("truth", label="Kuo's scheme", linewidth=0.8),
    CLOSURE: line("mlp", label="closure"),
}


def convection_figure(findings: ConvectionFindings) -> Figure:
    """Draw zonal-mean precipitation of every run, and R2 of held-out columns by layer."""
    figure, axes = new_figure(1, 2)
    where, layers = axes[0]
    for kind, members in findings.rain.items():
        for i, member in enumerate(members):
            look = _LOOKS[kind] if i == 0 else {**_LOOKS[kind], "label": None}
            rain = member.to_numpy() * MM_PER_DAY
            where.plot(member["latitude"].to_numpy(), rain, **look)
    where.set_xlabel("latitude [degree]")
    where.set_ylabel("precipitation [mm day$^{-1}$]")
    panel_title(where, "zonal mean of each run")
    legend(where)
    scores = findings.scores
    sigma = layer_middle(len(scores.condensation_r2))
    for values, role, label in (
        (scores.condensation_r2, "mlp", "condensation"),
        (scores.vapour_r2, "ridge", "change of vapour"),
    ):
        layers.plot(values, sigma, **line(role, label=label))
    layers.set_xlim(0.0, 1.0)
    layers.set_ylim(1.0, 0.0)
    layers.set_xlabel("R$^2$ [1]")
    layers.set_ylabel("sigma [1]")
    panel_title(layers, "columns left out of the training")
    legend(layers)
    return Figure(
        name="convection",
        title="Moist convection by a closure",
        reading="Left: the closure's line should lie where the native ones do. Right: layers where "
        "nothing ever happens have no R2.",
        figure=figure,
    )
