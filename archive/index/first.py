"""The tables of the first version, as they were released: a step that has been released is never changed."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

FIRST = MetaData()


def _unit() -> Column[int]:
    return Column("unit_id", Integer, ForeignKey("units.id"), primary_key=True)


Table(
    "units",
    FIRST,
    Column("id", Integer, primary_key=True),
    Column("election", String(32), nullable=False),
    Column("station", String(32), nullable=False),
    Column("unit", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    UniqueConstraint("election", "station", "unit"),
)

Table(
    "branches",
    FIRST,
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

Table(
    "lines",
    FIRST,
    _unit(),
    Column("branch", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("sha256", String(43), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("boot_ns", BigInteger, nullable=False),
    Column("start", Boolean, nullable=False),
    Index("lines_by_seq", "unit_id", "seq"),
    Index("lines_that_start", "unit_id", "start", "branch", "seq"),
)

Table(
    "runs",
    FIRST,
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

Table(
    "segments",
    FIRST,
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
    Index("segments_by_digest", "unit_id", "sha256"),
    Index("segments_wanted", "unit_id", "wanted", "seq"),
    Index("segments_by_run", "unit_id", "session", "camera", "run", "number"),
)

Table(
    "receipts",
    FIRST,
    _unit(),
    Column("kind", String(16), primary_key=True),
    Column("subject", String(128), primary_key=True),
    Column("offset", BigInteger, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Index("receipts_by_offset", "offset"),
)

Table("schema", FIRST, Column("version", Integer, primary_key=True))
