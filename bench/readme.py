"""The table in bench/README.md."""

from collections.abc import Sequence
from pathlib import Path

from bench.row import Row, load, table

README = Path("bench/README.md")
BEGIN, END = "<!-- numbers:begin -->", "<!-- numbers:end -->"


def write_table(figures: Sequence[str]) -> None:
    """Put the newest numbers of ``figures`` between the markers. Figures that were never measured are left out."""
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
    after = rest.split(END)[1]
    measured = f"Measured on: {'; '.join(machines)}.\n\n{table(rows)}"
    README.write_text(f"{before}{BEGIN}\n{measured}\n{END}{after}")
