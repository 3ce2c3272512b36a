"""The tables of supervision. One supervision process writes them; times are UTC in microseconds."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
)

METADATA = MetaData()

cases = Table(
    "cases",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("station", String(32), nullable=False),
    Column("about", String(64), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("round", Integer, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("proven_us", BigInteger),
    Column("level", Integer, nullable=False),
    Column("level_us", BigInteger, nullable=False),
    Column("well_us", BigInteger),
    Column("acknowledged_us", BigInteger),
    Column("acknowledged_by", String(64)),
    Column("ended_us", BigInteger),
    Index("cases_by_station", "station"),
    Index("cases_open", "ended_us"),
    # No number is given twice.
    sqlite_autoincrement=True,
)
"""A station's trouble that somebody must answer for. ``about`` is ``state``, or the code of a finding.

``round`` grows where it becomes graver, and asks for another answer; ``level`` is the last that was called, at
``level_us``; ``well_us`` is since when it looks mended, None where it does not.
"""

case_steps = Table(
    "case_steps",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case_id", Integer, ForeignKey("cases.id"), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("operator", String(64)),
    Column("detail", Text, nullable=False),
    Index("case_steps_by_case", "case_id"),
    sqlite_autoincrement=True,
)
"""What became of a case, one row for each step, never changed."""

notifications = Table(
    "notifications",
    METADATA,
    Column("case_id", Integer, ForeignKey("cases.id"), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("notifier", String(64), primary_key=True),
    Column("due_us", BigInteger, nullable=False),
    Column("message_id", Integer, ForeignKey("messages.id")),
    Index("notifications_by_message", "message_id"),
)
"""Who is to be told of which case at which level: the key has nobody told twice of the same."""

messages = Table(
    "messages",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("notifier", String(64), nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("sent_us", BigInteger),
    Column("given_up_us", BigInteger),
    Column("error", Text, nullable=False),
    Index("messages_by_notifier", "notifier", "sent_us"),
    sqlite_autoincrement=True,
)
"""What is or was sent. ``key`` stays the same however often it is tried, so that a receiver can tell."""

tickets = Table(
    "tickets",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("case_id", Integer, ForeignKey("cases.id")),
    Column("station", String(32), nullable=False),
    Column("constituency", String(8), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("unit", String(32)),
    Column("proven_us", BigInteger),
    Column("since_us", BigInteger, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("opened_by", String(64)),
    Column("closed_us", BigInteger),
    Column("closed_by", String(64)),
    Column("mended_us", BigInteger),
    Index("tickets_by_station", "station"),
    Index("tickets_open", "closed_us"),
    sqlite_autoincrement=True,
)
"""Work for somebody at the station. ``opened_by`` and ``closed_by`` are None where the unit itself did it."""

ticket_steps = Table(
    "ticket_steps",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("number", Integer, ForeignKey("tickets.number"), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("operator", String(64)),
    Column("detail", Text, nullable=False),
    Index("ticket_steps_by_number", "number"),
    sqlite_autoincrement=True,
)
"""The history of a ticket, never changed."""

access_log = Table(
    "access_log",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False),
    Column("operator", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("certificate", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("what", String(32), nullable=False),
    Column("target", Text, nullable=False),
    Column("chain", String(64), nullable=False, unique=True),
    Index("access_log_by_operator", "operator"),
    sqlite_autoincrement=True,
)
"""Who looked at what, or did what. ``certificate`` is its SHA-256; ``chain`` the SHA-256 of the row before and this
one, so that a row that was taken out is missed.
"""

APPEND_ONLY = (case_steps, ticket_steps, access_log)
"""Tables whose rows are neither changed nor deleted: the database itself refuses."""


def _refuse(table: Table, verb: str) -> None:
    name = table.name
    sqlite = DDL(  # type: ignore[no-untyped-call]
        f"CREATE TRIGGER IF NOT EXISTS {name}_no_{verb} BEFORE {verb} ON {name} "
        f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
    )
    postgres = DDL(  # type: ignore[no-untyped-call]
        f"CREATE RULE {name}_no_{verb} AS ON {verb} TO {name} DO INSTEAD NOTHING"
    )
    event.listen(table, "after_create", sqlite.execute_if(dialect="sqlite"))
    event.listen(table, "after_create", postgres.execute_if(dialect="postgresql"))


for _table in APPEND_ONLY:
    for _verb in ("update", "delete"):
        _refuse(_table, _verb)
