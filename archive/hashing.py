"""Is an object what its name says? Read as the disk itself holds it, without filling memory that others use."""

import errno
import hashlib
from pathlib import Path
from typing import BinaryIO, Protocol

from archive.store.store import StoreAwayError
from base.direct import open_direct

BLOCK_BYTES = 1 << 20
_DAMAGED = (errno.EIO, errno.EUCLEAN, errno.EBADMSG, errno.EILSEQ, errno.ENODATA, errno.EREMOTEIO)
"""What a file system says of a file that it cannot give; any other error is the store's as a whole."""


class Objects(Protocol):
    """What a ``Store`` gives."""

    def open(self, sha256: str) -> BinaryIO:
        """The bytes of an object. Raises FileNotFoundError and StoreAwayError."""


class Reading:
    """One object on its way through SHA-256, block by block. One thread at a time calls it."""

    def __init__(self, store: Objects, sha256: str) -> None:
        """Raises StoreAwayError."""
        self._sha256 = sha256
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None
        self.fault: str | None = None
        """What is wrong with it, in words, once ``advance`` has returned 0."""
        try:
            self._file = _past_cache(store.open(sha256))
        except FileNotFoundError:
            self.fault = "it is not there"
        except OSError as error:
            self.fault = _fault(error)

    def advance(self) -> int:
        """Read a block; how many bytes it had, 0 at the end. Raises StoreAwayError."""
        if self._file is None or self.fault is not None:
            return 0
        try:
            block = self._file.read(BLOCK_BYTES)
        except OSError as error:
            self.fault = _fault(error)
            return 0
        self._hash.update(block)
        if not block and self._hash.hexdigest() != self._sha256:
            self.fault = f"its digest is {self._hash.hexdigest()}"
        return len(block)

    def close(self) -> None:
        """Give the file back. Idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _past_cache(file: BinaryIO) -> BinaryIO:
    """A file of this machine as the disk holds it; anything else as it is."""
    try:
        descriptor = file.fileno()
    except (OSError, AttributeError):
        return file
    with file:
        # The same file, whatever its name is by now.
        return open_direct(Path(f"/proc/self/fd/{descriptor}"))


def _fault(error: OSError) -> str:
    if error.errno in _DAMAGED:
        return f"it cannot be read: {error.strerror}"
    raise StoreAwayError(str(error)) from error
