"""The same work in this process, on this machine's processors, or on a dask cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class ClusterError(RuntimeError):
    """Work was to be spread, and cannot be."""


@contextmanager
def cluster(workers: int = 1, scheduler: str | None = None) -> Iterator[Any]:
    """Connect to a dask cluster for the length of a block.

    Parameters
    ----------
    workers
        Number of processes that are started on this machine if there is no `scheduler`; with one,
        nothing is started.
    scheduler
        Address of a running dask scheduler, for example ``"tcp://10.0.0.1:8786"``.

    Yields
    ------
    distributed.Client or None
        Connection to the cluster; None for this process alone.

    Raises
    ------
    ClusterError
        If dask is not installed, or nobody answers at the address.
    """
    if workers < 1:
        raise ClusterError(f"workers: expected at least 1, got {workers}")
    if workers == 1 and scheduler is None:
        yield None
        return
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise ClusterError(
            "parallel work: expected the package distributed, found none; "
            "pip install 'hybrid-closures[cluster]', or use one worker"
        ) from None
    try:
        client = (
            distributed.Client(scheduler)
            if scheduler
            else distributed.Client(n_workers=workers, threads_per_worker=1, dashboard_address=None)
        )
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"{scheduler or 'this machine'}: expected a dask scheduler, got '{error}'; check the "
            "address, and that the scheduler runs"
        ) from error
    with client:
        yield client


def run(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    on_result: Callable[[Result], None],
    client: Any = None,
) -> None:
    """Do `work` on every item, in any order, and hand each result on when it is there.

    Parameters
    ----------
    work
        Function of a module, so that other processes find it.
    items
        What it is called with.
    on_result
        Called in this process.
    client
        ``distributed.Client`` of a cluster; None for this process.

    Raises
    ------
    Exception
        The first that `work` raises; what has not begun is then called off.
    """
    if client is None:
        for item in items:
            on_result(work(item))
        return
    distributed: Any = import_module("distributed")
    futures = client.map(work, items, pure=False)
    try:
        for future in distributed.as_completed(futures):
            on_result(future.result())
            future.release()
    finally:
        client.cancel(futures)
