"""Sentences that say how fast something is: their numbers belong into tables and marked values."""

import re
from collections.abc import Iterator

_WORD = r"(?:an?|half(?:\s+an?)?|one|two|three|four|five|six|ten|some|several|a\s+few)"
_DURATION = (
    r"(?:\b\d[\d.,]*\s*(?:s|seconds?|minutes?|hours?)"
    rf"|\b{_WORD}\s+(?:seconds?|minutes?|hours?))\b"
)

_CLAIM = re.compile(
    rf"""
    \b(?:faster|slower|quicker)\b
    | \b(?:\d[\d.,]*|{_WORD})\s*(?:times|x|%)\s+(?:as\s+)?
      (?:fast|slow|quick|cheap|long|much\s+time)\w*
    | \b(?:twice|half)\s+as\s+(?:fast|slow|quick|cheap|long)\b
    | \b\d[\d.,]*\s*(?:µs|us|ns|ms|microseconds?|milliseconds?)\b
    | \b{_WORD}\s+(?:microseconds?|milliseconds?)\b
    | \b(?:takes?|took|lasts?|needs?|in|about|costs?|from|than|at\s+least)\s+
      (?:[\w`]+\s+){{0,3}}?{_DURATION}
    | {_DURATION}\s+(?:of\s+one|on\s+(?:one|two)|at\s+most|a\s+(?:call|step|seed))\b
    | \b(?:samples|columns|steps|calls)(?:/s|\s+(?:a|per)\s+second)\b | GFLOP
    | \bcosts?\s+(?:almost\s+|next\s+to\s+)?
      (?:nothing|at\s+most|half|twice|as\s+much|\d[\d.]*\s+times)\b
    | \bspeed-?ups?\b
    | \b\d[\d.,]*\s*(?:times|x)\s+(?:pyqg|numpy|PyTorch|FTorch|TorchScript|Fortran)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)

# What is written by a program, and what is one.
_WRITTEN = re.compile(
    r"<!-- (table|value|section): .*?<!-- end of \1 -->|```.*?```|^ {4}.*?$|`[^`\n]+`",
    re.DOTALL | re.MULTILINE,
)
_PARAGRAPH = re.compile(r"\n\s*\n|\n(?=[-|#*>] )|\n(?=\|)")
_SENTENCE = re.compile(r"(?<=[.:;])\s+")


def speed_claims(text: str) -> Iterator[str]:
    """Yield the sentences of a page that say with words of its own how fast something is.

    Examples
    --------
    >>> list(speed_claims("It is small. It runs 3 times faster than before."))
    ['It runs 3 times faster than before.']
    >>> list(speed_claims("It takes <!-- value: a -->3 s<!-- end of value -->. `x` is fast."))
    []
    """
    text = _WRITTEN.sub("", text)
    for paragraph in _PARAGRAPH.split(text):
        for sentence in _SENTENCE.split(" ".join(paragraph.split())):
            if _CLAIM.search(sentence):
                yield sentence
