"""Variable sets of ClimSim: which file variables a closure reads and predicts, in which order.

A closure's field names are lower case (Fortran, C and Python then agree on them); the files
spell some of them in capitals. This table is the one place that knows both spellings.
"""

from dataclasses import dataclass, replace
from typing import Literal

from closures.field import Field

Source = Literal["mli", "mlo", "tendency"]

TIMESTEP = 1200.0
"""Time between an mli and its mlo file [s]."""


@dataclass(frozen=True)
class Variable:
    """One variable of the files and the closure field that carries it.

    Parameters
    ----------
    field
        Contract of the field: name, units, dims, shape.
    file_name
        Name in the netCDF file; for a tendency, of the state variable it advances.
    source
        File that holds the values; ``"tendency"`` is (mlo - mli) / 1200 s of `file_name`.
    label
        Short name in score tables, for example ``"dT"``.
    """

    field: Field
    file_name: str
    source: Source
    label: str


@dataclass(frozen=True)
class VariableSet:
    """Inputs and outputs of an emulator, in feature order.

    Parameters
    ----------
    name
        Name of the set in the ClimSim papers, for example ``"V1"``.
    inputs, outputs
        Variables in feature order; a profile takes one feature a level, model top first.
    """

    name: str
    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]

    @property
    def n_input(self) -> int:
        """Number of input features."""
        return sum(variable.field.size for variable in self.inputs)

    @property
    def n_output(self) -> int:
        """Number of output features."""
        return sum(variable.field.size for variable in self.outputs)

    def slices(self, group: Literal["inputs", "outputs"]) -> dict[str, slice]:
        """Return the feature range of each field of `group`, by field name."""
        ranges, start = {}, 0
        variables: tuple[Variable, ...] = getattr(self, group)
        for variable in variables:
            ranges[variable.field.name] = slice(start, start + variable.field.size)
            start += variable.field.size
        return ranges


def v1(n_level: int = 60) -> VariableSet:
    """Return the V1 set: 124 inputs and 128 outputs at 60 levels.

    Parameters
    ----------
    n_level
        Number of levels of a profile.

    References
    ----------
    Yu et al. 2023, ClimSim: a large multi-scale dataset for hybrid physics-ML climate
    emulation, NeurIPS Datasets and Benchmarks, table 1.

    Examples
    --------
    >>> v1().n_input, v1().n_output
    (124, 128)
    >>> v1().slices("inputs")["state_ps"]
    slice(120, 121, None)
    """

    def profile(field: Field, file_name: str, source: Source, label: str) -> Variable:
        return Variable(replace(field, dims=("level",), shape=(n_level,)), file_name, source, label)

    def scalar(name: str, units: str, source: Source, standard_name: str = "") -> Variable:
        prefix, _, label = name.rpartition("_")
        field = Field(f"{prefix}_{label.lower()}", units, standard_name=standard_name)
        return Variable(field, name, source, label)

    return VariableSet(
        name="V1",
        inputs=(
            profile(Field("state_t", "K", standard_name="air_temperature"), "state_t", "mli", "T"),
            profile(
                Field("state_q0001", "kg kg-1", standard_name="specific_humidity"),
                "state_q0001",
                "mli",
                "q",
            ),
            scalar("state_ps", "Pa", "mli", "surface_air_pressure"),
            scalar("pbuf_SOLIN", "W m-2", "mli", "toa_incoming_shortwave_flux"),
            scalar("pbuf_LHFLX", "W m-2", "mli", "surface_upward_latent_heat_flux"),
            scalar("pbuf_SHFLX", "W m-2", "mli", "surface_upward_sensible_heat_flux"),
        ),
        outputs=(
            profile(
                Field("ptend_t", "K s-1", standard_name="tendency_of_air_temperature"),
                "state_t",
                "tendency",
                "dT",
            ),
            profile(
                Field("ptend_q0001", "kg kg-1 s-1", standard_name="tendency_of_specific_humidity"),
                "state_q0001",
                "tendency",
                "dq",
            ),
            scalar("cam_out_NETSW", "W m-2", "mlo", "surface_net_downward_shortwave_flux"),
            scalar("cam_out_FLWDS", "W m-2", "mlo", "surface_downwelling_longwave_flux_in_air"),
            scalar("cam_out_PRECSC", "m s-1", "mlo", "lwe_snowfall_rate"),
            scalar("cam_out_PRECC", "m s-1", "mlo", "lwe_precipitation_rate"),
            scalar("cam_out_SOLS", "W m-2", "mlo"),
            scalar("cam_out_SOLL", "W m-2", "mlo"),
            scalar("cam_out_SOLSD", "W m-2", "mlo"),
            scalar("cam_out_SOLLD", "W m-2", "mlo"),
        ),
    )
