"""Generated columns of several climates, in the sizes of ClimSim's V1 variables."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from closures.ensemble_scores import Outputs
from closures.field import Field
from closures.normalization import Normalization, fit_normalization
from closures.spec import ClosureSpec
from solvers.column_physics import Columns, ColumnSettings, Scheme, generated_grid
from solvers.column_physics.constants import DAY, TIMESTEP, YEAR

Array = NDArray[np.float64]

N_LEVEL = 60
PROFILES = ("temperature", "vapour")
SCALARS = ("surface_pressure", "toa_sunlight", "latent_heat_flux", "sensible_heat_flux")
N_INPUT, N_OUTPUT = 124, 120

_SPIN_UP = 6
_STEPS_OF_DAY = int(DAY / TIMESTEP)


@dataclass(frozen=True)
class FidelityColumns:
    """Columns before the physics, and the tendencies that it gives them.

    Parameters
    ----------
    inputs
        ``(n, 124)``: temperature [K], specific humidity [kg kg-1], four scalars.
    outputs
        ``(n, 120)``: their tendencies [K s-1, kg kg-1 s-1].
    group
        Moment of each column ``(n,)``.
    """

    inputs: Array
    outputs: Array
    group: NDArray[np.int64]


def generated_columns(
    scheme: Scheme, warmings: Sequence[float], n_moment: int, seed: int
) -> FidelityColumns:
    """Generate 384 columns a moment, moments evenly over the year.

    Parameters
    ----------
    scheme
        Whose tendencies.
    warmings
        Climates [K]; the moments take turns.
    n_moment
        Number of moments.
    seed
        Seed of weather and times of day.
    """
    rng = np.random.default_rng(seed)
    inputs, outputs = [], []
    for i in range(n_moment):
        columns = Columns(ColumnSettings(scheme, warmings[i % len(warmings)], seed))
        time = int(YEAR * (i + 0.5) / n_moment) * DAY + rng.integers(_STEPS_OF_DAY) * TIMESTEP
        (step,) = columns.run(time, 1, _SPIN_UP)
        before, after = _stacked(step.before, SCALARS), _stacked(step.after, ())
        inputs.append(before)
        outputs.append((after - before[:, : after.shape[1]]) / TIMESTEP)
    group = np.repeat(np.arange(n_moment), len(inputs[0]))
    return FidelityColumns(np.concatenate(inputs), np.concatenate(outputs), group)


def _stacked(step: xr.Dataset, scalars: Sequence[str]) -> Array:
    profiles = [np.asarray(step[name], dtype=np.float64) for name in PROFILES]
    n = len(profiles[0])
    rest = [np.broadcast_to(np.asarray(step[name]), n)[:, np.newaxis] for name in scalars]
    return np.concatenate([*profiles, *rest], axis=1)


@dataclass(frozen=True)
class Scaling:
    """Normalisation of inputs and outputs by the columns of the training.

    Parameters
    ----------
    inputs, outputs
        See `Normalization`.
    """

    inputs: Normalization
    outputs: Normalization

    @classmethod
    def of(cls, columns: FidelityColumns) -> "Scaling":
        """Return that of the columns; of levels where humidity hardly varies, a larger spread."""
        floor = np.concatenate([np.zeros(N_LEVEL), np.full(N_LEVEL, 0.3), np.zeros(len(SCALARS))])
        return cls(
            fit_normalization(columns.inputs, floor), _floored(fit_normalization(columns.outputs))
        )

    def features(self, columns: FidelityColumns) -> Tensor:
        """Return normalised inputs, float32 ``(n, 124)``."""
        return torch.from_numpy(self.inputs.normalize(columns.inputs)).float()

    def targets(self, columns: FidelityColumns) -> Tensor:
        """Return normalised outputs, float32 ``(n, 120)``."""
        return torch.from_numpy(self.outputs.normalize(columns.outputs)).float()


def _floored(fitted: Normalization) -> Normalization:
    """Return a normalisation in which quiet levels have a twentieth of the loudest's spread."""
    spread = fitted.spread.copy()
    for part in parts().values():
        spread[part] = np.maximum(spread[part], 0.05 * spread[part].max())
    return Normalization(fitted.mean, spread)


def parts() -> dict[str, slice]:
    """Return the range of each variable among the outputs."""
    return {"heating": slice(0, N_LEVEL), "moistening": slice(N_LEVEL, 2 * N_LEVEL)}


def scored_outputs(scale: Array) -> Outputs:
    """Return variables and masses of the outputs, with their typical size."""
    mass = generated_grid(N_LEVEL).layer_mass(np.full(1, 1e5))[0]
    return Outputs(parts(), np.concatenate([mass, mass]), scale)


def column_contract(columns: FidelityColumns) -> ClosureSpec:
    """Return a contract whose envelope is that of the columns."""
    low, high = (np.asarray(f(columns.inputs, axis=0)) for f in (np.min, np.max))
    level = ("level",), (N_LEVEL,)

    def bounds(part: slice) -> dict[str, tuple[float, ...]]:
        return {"valid_min": tuple(low[part].tolist()), "valid_max": tuple(high[part].tolist())}

    units = {"temperature": "K", "vapour": "kg kg-1"}
    scalar_units = ("Pa", "W m-2", "W m-2", "W m-2")
    profiles = tuple(
        Field(name, units[name], *level, **bounds(slice(N_LEVEL * i, N_LEVEL * (i + 1))))  # type: ignore[arg-type]
        for i, name in enumerate(PROFILES)
    )
    first = N_LEVEL * len(PROFILES)
    scalars = tuple(
        Field(name, unit, valid_min=float(low[first + i]), valid_max=float(high[first + i]))
        for i, (name, unit) in enumerate(zip(SCALARS, scalar_units, strict=True))
    )
    outputs = tuple(Field(f"{name}_tendency", f"{units[name]} s-1", *level) for name in PROFILES)
    return ClosureSpec("ensemble", "0", (*profiles, *scalars), outputs)
