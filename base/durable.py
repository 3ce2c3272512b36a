"""Writes that must last. No other module writes a file that has to survive a power cut.

Every call that changes the disk goes through ``Disk._do``, one call a step, in the order in which it is made; a test
that subclasses it can count the steps, fail one, or lose what was not synced.

An ``OSError`` from ``sync`` or ``sync_directory`` is final: what was written since the last good one may be gone
although a later sync succeeds. Callers never repeat it; the process ends and recovery decides (invariant 9).
"""

import contextlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from base.direct import open_direct

T = TypeVar("T")

BYTES_A_FILE = 1 << 19
"""A segment of two seconds at 2 Mbit/s."""


class DurableFile:
    """A file open for writing at its end. Nothing is durable before ``sync`` returns."""

    def __init__(self, disk: "Disk", path: Path, descriptor: int) -> None:
        self._disk = disk
        self.path = path
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        """Append all of ``data``. After an OSError an unknown part of it may be in the file."""
        self._disk._do("write", self.path, lambda: self._write_all(data))

    def sync(self) -> None:
        """Data and size are durable on return (fdatasync)."""
        self._disk._do("sync", self.path, lambda: os.fdatasync(self._descriptor))

    def cut(self, size_bytes: int) -> None:
        """Shorten the file; durable after the next ``sync``."""
        self._disk._do("cut", self.path, lambda: os.ftruncate(self._descriptor, size_bytes))

    def close(self) -> None:
        """Give the descriptor back. Syncs nothing. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


class Disk:
    """The file system, one step at a time. One thread calls it."""

    def __init__(self) -> None:
        self._known: set[Path] = set()
        """Folders whose names are durable for sure."""

    def create(self, path: Path, *, mode: int = 0o640) -> DurableFile:
        """A new empty file. Raises FileExistsError. The name is durable after ``sync_directory`` of its folder."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        return DurableFile(self, path, self._do("create", path, lambda: os.open(path, flags, mode)))

    def append(self, path: Path) -> DurableFile:
        """An existing file, open at its end. Raises FileNotFoundError."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        return DurableFile(self, path, self._do("append", path, lambda: os.open(path, flags)))

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its final name. Names are written once: raises FileExistsError where ``new`` is taken."""
        if new.exists():
            raise FileExistsError(f"{new} exists already")
        self._do("rename", new, lambda: os.rename(old, new))

    def remove(self, path: Path) -> None:
        """Take a file away; no error where it is gone already."""
        with contextlib.suppress(FileNotFoundError):
            self._do("remove", path, lambda: os.unlink(path))

    def make_directory(self, path: Path) -> None:
        """The folder and all above it exist, and their names are durable, on return. Idempotent."""
        if path in self._known:
            return
        if not path.is_dir():
            if not path.parent.is_dir():
                self.make_directory(path.parent)
            # Another process may make it at the same moment.
            with contextlib.suppress(FileExistsError):
                self._do("mkdir", path, lambda: os.mkdir(path, 0o750))
        # A folder that is there may have been made by a process that died before this. Where we may not write, we
        # did not make it.
        if os.access(path.parent, os.W_OK):
            self.sync_directory(path.parent)
        self._known.add(path)

    def sync_directory(self, path: Path) -> None:
        """The names in a folder are durable on return."""
        self._do("sync-directory", path, lambda: _sync_directory(path))

    def reread(self, path: Path) -> io.BufferedReader:
        """The file as the disk itself holds it, not as memory remembers it; the caller closes it.

        After a failed sync the kernel goes on showing pages that never reached the disk; a process that starts in the
        same boot trusts nothing that it has not read anew (invariant 9). Blocks that cannot be read are zeros.
        """
        return self._do("reread", path, lambda: open_direct(path))

    def put(self, path: Path, data: bytes, *, mode: int = 0o640) -> None:
        """A small file with this content is durable on return; a reader sees the old one or the new, never a mix."""
        draft = path.with_name(path.name + ".part")
        if draft.exists():
            self.remove(draft)
        file = self.create(draft, mode=mode)
        try:
            file.write(data)
            file.sync()
        finally:
            file.close()
        self._do("replace", path, lambda: os.replace(draft, path))
        self.sync_directory(path.parent)

    def set_aside_bytes(self, path: Path, size_bytes: int) -> None:
        """A file that occupies ``size_bytes`` for good (posix_fallocate). Raises OSError where they are not there."""
        descriptor = self._do("create", path, lambda: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640))
        try:
            self._do("allocate", path, lambda: os.posix_fallocate(descriptor, 0, size_bytes))
            self._do("sync", path, lambda: os.fsync(descriptor))
        finally:
            os.close(descriptor)

    def free_bytes(self, path: Path) -> int:
        """What an unprivileged writer may still use of the file system that holds ``path``.

        A file system that can run out of inodes is as full as if each file to come took ``BYTES_A_FILE``.
        """
        usage = os.statvfs(path)
        free_bytes = usage.f_bavail * usage.f_frsize
        return min(free_bytes, usage.f_favail * BYTES_A_FILE) if usage.f_files else free_bytes

    def _do(self, step: str, path: Path, action: Callable[[], T]) -> T:
        """Every durable step passes here. ``step`` names it, for whoever counts."""
        return action()


def publish(path: Path, data: bytes) -> None:
    """Replace a status file in one step, for readers in other processes. Not durable: it lives in ``/run``."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    os.chmod(draft, 0o644)
    os.replace(draft, path)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
