"""A disk that fails where a test says, and that remembers what was really durable."""

import contextlib
import errno
import os
import random
import shutil
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from base.durable import Disk

T = TypeVar("T")


class Failure(StrEnum):
    """Each fault in two forms."""

    NOT_DONE = "failed and not done"
    DONE = "done and reported failed"


class FaultyDisk(Disk):
    """Counts durable steps. Step ``fail_at`` (from 0) raises OSError, in the form ``failure``.

    Beside the real files under ``root`` it keeps what a power cut would leave: the contents of each file at its last
    sync, the names in each folder at its last sync. What is there when it is made counts as durable. ``restarted``
    gives the disk of the next process; after ``lose_unsynced`` in between, the machine has been off.
    """

    def __init__(self, root: Path, *, fail_at: int | None = None, failure: Failure = Failure.NOT_DONE) -> None:
        super().__init__()
        self.root = root
        self.steps: list[tuple[str, Path]] = []
        self.failed = False
        self.after_failure = 0
        """Steps that were tried after the one that failed: there must be none."""
        self.full = False
        """Whether writing raises ENOSPC; ``remove`` ends that, as the reserve gives room."""
        self.room_bytes: int | None = None
        """What ``free_bytes`` says, where it is not the truth."""
        self._fail_at = fail_at
        self._failure = failure
        self._ids: dict[int, int] = {}
        """Inode to identity: numbers of inodes are used again, identities are not."""
        self._next_id = 0
        self._contents: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        self._poisoned: dict[int, int] = {}
        """Files whose sync failed, and their length then: up to there memory shows what the disk does not have."""
        self._adopt(root)

    def restarted(self, *, fail_at: int | None = None, failure: Failure = Failure.NOT_DONE) -> "FaultyDisk":
        """The same disk under a new process."""
        disk = FaultyDisk.__new__(FaultyDisk)
        Disk.__init__(disk)
        disk.__dict__ |= {name: value for name, value in self.__dict__.items() if name != "_known"}
        disk.steps, disk.failed, disk.after_failure = [], False, 0
        disk._fail_at, disk._failure = fail_at, failure
        return disk

    def free_bytes(self, path: Path) -> int:
        return super().free_bytes(path) if self.room_bytes is None else self.room_bytes

    def lose_unsynced(self, keep: random.Random | None = None) -> None:
        """The power fails: only what was durable is there; with ``keep``, by chance some of the rest as well.

        Of what was appended and not synced, any part may be there, with zeros where a page did not make it. New names
        in a folder are there or not.
        """
        tree = self._plan(self._id(self.root), keep)
        for path in self.root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._ids, self._contents, self._names, self._poisoned = {}, {}, {}, {}
        _build(self.root, tree)
        self._adopt(self.root)

    def _do(self, step: str, path: Path, action: Callable[[], T]) -> T:
        number = len(self.steps)
        self.steps.append((step, path))
        if self.failed:
            self.after_failure += 1
        if number == self._fail_at:
            self.failed = True
            if self._failure is Failure.DONE:
                with contextlib.suppress(FileNotFoundError):
                    self._done(step, path, action)
            elif step == "sync":
                self._poisoned[self._id(path)] = path.stat().st_size
            raise OSError(errno.EIO, f"step {number}: {self._failure}", str(path))
        if step == "remove":
            self.full = False
        if self.full and step in ("write", "create", "mkdir", "allocate"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return self._done(step, path, action)

    def _done(self, step: str, path: Path, action: Callable[[], T]) -> T:
        existed = path.exists()
        result = action()
        match step:
            case "create" if not existed:
                self._contents[self._enter(path)] = b""
            case "mkdir":
                self._names[self._enter(path)] = {}
            case "sync":
                self._contents[self._id(path)] = self._synced(path)
            case "sync-directory" if path.is_relative_to(self.root):
                self._names[self._id(path)] = {each.name: self._id(each) for each in path.iterdir()}
            case "reread":
                self._contents[self._id(path)] = self._synced(path)
                if self._poisoned.pop(self._id(path), None) is not None:
                    path.write_bytes(self._contents[self._id(path)])
        return result

    def _synced(self, path: Path) -> bytes:
        """What a sync that succeeds makes durable: not what an earlier one has given up."""
        held, number = path.read_bytes(), self._id(path)
        if number not in self._poisoned:
            return held
        durable = self._contents[number]
        lost = min(self._poisoned[number], len(held)) - len(durable)
        return durable + bytes(max(0, lost)) + held[max(len(durable), self._poisoned[number]) :]

    def _adopt(self, path: Path) -> None:
        number = self._enter(path)
        if path.is_dir():
            for each in path.iterdir():
                self._adopt(each)
            self._names[number] = {each.name: self._id(each) for each in path.iterdir()}
        else:
            self._contents[number] = path.read_bytes()

    def _enter(self, path: Path) -> int:
        self._next_id += 1
        self._ids[path.stat().st_ino] = self._next_id
        return self._next_id

    def _id(self, path: Path) -> int:
        return self._ids[path.stat().st_ino]

    def _plan(self, folder: int, keep: random.Random | None) -> dict[str, object]:
        """The tree that a power cut leaves: bytes for files, dicts for folders."""
        paths = {self._id(path): path for path in [self.root, *self.root.rglob("*")]}
        names = dict(self._names[folder])
        if keep and folder in paths and keep.random() < 0.5:
            names |= {path.name: self._id(path) for path in paths[folder].iterdir()}
        plan: dict[str, object] = {}
        for name, number in names.items():
            if number in self._names:
                plan[name] = self._plan(number, keep)
            else:
                live = paths[number].read_bytes() if number in paths and keep else b""
                plan[name] = _torn(self._contents[number], live, keep)
        return plan


def _torn(durable: bytes, live: bytes, keep: random.Random | None) -> bytes:
    if keep is None or not live.startswith(durable):
        return durable
    tail = bytearray(live[len(durable) :])
    tail = tail[: keep.randint(0, len(tail))]
    if len(tail) > 1 and keep.random() < 0.3:
        begin = keep.randrange(len(tail))
        end = keep.randint(begin, len(tail))
        tail[begin:end] = bytes(end - begin)
    return durable + bytes(tail)


def _build(folder: Path, tree: dict[str, object]) -> None:
    for name, held in tree.items():
        path = folder / name
        if isinstance(held, dict):
            os.mkdir(path)
            _build(path, held)
        elif isinstance(held, bytes):
            path.write_bytes(held)
