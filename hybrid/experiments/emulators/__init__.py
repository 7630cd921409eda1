"""Every emulator on ClimSim's files: trained, compiled, scored, compared."""

from hybrid.experiments.emulators.experiment import run

__all__ = ["run"]
