"""Test bed of generated columns: a cheap scheme in many climates, a rich one in the present."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.climsim.variables import variable_set
from closures.constraints.pressure import HybridLevels
from closures.constraints.ranges import FieldRanges
from closures.field import Field
from closures.multifidelity import InvariantColumns
from closures.spec import ClosureSpec
from hybrid.climsim_generator import BEFORE, STATE, column_grid
from hybrid.experiments.multifidelity.bed import Bed, Inputs, Table, Tables
from solvers.column_physics import Columns, ColumnSettings, Scheme, generated_grid
from solvers.column_physics.constants import DAY, TIMESTEP, YEAR

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

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

TEST_SEED = 100
"""Seed of the tests' weather; settings were chosen in the same climates with other weather."""

_HOURS = int(DAY / TIMESTEP)


@dataclass(frozen=True)
class ColumnSizes:
    """How many moments, of 384 columns each.

    Parameters
    ----------
    low
        Of the cheap scheme, spread over the climates.
    high
        Of the rich scheme in the present climate.
    test
        Of the rich scheme in each tested climate.
    warmings
        Climates of the cheap scheme [K].
    tested
        Warmer climates of the tests [K].
    n_spin_up
        Steps before each moment.
    """

    low: int
    high: int
    test: int
    warmings: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
    tested: tuple[int, ...] = (2, 4, 8)
    n_spin_up: int = 12


def column_bed() -> Bed:
    """Return the contract and scores of heating and moistening of columns."""
    grid = generated_grid()
    fields = {variable.of[0]: variable.field for variable in variable_set("V2").inputs}
    outputs = {variable.field.name: variable.field for variable in variable_set("V2").outputs}
    spec = ClosureSpec(
        name="multifidelity_columns",
        version="1.0",
        inputs=tuple(_bare(fields[name]) for name in (*PROFILES, *SCALARS)),
        outputs=tuple(_bare(outputs[name]) for name in OUTPUTS),
        description="Heating and moistening of columns, from two fidelities of their physics",
    )
    ranges = FieldRanges.of_spec(spec)
    levels = _levels()
    derived = InvariantColumns(ranges, levels, CLOUDS, [fields[name].name for name in SCALARS])
    n = grid.n_level
    clouds = tuple((slice(n * i, n * (i + 1)), CLOUD_FLOOR) for i in (2, 3))
    mass = grid.layer_mass(np.full(1, 1e5))[0]
    return Bed(
        name="columns",
        title="generated columns",
        spec=spec,
        parts={"heating": slice(0, n), "moistening": slice(n, 2 * n)},
        mass=np.concatenate([mass, mass]),
        units={"heating": ("W kg-1", SPECIFIC_HEAT), "moistening": ("W kg-1", LATENT_HEAT)},
        inputs={
            "raw": Inputs(ranges.n_input, None, clouds),
            "invariant": Inputs(derived.n_feature, derived, clouds),
        },
        shifted=("p4k",),
        vertical=grid.reference_pressure / 100.0,
    )


def column_tables(sizes: ColumnSizes, on_progress: OnProgress) -> Tables:
    """Generate the samples.

    Weather, moments and the times of day of low fidelity, high fidelity and tests have seeds of
    their own, whatever the seed of the trainings is.
    """
    total = sizes.low + sizes.high + (1 + len(sizes.tested)) * sizes.test
    done = 0

    def some(scheme: Scheme, warmings: tuple[float, ...], n_moment: int, seed: int) -> Table:
        nonlocal done
        parts = []
        for part in _moments(scheme, warmings, n_moment, seed, sizes.n_spin_up):
            parts.append(part)
            done += 1
            on_progress(done / total)
        return _joined(parts)

    return Tables(
        some("low", sizes.warmings, sizes.low, 1),
        some("high", (0.0,), sizes.high, 2),
        {"present": some("high", (0.0,), sizes.test, TEST_SEED)}
        | {f"p{w}k": some("high", (float(w),), sizes.test, TEST_SEED + w) for w in sizes.tested},
    )


def _moments(
    scheme: Scheme, warmings: tuple[float, ...], n_moment: int, seed: int, n_spin_up: int
) -> Iterator[Table]:
    rng = np.random.default_rng(seed)
    for index in range(n_moment):
        columns = Columns(ColumnSettings(scheme, warmings[index % len(warmings)], seed))
        day = int(YEAR * (index + 0.5) / n_moment)
        time = day * DAY + int(rng.integers(_HOURS)) * TIMESTEP
        before = next(columns.run(time, 1, n_spin_up)).before
        code = _tendencies(columns, before, "low")
        outputs = code if scheme == "low" else _tendencies(columns, before, scheme)
        n = before.sizes["column"]
        yield Table(_stacked(before), outputs, np.full(n, index), code)


def _tendencies(columns: Columns, before: xr.Dataset, scheme: Scheme) -> Array:
    after = columns.physics(before, scheme)
    names = [STATE["state_t"], STATE["state_q0001"]]
    return np.concatenate(
        [(np.asarray(after[n]) - np.asarray(before[n])) / TIMESTEP for n in names], axis=1
    )


def _stacked(before: xr.Dataset) -> Array:
    profiles = [np.asarray(before[STATE[name]]) for name in PROFILES]
    n = len(profiles[0])
    scalars = [np.broadcast_to(np.asarray(before[BEFORE[name]]), (n,)) for name in SCALARS]
    return np.concatenate([*profiles, np.stack(scalars, axis=1)], axis=1)


def _joined(parts: list[Table]) -> Table:
    return Table(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("inputs", "outputs", "group", "code")
        )
    )


def _levels() -> HybridLevels:
    grid = column_grid(generated_grid())
    return HybridLevels(grid.hyai, grid.hybi, grid.hyam, grid.hybm, grid.p0)


def _bare(field: Field) -> Field:
    return Field(field.name, field.units, field.dims, field.shape)
