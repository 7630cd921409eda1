"""Write docs/performance.md and its figures from the results of named runs in docs/results.

Usage: python docs/performance.py. A test holds the page to what this would write. A subject that
has no results yet is left out.
"""

import json
from pathlib import Path

from performance_figures import FIGURES, drawn
from performance_sections import SECTIONS

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "performance.md"
RESULTS = DOCS / "results"
DRAWINGS = DOCS / "figures"

INTRODUCTION = """# Performance

<!-- Written by docs/performance.py from docs/results; change those. -->

What things cost, each beside the best of its peers that we know; where a peer wins, its row
stays. `make bench` measures every subject at its smallest size, `make bench-full` at every size;
either says first how long that takes. One subject: `python -m benchmarks NAME`, see
`python -m benchmarks --help`.

What is compared takes turns, in one process or in two on one processor, and what counts is the
median of the ratios of turns side by side with its 95 % interval; pytest-benchmark times one thing
at a time in absolute terms, which on a shared machine shows the machine. All runs on one
thread but where more are named.

A change is held against an earlier report, ratio by ratio:

```sh
python -m benchmarks --quick --json before.json
python -m benchmarks --quick --compare before.json
```

The second names every ratio that is worse or better beyond the intervals of both, and those that
are missing or new. What is worse is measured once more, and if it is worse again the exit status
is 1. A baseline from another machine or of other versions can be used, and is said to be.
"""


def page(folder: Path = RESULTS) -> str:
    """Return the text of the page.

    Parameters
    ----------
    folder
        Where results are.
    """
    paragraphs = [INTRODUCTION.rstrip()]
    for section in SECTIONS:
        paragraphs += section.lines(folder)
    return "\n\n".join(paragraphs) + "\n"


def main() -> None:
    """Write the page, and the figures whose results are there."""
    PAGE.write_text(page())
    DRAWINGS.mkdir(exist_ok=True)
    for name, (file, draw) in FIGURES.items():
        results = RESULTS / file
        if results.is_file():
            figure = draw(json.loads(results.read_text()))
            (DRAWINGS / f"{name}.svg").write_text(drawn(figure, results))


if __name__ == "__main__":
    main()
