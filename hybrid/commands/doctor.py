"""``hybrid doctor``: what is there, what is missing, how to get it."""

import typer
from rich.table import Table
from rich.text import Text

from hybrid.commands.terminal import examples, output


def doctor() -> None:
    """Say which versions, compilers and engines are there, and how to get what is missing.

    Ends with exit code 1 if anything is missing.
    """
    from hybrid.doctor import examine
    from hybrid.versions import versions

    console = output()
    for name, version in versions().items():
        console.print(f"{name}: {version}", markup=False, highlight=False)
    table = Table()
    for column in ("", "name", "found", "how to get it"):
        table.add_column(column)
    findings = examine()
    for finding in findings:
        missing = not finding.found
        found = Text("missing", style="bold red") if missing else Text(finding.found)
        remedy = finding.remedy if missing else ""
        table.add_row(Text(finding.kind), Text(finding.name), found, Text(remedy))
    console.print(table)
    missing_names = [finding.name for finding in findings if not finding.found]
    if missing_names:
        line = Text(f"missing: {', '.join(missing_names)}", style="bold red")
        console.print(line, soft_wrap=True)
        raise typer.Exit(1)
    console.print("nothing is missing", style="green")


def add_to(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=examples("hybrid doctor"))(doctor)
