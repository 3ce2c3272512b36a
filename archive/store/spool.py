"""Files that are being received: temporary, hashed while they grow, gone at the next start unless a store took them."""

import hashlib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from base.durable import Disk, DurableFile


class Draft:
    """One file on its way in; one thread at a time calls it. Nothing of it is durable before ``sync``."""

    def __init__(self, disk: Disk, file: DurableFile) -> None:
        self._disk = disk
        self._file = file
        self._hash = hashlib.sha256()
        self.path = file.path
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """The digest of what was written so far, as ``sha256sum`` prints it."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append. Raises OSError; then the draft is to be discarded."""
        self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    @contextmanager
    def view(self) -> Iterator[memoryview]:
        """What was written, mapped and not copied. Raises ValueError where that is nothing."""
        with (
            self.path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped,
            memoryview(mapped) as view,
        ):
            yield view

    def sync(self) -> None:
        """The bytes are durable on return; nothing more can be written. An OSError is final."""
        self._file.sync()
        self._file.close()

    def discard(self) -> None:
        """Take the file away. Idempotent."""
        self._file.close()
        self._disk.remove(self.path)


class Spool:
    """One process's folder of drafts, on the file system of the store that will take them."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        """Makes the folder, and empties it: what lies there was acknowledged to nobody."""
        self._disk = disk
        self._folder = folder
        self._numbers = count()
        disk.make_directory(folder)
        empty(disk, folder)

    def begin(self) -> Draft:
        """A new draft. Raises OSError."""
        return Draft(self._disk, self._disk.create(self._folder / f"{next(self._numbers)}.part"))


def empty(disk: Disk, folder: Path) -> None:
    """Take away all files in a folder and in those in it."""
    for left in sorted(folder.rglob("*")):
        if not left.is_dir():
            disk.remove(left)
