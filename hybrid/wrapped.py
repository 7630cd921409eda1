"""A closure around a TorchScript module that knows nothing of fields."""

import operator

import torch.fx
from torch import Tensor, nn

from closures.base import Closure
from closures.field import Field
from closures.sampling import random_inputs
from closures.spec import ClosureSpec
from hybrid.errors import WrapError
from hybrid.export import reference_sizes

N_TRIAL = 3
"""Columns of the call that finds out how a module takes them; more than one, so that a missing
first axis shows."""


class WrappedModel(Closure):
    """A TorchScript module called with one tensor a field, or with all of them in one.

    How it wants to be called, and whether it returns one tensor a field or all of them in one, is
    found out by a call.

    Parameters
    ----------
    module
        The module; profiles and scalars in one tensor stand in the order of the contract.
    spec
        The contract.
    name
        What messages call the module.

    Raises
    ------
    WrapError
        If it takes or returns something else than the contract says.
    """

    def __init__(self, module: torch.jit.ScriptModule, spec: ClosureSpec, name: str) -> None:
        super().__init__(spec)
        self.graph_module = _fitted(module.eval(), spec, name)

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Evaluate the module."""
        result: tuple[Tensor, ...] = self.graph_module(*tensors)
        return result

    def scriptable(self) -> nn.Module:
        """Return the generated module, whose arguments are spelled out."""
        return self.graph_module


def width_of(fields: tuple[Field, ...]) -> str:
    """Return how many values a column of these fields has, in words."""
    parts = " + ".join(f"{field.name} {field.size}" for field in fields)
    return f"{sum(field.size for field in fields)} values a column ({parts})"


def _fitted(module: torch.jit.ScriptModule, spec: ClosureSpec, name: str) -> torch.fx.GraphModule:
    arguments = spec.arguments
    results = spec.results
    schema = module.forward.schema.arguments[1:]  # type: ignore[attr-defined]
    wanted = [argument.name for argument in schema if not argument.has_default_value()]
    ways = [False] * (len(wanted) == len(arguments))
    ways += [True] * (len(wanted) == 1 and _fits_one_row(spec, arguments))
    if not ways:
        raise WrapError(
            f"{name}: expected a forward of {len(arguments)} arguments "
            f"({', '.join(field.name for field in arguments)}), or of one with "
            f"{width_of(arguments)}, got {len(wanted)} ({', '.join(wanted)}); change the "
            "contract, or script a module around it"
        )
    fixed = spec.on_grid(reference_sizes(spec))
    given = random_inputs(fixed, N_TRIAL, torch.Generator().manual_seed(0))
    expected = [(N_TRIAL, *field.sizes) for field in (*fixed.outputs, *fixed.state)]
    problems = []
    for stacked in ways:
        try:
            with torch.no_grad():
                returned = module(_one_tensor(given)) if stacked else module(*given)
        except Exception as error:  # noqa: BLE001  # a foreign module may raise anything
            problems.append(str(error).strip().splitlines()[-1])
            continue
        tensors = returned if isinstance(returned, (tuple, list)) else (returned,)
        shapes = [tuple(tensor.shape) for tensor in tensors]
        several = isinstance(returned, (tuple, list))
        if shapes == expected:
            return _generated(module, spec, stacked, several, apart=True)
        if _fits_one_row(spec, results) and shapes == [(N_TRIAL, sum(f.size for f in results))]:
            return _generated(module, spec, stacked, several, apart=False)
        problems.append(f"shapes {', '.join(map(str, shapes))}")
    wishes = ", ".join(f"{f.name} {s}" for f, s in zip(results, expected, strict=True))
    raise WrapError(
        f"{name}: expected tensors {wishes} for {N_TRIAL} columns, or one with "
        f"{width_of(results)}, got {'; '.join(dict.fromkeys(problems))}; change the contract, or "
        "script a module around it"
    )


def _fits_one_row(spec: ClosureSpec, fields: tuple[Field, ...]) -> bool:
    return spec.locality == "column" and all(len(field.dims) <= 1 for field in fields)


def _one_tensor(fields: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([field if field.dim() == 2 else field[:, None] for field in fields], dim=1)


def _generated(
    module: torch.jit.ScriptModule, spec: ClosureSpec, stacked: bool, several: bool, *, apart: bool
) -> torch.fx.GraphModule:
    graph = torch.fx.Graph()
    arguments = spec.arguments
    results = spec.results
    given = [graph.placeholder(field.name) for field in arguments]
    if stacked:
        columns = [
            node if field.dims else graph.call_method("unsqueeze", (node, 1))
            for field, node in zip(arguments, given, strict=True)
        ]
        given = [graph.call_function(torch.cat, (columns,), {"dim": 1})]
    returned = graph.call_module("model", tuple(given))
    first = graph.call_function(operator.getitem, (returned, 0)) if several else returned
    if apart and several:
        found = [
            first if i == 0 else graph.call_function(operator.getitem, (returned, i))
            for i in range(len(results))
        ]
    elif apart:
        found = [first]
    else:
        found, start = [], 0
        for field in results:
            if field.dims:
                found.append(graph.call_method("narrow", (first, 1, start, field.size)))
            else:
                found.append(graph.call_method("select", (first, 1, start)))
            start += field.size
    graph.output(tuple(found))
    return torch.fx.GraphModule({"model": module}, graph)
