"""The tables of what is public. The publisher writes them; sites read."""

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
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

units = Table(
    "public_units",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("station", String(32), nullable=False),
    Column("unit", String(32), nullable=False),
    UniqueConstraint("station", "unit"),
)

segments = Table(
    "public_segments",
    METADATA,
    Column("unit_id", Integer, ForeignKey("public_units.id"), primary_key=True),
    Column("branch", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("arrival", BigInteger, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Index("public_segments_by_arrival", "arrival"),
)
"""Lines of the index whose media are in the published tree; ``arrival`` is the index's number then."""

entries = Table(
    "live_entries",
    METADATA,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("unit_id", Integer, ForeignKey("public_units.id"), nullable=False),
    Column("camera", String(32), nullable=False),
    Column("msn", BigInteger, nullable=False),
    Column("branch", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("init_sha256", String(64), nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("date_us", BigInteger, nullable=False),
    Column("arrival", Boolean, nullable=False),
    Column("discontinuity", Boolean, nullable=False),
    Column("discontinuities", BigInteger, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("run_seq", BigInteger, nullable=False),
    Column("start_seq", BigInteger, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Column("session", String(43), nullable=False),
    Column("boot_id", String(32), nullable=False),
    Column("run", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("offset_us", BigInteger, nullable=False),
    UniqueConstraint("unit_id", "camera", "msn"),
    # No position is given twice, also where the newest entries were taken away.
    sqlite_autoincrement=True,
)
"""Entries of live lists, never changed. ``arrival``: the date is the archive's; ``offset_us`` is UTC minus boot time as
the date was made.
"""

withheld = Table(
    "withheld",
    METADATA,
    Column("unit_id", Integer, ForeignKey("public_units.id"), primary_key=True),
    Column("branch", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("until_us", BigInteger, nullable=True),
    Column("ground", String(16), nullable=False),
    Column("judged", String(64), nullable=False),
    Index("withheld_by_release", "judged", "until_us"),
)
"""Lines whose media are stored and held back, until when (null: not by these terms), and the digest of the profile that
said so.
"""

notices = Table(
    "hold_notices",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("from_us", BigInteger, nullable=False),
    Column("to_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)
"""The holds of the profile in force, for pages; ``reason`` is JSON, by language."""

progress = Table("publish_progress", METADATA, Column("id", Integer, primary_key=True), Column("arrival", BigInteger))
"""One row: what the publisher has seen of the index."""
