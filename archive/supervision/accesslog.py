"""Who looked at what, and who did what: rows that are only added, each chained to the one before it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import insert, select

from archive.supervision.database import SupervisionDatabase
from archive.supervision.doors import Operator
from archive.supervision.schema import access_log

MOST_TARGET = 400
MOST_ROWS = 500
_FIRST = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One row: at what time (UTC, microseconds), who, with which right and certificate, from where, what, of what."""

    at_us: int
    operator: str
    role: str
    certificate: str
    address: str
    what: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRow:
    """A row with its number and its place in the chain."""

    number: int
    access: Access
    chain: str


class AccessLog:
    """Any thread may write; a row is durable on return."""

    def __init__(self, database: SupervisionDatabase) -> None:
        self._database = database

    def add(self, operator: Operator, *, at_us: int, address: str, what: str, target: str = "") -> None:
        """Raises OSError where it cannot be written: then nothing may be shown."""
        access = Access(
            at_us=at_us,
            operator=operator.name,
            role=operator.right.word,
            certificate=operator.certificate,
            address=address[:64],
            what=what,
            target=target[:MOST_TARGET],
        )
        with self._database.writing() as connection:
            last = connection.scalar(select(access_log.c.chain).order_by(access_log.c.id.desc()).limit(1))
            row = {name: getattr(access, name) for name in Access.__slots__}
            connection.execute(insert(access_log).values(**row, chain=_link(str(last or _FIRST), access)))

    def newest(self, most: int = MOST_ROWS, before: int | None = None) -> Sequence[AccessRow]:
        """The newest rows, the newest first. Raises OSError."""
        query = select(access_log).order_by(access_log.c.id.desc()).limit(min(most, MOST_ROWS))
        if before is not None:
            query = query.where(access_log.c.id < before)
        with self._database.reading() as connection:
            return [
                AccessRow(
                    number=row.id,
                    access=Access(**{name: getattr(row, name) for name in Access.__slots__}),
                    chain=row.chain,
                )
                for row in connection.execute(query)
            ]

    def broken_at(self) -> int | None:
        """The first row that does not follow from the one before it; None where all do. Reads all. Raises OSError."""
        chain, after = _FIRST, 0
        with self._database.reading() as connection:
            while True:
                query = select(access_log).where(access_log.c.id > after).order_by(access_log.c.id).limit(MOST_ROWS)
                rows = connection.execute(query).all()
                if not rows:
                    return None
                for row in rows:
                    chain = _link(chain, Access(**{name: getattr(row, name) for name in Access.__slots__}))
                    if chain != row.chain:
                        return int(row.id)
                after = rows[-1].id


def _link(before: str, access: Access) -> str:
    text = json.dumps([before, *astuple(access)], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
