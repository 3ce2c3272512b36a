"""How the index's database is opened: a file of SQLite, or a database of a PostgreSQL server."""

import os

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from base.errors import OperatorError

_CONNECTIONS = 32
"""As many threads as asyncio has at most for what blocks."""
_LOCK = 0x756E62726F6B656E
"""Of the advisory lock: "unbroken"."""
_LOCK_S = 5
"""A server may take a moment to notice that who held it has died."""
_TAKEN = "55P03"
_WAITS: dict[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""No wait for a server is without end. What the URL says of these counts."""


def database_url(url: str) -> URL:
    """With the driver that this project brings along. Raises OperatorError, which does not repeat the URL."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise OperatorError(
            "disk.database is no URL that can be read.", hint="Write what is special in it by %, such as %40 for @."
        ) from (None if "@" in url else error)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def open_engine(url: URL) -> Engine:
    """Connects to nobody yet; connections are made as they are needed."""
    if url.get_backend_name() == "postgresql":
        waits = {name: value for name, value in _WAITS.items() if name not in url.query}
        # One statement sees what is committed, whatever the server's owner has set.
        return create_engine(url, pool_size=_CONNECTIONS, isolation_level="READ COMMITTED", connect_args=waits)
    engine = create_engine(url, pool_size=_CONNECTIONS)
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def open_following(url: URL) -> Engine:
    """The same for whoever only reads: where a file of SQLite is replaced by another one, that is read from then on.

    A connection would go on to read what is not there any more, without an error.
    """
    engine = open_engine(url)
    path = url.database if url.get_backend_name() == "sqlite" else None
    if path:
        event.listen(engine, "connect", lambda _, entry: entry.info.update(file=_file(path)))
        event.listen(engine, "checkout", lambda _, entry, __: _same(entry, path))
    return engine


def claim(connection: Connection) -> None:
    """Make this the connection that writes: every commit is on the disk, and nobody else writes while it lasts.

    For SQLite the lock on the data folder sees to the latter. Raises OperatorError and SQLAlchemyError.
    """
    if connection.dialect.name != "postgresql":
        return
    with connection.begin():
        if connection.scalar(text("SHOW fsync")) != "on":
            raise OperatorError("The database's server runs without fsync.", hint="Set fsync = on there.")
        if connection.scalar(text("SHOW synchronous_commit")) == "off":
            connection.execute(text("SET synchronous_commit = on"))
        # A server that misses this machine gives the lock back soon; one that only sees it idle does not.
        for name, value in (
            ("tcp_keepalives_idle", 10),
            ("tcp_keepalives_interval", 5),
            ("tcp_keepalives_count", 3),
            ("idle_session_timeout", 0),
        ):
            known = text("SELECT set_config(name, :value, false) FROM pg_settings WHERE name = :name")
            connection.execute(known, {"name": name, "value": str(value)})
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_S}s'"))
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _TAKEN:
                raise
            raise OperatorError(
                "Another archive works on this database.", hint="Stop it first; each archive has a database of its own."
            ) from error


def words(error: SQLAlchemyError) -> str:
    """What has failed, without the statement and its values."""
    return str(error).partition("\n")[0]


def _same(entry: ConnectionPoolEntry, path: str) -> None:
    """Raises DisconnectionError, on which a new connection is made. A file that is away may come back."""
    if _file(path) not in (None, entry.info["file"]):
        raise DisconnectionError("the database is another file now")


def _file(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _set_up_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Readers beside the writer, and every commit on the disk."""
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
