"""How weak a term can be and still be found: by noise, number of samples and size of the term."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from closures.model_error import Gram, Samples, analysis_increments, mean_over_step
from hybrid.experiments.medida_ks.cases import NATURE, Coefficients, ImperfectModel
from hybrid.experiments.medida_ks.noise_free import candidate_terms
from hybrid.experiments.medida_ks.noisy import Found, Observations, chosen_terms
from hybrid.experiments.medida_ks.settings import MAP_LEVELS, WeakTerm
from hybrid.experiments.medida_ks.truth import Truth

Array = NDArray[Any]


class Point(NamedTuple):
    """A point of the map: a model whose only error is one weak term, and what is seen of it.

    Parameters
    ----------
    size
        Coefficient of the spurious :math:`u^2 u_x` [1].
    n_sample
        Samples.
    level
        Suffix of the noise, key of `settings.MAP_LEVELS`.
    """

    size: float
    n_sample: int
    level: str

    @property
    def name(self) -> str:
        """As in records and metrics: ``0.02_100_n1``; ``0.02_100`` without noise."""
        return "_".join(filter(None, (f"{self.size:g}", str(self.n_sample), self.level)))


def points(weak: WeakTerm) -> list[Point]:
    """Return the points of a map."""
    return [
        Point(size, n_sample, level)
        for level in MAP_LEVELS
        for n_sample in weak.n_sample
        for size in weak.sizes
    ]


def detect(
    truth: Truth, samples: Samples, weak: WeakTerm, seed: int
) -> Iterator[tuple[str, Found]]:
    """Look for one weak term at each point of a map; yield what was found by name of the point.

    Fewer samples are the first of the samples, with their noise; each number of them is analysed
    for itself, with the spectra that so many show.

    Parameters
    ----------
    truth, samples
        The truth and its samples without noise, as many as the map asks for at most.
    weak
        Sizes of the map.
    seed
        Of the noise.
    """
    for i, (level, noise) in enumerate(MAP_LEVELS.items()):
        rng = np.random.default_rng([seed, i])
        observed = Observations.of(truth, samples, noise, rng) if noise else None
        for n_sample in weak.n_sample:
            if observed is None:
                found = _without_noise(truth, next(samples.batches(n_sample)), weak.sizes)
            else:
                found = _with_noise(observed.first(n_sample), weak.sizes)
            for size, one in zip(weak.sizes, found, strict=True):
                yield Point(size, n_sample, level).name, one


def _with_noise(observed: Observations, sizes: tuple[float, ...]) -> Iterator[Found]:
    analysed = observed.analysed(known=True)
    # The term is explicit: all sizes share the implicit operator, and with it the columns.
    columns = analysed.columns(NATURE)
    for size in sizes:
        yield analysed.find(Coefficients(cubic_advection=size), columns=columns)


def _without_noise(truth: Truth, samples: Samples, sizes: tuple[float, ...]) -> Iterator[Found]:
    library = candidate_terms(truth)
    nature = ImperfectModel(NATURE, truth.nx, truth.length, truth.dt)
    columns = nature.implicit(mean_over_step(library, samples))
    for size in sizes:
        wrong = Coefficients(cubic_advection=size)
        model = ImperfectModel(wrong, truth.nx, truth.length, truth.dt)
        gram = Gram(library.names)
        gram.add(columns, analysis_increments(model.step, samples))
        yield chosen_terms(gram, None, wrong, "l_curve")
