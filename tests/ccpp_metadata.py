"""Read CCPP metadata and the Fortran it describes, as a cap generator must, each on its own."""

import re
from dataclasses import dataclass
from pathlib import Path

UNITS = re.compile(r"1|none|count|index|flag|[A-Za-z]+(-?[1-9]\d*)?( [A-Za-z]+(-?[1-9]\d*)?)*")


@dataclass(frozen=True)
class Variable:
    """What metadata and source must agree on."""

    name: str
    type: str
    kind: str
    intent: str
    rank: int


def read_metadata(path: Path) -> tuple[dict[str, str], dict[str, dict[str, dict[str, str]]]]:
    """Return the table's properties, and phase to variable to attributes, in their order."""
    properties: dict[str, str] = {}
    tables: dict[str, dict[str, dict[str, str]]] = {}
    current = properties
    arguments: dict[str, dict[str, str]] = {}
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if section := re.fullmatch(r"\[(\S+)\]", line):
            if section[1] == "ccpp-table-properties":
                current = properties
            elif section[1] == "ccpp-arg-table":
                current, arguments = {}, {}
            else:
                assert section[1] not in arguments, f"{section[1]} is there twice"
                current = arguments[section[1]] = {}
            continue
        assignment = re.fullmatch(r"  (\w+) = (.+)", line)
        assert assignment, f"not a line of metadata: {line!r}"
        current[assignment[1]] = assignment[2]
        if assignment[1] == "name" and current is not properties:
            tables[assignment[2]] = arguments
    return properties, tables


def variables(table: dict[str, dict[str, str]]) -> list[Variable]:
    """Return the variables of one phase as its metadata has them."""
    found = []
    for name, entry in table.items():
        dimensions = entry["dimensions"].strip("()")
        rank = len(dimensions.split(",")) if dimensions else 0
        found.append(Variable(name, entry["type"], entry.get("kind", ""), entry["intent"], rank))
    return found


def declared(path: Path, subroutine: str) -> list[Variable]:
    """Return the arguments of a subroutine, in the order of its list, as they are declared."""
    source = re.sub(r"&\n\s*", "", path.read_text())
    body = re.search(
        rf"^  subroutine {subroutine}\((.*?)\)\n(.*?)^  end subroutine",
        source,
        re.DOTALL | re.MULTILINE,
    )
    assert body, f"no subroutine {subroutine}"
    declarations = {
        match["name"]: match
        for match in re.finditer(
            r"^    (?P<type>\w+)(\((?:kind=)?(?P<kind>[^)]*)\))?, intent\((?P<intent>\w+)\) :: "
            r"(?P<name>\w+)(\((?P<shape>[:, ]+)\))?$",
            body[2],
            re.MULTILINE,
        )
    }
    names = [name.strip() for name in body[1].split(",")]
    assert set(declarations) == set(names)
    return [
        Variable(
            name,
            declarations[name]["type"],
            declarations[name]["kind"] or "",
            declarations[name]["intent"],
            (declarations[name]["shape"] or "").count(":"),
        )
        for name in names
    ]
