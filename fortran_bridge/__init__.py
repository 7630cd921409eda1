"""Reads closure archives for Fortran, C and Python through one native library."""

from fortran_bridge.errors import BridgeError, BuildError, HostError

__all__ = ["BridgeError", "BuildError", "HostError"]
