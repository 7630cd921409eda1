"""What test beds of moist columns share: their contract, and samples of it."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.climsim.variables import variables_named
from closures.constraints.pressure import HybridLevels
from closures.constraints.ranges import FieldRanges
from closures.field import Field
from closures.multifidelity import InvariantColumns
from closures.spec import ClosureSpec
from hybrid.climsim_generator import BEFORE, STATE, column_grid
from hybrid.experiments.multifidelity.bed import Bed, Inputs, Table
from solvers.column_physics import Columns, Grid, Scheme
from solvers.column_physics.step import PROFILES as PREDICTED

Array = NDArray[np.float64]

CLOUDS = ("state_q0002", "state_q0003")
SCALARS = (
    "state_ps",
    "pbuf_SOLIN",
    "pbuf_LHFLX",
    "pbuf_SHFLX",
    "pbuf_COSZRS",
    "cam_in_LWUP",
    "cam_in_ASDIR",
    "cam_in_ALDIR",
    "cam_in_LANDFRAC",
    "cam_in_ICEFRAC",
)
PROFILES = ("state_t", "state_q0001", *CLOUDS)
OUTPUTS = ("ptend_t", "ptend_q0001")

CLOUD_FLOOR = 0.3
"""Least spread of a level's cloud water, as a share of that of the level with the largest."""

SPECIFIC_HEAT, LATENT_HEAT = 1004.64, 2.501e6
"""Of air [J kg-1 K-1] and of vaporisation [J kg-1]: heating and moistening in W kg-1."""


def moist_bed(
    name: str,
    title: str,
    description: str,
    grid: Grid,
    shifted: tuple[str, ...],
    settings: Mapping[str, str],
) -> Bed:
    """Return the contract and scores of heating and moistening of columns.

    Parameters
    ----------
    name, title, description
        Of the test bed, and what its closures do.
    grid
        Its levels.
    shifted
        The climates that count.
    settings
        What the fidelities are; the rest is added.
    """
    n = grid.n_level
    scalars = [scalar.lower() for scalar in SCALARS]
    found = variables_named((*PROFILES, *scalars), OUTPUTS, n)
    spec = ClosureSpec(
        name=f"multifidelity_{name}",
        version="1.0",
        inputs=tuple(_bare(variable.field) for variable in found.inputs),
        outputs=tuple(_bare(variable.field) for variable in found.outputs),
        description=description,
    )
    ranges = FieldRanges.of_spec(spec)
    derived = InvariantColumns(ranges, _levels(grid), CLOUDS, scalars)
    clouds = tuple((ranges.inputs[cloud], CLOUD_FLOOR) for cloud in CLOUDS)
    mass = grid.layer_mass(np.full(1, 1e5))[0]
    return Bed(
        name=name,
        title=title,
        spec=spec,
        parts={"heating": slice(0, n), "moistening": slice(n, 2 * n)},
        mass=np.concatenate([mass, mass]),
        units={"heating": ("W kg-1", SPECIFIC_HEAT), "moistening": ("W kg-1", LATENT_HEAT)},
        inputs={
            "raw": Inputs(ranges.n_input, None, clouds),
            "invariant": Inputs(derived.n_feature, derived, clouds),
        },
        shifted=shifted,
        settings={
            **settings,
            "grid": f"{grid.n_column} columns of {n} levels",
            "cloud_floor": CLOUD_FLOOR,
            "specific_heat": SPECIFIC_HEAT,
            "latent_heat": LATENT_HEAT,
        },
        vertical=grid.reference_pressure / 100.0,
    )


def tendencies(columns: Columns, before: xr.Dataset, scheme: Scheme, n_step: int = 1) -> Array:
    """Return what a scheme makes of columns, ``(n, n_output)``.

    Parameters
    ----------
    columns
        Grid and time step.
    before
        As in `solvers.column_physics.Step.before`.
    scheme
        Scheme to apply.
    n_step
        Steps of the physics alone, over which the tendencies are means.
    """
    state = before
    for _ in range(n_step):
        after = columns.physics(state, scheme)
        state = before.assign({name: after[name] for name in PREDICTED})
    names = [STATE["state_t"], STATE["state_q0001"]]
    changes = [np.asarray(state[name]) - np.asarray(before[name]) for name in names]
    return np.concatenate(changes, axis=1) / (n_step * columns.settings.timestep)


def stacked(before: xr.Dataset) -> Array:
    """Return the inputs of the contract ``(n, n_input)`` of columns before the physics."""
    profiles = [np.asarray(before[STATE[name]]) for name in PROFILES]
    n = len(profiles[0])
    scalars = [np.broadcast_to(np.asarray(before[BEFORE[name]]), (n,)) for name in SCALARS]
    return np.concatenate([*profiles, np.stack(scalars, axis=1)], axis=1)


def joined(parts: Sequence[Table]) -> Table:
    """Return the samples of all parts, which all say what the low-fidelity code makes of them."""
    return Table(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("inputs", "outputs", "group", "code")
        )
    )


def _levels(grid: Grid) -> HybridLevels:
    coefficients = column_grid(grid)
    return HybridLevels(
        coefficients.hyai,
        coefficients.hybi,
        coefficients.hyam,
        coefficients.hybm,
        coefficients.p0,
    )


def _bare(field: Field) -> Field:
    return Field(field.name, field.units, field.dims, field.shape)
