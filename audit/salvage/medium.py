"""Bytes of a card, an image or a file, parts of which may be unreadable."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_STEPS = (1 << 20, 1 << 16, 1 << 12)
"""A read that fails is tried again in parts of the next size. Cards and the page cache have blocks of 4 KiB."""
MOST_ERRORS = 10_000
_MOST_PASSES = 12
"""A good card is read about four times: for its lines, inode tables, ledger and media."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadError:
    """A stretch that could not be read. ``offset`` counts from the beginning of the source."""

    source: str
    offset: int
    size: int
    reason: str


class ReadErrors:
    """Stretches that could not be read, neighbours joined; past MOST_ERRORS only their size is kept."""

    def __init__(self) -> None:
        self._found: list[ReadError] = []
        self._seen: set[tuple[str, int]] = set()
        self.unlisted_bytes = 0

    @property
    def found(self) -> tuple[ReadError, ...]:
        """In the order of the sources and their bytes."""
        merged: list[ReadError] = []
        for error in sorted(self._found, key=lambda each: (each.source, each.offset)):
            last = merged[-1] if merged else None
            if last and last.source == error.source and last.offset + last.size == error.offset:
                size = last.size + error.size
                merged[-1] = ReadError(source=last.source, offset=last.offset, size=size, reason=last.reason)
            else:
                merged.append(error)
        return tuple(merged)

    def add(self, source: str, offset: int, size: int, reason: str) -> None:
        """Remember a block; the same one counts once, however often it is asked for."""
        if (source, offset) in self._seen:
            return
        if len(self._found) >= MOST_ERRORS:
            self.unlisted_bytes += size
            return
        self._seen.add((source, offset))
        self._found.append(ReadError(source=source, offset=offset, size=size, reason=reason))


class Bytes(Protocol):
    """Something with a length that can be read anywhere. A name on it counts for nothing."""

    @property
    def size(self) -> int:
        """In bytes."""

    def read(self, at: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``at``; fewer only at the end. What cannot be read is zeros."""

    def stretches(self) -> Iterator[tuple[int, int]]:
        """Where there is anything: begin and end. Holes, which can be of any length, are left out."""


class Medium:
    """A file, an image or a block device, open for reading only. Close it, or use it in a ``with``."""

    def __init__(self, path: Path, name: str, errors: ReadErrors) -> None:
        """``name`` is what read errors call it. Raises OSError, also where it is neither a file nor a block device."""
        self.name = name
        self._errors = errors
        self._read_bytes = 0
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        mode = os.fstat(self._descriptor).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISBLK(mode):
            os.close(self._descriptor)
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        self._size = os.lseek(self._descriptor, 0, os.SEEK_END)

    def __enter__(self) -> "Medium":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """In bytes."""
        return self._size

    @property
    def worn(self) -> bool:
        """Whether so much has been read that what is read must be sending us in circles."""
        return self._read_bytes > _MOST_PASSES * self._size + _STEPS[0] * 64

    def read(self, at: int, size: int) -> bytes:
        """As ``Bytes.read``; what cannot be read is on the list of errors."""
        size = max(0, min(size, self._size - at))
        self._read_bytes += size
        parts: list[bytes] = []
        while size:
            length = min(size, _STEPS[0] - at % _STEPS[0])
            parts.append(self._read_part(at, length, 0))
            at, size = at + length, size - length
        return b"".join(parts)

    def stretches(self) -> Iterator[tuple[int, int]]:
        """As ``Bytes.stretches``."""
        at = 0
        while at < self._size:
            try:
                begin = os.lseek(self._descriptor, at, os.SEEK_DATA)
                end = os.lseek(self._descriptor, begin, os.SEEK_HOLE)
            except OSError as error:
                if error.errno != errno.ENXIO:  # a device, or a file system that knows no holes
                    yield at, self._size
                return
            yield begin, end
            at = end

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    def _read_part(self, at: int, length: int, step: int) -> bytes:
        """Exactly ``length`` bytes; in smaller and smaller parts where that fails."""
        try:
            data = self._pread(at, length)
            if len(data) == length:
                return data
            reason = "the end came too early"
        except OSError as error:
            data, reason = b"", error.strerror or str(error)
        if step + 1 == len(_STEPS):
            block = (at + len(data)) // _STEPS[-1] * _STEPS[-1]
            self._errors.add(self.name, block, min(_STEPS[-1], self._size - block), reason)
            return data + bytes(length - len(data))
        smaller = _STEPS[step + 1]
        parts: list[bytes] = []
        end = at + length
        while at < end:
            part = min(end - at, smaller - at % smaller)
            parts.append(self._read_part(at, part, step + 1))
            at += part
        return b"".join(parts)

    def _pread(self, at: int, length: int) -> bytes:
        """The one call that touches the source; a test that subclasses this makes sectors unreadable."""
        return os.pread(self._descriptor, length, at)
