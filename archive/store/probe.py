"""What a bucket really guarantees, found out on the bucket itself, under the configured prefix.

An archive needs that what was written is read and listed at once, and that a name that is written again gives the new
bytes. What else differs only weakens, and is told.
"""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from archive.store.store import BucketRefusesError, StoreAwayError, TakenError
from base.errors import OperatorError

FOLDER = "probe/"
_BYTES = 32
_HINT = "Such a store cannot keep an archive's media; use another, or look for a cache before it."


class Probed(Protocol):
    """What is asked of a bucket. Every method may raise StoreAwayError (archive/store/bucket.py)."""

    def put(self, key: str, data: bytes, *, new: bool = False) -> str | None:
        """Returns the version, where the bucket keeps them. Raises TakenError where it was to be ``new``."""

    def read(self, key: str, start: int, end: int) -> bytes:
        """Bytes of an object. Raises FileNotFoundError."""

    def size_bytes(self, key: str) -> int | None:
        """How long an object is; None where there is none."""

    def names(self, folder: str) -> Iterable[tuple[str, int]]:
        """Names below ``folder``, and sizes."""

    def delete(self, key: str) -> None:
        """Take an object away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantees:
    """What need not be so. ``refuses_second``: a name is not written twice where that was asked; None: cannot be asked.

    ``deletes``: what was written here could be taken away again.
    """

    refuses_second: bool | None
    keeps_versions: bool
    deletes: bool

    def words(self) -> tuple[str, ...]:
        """For people, a phrase each."""
        second = {
            True: "refuses to write a name twice",
            False: "writes a name twice although told not to",
            None: "cannot be asked to write a name once only",
        }
        return (
            "reads and lists what was written at once",
            second[self.refuses_second],
            "keeps every version" if self.keeps_versions else "shows no versions",
            "lets objects be deleted" if self.deletes else "has not let an object be deleted: a small one stays",
        )


def probe(bucket: Probed) -> Guarantees:
    """Raises OperatorError where the bucket cannot serve, StoreAwayError where it cannot be asked now."""
    key = f"{FOLDER}{secrets.token_hex(8)}"
    try:
        guarantees = _probe(bucket, key)
    except BucketRefusesError as error:
        raise OperatorError(
            f"The bucket cannot be used: {error}.",
            hint="Look at bucket, region, keys and rights; the archive needs to read, list and write.",
        ) from error
    except BaseException:
        with suppress(StoreAwayError):
            bucket.delete(key)
        raise
    return guarantees


def _probe(bucket: Probed, key: str) -> Guarantees:
    first, other, second = (secrets.token_bytes(_BYTES) for _ in range(3))
    version = bucket.put(key, first)
    _require(bucket, key, first, "What was written cannot be read back")
    if (key, _BYTES) not in set(bucket.names(FOLDER)):
        raise OperatorError("The bucket does not list what was written.", hint=_HINT)
    refuses: bool | None
    try:
        bucket.put(key, other, new=True)
        refuses = False
    except TakenError:
        refuses = True
    except StoreAwayError:  # it does not know the word; if it has gone instead, the next step says so
        refuses = None
    bucket.put(key, second)
    _require(bucket, key, second, "What was written anew is not what is read")
    return Guarantees(refuses_second=refuses, keeps_versions=version is not None, deletes=_deletes(bucket, key))


def _require(bucket: Probed, key: str, data: bytes, otherwise: str) -> None:
    try:
        found = bucket.read(key, 0, _BYTES)
    except FileNotFoundError:
        found = b""
    if found != data:
        raise OperatorError(f"{otherwise}.", hint=_HINT)


def _deletes(bucket: Probed, key: str) -> bool:
    try:
        bucket.delete(key)
        return bucket.size_bytes(key) is None
    except StoreAwayError:
        return False
