"""Which closures of this project the native engine runs, and why the others stay on TorchScript."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from climsim_emulators import RESULTS
from closure_examples import ColumnConvolution, ColumnNetwork, Persistence
from column_specs import MIXED, column_spec, normalizations
from constrained_columns import (
    HEATED,
    JOINT,
    Constrained,
    Names,
    even_levels,
    random_columns,
    ranges_of,
)
from fidelity_ensembles import LAYOUT, ensemble, guarded_closure, spread
from grid_closures import NeighbourMean
from native_programs import part_of, program_of_closure, reference_of
from torch import Tensor, nn

from benchmarks.networks import registered_network
from closures import Closure
from closures.columns.emulator import ColumnEmulator, Results
from closures.columns.nonnegative import Nonnegative
from closures.columns.registry import ARCHITECTURES, Head, build
from closures.constraints import LAYERS, PhysicsConfig, TrainingLimits, physics_layers
from closures.constraints.closing import Method
from closures.lorenz96 import AR1Closure, CubicClosure, MLPClosure
from closures.multifidelity import (
    Cascade,
    FeatureCount,
    FeatureDistance,
    GuardedEnsemble,
    InvariantColumns,
    Student,
    StudentSizes,
    Window,
)
from hybrid.native.errors import ProgramError
from hybrid.native.program_file import program_entries
from hybrid.native.rounding import SIDES, own_rounding

EXPRESSED = "within ([0-9]+) of 64 eps of the Python closure on scaled outputs, in [0-9]+ steps"
RECURRENT = "forward uses aten.mkldnn_rnn_layer, which the native engine does not know"

LORENZ96: dict[str, Callable[[], Closure]] = {
    "cubic": lambda: CubicClosure([0.3, 1.2, -0.1, 0.02], -8.0, 12.0),
    "ar1": lambda: AR1Closure(0.9, 1.3),
    "cubic, float64": lambda: CubicClosure([0.3, 1.2, -0.1, 0.02], -8.0, 12.0, dtype="float64"),
    "mlp_ar1": lambda: MLPClosure(8, -8.0, 12.0, 0.7),
    "cubic + ar1": lambda: CubicClosure([0.3, 1.2, -0.1, 0.02], -8.0, 12.0) + AR1Closure(0.9, 1.3),
    "half of cubic": lambda: 0.5 * CubicClosure([0.3, 1.2, -0.1, 0.02], -8.0, 12.0),
}

WINDOWS = (Window(3, 0.3, 1.2), Window(6, 0.4, 0.9))

NETWORKS = {
    "unet": "forward uses aten.constant_pad_nd, which the native engine does not know",
    "squeezeformer": "forward uses aten.glu, which the native engine does not know",
    "bilstm": RECURRENT,
    "vertical_rnn": RECURRENT,
    "reslstm": RECURRENT,
}
"""Architecture to why it stays on TorchScript; all others of the registry are expressed."""

ROUNDED = 9.0
"""What programs are from closures of which the own rounding is small [eps]."""

TOO_LONG = {"cnn", "convnext"}
"""Architectures of which the published sizes make too large a program."""

PHYSICS = dict.fromkeys(LAYERS, EXPRESSED)
"""Each hard layer by itself."""

CLOSINGS: tuple[Method, ...] = (
    *("residual", "additive", "multiplicative", "softmax", "scaled_additive"),
)
"""How the budgets are closed."""


def check(closure: Closure, said: str) -> None:
    part = part_of(closure)
    assert part.verdict is not None
    found = re.fullmatch(said, part.verdict.reason)
    assert found, part.verdict
    if said == EXPRESSED:
        # Processors with other vectors round otherwise, closure and program alike.
        own = own_rounding(closure, closure.spec, reference_of(closure)) or 0.0
        assert float(found[1]) <= max(ROUNDED, SIDES * own)
    assert part.verdict.expressed == (said == EXPRESSED)
    assert bool(part.entries) == part.verdict.expressed


@pytest.mark.parametrize("name", LORENZ96)
def test_closures_of_lorenz96(name: str) -> None:
    check(LORENZ96[name](), EXPRESSED)


@pytest.mark.parametrize(("name", "results"), RESULTS)
def test_networks_on_columns(name: str, results: Results) -> None:
    head: Head = results if results in {"confidence", "trigger"} else ""
    closure = ColumnEmulator(
        column_spec(MIXED),
        build(name, MIXED, "tiny", head=head),
        *normalizations(MIXED),
        physics=[Nonnegative(column_spec(MIXED), ["y0"])],
        results=results,
        input_limit=2.5,
    )
    check(closure, NETWORKS.get(name, EXPRESSED))


def test_heads_of_perceptrons() -> None:
    for head in ("confidence", "trigger"):
        network = build("mlp", MIXED, "tiny", head=head)
        check(
            ColumnEmulator(column_spec(MIXED), network, *normalizations(MIXED), results=head),
            EXPRESSED,
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TOO_LONG))
def test_published_convolutions_are_too_long(name: str) -> None:
    closure = registered_network(name, "published", "V1")
    with pytest.raises(ProgramError, match=r"weights of linear steps|its program has"):
        program_entries(program_of_closure(closure), {})


def test_every_architecture_is_said_of() -> None:
    assert {name for name, _ in RESULTS} == set(ARCHITECTURES)
    assert set(NETWORKS) < set(ARCHITECTURES)


@pytest.mark.parametrize("form", ["single", "additive", "published"])
def test_guarded_ensembles(form: str) -> None:
    check(guarded_closure(GuardedEnsemble(ensemble(form), spread(), 0.6)), EXPRESSED)


@pytest.mark.parametrize("windows", [(Window(3, 0.3, 1.2),), WINDOWS], ids=["one", "two"])
def test_cascades(windows: tuple[Window, ...]) -> None:
    check(guarded_closure(Cascade(ensemble(), spread(), 0.6, windows)), EXPRESSED)


def test_a_student() -> None:
    samples = torch.randn(200, LAYOUT.n_input, generator=torch.Generator().manual_seed(0))
    n_output = LAYOUT.n_output
    student = Student(
        FeatureCount(LAYOUT.n_input, n_output),
        StudentSizes((16, 16)),
        distance=FeatureDistance(samples),
        log_range=torch.tensor([[-3.0] * n_output, [0.0] * n_output]),
        spread=spread(),
        threshold=0.6,
    )
    check(guarded_closure(student), EXPRESSED)


def constrained(names: Names, *layers: str, **more: Any) -> Closure:
    levels = even_levels(20)
    inputs, outputs = random_columns(names, 100, 20, seed=1)
    ranges = ranges_of(names, 20)
    config = PhysicsConfig(layers, zero_levels={"ptend_q0001": (0, 2)}, first_level=3, **more)
    limits = TrainingLimits.fit(inputs, outputs, ranges)
    made = physics_layers(config, ranges, levels, limits)
    return Constrained(names, 20, inputs, outputs, made)


@pytest.mark.parametrize("layer", LAYERS)
def test_hard_layers(layer: str) -> None:
    check(constrained(HEATED, layer), PHYSICS[layer])


def test_all_hard_layers_together() -> None:
    check(constrained(HEATED, *PHYSICS), EXPRESSED)


def test_layers_that_read_relative_humidity() -> None:
    check(constrained(JOINT, "saturation", "positivity", "moisture"), EXPRESSED)


class Invariants(nn.Module):
    """Outputs whose beginning is what `InvariantColumns` make of the inputs."""

    def __init__(self) -> None:
        super().__init__()
        ranges, levels = ranges_of(HEATED, 20), even_levels(20)
        self.columns = InvariantColumns(ranges, levels, ("state_q0002",), ("pbuf_solin",))
        self.n_feature = self.columns.n_feature

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        return torch.cat([self.columns(inputs), outputs[:, self.n_feature :]], dim=1)


def test_inputs_that_keep_their_range_when_the_climate_changes() -> None:
    inputs, outputs = random_columns(HEATED, 100, 20, seed=1)
    check(Constrained(HEATED, 20, inputs, outputs, [Invariants()]), EXPRESSED)


@pytest.mark.parametrize("method", CLOSINGS)
def test_every_way_to_close_a_budget(method: Method) -> None:
    closure = constrained(HEATED, "moisture", "energy", moisture=method, energy=method)
    check(closure, EXPRESSED)


@pytest.mark.parametrize(
    ("closure", "said"),
    [
        (ColumnNetwork(), EXPRESSED),
        (Persistence(), EXPRESSED),
        (ColumnConvolution(), EXPRESSED),
        (NeighbourMean(shape=(8, 8)), "the native engine knows columns alone, not grids"),
    ],
    ids=["perceptron", "state and noise", "convolution", "grid"],
)
def test_examples(closure: Closure, said: str) -> None:
    check(closure, said)
