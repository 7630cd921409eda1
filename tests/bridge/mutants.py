"""Strategies for manifests and archives that nobody should write."""

import copy
import json
import struct
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

from bridge.archives import MANIFEST
from bridge.stub_archives import MANIFESTS, archive, with_hashes, zipped
from hypothesis import strategies as st

_ODD_NUMBERS = (-1, 0, 1, 2, 3, 2**25, 2**31, 2**53, 2**63, 2**64, -(2**63), 1.5, -0.0, 1e300)
_ODD_TEXTS = (
    *("", "x", "column", "member", "level", "grid", "float16", "../../lib/evil", "K m-2 s-1"),
    *("\0", "a\0b", "é", "名前", "\ud800", "\u202e", "%s%n", "1" * 70, "m" * 10_000),
    *("1e400 K", "(" * 200, "K^999999999999", "m" + " m" * 80, "lg(re 1 mW)", "days since 2000"),
)
_DEEP: Any = []
for _ in range(12):
    _DEEP = [_DEEP]

ODD_VALUES = st.one_of(
    st.sampled_from([None, True, False, [], {}, [[]], [{}], [None], [None, None], _DEEP]),
    st.sampled_from(_ODD_NUMBERS),
    st.sampled_from(_ODD_TEXTS),
    st.lists(st.sampled_from(_ODD_NUMBERS), max_size=20),
    st.text(max_size=80),
    st.floats(allow_nan=True, allow_infinity=True),
)
"""JSON values (and what is none: NaN, infinity, lone surrogates) where others are expected."""


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container of a JSON value with every key or index in it."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _mutate(draw: st.DrawFn, manifest: dict[str, Any]) -> None:
    places = list(_places(manifest))
    if not places:
        return
    container, key = draw(st.sampled_from(places))
    match draw(st.sampled_from(["replace", "delete", "wrap", "repeat", "add", "swap"])):
        case "replace":
            container[key] = draw(ODD_VALUES)
        case "delete":
            del container[key]
        case "wrap":
            container[key] = [container[key]]
        case "repeat" if isinstance(container[key], list):
            container[key] = container[key] * draw(st.sampled_from([2, 15, 300]))
        case "add" if isinstance(container, dict):
            container[draw(st.sampled_from(_ODD_TEXTS))] = draw(ODD_VALUES)
        case _:
            other, place = draw(st.sampled_from(places))
            container[key] = copy.deepcopy(other[place])


@st.composite
def manifests(draw: st.DrawFn) -> bytes:
    """Draw the text of a manifest with up to four mistakes."""
    manifest = copy.deepcopy(MANIFESTS[draw(st.sampled_from(sorted(MANIFESTS)))])
    for _ in range(draw(st.integers(1, 4))):
        _mutate(draw, manifest)
    # Lone surrogates have no UTF-8: written as they are, they are bytes that do not decode.
    is_ascii = draw(st.booleans())
    text = json.dumps(manifest, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    match draw(st.sampled_from(["plain", "repeated key", "deep", "tail", "bytes"])):
        case "repeated key":
            return text.replace(b"{", b'{"spec": [], "name": 1, "shape": {}, ', 1)
        case "deep":
            depth = draw(st.sampled_from([10, 17, 1000, 100_000]))
            return text.replace(b"[]", b"[" * depth + b"]" * depth, 1)
        case "tail":
            return text + draw(st.sampled_from([b"\0", b"{}", b" ", b"\xef\xbb\xbf", b"/**/"]))
        case "bytes":
            return text.replace(b"K", draw(st.binary(min_size=1, max_size=4)), 1)
    return text


ODD_NAMES = (
    *("", "/", "//", "../../etc/passwd", "a\\b", "x" * 60_000, "é", "con", "\x01", "extra/"),
    *(MANIFEST, f"/{MANIFEST}", f"./{MANIFEST}", f"extra/../{MANIFEST}", MANIFEST.upper()),
)


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """Draw an archive that is damaged, or made of entries no exporter writes."""
    manifest = MANIFESTS[draw(st.sampled_from(sorted(MANIFESTS)))]
    entries = [(MANIFEST, json.dumps(manifest).encode()), ("code/a.py", b"pass\n" * 9)]
    method = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]))
    match draw(st.sampled_from(["sound", "names", "repeated", "bomb"])):
        case "names":
            names = draw(st.lists(st.sampled_from(ODD_NAMES), min_size=1, max_size=4))
            entries += [(name, b"odd") for name in names]
        case "repeated":
            entries.append(draw(st.sampled_from(entries)))
        case "bomb":
            size = draw(st.sampled_from([10**5, 5 * 10**6, 3 * 10**7]))
            entries.append((draw(st.sampled_from(["zeros", MANIFEST])), bytes(size)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate name")
        content = bytearray(zipped(with_hashes(entries), method))
    match draw(st.sampled_from(["whole", "flipped", "short", "lying", "inside", "repeated tail"])):
        case "flipped":
            for _ in range(draw(st.integers(1, 8))):
                content[draw(st.integers(0, len(content) - 1))] ^= draw(st.integers(1, 255))
        case "short":
            del content[draw(st.integers(1, len(content))) :]
        case "lying":
            _lie(draw, content)
        case "inside":
            content = bytearray(b"\x7fELF" + content + b"tail" * draw(st.integers(0, 3)))
        case "repeated tail":
            content += content[content.rindex(b"PK\5\6") :]
    return bytes(content)


def _lie(draw: st.DrawFn, content: bytearray) -> None:
    """Change sizes, offsets, counts or flags in a header of the zip file."""
    # Signature, and offset and format of the numbers of its header.
    headers = {
        b"PK\3\4": ((6, "<H"), (8, "<H"), (14, "<I"), (18, "<I"), (22, "<I"), (26, "<H")),
        b"PK\1\2": ((8, "<H"), (10, "<H"), (20, "<I"), (24, "<I"), (28, "<H"), (42, "<I")),
        b"PK\5\6": ((8, "<H"), (10, "<H"), (12, "<I"), (16, "<I"), (20, "<H")),
    }
    signature = draw(st.sampled_from(sorted(headers)))
    found = [i for i in range(len(content)) if content[i : i + 4] == signature]
    start = draw(st.sampled_from(found))
    offset, kind = draw(st.sampled_from(headers[signature]))
    most = 2 ** (8 * struct.calcsize(kind)) - 1
    value = draw(st.sampled_from([0, 1, 8, 255, 65535, most // 2, most - 1, most])) & most
    if start + offset + struct.calcsize(kind) <= len(content):
        struct.pack_into(kind, content, start + offset, value)


@st.composite
def sealed_manifests(draw: st.DrawFn) -> bytes:
    """Draw a sealed archive around a manifest with mistakes."""
    return archive(draw(manifests()))
