"""The tables of the index, and the numbered steps by which a database gets there.

Digests of lines are base64url, digests of media hex, as in the ledger. Only what SQLite and PostgreSQL share is used.
"""

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    false,
    inspect,
    select,
)

from archive.index.first import FIRST
from base.errors import OperatorError

METADATA = MetaData()


def _unit() -> Column[int]:
    return Column("unit_id", Integer, ForeignKey("units.id"), primary_key=True)


units = Table(
    "units",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("election", String(32), nullable=False),
    Column("station", String(32), nullable=False),
    Column("unit", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("heard_us", BigInteger),
    Column("changed", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("election", "station", "unit"),
    Index("units_by_change", "changed"),
)
"""``state`` is ``open``, or ``closed`` once a branch has a ``close`` line; ``changed`` is the number of a commit."""

branches = Table(
    "branches",
    METADATA,
    _unit(),
    Column("number", Integer, primary_key=True),
    Column("parent", Integer),
    Column("from_seq", BigInteger, nullable=False),
    Column("head_seq", BigInteger, nullable=False),
    Column("head_sha256", String(43), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("used", BigInteger, nullable=False),
)

lines = Table(
    "lines",
    METADATA,
    _unit(),
    Column("branch", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("sha256", String(43), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("boot_ns", BigInteger, nullable=False),
    Column("start", Boolean, nullable=False),
    Column("utc_us", BigInteger),
    Column("error_us", BigInteger),
    Index("lines_by_seq", "unit_id", "seq"),
    Index("lines_that_start", "unit_id", "start", "branch", "seq"),
)

runs = Table(
    "runs",
    METADATA,
    _unit(),
    Column("session", String(43), primary_key=True),
    Column("camera", String(32), primary_key=True),
    Column("run", BigInteger, primary_key=True),
    Column("width", BigInteger, nullable=False),
    Column("height", BigInteger, nullable=False),
    Column("timescale", BigInteger, nullable=False),
    Column("fps", BigInteger, nullable=False),
    Column("init_sha256", String(64), nullable=False),
)

segments = Table(
    "segments",
    METADATA,
    _unit(),
    Column("branch", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("session", String(43), nullable=False),
    Column("boot_id", String(32), nullable=False),
    Column("camera", String(32), nullable=False),
    Column("run", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("from_ns", BigInteger, nullable=False),
    Column("to_ns", BigInteger, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("dropped_frames", BigInteger, nullable=False),
    Column("max_hole_ms", BigInteger, nullable=False),
    Column("stored", Boolean, nullable=False),
    Column("wanted", Boolean, nullable=False),
    Column("pruned", Boolean, nullable=False, server_default=false()),
    Column("recovered", Boolean, nullable=False, server_default=false()),
    Column("arrival", BigInteger),
    Column("stored_us", BigInteger),
    Index("segments_by_arrival", "arrival"),
    Index("segments_by_time", "unit_id", "camera", "boot_id", "from_ns"),
    Index("segments_by_digest", "unit_id", "sha256"),
    Index("segments_wanted", "unit_id", "wanted", "seq"),
    Index("segments_by_run", "unit_id", "session", "camera", "run", "number"),
)
"""``number`` is the index within the run; ``wanted``: armed, not pruned on the unit, and not stored. What is stored may
be pruned as well: if it is lost here, nobody can be asked for it.
"""

statements = Table(
    "statements",
    METADATA,
    _unit(),
    Column("branch", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("kind", String(48), nullable=False),
    Column("session", String(43), nullable=False),
    Column("boot_id", String(32), nullable=False),
    Column("camera", String(32)),
    Column("run", BigInteger),
    Column("heard_us", BigInteger),
    Column("payload", Text, nullable=False),
    Index("statements_by_session", "unit_id", "session", "kind", "camera", "run"),
    Index("statements_by_kind", "kind", "unit_id"),
)
"""Every line that names no media to be delivered, with what it signs."""

receipts = Table(
    "receipts",
    METADATA,
    _unit(),
    Column("kind", String(16), primary_key=True),
    Column("subject", String(128), primary_key=True),
    Column("offset", BigInteger, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Index("receipts_by_offset", "offset"),
)

findings = Table(
    "findings",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("election", String(32), nullable=False),
    Column("station", String(32), nullable=False),
    Column("unit", String(32), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("code", String(32), nullable=False),
    Column("seq", BigInteger),
    Column("first_us", BigInteger),
    Column("last_us", BigInteger),
    Column("times", BigInteger, nullable=False),
    Column("detail", String(500), nullable=False),
    Column("evidence", String(64)),
    UniqueConstraint("election", "station", "unit", "subject"),
)
"""``station`` and ``unit`` are empty where a finding is no unit's. It may be of one that has delivered nothing."""

schema = Table("schema", METADATA, Column("version", Integer, primary_key=True))


def _first(connection: Connection) -> None:
    FIRST.create_all(connection)


def _findings(connection: Connection) -> None:
    findings.create(connection)


def _pruned(connection: Connection) -> None:
    """What was stored and pruned before is not known here: a rebuild finds it in the ledgers."""
    connection.exec_driver_sql("ALTER TABLE segments ADD COLUMN pruned BOOLEAN DEFAULT false NOT NULL")
    given_up = segments.c.mode != "UNARMED", ~segments.c.stored, ~segments.c.wanted
    connection.execute(segments.update().where(*given_up).values(pruned=True))


def _public(connection: Connection) -> None:
    """What pages are made of. What stands in lines of before is not known here: a rebuild finds it in the ledgers."""
    for table, column in (
        ("units", "heard_us BIGINT"),
        ("units", "changed BIGINT DEFAULT 0 NOT NULL"),
        ("lines", "utc_us BIGINT"),
        ("lines", "error_us BIGINT"),
        ("segments", "recovered BOOLEAN DEFAULT false NOT NULL"),
        ("segments", "arrival BIGINT"),
        ("segments", "stored_us BIGINT"),
    ):
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column}")
    statements.create(connection)
    for index in sorted((*units.indexes, *segments.indexes), key=lambda index: str(index.name)):
        index.create(connection, checkfirst=True)
    key = segments.c.unit_id, segments.c.branch, segments.c.seq
    stored = connection.execute(select(*key).where(segments.c.stored).order_by(*key)).all()
    if stored:
        row = and_(*(column == bindparam(f"of_{column.name}") for column in key))
        connection.execute(
            segments.update().where(row).values(arrival=bindparam("as_number")),
            [
                {"of_unit_id": unit, "of_branch": branch, "of_seq": seq, "as_number": number}
                for number, (unit, branch, seq) in enumerate(stored, 1)
            ],
        )


_STEPS: tuple[Callable[[Connection], None], ...] = (_first, _findings, _pruned, _public)
"""Step N takes a database of version N to N + 1. A step that has been released is never changed: where a later one
changes a table, those before it get a copy of it as it was.
"""


def migrate(connection: Connection) -> None:
    """Bring a database, empty or of an earlier version, to this one. Idempotent; part of the caller's transaction.

    Raises OperatorError for a database of a later version.
    """
    version = 0
    if inspect(connection).has_table(schema.name):
        version = connection.execute(select(schema.c.version)).scalar_one()
    if version > len(_STEPS):
        raise OperatorError(
            f"The index has version {version}; this program knows {len(_STEPS)}.", hint="Use the newer program."
        )
    for step in _STEPS[version:]:
        step(connection)
    if version < len(_STEPS):
        connection.execute(schema.delete())
        connection.execute(schema.insert().values(version=len(_STEPS)))


def clear(connection: Connection) -> None:
    """Take away all that the index holds; it can be built anew from the files."""
    METADATA.drop_all(connection)
