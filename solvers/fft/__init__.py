"""Real Fourier transforms that compiled time loops call, by the fastest library at hand."""

from solvers.fft.choice import (
    available_backends,
    backend_version,
    backends_for,
    measure,
    plan_transform,
)
from solvers.fft.plan import (
    Addresses,
    Transform,
    aligned_zeros,
    complex_dtype,
    forward,
    inverse,
    spectral_shape,
)

__all__ = [
    "Addresses",
    "Transform",
    "aligned_zeros",
    "available_backends",
    "backend_version",
    "backends_for",
    "complex_dtype",
    "forward",
    "inverse",
    "measure",
    "plan_transform",
    "spectral_shape",
]
