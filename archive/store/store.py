"""What the archive asks of a place for media, whichever it is.

Every store passes tests/contract/test_archive_store.py.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO, Protocol

from archive.store.spool import Draft


class StoreAwayError(Exception):
    """The store could not be reached, or could not do it now; trying again later can help.

    Of drafts that were to be put, none counts: whoever called ``put`` discards them all, and the sender is asked to
    come again (503 with ``Retry-After``). Some may lie in the store nevertheless. That is harmless, for an object is
    named by its digest; the process lives on.
    """


class BucketRefusesError(StoreAwayError):
    """A remote store answers and says no: keys, rights or the place itself. Only a person can mend that."""


class TakenError(Exception):
    """A remote store has the name already, and it was to be new."""


class Store(Protocol):
    """Objects named by the SHA-256 of their bytes, written once, never changed.

    ``put`` is called by one thread of each process, the others by any. All, and what ``open`` returns, may raise
    StoreAwayError, after a bounded time. An OSError of ``put`` is final: the outcome is unknown, the process ends, and
    the next start asks again what is there.
    """

    def put(self, drafts: Sequence[Draft]) -> Sequence[str]:
        """All are durable under their digests on return, and no draft is left. Idempotent.

        Returns the digests under which other bytes had been: those were set aside, and the drafts took their place.
        """

    def has(self, sha256: str) -> bool:
        """Whether the object is there."""

    def missing(self, digests: Collection[str]) -> set[str]:
        """Which of ``digests`` are not there; for many of them, faster than ``has`` for each."""

    def open(self, sha256: str) -> BinaryIO:
        """Its bytes, to be read from any place; nothing is fetched that is not read. Raises FileNotFoundError."""

    def digests(self, after: str = "") -> Iterator[str]:
        """Every object behind ``after``, in ascending order."""
