"""What the archive asks of a place for media, whichever it is.

Every store passes tests/contract/test_archive_store.py.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

from archive.store.spool import Draft


class Store(Protocol):
    """Objects named by the SHA-256 of their bytes, written once, never changed.

    ``put`` is called by one thread, the others by any. An OSError of ``put`` is final: the outcome is unknown, the
    process ends, and the next start asks again what is there.
    """

    def put(self, drafts: Sequence[Draft]) -> Sequence[str]:
        """All are durable under their digests on return, and no draft is left. Idempotent.

        Returns the digests under which other bytes had been: those were set aside, and the drafts took their place.
        """

    def has(self, sha256: str) -> bool:
        """Whether the object is there."""

    def open(self, sha256: str) -> BinaryIO:
        """Its bytes. Raises FileNotFoundError."""

    def digests(self) -> Iterator[str]:
        """Every object, in ascending order."""
