"""Closures as plain numbers, strings and tensors, for the checkpoint.

Each is what its class is called with, so that no object needs to be stored.
"""

from typing import Any

from closures.lorenz96 import AR1Closure, CubicClosure, MLPClosure


def plain_cubic(closure: CubicClosure) -> dict[str, Any]:
    """Return the arguments of `CubicClosure`."""
    (x,) = closure.spec.inputs
    return {
        "coefficients": [closure.b0, closure.b1, closure.b2, closure.b3],
        "valid_min": x.valid_min,
        "valid_max": x.valid_max,
        "provenance": dict(closure.spec.provenance),
    }


def plain_ar1(closure: AR1Closure) -> dict[str, Any]:
    """Return the arguments of `AR1Closure`."""
    return {
        "phi": closure.phi,
        "sigma": closure.sigma,
        "provenance": dict(closure.spec.provenance),
    }


def plain_network(closure: MLPClosure) -> dict[str, Any]:
    """Return the arguments of `MLPClosure`, and its weights."""
    arguments = {
        "n_hidden": closure.first.out_features,
        "x_min": closure.x_min,
        "x_max": closure.x_max,
        "phi": closure.phi,
        "provenance": dict(closure.spec.provenance),
    }
    return {"arguments": arguments, "weights": closure.state_dict()}


def restored_network(values: dict[str, Any]) -> MLPClosure:
    """Return the network that `plain_network` was given."""
    closure = MLPClosure(**values["arguments"])
    closure.load_state_dict(values["weights"])
    return closure.eval()
