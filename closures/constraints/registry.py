"""Physics layers by name, in the order in which they act."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from closures.constraints.budgets import ColumnEnergy, ColumnMoisture
from closures.constraints.closing import closing
from closures.constraints.config import LAYERS, PhysicsConfig
from closures.constraints.microphysics import CloudPhase, SaturationLimit
from closures.constraints.positivity import WaterPositivity
from closures.constraints.precipitation import Precipitation
from closures.constraints.pressure import HybridLevels
from closures.constraints.quantiles import QuantileLimits, TrainingLimits
from closures.constraints.ranges import FieldRanges, MissingFieldError
from closures.constraints.sunlight import ALBEDO_OF, Longwave, NetSunlight, NightSunlight
from closures.constraints.tropopause import Tropopause
from closures.constraints.zero_tendencies import ZeroTendencies
from closures.errors import SpecError


@dataclass(frozen=True)
class _Given:
    """What layers are built for.

    Parameters
    ----------
    ranges
        Where the closure's fields lie.
    levels
        Hybrid coefficients, for what needs pressure.
    limits
        Limits from training columns, for what needs them.
    """

    ranges: FieldRanges
    levels: HybridLevels | None = None
    limits: TrainingLimits | None = None


def _quantiles(columns: _Given, _config: PhysicsConfig) -> nn.Module:
    return QuantileLimits(columns.ranges, _fitted("quantiles", columns))


def _cloud_phase(columns: _Given, config: PhysicsConfig) -> nn.Module:
    return CloudPhase(columns.ranges, config.timestep)


def _zero_tendencies(columns: _Given, config: PhysicsConfig) -> nn.Module:
    ranges = columns.ranges
    known = {name: k for name, k in config.zero_levels.items() if name in ranges.outputs}
    return ZeroTendencies(ranges, known or config.zero_levels)


def _tropopause(columns: _Given, _config: PhysicsConfig) -> nn.Module:
    return Tropopause(columns.ranges, columns.levels)


def _saturation(columns: _Given, config: PhysicsConfig) -> nn.Module:
    return SaturationLimit(columns.ranges, columns.levels, config.timestep, config.largest_humidity)


def _positivity(columns: _Given, config: PhysicsConfig) -> nn.Module:
    return WaterPositivity(columns.ranges, columns.levels, config.timestep)


def _precipitation(columns: _Given, _config: PhysicsConfig) -> nn.Module:
    return Precipitation(columns.ranges)


def _moisture(columns: _Given, config: PhysicsConfig) -> nn.Module:
    # The most vapour in ClimSim's files is 0.022 kg/kg.
    method = closing(config.moisture, 0.0, 0.04)
    return ColumnMoisture(
        columns.ranges, columns.levels, method, config.timestep, config.first_level
    )


def _energy(columns: _Given, config: PhysicsConfig) -> nn.Module:
    # No air in the corrected levels is colder or warmer [K].
    method = closing(config.energy, 150.0, 350.0)
    return ColumnEnergy(
        columns.ranges,
        columns.levels,
        method,
        config.timestep,
        config.heating,
        config.first_level,
    )


def _longwave(columns: _Given, config: PhysicsConfig) -> nn.Module:
    return Longwave(columns.ranges, config.least_longwave)


def _night(columns: _Given, config: PhysicsConfig) -> nn.Module:
    if config.night is not None:
        return NightSunlight(columns.ranges, config.night)
    columns.ranges.require("night", ("pbuf_solin",), ALBEDO_OF)
    return NightSunlight(columns.ranges, _fitted("night", columns).night)


def _net_sunlight(columns: _Given, _config: PhysicsConfig) -> nn.Module:
    return NetSunlight(columns.ranges)


def _fitted(layer: str, columns: _Given) -> TrainingLimits:
    if columns.limits is None:
        raise SpecError(
            f"{layer}: expected limits from training columns, got none; pass "
            "TrainingLimits.fit(inputs, outputs, ranges)"
        )
    return columns.limits


_MAKERS: dict[str, Callable[[_Given, PhysicsConfig], nn.Module]] = {
    "quantiles": _quantiles,
    "cloud_phase": _cloud_phase,
    "zero_tendencies": _zero_tendencies,
    "tropopause": _tropopause,
    "saturation": _saturation,
    "positivity": _positivity,
    "precipitation": _precipitation,
    "moisture": _moisture,
    "energy": _energy,
    "longwave": _longwave,
    "night": _night,
    "net_sunlight": _net_sunlight,
}


def physics_layers(
    config: PhysicsConfig,
    ranges: FieldRanges,
    levels: HybridLevels | None = None,
    limits: TrainingLimits | None = None,
) -> tuple[nn.Module, ...]:
    """Return the chosen layers, in the order in which to apply them.

    Each maps packed inputs ``(n, n_input)`` and packed outputs ``(n, n_output)``, in physical
    units, to outputs; all compile to TorchScript and are differentiable.

    Parameters
    ----------
    config
        Which layers, with which parameters.
    ranges
        Where the closure's fields lie.
    levels
        Hybrid coefficients: for "tropopause", "saturation", "moisture" and "energy", and for
        "positivity" where relative humidity stands for humidity.
    limits
        Limits from training columns: for "quantiles", and for "night" if the config has none.

    Raises
    ------
    MissingFieldError
        If a layer needs fields that the closure does not have.
    SpecError
        If a layer needs `levels` or `limits` and they are not given, or do not fit.

    Examples
    --------
    >>> ranges = FieldRanges(
    ...     {"state_ps": slice(0, 1)},
    ...     {"cam_out_precsc": slice(0, 1), "cam_out_precc": slice(1, 2)},
    ... )
    >>> physics_layers(PhysicsConfig(("precipitation",)), ranges)
    (Precipitation(),)
    """
    columns = _Given(ranges, levels, limits)
    return tuple(_MAKERS[name](columns, config) for name in LAYERS if name in config.layers)


def missing_fields(config: PhysicsConfig, ranges: FieldRanges) -> dict[str, tuple[str, ...]]:
    """Return the fields that each layer of a config misses, by name of the layer.

    Parameters
    ----------
    config
        Layers.
    ranges
        Where the closure's fields lie.

    Returns
    -------
    dict
        Every layer of the config, with no fields where it is possible.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name in LAYERS:
        if name in config.layers:
            found[name] = ()
            try:
                _MAKERS[name](_Given(ranges), config)
            except MissingFieldError as error:
                found[name] = error.missing
            except SpecError:
                # The fields are there; only what training columns and the grid give is not.
                continue
    return found


class Physics(nn.Module):
    """Several layers as one.

    Parameters
    ----------
    layers
        Modules ``(inputs, outputs) -> outputs`` in the order in which they act.
    """

    def __init__(self, layers: tuple[nn.Module, ...]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` after all layers."""
        for layer in self.layers:
            outputs = layer(inputs, outputs)
        return outputs
