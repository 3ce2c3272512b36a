"""One measured number, and how it is kept and shown."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

OUT = Path("bench/out")


Cells = tuple[str, str, str, str, str, str]
HEADER: Cells = ("figure", "measured", "target", "met", "beside it", "ratio")


class Bound(StrEnum):
    """Which side of the target is the good one."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A number in ``unit``, with its target and with what it stands beside. ``runs`` holds each repetition."""

    name: str
    value: float
    unit: str
    runs: tuple[float, ...] = ()
    bound: Bound = Bound.AT_MOST
    target: float | None = None
    reference: str = ""
    reference_value: float | None = None
    note: str = ""
    digits: int = 3
    """How many say something."""

    @property
    def met(self) -> bool:
        """Whether the target is met; a number without one always is."""
        if self.target is None:
            return True
        return self.value <= self.target if self.bound is Bound.AT_MOST else self.value >= self.target

    @property
    def ratio(self) -> float | None:
        """Measured over reference."""
        return self.value / self.reference_value if self.reference_value else None


def median(runs: Sequence[float]) -> float:
    """The middle of ``runs``: on a shared machine a mean says more about the neighbours."""
    return statistics.median(runs)


def save(figure: str, rows: Sequence[Row], machine: str) -> None:
    """Keep the rows of ``figure`` as bench/out/FIGURE.json."""
    OUT.mkdir(parents=True, exist_ok=True)
    kept = {"figure": figure, "machine": machine, "rows": [asdict(row) for row in rows]}
    (OUT / f"{figure}.json").write_text(json.dumps(kept, indent=2) + "\n")


def load(figure: str) -> tuple[str, list[Row]]:
    """Machine and rows of ``figure`` as last measured. Raises FileNotFoundError where it never was."""
    kept = json.loads((OUT / f"{figure}.json").read_text())
    return kept["machine"], [
        Row(**{**row, "runs": tuple(row["runs"]), "bound": Bound(row["bound"])}) for row in kept["rows"]
    ]


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, columns aligned so that it also reads on a terminal."""
    return render([cells(row) for row in rows])


def render(lines: Sequence[Cells]) -> str:
    """The table of rows whose cells are texts already."""
    every = [HEADER, *lines]
    widths = [max(len(line[column]) for line in every) for column in range(len(HEADER))]
    drawn = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in every
    ]
    drawn.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(drawn)


def cells(row: Row) -> Cells:
    """What stands in each column of a row."""

    def number(value: float) -> str:
        if value == int(value) or abs(value) >= 1000:
            return f"{value:,.0f}"
        return f"{value:.{row.digits}g}"

    measured = f"{number(row.value)} {row.unit}".rstrip()
    if len(row.runs) > 1:
        measured += f" ({number(min(row.runs))} to {number(max(row.runs))})"
    target = "" if row.target is None else f"{row.bound} {number(row.target)}"
    met = "" if row.target is None else ("yes" if row.met else "**no**")
    beside = row.reference
    if row.reference_value is not None:
        beside += f": {number(row.reference_value)}"
    if row.note:
        beside = f"{beside}; {row.note}" if beside else row.note
    return row.name, measured, target, met, beside, "" if row.ratio is None else f"{row.ratio:.2f}"
