"""The door to sqlite-utils: one small database that one thread of one process writes.

It holds nothing that the ledger, the receipts folder and the archive could not tell again, so a file that cannot be
read is thrown away, and where no file can be kept, memory serves.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import sqlite_utils

Value = str | int | None
Row = tuple[Value, ...]
Columns = Mapping[str, type[str] | type[int]]


class Database:
    """Tables as their columns; the first column is the key. Writes last when ``transaction`` ends."""

    def __init__(self, path: Path | None, tables: Mapping[str, Columns], indexes: Iterable[tuple[str, ...]]) -> None:
        """``path`` None is memory. An index is a table and its columns. Raises sqlite3.Error."""
        # Statements begin and end transactions themselves here, whichever version of the library is beneath.
        connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        try:
            self._db = sqlite_utils.Database(connection)
            # A power cut costs the newest transactions, not the file (sqlite.org, pragma synchronous).
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            for name, columns in tables.items():
                self._db.table(name).create(dict(columns), pk=next(iter(columns)), if_not_exists=True)
            for index in indexes:
                self._db.table(index[0]).create_index(index[1:], if_not_exists=True)
        except BaseException:
            connection.close()
            raise

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """All rows of a question."""
        return self._db.execute(sql, list(values)).fetchall()

    def change(self, sql: str, values: Sequence[Value] = ()) -> int:
        """One statement; how many rows it changed."""
        return self._db.execute(sql, list(values)).rowcount

    def change_many(self, sql: str, rows: Iterable[Row]) -> None:
        """One statement for each row."""
        self._db.conn.executemany(sql, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside, or none of them."""
        self._db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.conn.execute("ROLLBACK")
            raise
        self._db.conn.execute("COMMIT")

    def close(self) -> None:
        """Give the file back."""
        self._db.conn.close()


def open_database(path: Path, tables: Mapping[str, Columns], indexes: Iterable[tuple[str, ...]]) -> Database:
    """The database at ``path``; a new one where it cannot be read; one in memory where none can be written."""
    indexes = tuple(indexes)
    with contextlib.suppress(sqlite3.Error):
        database = Database(path, tables, indexes)
        if database.rows("PRAGMA quick_check") == [("ok",)]:
            return database
        database.close()
    try:
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        return Database(path, tables, indexes)
    except (OSError, sqlite3.Error):
        return Database(None, tables, indexes)
