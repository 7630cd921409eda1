"""What a step of a model costs, beside its own transforms and beside other programs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import log2, prod
from typing import Protocol, runtime_checkable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.comparison import Compared, Comparison
from benchmarks.interleaved import Session, Work, interleave, on_processor
from solvers.fft import (
    Addresses,
    Transform,
    aligned_zeros,
    backends_for,
    complex_dtype,
    forward,
    inverse,
    spectral_shape,
)
from solvers.integration import Integration


@dataclass(frozen=True)
class StepCost(Compared):
    """Median times of a step [s], and medians of ratios taken turn by turn.

    Parameters
    ----------
    model, size
        What is stepped, and its grid or number of variables.
    variant
        FFT library of a spectral model; precision or form of another.
    default
        Whether the model uses this variant unless told otherwise; None where each is a model of
        its own.
    step
        Time of a step [s].
    step_by_work
        Time of a step for each grid point or variable, and with transforms also for each factor
        of two of the points along a side [s]; it is constant where the cost grows as the work.
    transforms, step_by_transforms
        Time of the transforms that a step makes, by the same library [s]; None without any.
    peer, peer_step, speed_up
        Another program, its time of a step [s], and how many times longer that is; None if there
        is nothing to compare with.
    """

    model: str
    size: str
    variant: str
    default: bool | None
    step: float
    step_by_work: float
    transforms: float | None
    step_by_transforms: float | None
    peer: str | None
    peer_step: float | None
    speed_up: float | None

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        return {
            "size": self.size,
            "variant": self.variant + (" *" if self.default else ""),
            "step [us]": _microseconds(self.step),
            "transforms [us]": _microseconds(self.transforms),
            "step / transforms": _ratio(self.step_by_transforms),
            "peer": self.peer or "",
            "peer [us]": _microseconds(self.peer_step),
            "peer / step": _ratio(self.speed_up),
            "step / work [ns]": f"{1e9 * self.step_by_work:.3g}",
        }


@dataclass(frozen=True)
class Case:
    """A model at one size.

    Parameters
    ----------
    model, size
        Their names.
    work
        What the cost of a step should grow with.
    """

    model: str
    size: str
    work: float

    @classmethod
    def of_points(cls, model: str, shape: tuple[int, ...]) -> "Case":
        """Return the case of a grid or set of variables with work at each.

        Examples
        --------
        >>> Case.of_points("shallow water", (64, 32))
        Case(model='shallow water', size='64 x 32', work=2048)
        """
        return cls(model, " x ".join(map(str, shape)), prod(shape))

    @classmethod
    def of_transforms(cls, model: str, shape: tuple[int, ...]) -> "Case":
        """Return the case of a grid that is transformed.

        Examples
        --------
        >>> Case.of_transforms("barotropic", (64, 64)).work == 64 * 64 * 6
        True
        """
        points = cls.of_points(model, shape)
        return cls(model, points.size, points.work * log2(shape[-1]))


@dataclass(frozen=True)
class Variant:
    """One way to run a model: its steps, the transforms of as many steps, what `StepCost` says."""

    step: Work
    transforms: Work | None = None
    default: bool | None = None


def compare(
    case: Case, variants: Mapping[str, Variant], peers: Mapping[str, Work], session: Session
) -> Iterator[StepCost]:
    """Time all variants of a model and all peers; one result for each pair of them."""
    candidates = {f"peer {name}": work for name, work in peers.items()}
    for name, variant in variants.items():
        candidates[name] = variant.step
        if variant.transforms is not None:
            candidates[f"{name} transforms"] = variant.transforms
    timings = interleave(candidates, session, f"{case.model}, {case.size}")
    for name, variant in variants.items():
        own = f"{name} transforms" if variant.transforms is not None else None
        what = f"{case.model}, {case.size}, {name}"
        for number, peer in enumerate(peers or (None,)):
            step = timings.median(name)
            yield StepCost(
                model=case.model,
                size=case.size,
                variant=name,
                default=variant.default,
                step=step,
                step_by_work=step / case.work,
                transforms=timings.median(own) if own else None,
                step_by_transforms=timings.ratio(name, own) if own else None,
                peer=peer,
                peer_step=timings.median(f"peer {peer}") if peer else None,
                speed_up=timings.ratio(f"peer {peer}", name) if peer else None,
                comparisons=tuple(
                    Comparison.of(timings, name, beside, what=what, called=called)
                    # Beside its transforms once, however many peers there are.
                    for beside, called in _beside(
                        name, peer, own if number == 0 else None, next(iter(variants))
                    )
                ),
            )


def _beside(name: str, peer: str | None, own: str | None, first: str) -> Iterator[tuple[str, str]]:
    """Yield what a variant is compared with, and what a report calls that."""
    if peer is not None:
        yield f"peer {peer}", peer
    if own is not None:
        yield own, "its transforms"
    if peer is None and own is None and name != first:
        yield first, first


@runtime_checkable
class Transforming(Protocol):
    """The state of a spectral model."""

    transform: Transform

    def advance(self, n_step: int) -> None:
        """Advance it."""


def by_fft_library(
    start: Callable[[str], Integration], n_inverse: int, n_forward: int, repeat: int = 1
) -> dict[str, Variant]:
    """Return a spectral model with every FFT library but SciPy, the last resort.

    Parameters
    ----------
    start
        Starts the model with a library, ``"auto"`` for its own choice.
    n_inverse, n_forward, repeat
        As in `transforms`.
    """
    chosen = _transforming(start("auto")).transform
    variants = {}
    for name in backends_for(chosen.shape, chosen.dtype):
        if name != "scipy":
            running = _transforming(start(name))
            variants[name] = Variant(
                on_processor(running.advance),
                transforms(running.transform, n_inverse, n_forward, repeat),
                default=name == chosen.backend,
            )
    return variants


def _transforming(integration: Integration) -> Transforming:
    assert isinstance(integration, Transforming)
    return integration


def transforms(transform: Transform, n_inverse: int, n_forward: int, repeat: int = 1) -> Work:
    """Return the transforms of a step.

    Parameters
    ----------
    transform
        The plan.
    n_inverse, n_forward
        Fields that are transformed either way, each in memory of its own.
    repeat
        Evaluations of the tendency in a step, which use the same memory.
    """
    count = max(n_inverse, n_forward)
    fields = aligned_zeros((count, *transform.shape), transform.dtype)
    spectra = aligned_zeros(
        (count, *spectral_shape(transform.shape)), complex_dtype(transform.dtype)
    )
    return on_processor(
        lambda n_step: _transform(
            transform.addresses, fields, spectra, n_inverse, n_forward, n_step * repeat
        )
    )


@njit(cache=True)
def _transform(
    addresses: Addresses,
    fields: NDArray[np.float64],
    spectra: NDArray[np.complex128],
    n_inverse: int,
    n_forward: int,
    repeat: int,
) -> None:
    for _ in range(repeat):
        for i in range(n_inverse):
            inverse(addresses, spectra[i], fields[i])
        for i in range(n_forward):
            forward(addresses, fields[i], spectra[i])


def _microseconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{1e6 * seconds:.0f}" if seconds >= 1e-4 else f"{1e6 * seconds:.3g}"


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"
