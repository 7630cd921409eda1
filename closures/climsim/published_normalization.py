"""The normalisation that ClimSim publishes, for networks trained with it."""

from collections.abc import Iterable
from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import NDArray

from closures.errors import SpecError
from closures.field import Field
from closures.normalization import Normalization
from closures.spec import ClosureSpec

Array = NDArray[np.float64]


def published_normalization(folder: Path, spec: ClosureSpec) -> tuple[Normalization, Normalization]:
    """Return ClimSim's normalisation of the inputs and outputs of a contract.

    Inputs: ``(x - mean) / (max - min)`` from ``input_{mean,max,min}.nc``, 0 where max = min.
    Outputs: ``y = result / scale`` from ``output_scale.nc``. Variables are found by the names of
    the fields, whatever their case.

    Parameters
    ----------
    folder
        ClimSim's ``normalizations`` folder, flat or with ``inputs`` and ``outputs`` in it.
    spec
        Contract of a network on such variables.

    Raises
    ------
    SpecError
        If a file or a variable is missing, or has other levels.

    References
    ----------
    .. [1] Yu et al. 2023, ClimSim: a large multi-scale dataset for hybrid physics-ML climate
       emulation, NeurIPS Datasets and Benchmarks.
    """
    mean, high, low = (
        _stacked(folder, "inputs", f"input_{kind}.nc", spec.inputs)
        for kind in ("mean", "max", "min")
    )
    scale = _stacked(folder, "outputs", "output_scale.nc", spec.outputs)
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale != 0.0)
    return (
        Normalization(mean, high - low),
        Normalization(np.zeros_like(inverse), inverse),
    )


def _stacked(folder: Path, part: str, name: str, fields: Iterable[Field]) -> Array:
    places = (folder / name, folder / part / name)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise SpecError(
            f"{folder}: expected ClimSim's {name} in it or in its folder {part}, found none; "
            "name the folder with the normalisation files"
        )
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        found = {key.lower(): variable for key, variable in file.variables.items()}
        values = []
        for field in fields:
            if field.name not in found:
                raise SpecError(
                    f"{path}: expected a variable {field.name}, found {', '.join(found)}; give "
                    "the field the name it has in ClimSim's files"
                )
            array = np.asarray(found[field.name][...], dtype=np.float64)
            if array.size != field.size:
                raise SpecError(
                    f"{field.name}: expected {field.size} values in {path}, got {array.size}; "
                    "ClimSim has 60 levels"
                )
            values.append(array.reshape(-1))
    return np.concatenate(values)
