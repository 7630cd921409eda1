"""What a run of PlaSim is to do: with its radiation, from where, for how long, over which sea."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import f90nml

NATIVE, CLOSURE = "native", "closure"
"""Kinds of runs: with the model's own radiation, and with closures."""

# Parts of the model that read a namelist of their own.
_PARTS = (
    "aero",
    "carbonmod",
    "fluxmod",
    "glacier",
    "hurricane",
    "icemod",
    "landmod",
    "miscmod",
    "oceanmod",
    "planet",
    "radmod",
    "rainmod",
    "seamod",
    "surfmod",
    "vegmod",
)


@dataclass(frozen=True)
class Run:
    """One run of the model.

    Parameters
    ----------
    n_day
        Days to run.
    schemes
        For ``longwave`` and ``shortwave``, or for ``convection``, what the hooks are told:
        ``mode``, ``archive``, ... as in ``hooks/scheme.f90``; a scheme that is not named is the
        host's own.
    restart
        File to go on from; None: a cold start on 1 January, at rest, with a little noise.
    member
        Number in an ensemble; members other than 0 have their first fluxes changed a little.
    seed
        Of the model's own random numbers in a cold start.
    changes
        What differs in the namelists of the model's parts, such as ``{"radmod": {"co2": 720.0}}``
        [ppmv].
    sea_warmer
        By how much the sea is warmer than its climatology [K]; None: the model computes it.
    """

    n_day: int
    schemes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    restart: Path | None = None
    member: int = 0
    seed: int = 1
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sea_warmer: float | None = None

    def namelists(self) -> dict[str, f90nml.Namelist]:
        """Return the namelist files by name."""
        plasim = {
            "noutput": 0,
            "n_start_year": 1,
            "n_days_per_year": 360,
            "n_run_years": 0,
            "n_run_days": self.n_day,
            "kick": 1,
            "seed": [self.seed, *[0] * 7],
            "mpstep": 30.0,
            "nveg": 0,
            # Steps between outputs: none are written, but the model divides by it at the end.
            "nstpw": 48,
        }
        changes = {part: dict(of_part) for part, of_part in self.changes.items()}
        if self.sea_warmer is not None:
            changes.setdefault("oceanmod", {}).update(nocean=0, newsurf=1)
        files: dict[str, Any] = {
            f"{part}_namelist": {f"{part}_nl": changes.get(part, {})} for part in _PARTS
        }
        files["plasim_namelist"] = {"plasim_nl": plasim}
        return {name: f90nml.Namelist(groups) for name, groups in files.items()}

    def hooks(self) -> str:
        """Return the namelist file of the hooks: one group a scheme."""
        groups: list[tuple[str, dict[str, Any]]] = [("run_nl", {"member": self.member})]
        groups += [
            ("scheme_nl", {"scheme": name, **settings}) for name, settings in self.schemes.items()
        ]
        return "".join(f"{f90nml.Namelist({name: group})}\n" for name, group in groups)


def warmed(records: str, kelvin: float) -> str:
    r"""Return surface data of the model with all values raised.

    Parameters
    ----------
    records
        Text of a file: for each record a line of integers, then lines of numbers of 10 characters.
    kelvin
        What is added [K].

    Examples
    --------
    >>> warmed("   169   0\n   271.360   280.000\n", 4.0)
    '   169   0\n   275.360   284.000\n'
    """
    lines = (
        "".join(f"{float(value) + kelvin:10.3f}" for value in line.split()) if "." in line else line
        for line in records.splitlines()
    )
    return "\n".join(lines) + "\n"
