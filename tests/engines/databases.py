"""Every database of the index as one thing, so that one contract can be held against each."""

from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, text

from archive.index.engine import database_url, open_engine
from tests.engines.postgres import Postgres


class Database(Protocol):
    """An empty database, and what happens to it."""

    @property
    def url(self) -> str:
        """As the archive's configuration names it."""

    def cut(self) -> None:
        """It goes away under those who have it open, so that the next statement of each fails."""

    def back(self) -> None:
        """It can be opened again, as it was."""


class SqliteDatabase:
    """A file. It goes away by losing its tables' file to another that is no database."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "index.sqlite"

    @property
    def url(self) -> str:
        return f"sqlite:///{self._path}"

    def cut(self) -> None:
        # The header of the log and of the database: whoever has them open finds it out with the next transaction.
        self._kept = {path: path.read_bytes() for path in self._path.parent.glob("index.sqlite*")}
        for path in self._kept:
            path.write_bytes(b"gone" * 8192)

    def back(self) -> None:
        for path in self._path.parent.glob("index.sqlite*"):
            path.unlink()
        for path, data in self._kept.items():
            if not path.name.endswith("-shm"):
                path.write_bytes(data)


class PostgresDatabase:
    """A database of a server."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self.name = postgres.new_database()

    @property
    def url(self) -> str:
        return self.postgres.url(self.name)

    def cut(self) -> None:
        self.postgres.kill()

    def back(self) -> None:
        self.postgres.resume()


def execute(url: str, *statements: str) -> None:
    """From beside, each statement by itself."""
    engine = open_engine(database_url(url))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for each in statements:
            connection.execute(text(each))
    engine.dispose()


def transact(url: str, what: "Transaction") -> None:
    """From beside, in one transaction."""
    engine = open_engine(database_url(url))
    with engine.begin() as connection:
        what(connection)
    engine.dispose()


class Transaction(Protocol):
    """Something that is done with a connection."""

    def __call__(self, connection: Connection) -> None:
        """Do it."""
