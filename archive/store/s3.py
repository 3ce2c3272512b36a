"""Media in a bucket: ``cas/ab/SHA256`` below the prefix, as in a local folder.

A name's bytes can only be the ones that it says, so nothing rests on what the bucket does when a name is written twice,
and a write whose outcome is unknown may be made again.
"""

import io
import logging
import re
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from archive.store.bucket import Bucket
from archive.store.probe import probe
from archive.store.spool import Draft
from archive.store.store import StoreAwayError
from base.errors import OperatorError

_AT_ONCE = 8
"""Objects on their way; each is in memory as a whole, and no more of them than are being received."""
_ASKED_AT_ONCE = 32
_FIRST_BYTES, _NEXT_BYTES = 1 << 16, 1 << 22
_DIGEST = re.compile(r"[0-9a-f]{64}")
_log = logging.getLogger("archive")


class S3Store:
    """A ``Store`` in a bucket of one's own, or below a prefix of one's own."""

    def __init__(self, bucket: Bucket) -> None:
        """Asks nobody yet."""
        self._bucket = bucket
        self._moving = ThreadPoolExecutor(_AT_ONCE, "bucket")
        self._asking = ThreadPoolExecutor(_ASKED_AT_ONCE, "bucket-asking")
        self._probed = False

    def probe(self) -> None:
        """Find out, and log, what the bucket guarantees; without, the first ``put`` does.

        Raises OperatorError where it cannot serve, StoreAwayError where it cannot be asked now.
        """
        _log.info("the bucket was probed", extra={"fields": {"it": "; ".join(probe(self._bucket).words())}})
        self._probed = True

    def put(self, drafts: Sequence[Draft]) -> Sequence[str]:
        if not self._probed:
            try:
                self.probe()
            except OperatorError as error:
                raise StoreAwayError(str(error)) from error
        # All are waited for, also where one fails: whoever called may then discard them.
        futures = [self._moving.submit(self._put, draft) for draft in {each.sha256: each for each in drafts}.values()]
        failures = [failure for future in futures if (failure := future.exception()) is not None]
        for failure in sorted(failures, key=lambda each: isinstance(each, StoreAwayError)):
            raise failure  # what is final goes first
        # COMMIT: every object is in the bucket.
        for draft in drafts:
            draft.discard()
        return [sha256 for future in futures if (sha256 := future.result()) is not None]

    def has(self, sha256: str) -> bool:
        return not self.missing([sha256])

    def missing(self, digests: Collection[str]) -> set[str]:
        keys = {sha256: _key(sha256) for sha256 in digests}
        sizes = self._asking.map(self._bucket.size_bytes, keys.values())
        missing = {sha256 for sha256, size_bytes in zip(keys, sizes, strict=True) if size_bytes is None}
        if missing:
            self._require_bucket()
        return missing

    def open(self, sha256: str) -> BinaryIO:
        key = _key(sha256)
        size_bytes = self._bucket.size_bytes(key)
        if size_bytes is None:
            self._require_bucket()
            raise FileNotFoundError(f"{sha256} is not in the bucket")
        return io.BufferedReader(_Remote(self._bucket, key, size_bytes))

    def digests(self, after: str = "") -> Iterator[str]:
        last = after
        for key, _ in self._bucket.names("cas/", _key(after) if after else ""):
            sha256 = key.rpartition("/")[2]
            if _DIGEST.fullmatch(sha256) and key == _key(sha256):
                if sha256 <= last:
                    raise StoreAwayError("the bucket lists names in no order")
                last = sha256
                yield sha256

    def _put(self, draft: Draft) -> str | None:
        """Returns the digest where other bytes had been under it."""
        key, sha256 = _key(draft.sha256), draft.sha256
        found = self._bucket.sha256(key) if self._bucket.size_bytes(key) is not None else None
        if found == sha256:
            return None
        if found is not None:
            aside = f"damaged/{sha256}.{found}"
            self._bucket.copy(key, aside)
            if self._bucket.size_bytes(aside) is None:
                raise StoreAwayError("what was damaged is not where it was copied to")
        self._bucket.put(key, draft.path.read_bytes())
        return None if found is None else sha256

    def _require_bucket(self) -> None:
        """Nothing is in a bucket that is not there; that is no reason to call anything lost."""
        for _ in self._bucket.names("cas/"):
            break


class _Remote(io.RawIOBase):
    """An object's bytes, fetched as they are read: first little, for who wants its head only, then in big pieces."""

    def __init__(self, bucket: Bucket, key: str, size_bytes: int) -> None:
        self._bucket, self._key, self._size_bytes = bucket, key, size_bytes
        self._at = 0
        self._piece, self._piece_at = b"", 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        if base + offset < 0:
            raise ValueError("a place before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        if not len(view) or self._at >= self._size_bytes:
            return 0
        if not self._piece_at <= self._at < self._piece_at + len(self._piece):
            self._fetch(max(len(view), _NEXT_BYTES if self._piece else _FIRST_BYTES))
        start = self._at - self._piece_at
        some = self._piece[start : start + len(view)]
        view[: len(some)] = some
        self._at += len(some)
        return len(some)

    def readall(self) -> bytes:
        if self._at >= self._size_bytes:
            return b""
        self._fetch(self._size_bytes)
        self._at = self._size_bytes
        return self._piece

    def _fetch(self, most_bytes: int) -> None:
        end = min(self._at + most_bytes, self._size_bytes)
        self._piece, self._piece_at = self._bucket.read(self._key, self._at, end), self._at
        if len(self._piece) != end - self._at:
            raise StoreAwayError("the store gave fewer bytes than it has")


def _key(sha256: str) -> str:
    if not _DIGEST.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is no digest")
    return f"cas/{sha256[:2]}/{sha256}"
