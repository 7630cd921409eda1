"""The ClimSim column host in this process."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fortran_bridge.errors import HostError
from fortran_bridge.hosts.extension import extension
from fortran_bridge.hosts.fortran_object import check_host, live_array


class ClimsimHost:
    """The columns of the Fortran model that ``hybrid-climsim-host`` runs, without its files.

    Parameters
    ----------
    archive
        Compiled closure, with fields of ``hosts/climsim_fields.f90``.
    n_column, n_level
        Sizes of the host's arrays, zero at first.
    seed
        Seed of a stochastic closure.
    engine
        ``"auto"``, or the name of an engine.
    reproducible
        True: results do not depend on how many columns come along.
    policy
        What becomes of columns that the guard flags: ``"error"``, ``"flag"``, ``"clip"``,
        ``"zero"``, or ``"host"``, which leaves in `output` what was put there before.

    Raises
    ------
    HostError
        From every method, with the text of ``errmsg``.
    BuildError
        If the Fortran part cannot be built, for example without f90wrap.
    """

    def __init__(
        self,
        archive: Path | str,
        n_column: int,
        n_level: int,
        *,
        seed: int = 0,
        engine: str = "auto",
        reproducible: bool = True,
        policy: str = "error",
    ) -> None:
        self._fortran = extension().climsim_columns.columns_t()
        self._n_column = n_column
        self._fortran.set_engine(engine)
        check_host("climsim", self._fortran.load(str(archive)))
        self._fortran.seed = seed
        self._fortran.reproducible = reproducible
        self._fortran.set_policy(policy)
        check_host("climsim", self._fortran.resize(n_column, n_level))

    def input(self, name: str) -> NDArray[np.float64]:
        """Return Fortran's own array of an input in the units of ClimSim's files.

        A profile has shape ``(column, level)``, a scalar ``(column,)``.

        Raises
        ------
        HostError
            If the closure has no such input.
        """
        return self._features("inputs", "input", name)

    def output(self, name: str) -> NDArray[np.float64]:
        """Return Fortran's own array of an output in SI units, shapes as of `input`.

        Members of an ensemble follow one another along the second axis, each with its levels.

        Raises
        ------
        HostError
            If the closure has no such output.
        """
        return self._features("outputs", "output", name)

    def advance(self, step: int) -> None:
        """Let the closure write its outputs for model step `step`."""
        check_host("climsim", self._fortran.advance(step))

    def mask(self) -> NDArray[np.bool_]:
        """Return which columns the guard flagged in the last step, shape ``(n_column,)``."""
        found = np.zeros(self._n_column, dtype=np.int32)
        check_host("climsim", self._fortran.reasons(found))
        return found.astype(np.bool_)

    def _features(self, group: str, array: str, name: str) -> NDArray[np.float64]:
        first, last = self._fortran.place(group, name)
        if first == 0:
            raise HostError(
                f"climsim host: {name}: expected one of the closure's {group}, got none"
            )
        found = live_array(self._fortran, array)
        return found[:, first - 1] if first == last else found[:, first - 1 : last]
