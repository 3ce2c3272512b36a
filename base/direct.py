"""Reading what the disk itself holds, past the page cache.

After a failed sync the kernel goes on showing pages that never reached the disk (invariant 9). O_DIRECT (open(2)) reads
the device; where a file system has none, clean pages are dropped first, which is the next best thing.
"""

import errno
import io
import mmap
import os
from pathlib import Path
from typing import cast

BLOCK_BYTES = 4096
_BUFFER_BYTES = 256 * BLOCK_BYTES
_UNREADABLE = (errno.EIO, errno.ENODATA, errno.EREMOTEIO, errno.EILSEQ, errno.ETIMEDOUT)
"""What O_DIRECT says of a block that the device cannot give: NVMe and USB disks say ENODATA for a bad sector."""


class DirectFile(io.RawIOBase):
    """A file as the disk holds it. Blocks that cannot be read are zeros, and counted in ``unreadable_bytes``."""

    def __init__(self, path: Path) -> None:
        """Raises OSError where the file cannot be opened, FileNotFoundError among them."""
        super().__init__()
        self._descriptor = -1
        self._unreadable: set[int] = set()
        drop_cache(path)
        self._descriptor = _open(path)
        self._buffer = mmap.mmap(-1, _BUFFER_BYTES)
        """Page-aligned, as O_DIRECT demands."""
        self._position = 0

    @property
    def unreadable_bytes(self) -> int:
        """How much of what was read is zeros because the disk could not give it."""
        return sum(min(BLOCK_BYTES, self._size_bytes() - at) for at in self._unreadable)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size_bytes()}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, into: object) -> int:
        view = memoryview(cast("bytearray", into)).cast("B")
        begin = self._position // BLOCK_BYTES * BLOCK_BYTES
        skip = self._position - begin
        wanted = min(skip + len(view), _BUFFER_BYTES)
        got = self._fill(begin, -(-wanted // BLOCK_BYTES) * BLOCK_BYTES)
        count = max(0, min(got, wanted) - skip)
        view[:count] = self._buffer[skip : skip + count]
        self._position += count
        return count

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        super().close()

    def _fill(self, begin: int, size_bytes: int) -> int:
        """Read whole blocks from ``begin`` on; how many bytes of the file are there."""
        try:
            with memoryview(self._buffer) as view:
                got = os.preadv(self._descriptor, [view[:size_bytes]], begin)
        except OSError as error:
            if error.errno not in _UNREADABLE:
                raise
            got = 0
        there = min(size_bytes, max(0, self._size_bytes() - begin))
        # Reading may stop before a block that fails; that is not the end of the file.
        return got if got >= there else self._fill_by_blocks(begin, there)

    def _fill_by_blocks(self, begin: int, size_bytes: int) -> int:
        for at in range(0, size_bytes, BLOCK_BYTES):
            got = 0
            try:
                with memoryview(self._buffer) as view:
                    got = os.preadv(self._descriptor, [view[at : at + BLOCK_BYTES]], begin + at)
            except OSError as error:
                if error.errno not in _UNREADABLE:
                    raise
            if got < min(BLOCK_BYTES, size_bytes - at):
                self._buffer[at : at + BLOCK_BYTES] = bytes(BLOCK_BYTES)
                self._unreadable.add(begin + at)
        return size_bytes

    def _size_bytes(self) -> int:
        return os.fstat(self._descriptor).st_size


def open_direct(path: Path) -> io.BufferedReader:
    """``path`` as the disk holds it; see ``DirectFile``."""
    return io.BufferedReader(DirectFile(path), _BUFFER_BYTES)


def drop_cache(path: Path) -> None:
    """What others read of the file from here on comes from the disk as well. Only clean pages can be dropped."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            os.fdatasync(descriptor)
        except OSError as error:
            # The disk takes nothing any more; what it has can still be read.
            if error.errno not in (errno.EIO, errno.EROFS, errno.ENOSPC, errno.EINVAL):
                raise
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECT)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
