"""Supervision's own database: one process writes it, its threads one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from archive.index.engine import database_url, open_engine, words
from archive.supervision.schema import METADATA
from base.errors import OperatorError


class SupervisionDatabase:
    """Any thread may read and write. What ``writing`` has left is durable; a database that fails is an OSError."""

    def __init__(self, url: str) -> None:
        """Makes the tables where they are not there. Raises OperatorError."""
        self._engine = open_engine(database_url(url))
        self._lock = Lock()
        try:
            METADATA.create_all(self._engine)
        except SQLAlchemyError as error:
            self.close()
            raise OperatorError(
                f"Supervision's database cannot be opened: {words(error)}.",
                hint="supervision.database says where it is.",
            ) from error

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it, or nothing where the block raises. Raises OSError."""
        with self._lock:
            try:
                with self._engine.begin() as connection:
                    yield connection
            except SQLAlchemyError as error:
                raise OSError(f"supervision's database cannot be written: {words(error)}") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """What is committed. Raises OSError."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise OSError(f"supervision's database cannot be read: {words(error)}") from error
