"""A moist column physics in two schemes, on the columns of ClimSim's low resolution.

The cheap scheme: gray longwave radiation with a prescribed optical depth, gray sunlight,
simplified Betts-Miller convection, condensation that falls out in a fixed time. The rich scheme:
longwave by water vapour, cloud, a window and carbon dioxide, sunlight in two spectral parts,
an entraining plume with a closure on CAPE, ice, conversion, melting and evaporation. Both mix the
boundary layer alike. A prescribed large-scale flow keeps the columns at a climate fitted to
ClimSim's, or at a warmer one.

Level index 0 is the model top.
"""

from solvers.column_physics.grid import Grid, generated_grid
from solvers.column_physics.model import ColumnError, Columns, ColumnSettings, Scheme, Step

__all__ = [
    "ColumnError",
    "ColumnSettings",
    "Columns",
    "Grid",
    "Scheme",
    "Step",
    "generated_grid",
]
