"""The table in bench/README.md."""

from collections.abc import Sequence
from pathlib import Path

from bench.row import Cells, Row, cells, load, render

README = Path("bench/README.md")
BEGIN, END = "<!-- numbers:begin -->", "<!-- numbers:end -->"


def write_table(figures: Sequence[str]) -> None:
    """Put the newest numbers of ``figures`` between the markers.

    A row that was measured again takes the place of the one of its name; of figures that were not, the rows stay.
    """
    machines: list[str] = []
    rows: list[Row] = []
    for figure in figures:
        try:
            machine, found = load(figure)
        except FileNotFoundError:
            continue
        machines += [machine] if machine not in machines else []
        rows += found
    before, rest = README.read_text().split(BEGIN)
    held, after = rest.split(END)
    table = render(merged(_cells_of(held), [cells(row) for row in rows]))
    README.write_text(f"{before}{BEGIN}\nMeasured on: {'; '.join(machines)}.\n\n{table}\n{END}{after}")


def merged(held: Sequence[Cells], new: Sequence[Cells]) -> list[Cells]:
    """``held`` with the rows of each name that is in ``new`` replaced where the first of them stood; others follow."""
    waiting: dict[str, list[Cells]] = {}
    for line in new:
        waiting.setdefault(line[0], []).append(line)
    names = set(waiting)
    result: list[Cells] = []
    for line in held:
        if line[0] not in names:
            result.append(line)
        else:
            result += waiting.pop(line[0], [])
    return [*result, *(line for lines in waiting.values() for line in lines)]


def _cells_of(table: str) -> list[Cells]:
    """The rows of a table that ``render`` has drawn."""
    found: list[Cells] = []
    for line in table.splitlines():
        parts = tuple(part.strip() for part in line.strip("|").split(" | ")) if line.startswith("| ") else ()
        if len(parts) == 6 and parts[0] != "figure":
            found.append((parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]))
    return found
