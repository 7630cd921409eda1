"""The ClimSim column host in this process."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fortran_bridge.hosts.extension import extension
from fortran_bridge.hosts.fortran_object import check_host, live_array


class ClimsimHost:
    """The columns of the Fortran model that ``hybrid-climsim-host`` runs, without its files.

    Parameters
    ----------
    archive
        Compiled closure, with the fields that ``hosts/climsim_columns.f90`` binds.
    n_column, n_level
        Sizes of the host's arrays, zero at first.

    Raises
    ------
    HostError
        From every method, with the text of ``errmsg``.
    BuildError
        If the Fortran part cannot be built, for example without f90wrap.
    """

    def __init__(self, archive: Path | str, n_column: int, n_level: int) -> None:
        self._fortran = extension().climsim_columns.columns_t()
        check_host("climsim", self._fortran.load(str(archive)))
        check_host("climsim", self._fortran.resize(n_column, n_level))

    @property
    def t(self) -> NDArray[np.float64]:
        """Air temperature [K], shape ``(column, level)``: as all of these, Fortran's own array."""
        return live_array(self._fortran, "t")

    @property
    def q0001(self) -> NDArray[np.float64]:
        """Specific humidity [kg kg-1], shape ``(column, level)``."""
        return live_array(self._fortran, "q0001")

    @property
    def ps(self) -> NDArray[np.float64]:
        """Surface pressure [Pa], shape ``(column,)``."""
        return live_array(self._fortran, "ps")

    @property
    def flux(self) -> NDArray[np.float64]:
        """Insolation, latent and sensible heat flux [W m-2], shape ``(column, 3)``."""
        return live_array(self._fortran, "flux")

    @property
    def t_tendency(self) -> NDArray[np.float64]:
        """Tendency of temperature [K s-1] that the closure wrote, shape ``(column, level)``."""
        return live_array(self._fortran, "t_tendency")

    @property
    def q0001_tendency(self) -> NDArray[np.float64]:
        """Tendency of humidity [kg kg-1 s-1] that the closure wrote, shape ``(column, level)``."""
        return live_array(self._fortran, "q0001_tendency")

    @property
    def scalar(self) -> NDArray[np.float64]:
        """Scalar outputs in the order of ``hosts/climsim_fields.f90``, shape ``(column, 8)``.

        Radiation in W m-2, precipitation and snow in m s-1.
        """
        return live_array(self._fortran, "scalar")

    def advance(self, step: int) -> None:
        """Let the closure write tendencies and scalars for model step `step`."""
        check_host("climsim", self._fortran.advance(step))
