"""Columns that the tests of physics layers share: fields, levels, wild outputs, real files."""

import operator
from collections.abc import Mapping, Sequence
from pathlib import Path

import netCDF4
import numpy as np
import torch.fx
from numpy.typing import NDArray
from torch import Tensor, nn

from closures import Closure, ClosureSpec, Field
from closures.climsim.files import Pair, list_pairs
from closures.climsim.grid import ColumnGrid
from closures.constraints import FieldRanges, HybridLevels

Array = NDArray[np.float64]
Months = dict[int, dict[str, Array]]
"""Month to fields by name."""

UNITS = {
    "state_t": "K",
    "state_q0001": "kg kg-1",
    "state_q0002": "kg kg-1",
    "state_q0003": "kg kg-1",
    "state_qn": "kg kg-1",
    "state_rh": "1",
    "ptend_t": "K s-1",
    "ptend_q0001": "kg kg-1 s-1",
    "ptend_q0002": "kg kg-1 s-1",
    "ptend_q0003": "kg kg-1 s-1",
    "ptend_qn": "kg kg-1 s-1",
    "ptend_u": "m s-2",
}
"""Profiles; what is not here has one value a column."""

FLUXES = tuple(f"cam_out_{name}" for name in ("sols", "soll", "solsd", "solld"))
ALBEDOS = tuple(f"cam_in_{name}" for name in ("aldif", "aldir", "asdif", "asdir"))
SCALARS = ("cam_out_netsw", "cam_out_flwds", "cam_out_precsc", "cam_out_precc", *FLUXES)

V1 = (
    ("state_t", "state_q0001", "state_ps", "pbuf_solin", "pbuf_lhflx", "pbuf_shflx"),
    ("ptend_t", "ptend_q0001", *SCALARS),
)
V1_ALBEDO = ((*V1[0], *ALBEDOS), V1[1])
SEPARATE = (
    ("state_t", "state_q0001", "state_q0002", "state_q0003", "state_ps", "pbuf_solin", *ALBEDOS),
    ("ptend_t", "ptend_q0001", "ptend_q0002", "ptend_q0003", "ptend_u", *SCALARS),
)
"""Cloud water and ice apart, as in V2."""
HEATED = ((*SEPARATE[0], "column_heating"), SEPARATE[1])
"""And what heats the column from outside."""
JOINT = (
    ("state_t", "state_rh", "state_qn", "state_ps", "pbuf_solin", *ALBEDOS),
    ("ptend_t", "ptend_q0001", "ptend_qn", "ptend_u", *SCALARS),
)
"""Relative humidity and joint cloud water, as in v5."""

Names = tuple[tuple[str, ...], tuple[str, ...]]


def ranges_of(names: Names, n_level: int) -> FieldRanges:
    """Return where the fields lie."""
    groups = []
    for group in names:
        parts, start = {}, 0
        for name in group:
            size = n_level if name in UNITS else 1
            parts[name] = slice(start, start + size)
            start += size
        groups.append(parts)
    return FieldRanges(*groups)


def even_levels(n_level: int) -> HybridLevels:
    """Return levels of pressure above ones that follow the ground."""
    s = np.linspace(0.0, 1.0, n_level + 1)
    a, b = s - s**2 + 1e-4 * (1.0 - s), s**2
    return HybridLevels(a, b, (a[1:] + a[:-1]) / 2, (b[1:] + b[:-1]) / 2)


def levels_of(grid: ColumnGrid) -> HybridLevels:
    """Return the levels of a grid."""
    return HybridLevels(grid.hyai, grid.hybi, grid.hyam, grid.hybm, grid.p0)


def packed(values: Mapping[str, Array], names: Sequence[str]) -> NDArray[np.float32]:
    """Stack fields, profiles ``(n, n_level)`` and scalars ``(n,)``, to float32 columns."""
    columns = [values[n] if values[n].ndim == 2 else values[n][:, None] for n in names]
    return np.concatenate(columns, axis=1).astype(np.float32)


def unpacked(columns: NDArray[np.float32], parts: Mapping[str, slice]) -> dict[str, Array]:
    """Return fields by name, as float64."""
    return {
        name: (columns[:, part] if name in UNITS else columns[:, part.start]).astype(np.float64)
        for name, part in parts.items()
    }


def random_columns(
    names: Names, n: int, n_level: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return plausible inputs, and outputs that violate every law."""
    rng = np.random.default_rng(seed)
    height = np.linspace(1.0, 0.0, n_level)
    temperature = 295.0 - 85.0 * height + rng.normal(scale=3.0, size=(n, n_level))
    cloud = (10.0 ** rng.uniform(-12, -4, (n, n_level))) * (rng.random((n, n_level)) < 0.7)
    values: dict[str, Array] = {
        "state_t": temperature,
        "state_q0001": 10.0 ** (-2.0 - 4.0 * height + rng.normal(scale=0.2, size=(n, n_level))),
        "state_q0002": cloud,
        "state_q0003": cloud[:, ::-1].copy(),
        "state_qn": cloud,
        "state_rh": rng.uniform(0.01, 1.2, (n, n_level)),
        "state_ps": rng.uniform(6e4, 1.03e5, n),
        "pbuf_solin": np.maximum(rng.uniform(-700.0, 1300.0, n), 0.0),
        "pbuf_lhflx": rng.uniform(-10.0, 300.0, n),
        "pbuf_shflx": rng.uniform(-50.0, 200.0, n),
        "column_heating": rng.normal(-100.0, 100.0, n),
        "ptend_t": 1e-4 * rng.normal(size=(n, n_level)),
        "ptend_u": 1e-4 * rng.normal(size=(n, n_level)),
    }
    for name in ("q0001", "q0002", "q0003", "qn"):
        scale = values[f"state_{name}"] / 1200.0 + 1e-9
        values[f"ptend_{name}"] = scale * rng.normal(scale=1.5, size=(n, n_level))
    for name in ALBEDOS:
        values[name] = rng.choice([rng.uniform(0.0, 1.0), 0.9995, 1.0], n)
    for name in SCALARS:
        values[name] = rng.normal(100.0, 200.0, n)
    for name in ("cam_out_precsc", "cam_out_precc"):
        values[name] = rng.normal(3e-8, 1e-7, n)
    return packed(values, names[0]), packed(values, names[1])


def one_pair_a_month(folder: Path) -> list[Pair]:
    """Return the first pair of each month of a folder."""
    first: dict[int, Pair] = {}
    for pair in list_pairs(folder):
        first.setdefault(pair.month, pair)
    return list(first.values())


def read_fields(pair: Pair) -> dict[str, Array]:
    """Read every field of the sets above that the files have or give."""
    found: dict[str, Array] = {}
    with netCDF4.Dataset(pair.mli) as before, netCDF4.Dataset(pair.mlo) as after:
        before.set_auto_mask(False)
        after.set_auto_mask(False)
        for file, prefixes in ((before, ("state", "pbuf", "cam_in")), (after, ("cam_out",))):
            for name, variable in file.variables.items():
                if name.startswith(prefixes):
                    found[name.lower()] = np.asarray(variable[...], dtype=np.float64).T
        for name in ("t", "q0001", "q0002", "q0003", "u"):
            change = np.float64(after[f"state_{name}"][...]).T - found[f"state_{name}"]
            found[f"ptend_{name}"] = change / 1200.0
    found["state_qn"] = found["state_q0002"] + found["state_q0003"]
    found["ptend_qn"] = found["ptend_q0002"] + found["ptend_q0003"]
    return found


class Constrained(Closure):
    """Outputs that a linear map of the inputs makes, then physics layers.

    The map is random and its results vary as `spread` about `center`: they violate what the
    layers make hold.
    """

    def __init__(
        self,
        names: Names,
        n_level: int,
        inputs: NDArray[np.float32],
        outputs: NDArray[np.float32],
        layers: Sequence[nn.Module],
    ) -> None:
        spec = ClosureSpec(
            name="constrained",
            version="1.0",
            inputs=tuple(_fields(names[0], n_level, inputs)),
            outputs=tuple(_fields(names[1], n_level, None)),
        )
        super().__init__(spec)
        self.packed = _Packed(inputs, outputs, layers)
        graph = torch.fx.Graph()
        columns = []
        for field in spec.inputs:
            argument = graph.placeholder(field.name)
            columns.append(
                argument if field.dims else graph.call_method("unsqueeze", (argument, 1))
            )
        stacked = graph.call_function(torch.cat, (columns,), {"dim": 1})
        result = graph.call_module("packed", (stacked,))
        found, start = [], 0
        for field in spec.outputs:
            if field.dims:
                found.append(graph.call_method("narrow", (result, 1, start, field.size)))
            else:
                place = (slice(None), start)
                found.append(graph.call_function(operator.getitem, (result, place)))
            start += field.size
        graph.output(tuple(found))
        self.graph_module = torch.fx.GraphModule({"packed": self.packed}, graph)

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        result: tuple[Tensor, ...] = self.graph_module(*tensors)
        return result

    def scriptable(self) -> nn.Module:
        return self.graph_module


class _Packed(nn.Module):
    center: Tensor
    spread: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        inputs: NDArray[np.float32],
        outputs: NDArray[np.float32],
        layers: Sequence[nn.Module],
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        deviation = inputs.std(axis=0)
        scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 1e-12)
        for name, values in (
            ("mean", inputs.mean(axis=0)),
            ("scale", scale),
            ("center", outputs.mean(axis=0)),
            ("spread", 2.0 * outputs.std(axis=0) + 1e-12),
        ):
            self.register_buffer(name, torch.from_numpy(np.float32(values)))
        weight = np.random.default_rng(3).normal(size=(outputs.shape[1], inputs.shape[1]))
        self.linear = nn.Linear(inputs.shape[1], outputs.shape[1], bias=False)
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(weight / np.sqrt(inputs.shape[1])))

    def raw(self, inputs: Tensor) -> Tensor:
        """Return the outputs without the layers."""
        normalized = ((inputs - self.mean) * self.scale).clamp(-5.0, 5.0)
        pattern: Tensor = self.linear(normalized)
        return self.center + self.spread * pattern

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = self.raw(inputs)
        for layer in self.layers:
            outputs = layer(inputs, outputs)
        return outputs


def _fields(names: Sequence[str], n_level: int, columns: NDArray[np.float32] | None) -> list[Field]:
    fields, start = [], 0
    for name in names:
        profile = name in UNITS
        size = n_level if profile else 1
        low = high = None
        if columns is not None:
            part = columns[:, start : start + size]
            low, high = (tuple(map(float, limit)) for limit in (part.min(0), part.max(0)))
        fields.append(
            Field(
                name,
                UNITS.get(name, _scalar_units(name)),
                ("level",) if profile else (),
                (n_level,) if profile else (),
                valid_min=low if profile or low is None else low[0],
                valid_max=high if profile or high is None else high[0],
            )
        )
        start += size
    return fields


def _scalar_units(name: str) -> str:
    if name in ALBEDOS:
        return "1"
    if name.startswith("cam_out_prec"):
        return "m s-1"
    return "Pa" if name == "state_ps" else "W m-2"
