"""What can be measured, where that is written, and how long it takes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Group(StrEnum):
    """What can be measured."""

    BRIDGE = "bridge"
    OVERHEAD = "overhead"
    ENGINES = "engines"
    CLOSURES = "closures"
    LOADING = "loading"
    THREADS = "threads"
    COUPLING = "coupling"
    TWO_LAYER = "two-layer"
    BAROTROPIC = "barotropic"
    EDDY_VISCOSITY = "eddy-viscosity"
    KURAMOTO_SIVASHINSKY = "kuramoto-sivashinsky"
    SHALLOW_WATER = "shallow-water"
    LORENZ96 = "lorenz96"
    MOIST_COLUMNS = "moist-columns"
    CLIMSIM_READING = "climsim-reading"
    EMULATORS = "emulators"
    SPARSE_REGRESSION = "sparse-regression"
    ENSEMBLES = "ensembles"


@dataclass(frozen=True)
class Subject:
    """Where a group is written.

    Parameters
    ----------
    module
        Module of this package with ``TITLE``, ``SIZES`` and ``measure(sizes, session)``, which
        yields records: dataclasses with ``row()`` and ``comparisons``.
    quick_seconds, full_seconds
        How long it takes on a quiet machine where everything is compiled [s]: the time that one
        processor was busy with the quick run, and for the full one an estimate from the medians,
        turns and rounds of earlier reports, to be said before it begins.
    """

    module: str
    quick_seconds: float
    full_seconds: float

    def seconds(self, *, quick: bool) -> float:
        """Return how long it takes [s]."""
        return self.quick_seconds if quick else self.full_seconds


SUBJECTS: Mapping[Group, Subject] = MappingProxyType(
    {
        Group.BRIDGE: Subject("bridge_call", 8, 25),
        Group.OVERHEAD: Subject("overhead", 19, 240),
        Group.ENGINES: Subject("engines", 13, 180),
        Group.CLOSURES: Subject("closure_calls", 25, 120),
        Group.LOADING: Subject("loading", 12, 60),
        Group.THREADS: Subject("threads", 4, 30),
        Group.COUPLING: Subject("coupling", 7, 15),
        Group.TWO_LAYER: Subject("two_layer_step", 8, 45),
        Group.BAROTROPIC: Subject("barotropic_step", 7, 35),
        Group.EDDY_VISCOSITY: Subject("eddy_viscosity_step", 8, 25),
        Group.KURAMOTO_SIVASHINSKY: Subject("kuramoto_sivashinsky_step", 7, 35),
        Group.SHALLOW_WATER: Subject("shallow_water_step", 7, 20),
        Group.LORENZ96: Subject("lorenz96_step", 6, 12),
        Group.MOIST_COLUMNS: Subject("column_step", 6, 10),
        Group.CLIMSIM_READING: Subject("climsim_reading", 18, 70),
        Group.EMULATORS: Subject("emulators", 45, 900),
        Group.SPARSE_REGRESSION: Subject("sparse_regression", 50, 200),
        Group.ENSEMBLES: Subject("ensembles", 16, 900),
    }
)


def expected_seconds(groups: Iterable[Group], *, quick: bool) -> float:
    """Return how long groups take together on a quiet machine [s]."""
    return sum(SUBJECTS[group].seconds(quick=quick) for group in groups)


def in_words(seconds: float) -> str:
    """Return a duration as people say it.

    Examples
    --------
    >>> in_words(42.0), in_words(200.0)
    ('42 s', '4 minutes')
    """
    return f"{seconds:.0f} s" if seconds < 100.0 else f"{-(-seconds // 60):.0f} minutes"
