"""Which parts of the entries of an archive hold what, so that no weight is stored twice."""

import hashlib
from collections.abc import Collection, Mapping

MOST_BLOCKS = 2**10
"""Blocks of one size that are looked at in one entry: more than an ensemble has members, fewer than
there are single numbers, which are as well stored again."""


def digest(content: bytes | memoryview) -> bytes:
    """Return what tells contents apart."""
    return hashlib.sha256(content).digest()


def blocks_of(entries: Mapping[str, bytes], sizes: Collection[int]) -> dict[bytes, tuple[str, int]]:
    """Return where blocks of certain sizes are, by their digest.

    An entry is cut into blocks of one size where it can be without a rest, as the stacked weights
    of an ensemble can be into those of its members.

    Parameters
    ----------
    entries
        Name to bytes.
    sizes
        Of blocks [bytes].

    Returns
    -------
    dict
        Digest to the name of an entry and the byte at which the block begins; the first place if
        there are several.
    """
    found: dict[bytes, tuple[str, int]] = {}
    for name, content in entries.items():
        view = memoryview(content)
        for size in sorted(sizes):
            n_block, rest = divmod(len(content), size)
            if rest or n_block > MOST_BLOCKS:
                continue
            for i in range(n_block):
                block = view[i * size : (i + 1) * size]
                found.setdefault(digest(block), (name, i * size))
    return found
