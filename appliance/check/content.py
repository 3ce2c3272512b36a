"""Size and digest of a file, as the disk gives them."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from base.direct import DirectFile

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What was read. ``unreadable_bytes`` is what the disk did not give back; then the digest says nothing."""

    size: int
    sha256: str
    unreadable_bytes: int


class ContentReader:
    """Reads files one after the other through one buffer."""

    def __init__(self) -> None:
        self._buffer = bytearray(_BUFFER_BYTES)

    def read(self, path: Path) -> Content:
        """Hash the file past the page cache. Raises OSError, FileNotFoundError among them."""
        digest, size = hashlib.sha256(), 0
        with DirectFile(path) as file, memoryview(self._buffer) as view:
            while count := file.readinto(view):
                digest.update(view[:count])
                size += count
            return Content(size=size, sha256=digest.hexdigest(), unreadable_bytes=file.unreadable_bytes)


def size_of(path: Path) -> int:
    """How long a regular file is. Raises OSError; FileNotFoundError where something else lies there."""
    found = os.stat(path, follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        raise FileNotFoundError(path)
    return found.st_size
