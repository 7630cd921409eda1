"""ClimSim: an emulator of cloud-resolving columns, trained, compiled and called from Fortran."""

from hybrid.experiments.climsim.experiment import run

__all__ = ["run"]
