"""Which physics layers a closure has, and their parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from closures.constraints.closing import Method

LAYERS = (
    "quantiles",
    "cloud_phase",
    "zero_tendencies",
    "tropopause",
    "saturation",
    "positivity",
    "precipitation",
    "moisture",
    "energy",
    "longwave",
    "night",
    "net_sunlight",
)
"""Names of all layers, in the order in which they act: learned limits first; then what acts on a
level, cloud phase before the levels that keep what they have; then the budgets, which sum over
all that; net sunlight after the fluxes that it sums."""

CLIMSIM_ZERO_LEVELS = {
    "ptend_q0001": (4, 12),
    **{f"ptend_{name}": (0, 12) for name in ("q0002", "q0003", "qn", "u", "v")},
}
"""Output to the first level and the one after the last in which ClimSim's tendency is 0."""

EXACT = ("zero_tendencies", "positivity", "precipitation", "longwave", "night", "net_sunlight")
"""Layers whose statement holds in every column of ClimSim's files."""


@dataclass(frozen=True)
class PhysicsConfig:
    """Which layers to use, and their parameters.

    Parameters
    ----------
    layers
        Names from `LAYERS`; they act in the order of `LAYERS`, whatever the order here.
    timestep
        The host's time step [s].
    zero_levels
        Output to the first level and the one after the last with no tendency; entries for
        outputs that a closure does not have are passed over.
    least_longwave
        Least downwelling longwave flux [W m-2].
    night
        Downwelling sunlight to its largest value at night [W m-2]; None: that of the training
        columns.
    moisture, energy
        How the budgets are closed.
    heating
        Fields [W m-2] that heat the column from outside to their factor, for "energy".
    first_level
        First level that the budgets correct.
    largest_humidity
        Relative humidity beyond which no step moistens [1].

    Raises
    ------
    ValueError
        If a layer is unknown or named twice, or the time step is not positive.
    """

    layers: tuple[str, ...] = EXACT
    timestep: float = 1200.0
    zero_levels: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: dict(CLIMSIM_ZERO_LEVELS)
    )
    least_longwave: float = 1.0
    night: Mapping[str, float] | None = None
    moisture: Method = "multiplicative"
    energy: Method = "additive"
    heating: Mapping[str, float] = field(default_factory=lambda: {"column_heating": 1.0})
    first_level: int = 12
    largest_humidity: float = 1.2

    def __post_init__(self) -> None:
        unknown = [name for name in self.layers if name not in LAYERS]
        if unknown or len(set(self.layers)) != len(self.layers):
            raise ValueError(
                f"physics: expected different layers out of {', '.join(LAYERS)}, got "
                f"{', '.join(self.layers)}"
            )
        if self.timestep <= 0.0:
            raise ValueError(f"physics: expected a time step above 0 s, got {self.timestep}")
