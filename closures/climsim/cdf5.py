"""CDF-5 files read directly: the header once for all files of one layout, then bytes.

ClimSim's files all have the same header, and their variables lie in one piece each. A general
library parses the header anew for every file and copies every variable several times; here a file
costs one comparison with a known header and one read for each run of variables that lie together.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.climsim.errors import DataError

MAGIC = b"CDF\x05"
LONGEST_HEADER = 1 << 16
"""Bytes in which a header must end to be read here; ClimSim's take about 4000."""
SMALL_GAP = 1 << 14
"""Bytes between two variables that are read along rather than skipped."""

# The format's numbers of types.
_TYPES = {
    1: "i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8", 7: "u1", 8: ">u2", 9: ">u4",
    10: ">i8", 11: ">u8",
}  # fmt: skip
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12


class UnsupportedLayoutError(Exception):
    """A file that this reader leaves to a general one: another format, or record variables."""


@dataclass(frozen=True)
class Place:
    """Where a variable lies in a file.

    Parameters
    ----------
    begin
        Offset of its first byte.
    shape
        Sizes of its dimensions.
    dtype
        Type in the file, big-endian.
    """

    begin: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def end(self) -> int:
        """Offset after its last byte."""
        return self.begin + prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Layout:
    """Header of a file and what it says.

    Parameters
    ----------
    header
        All bytes of the header.
    places
        By name of the variable.
    """

    header: bytes
    places: dict[str, Place]

    @property
    def size(self) -> int:
        """Number of bytes that a whole file has at least."""
        return max((place.end for place in self.places.values()), default=len(self.header))


_known: list[Layout] = []


class Scratch:
    """Memory for the values of one file, used again for the next.

    Fresh memory costs the operating system more than the file's bytes do.
    """

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)

    def take(self, size: int) -> NDArray[np.uint8]:
        """Return `size` bytes; what was taken before is overwritten."""
        if size > self._memory.size:
            self._memory = np.empty(size, np.uint8)
        return self._memory[:size]


def read(
    path: Path, names: Iterable[str], scratch: Scratch | None = None
) -> dict[str, NDArray[Any]]:
    """Read variables as arrays in native byte order, with the shapes in the file.

    Parameters
    ----------
    path
        A CDF-5 file without record variables.
    names
        Variables to read; one that the file lacks is left out of the result.
    scratch
        Memory for the arrays, which are then valid until it is used again; None for their own.

    Raises
    ------
    UnsupportedLayoutError
        If the file is of another format.
    DataError
        If the file ends early.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        layout = _layout(descriptor, path)
        size = os.fstat(descriptor).st_size
        if size < layout.size:
            raise DataError(
                f"{path}: expected {layout.size} bytes by its header, got {size}: the file is cut "
                "off; download it again"
            )
        places = {name: layout.places[name] for name in names if name in layout.places}
        return _values(descriptor, path, places, scratch or Scratch())
    finally:
        os.close(descriptor)


def _layout(descriptor: int, path: Path) -> Layout:
    longest = max((len(layout.header) for layout in _known), default=0)
    start = os.pread(descriptor, longest, 0)
    for layout in _known:
        if start.startswith(layout.header):
            return layout
    start = os.pread(descriptor, LONGEST_HEADER, 0)
    if not start.startswith(MAGIC):
        raise UnsupportedLayoutError(f"{path}: not in the format CDF-5")
    try:
        layout = _Header(start).layout()
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: expected a header of the format CDF-5, got {len(start)} bytes that are none; "
            "download the file again"
        ) from error
    # Two or three layouts make up the whole data set.
    _known.append(layout)
    del _known[:-8]
    return layout


def _values(
    descriptor: int, path: Path, places: dict[str, Place], scratch: Scratch
) -> dict[str, NDArray[Any]]:
    runs = _runs(places)
    # Multiples of 8 keep the numbers aligned.
    spans = [places[run[-1]].end - places[run[0]].begin for run in runs]
    memory = scratch.take(sum(span + -span % 8 for span in spans))
    found: dict[str, NDArray[Any]] = {}
    for run, span in zip(runs, spans, strict=True):
        content, memory = memory[:span], memory[span + -span % 8 :]
        begin = places[run[0]].begin
        if os.preadv(descriptor, [content.data], begin) < span:
            raise DataError(f"{path}: ended while being read; read it again when it is complete")
        for name in run:
            place = places[name]
            values = content[place.begin - begin : place.end - begin].view(place.dtype)
            if sys.byteorder == "little":
                values = values.byteswap(inplace=True).view(place.dtype.newbyteorder("="))
            found[name] = values.reshape(place.shape)
    return found


def _runs(places: dict[str, Place]) -> list[list[str]]:
    """Group names whose variables lie so close together that one read takes them all."""
    runs: list[list[str]] = []
    end = -SMALL_GAP - 1
    for name in sorted(places, key=lambda name: places[name].begin):
        if places[name].begin - end > SMALL_GAP:
            runs.append([])
        runs[-1].append(name)
        end = places[name].end
    return runs


class _Header:
    """Reads a header from its beginning.

    References
    ----------
    Unidata, NetCDF file format specification, CDF-5: numbers of elements and offsets have eight
    bytes, type numbers and tags four, and names are padded to a multiple of four.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = len(MAGIC)

    def layout(self) -> Layout:
        """Parse everything."""
        self._number(8)  # of records
        sizes = [self._dimension() for _ in range(self._count(_DIMENSIONS))]
        self._skip_attributes()
        places = dict(self._variable(sizes) for _ in range(self._count(_VARIABLES)))
        return Layout(self._content[: self._at], places)

    def _take(self, n: int) -> bytes:
        if self._at + n > len(self._content):
            raise IndexError
        taken = self._content[self._at : self._at + n]
        self._at += n
        return taken

    def _number(self, n: int) -> int:
        return int.from_bytes(self._take(n), "big")

    def _count(self, tag: int) -> int:
        # An absent list has tag 0 and length 0.
        found, n = self._number(4), self._number(8)
        if found not in (0, tag) or (found == 0 and n):
            raise KeyError(found)
        return n

    def _name(self) -> str:
        n = self._number(8)
        return self._take(n + -n % 4)[:n].decode()

    def _dimension(self) -> int:
        self._name()
        return self._number(8)

    def _skip_attributes(self) -> None:
        for _ in range(self._count(_ATTRIBUTES)):
            self._name()
            size = np.dtype(_TYPES[self._number(4)]).itemsize * self._number(8)
            self._take(size + -size % 4)

    def _variable(self, sizes: list[int]) -> tuple[str, Place]:
        name = self._name()
        shape = tuple(sizes[self._number(8)] for _ in range(self._number(8)))
        if 0 in shape:
            raise UnsupportedLayoutError(f"{name}: a record variable")
        self._skip_attributes()
        dtype = np.dtype(_TYPES[self._number(4)])
        self._number(8)  # padded size, which the shape tells too
        return name, Place(self._number(8), shape, dtype)
