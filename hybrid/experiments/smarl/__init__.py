"""Learned eddy viscosities of two-dimensional turbulence, beside classical ones."""

from importlib.util import find_spec

from hybrid.errors import TrainError
from hybrid.experiments.result import ExperimentResult, Request

__all__ = ["run"]

_PACKAGES = ("cma", "gymnasium", "stable_baselines3", "tensorboard")


def run(request: Request) -> ExperimentResult:
    """Make truths, search and learn, run everything in every regime, and compare.

    Raises
    ------
    TrainError
        If packages of the extra ``rl`` are not there.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise TrainError(
            f"smarl: expected the packages {', '.join(_PACKAGES)}, found no "
            f"{', no '.join(missing)}; install 'hybrid-closures[rl]'"
        )
    # Imported late: without the extra there is nothing to import.
    from hybrid.experiments.smarl.experiment import run as run_it

    return run_it(request)
