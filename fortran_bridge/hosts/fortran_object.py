"""What the classes of hosts share: arrays of a Fortran object, and its errors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fortran_bridge.errors import HostError


def live_array(owner: object, name: str) -> NDArray[Any]:
    """Return the array `name` of a Fortran object: its memory, in Fortran order.

    The object is kept as long as anyone looks at the array.
    """
    return np.asarray(_Memory(owner, getattr(owner, name)))


def check_host(host: str, result: tuple[int, bytes]) -> None:
    """Raise `HostError` with the text of ``errmsg`` if ``stat`` is not zero."""
    stat, errmsg = result
    if stat:
        raise HostError(f"{host} host: {errmsg.decode().rstrip()}")


class _Memory:
    def __init__(self, owner: object, array: NDArray[Any]) -> None:
        self._owner = owner
        self.__array_interface__ = array.__array_interface__
