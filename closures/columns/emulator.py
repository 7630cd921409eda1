"""A closure made of a network on columns, for any list of fields."""

import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch.fx
from torch import Tensor, nn

from closures.base import Closure
from closures.columns.core import (
    ConfidenceCore,
    Core,
    GuardedCore,
    MeanCore,
    MembersCore,
    MemoryCore,
    MomentsCore,
    SampleCore,
    TriggerCore,
)
from closures.columns.layout import ColumnLayout
from closures.columns.networks.interface import (
    ConfidentNetwork,
    EnsembleNetwork,
    GuardedNetwork,
    MemoryNetwork,
    StochasticNetwork,
    TriggeredNetwork,
)
from closures.errors import SpecError
from closures.field import Field
from closures.normalization import Normalization
from closures.spec import ClosureSpec

Results = Literal[
    "mean", "moments", "guarded", "members", "sample", "memory", "confidence", "trigger"
]

_CORES: dict[Results, tuple[type[Core], type[nn.Module]]] = {
    "mean": (MeanCore, nn.Module),
    "moments": (MomentsCore, StochasticNetwork),
    "guarded": (GuardedCore, GuardedNetwork),
    "members": (MembersCore, EnsembleNetwork),
    "sample": (SampleCore, StochasticNetwork),
    "memory": (MemoryCore, MemoryNetwork),
    "confidence": (ConfidenceCore, ConfidentNetwork),
    "trigger": (TriggerCore, TriggeredNetwork),
}


class ColumnEmulator(Closure):
    """Columns in physical units through a network on normalised features.

    The features are the fields of `spec` in order, a profile taking one a level, and so are the
    outputs. What the network can do beyond a mean is chosen by `results`:

    ============  =================================================================
    mean          the outputs
    moments       and for each a standard deviation, ``{name}_std``
    guarded       the same and ``confidence``, with the network's own threshold for the guard
    members       every member of an ensemble: outputs get a dimension ``realization``
    sample        one draw, from the noise field ``draw`` that the bridge fills
    memory        the outputs, and state ``memory`` at each level
    confidence    and ``confidence`` in (0, 1], which the bridge's guard can compare
    trigger       zero where the trigger is off, and its probability ``trigger``
    ============  =================================================================

    Parameters
    ----------
    spec
        Contract of the deterministic closure; `results` extends it.
    network
        Maps normalised inputs ``(n, n_input)`` to normalised outputs ``(n, n_output)``.
    inputs, outputs
        Normalisation of features and targets.
    physics
        Modules ``(raw inputs, raw outputs) -> raw outputs`` that TorchScript compiles, applied in
        order to whatever is predicted (to the mean, to each member, to the draw).
    results
        What the closure returns.
    input_limit
        Largest magnitude of a normalised input: what drifts away from the training columns, as a
        stratosphere does, reaches the network as the most that it is to know. None: no limit.
    derived
        Maps raw inputs to the features that `inputs` normalises; None: the inputs themselves.

    Raises
    ------
    SpecError
        If fields are no float32 profiles and scalars, the normalisation has other sizes, or the
        network has no such results.
    """

    def __init__(
        self,
        spec: ClosureSpec,
        network: nn.Module,
        inputs: Normalization,
        outputs: Normalization,
        *,
        physics: Sequence[nn.Module] = (),
        results: Results = "mean",
        input_limit: float | None = None,
        derived: nn.Module | None = None,
    ) -> None:
        layout = ColumnLayout.of_fields(spec.inputs, spec.outputs)
        _check(spec)
        _check_size("outputs", spec, outputs, layout.n_output)
        if derived is None:
            _check_size("inputs", spec, inputs, layout.n_input)
        make_core, able = _CORES[results]
        if not isinstance(network, able):
            raise SpecError(
                f"{spec.name}: expected a {able.__name__} for results {results!r}, got a "
                f"{type(network).__name__}; choose other results"
            )
        super().__init__(_extended(spec, layout, network, results))
        self.layout = layout
        core = make_core(network, inputs, outputs, physics, input_limit, derived)
        self.graph_module = generated(self.spec, spec.outputs, core, results)

    @property
    def core(self) -> Core:
        """What lies between stacked raw features and stacked raw outputs."""
        core = self.graph_module.core
        assert isinstance(core, Core)
        return core

    @property
    def network(self) -> nn.Module:
        """The network inside."""
        return self.core.network

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Evaluate; one tensor a field: inputs, state, noise.

        Profiles are ``(n, n_level)``, scalars ``(n,)``, in the units of the contract.
        """
        result: tuple[Tensor, ...] = self.graph_module(*tensors)
        return result

    def scriptable(self) -> nn.Module:
        """Return the module whose arguments are spelled out, one a field."""
        return self.graph_module


def _check(spec: ClosureSpec) -> None:
    for field in spec.fields():
        if field.dtype != "float32":
            raise SpecError(
                f"{field.name}: expected float32, in which the networks compute, got "
                f"{field.dtype}; the bridge converts what the host has"
            )
    if spec.state or spec.noise or spec.locality != "column":
        raise SpecError(
            f"{spec.name}: expected a column contract of inputs and outputs alone; state and "
            "noise follow from the results asked for"
        )


def _check_size(group: str, spec: ClosureSpec, normalization: Normalization, size: int) -> None:
    if normalization.mean.shape != (size,):
        raise SpecError(
            f"{spec.name}: expected a normalisation of {size} {group}, one number a feature, "
            f"got shape {normalization.mean.shape}"
        )


def _extended(
    spec: ClosureSpec, layout: ColumnLayout, network: nn.Module, results: Results
) -> ClosureSpec:
    outputs, state, noise = spec.outputs, spec.state, spec.noise
    if isinstance(network, StochasticNetwork) and results == "sample":
        noise = (Field("draw", "1", ("number",), (network.n_noise,)),)
    elif isinstance(network, EnsembleNetwork) and results == "members":
        count = network.n_member
        outputs = tuple(
            _unbounded(f, dims=("realization", *f.dims), shape=(count, *f.shape)) for f in outputs
        )
    elif results in {"moments", "guarded"}:
        outputs += tuple(_unbounded(field, name=f"{field.name}_std") for field in outputs)
    elif isinstance(network, MemoryNetwork) and results == "memory":
        shape = (layout.n_level, network.n_memory)
        state = (Field("memory", "1", ("level", "number"), shape, valid_min=-1.0, valid_max=1.0),)
    elif results == "confidence":
        outputs += (Field("confidence", "1", role="confidence"),)
    elif results == "trigger":
        outputs += (Field("trigger", "1"),)
    if isinstance(network, GuardedNetwork) and results == "guarded":
        least = network.least_confidence
        outputs += (Field("confidence", "1", valid_min=least, role="confidence"),)
    return replace(spec, outputs=outputs, state=state, noise=noise)


def _unbounded(field: Field, **changes: object) -> Field:
    # The envelope and the standard name belong to the quantity itself, not to its spread.
    return replace(field, valid_min=None, valid_max=None, standard_name="", **changes)  # type: ignore[arg-type]


def generated(
    spec: ClosureSpec, outputs: tuple[Field, ...], core: Core, results: Results
) -> torch.fx.GraphModule:
    """Return the module with one argument a field around a core of stacked features.

    Parameters
    ----------
    spec
        Contract of the closure.
    outputs
        Those of its outputs that the core stacks, in order.
    core, results
        The core, and what it returns, see `ColumnEmulator`.
    """
    graph = torch.fx.Graph()
    arguments = {field.name: graph.placeholder(field.name) for field in spec.arguments}
    features = [
        arguments[field.name]
        if field.dims
        else graph.call_method("unsqueeze", (arguments[field.name], 1))
        for field in spec.inputs
    ]
    stacked = graph.call_function(torch.cat, (features,), {"dim": 1})
    others = [arguments[field.name] for field in spec.arguments[len(spec.inputs) :]]
    returned = graph.call_module("core", (stacked, *others))
    axis = 2 if results == "members" else 1
    found: list[torch.fx.Node] = []
    n_stacked = 2 if results in {"moments", "guarded"} else 1
    for i in range(n_stacked):
        part = graph.call_function(operator.getitem, (returned, i))
        start = 0
        for field in outputs:
            if field.dims:
                found.append(graph.call_method("narrow", (part, axis, start, field.size)))
            else:
                found.append(graph.call_method("select", (part, axis, start)))
            start += field.size
    if results in {"guarded", "memory", "confidence", "trigger"}:
        found.append(graph.call_function(operator.getitem, (returned, n_stacked)))
    graph.output(tuple(found))
    return torch.fx.GraphModule({"core": core}, graph)
