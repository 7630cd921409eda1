"""Random columns inside the training envelope of a closure."""

import torch
from torch import Tensor

from closures.field import Bound, Field
from closures.spec import ClosureSpec


def random_inputs(spec: ClosureSpec, n: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Draw `n` random columns inside the training envelope, one tensor an argument of forward.

    Without a declared bound, two units of the field below or above the other; -1 to 1 without both.
    What is shown with these columns then need not hold for the host's: see `ClosureSpec.unbounded`.

    Parameters
    ----------
    spec
        Closure contract.
    n
        Number of columns.
    generator
        Source of randomness, so that a comparison can be repeated.

    Returns
    -------
    tuple of Tensor
        Tensors of shape ``(n, *field.shape)``: inputs, then state, then noise. Noise is
        standard normal, everything else uniform between its bounds.
    """
    drawn = []
    for group, fields in (("in", spec.inputs + spec.state), ("noise", spec.noise)):
        for field in fields:
            dtype = torch.float64 if field.dtype == "float64" else torch.float32
            shape = (n, *field.sizes)
            if group == "noise":
                drawn.append(torch.randn(shape, generator=generator, dtype=dtype))
                continue
            lower, upper = _envelope(field, shape[1:])
            unit = torch.rand(shape, generator=generator, dtype=torch.float64)
            drawn.append((lower + unit * (upper - lower)).to(dtype))
    return tuple(drawn)


def _envelope(field: Field, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    def tensor(bound: Bound) -> Tensor:
        values = torch.as_tensor(bound, dtype=torch.float64)
        return values.reshape(shape) if values.dim() else values

    if field.valid_min is None and field.valid_max is None:
        return tensor(-1.0), tensor(1.0)
    if field.valid_min is None:
        return tensor(field.valid_max) - 2.0, tensor(field.valid_max)
    if field.valid_max is None:
        return tensor(field.valid_min), tensor(field.valid_min) + 2.0
    return tensor(field.valid_min), tensor(field.valid_max)
