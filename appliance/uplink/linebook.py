"""Where each durable line lies, and what the lines say that matters later. Called by one thread."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.uplink.answers import Head
from appliance.uplink.database import Columns, Database, Row
from appliance.uplink.ledgerfile import PlacedLine
from appliance.uplink.plan import MOST_LINES

LINE_TABLES: dict[str, Columns] = {
    "line": {"seq": int, "sha256": str, "begin_bytes": int, "end_bytes": int},
    "moment": {"seq": int, "kind": str, "value": str},
    "mark": {"name": str, "value": int},
}
LINE_INDEXES = (("line", "end_bytes"), ("moment", "kind", "seq"))
_LINE = "SELECT seq, sha256, begin_bytes, end_bytes FROM line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A line that changes the meaning of those behind it: ``start`` (value: the session), ``counting``, ``profile``."""

    seq: int
    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Neighbouring lines of the ledger file; ``head`` is the last of them."""

    begin_bytes: int
    end_bytes: int
    head: Head


class LineBook:
    """An index of the ledger file."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def tail(self) -> Stretch | None:
        """The newest line that has been read."""
        return self._one("ORDER BY seq DESC LIMIT 1", ())

    def line(self, seq: int) -> Stretch | None:
        """One line."""
        return self._one("WHERE seq = ?", (seq,))

    def stretch(self, seq: int, limit_bytes: int) -> Stretch | None:
        """Lines from ``seq`` on that lie without a break: at least one, at most ``limit_bytes`` and 2,048."""
        found: Stretch | None = None
        for row in self._db.rows(f"{_LINE} WHERE seq >= ? ORDER BY seq LIMIT ?", (seq, MOST_LINES)):
            line = _read(row)
            if found is None:
                found = line
            elif line.begin_bytes != found.end_bytes or line.end_bytes - found.begin_bytes > limit_bytes:
                break
            else:
                found = Stretch(begin_bytes=found.begin_bytes, end_bytes=line.end_bytes, head=line.head)
        return found

    def append(self, lines: Sequence[PlacedLine], moments: Sequence[Moment]) -> None:
        """Lines that have been read. Where two have one ``seq``, the first counts."""
        self._db.change_many(
            "INSERT OR IGNORE INTO line VALUES (?, ?, ?, ?)",
            ((line.seq, line.sha256, line.begin_bytes, line.end_bytes) for line in lines),
        )
        self._db.change_many(
            "INSERT OR IGNORE INTO moment VALUES (?, ?, ?)", ((each.seq, each.kind, each.value) for each in moments)
        )

    def cut(self, seq: int) -> None:
        """Forget the lines behind ``seq``: the ledger holds others there."""
        for table in ("line", "moment"):
            self._db.change(f"DELETE FROM {table} WHERE seq > ?", (seq,))  # noqa: S608

    def moment(self, kind: str) -> str | None:
        """The value of the newest moment of a kind."""
        rows = self._db.rows("SELECT value FROM moment WHERE kind = ? ORDER BY seq DESC LIMIT 1", (kind,))
        return str(rows[0][0]) if rows else None

    def mark(self, name: str, utc_us: int) -> None:
        """An instant that is past for sure; the newest of each name counts."""
        self._db.change(
            "INSERT INTO mark VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (name, utc_us),
        )

    def marks(self) -> list[int]:
        """All such instants."""
        return [int(value or 0) for (value,) in self._db.rows("SELECT value FROM mark")]

    def _one(self, rest: str, values: Sequence[int]) -> Stretch | None:
        rows = self._db.rows(f"{_LINE} {rest}", values)
        return _read(rows[0]) if rows else None


def _read(row: Row) -> Stretch:
    seq, sha256, begin_bytes, end_bytes = row
    assert isinstance(seq, int)
    assert isinstance(begin_bytes, int)
    assert isinstance(end_bytes, int)
    return Stretch(begin_bytes=begin_bytes, end_bytes=end_bytes, head=Head(seq=seq, sha256=str(sha256)))
