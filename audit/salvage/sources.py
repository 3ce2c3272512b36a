"""What is given to be salvaged: folders, images and block devices, each as files and, where it is one, as raw bytes."""

import errno
import os
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from audit.files import printable
from audit.salvage.ext4 import Geometry, Inode, InodeFile, read_inode, read_superblock
from audit.salvage.join import join
from audit.salvage.medium import Bytes, Medium, ReadErrors
from audit.salvage.scan import (
    LINE_PREFIX,
    FoundInode,
    FoundLine,
    FoundSegment,
    FoundSuperblock,
    FoundTornLine,
    scan,
    scan_lines,
)
from cmaf.boxes import HEADER_BYTES
from cmaf.identity import IDENTITY_UUID

MOST_FILE_SYSTEMS = 16
MOST_INODES = 2_000_000
MOST_VERSIONS = 64
"""Of what begins in one place."""
HEAD_BYTES = HEADER_BYTES + len(IDENTITY_UUID)
TakeLine = Callable[[bytes, str, int], None]
OpenMedium = Callable[[Path, str, ReadErrors], Medium]


class Source(Protocol):
    """A card, or a copy of one. ``find_lines`` comes first: it learns what the others need."""

    @property
    def name(self) -> str:
        """As it was given."""

    def find_lines(self, take: TakeLine) -> int:
        """Hand over whatever may be a line: its bytes, source and offset. Returns how many break off."""

    def join_lines(self, wanted: Iterable[tuple[str, int]]) -> Iterator[tuple[int, bytes]]:
        """As ``join.join``, for raw bytes."""

    def files(self) -> Iterator[tuple[str, Sequence[Bytes]]]:
        """The files that the file system tells of, each readable until the next is asked for. Where the file system
        tells several things of what begins in one place, old and new, the longest comes first.
        """

    def segments(self) -> Iterator[tuple[int, Bytes]]:
        """Where in the raw bytes an identity box begins."""

    def close(self) -> None:
        """Give the descriptors back."""


@dataclass(slots=True)
class Folder:
    """A mounted disk, or a copy of its files. Links are not followed. ``unread`` is what could not be listed."""

    path: Path
    errors: ReadErrors
    unread: list[str] = field(default_factory=list)
    open_medium: OpenMedium = Medium

    @property
    def name(self) -> str:
        return printable(str(self.path))

    def find_lines(self, take: TakeLine) -> int:
        torn = 0
        for name, (file,) in self.files():
            if not is_segment(file.read(0, HEAD_BYTES)):
                torn += _take_lines(file, name, take)
        return torn

    def join_lines(self, wanted: Iterable[tuple[str, int]]) -> Iterator[tuple[int, bytes]]:
        yield from ()

    def files(self) -> Iterator[tuple[str, Sequence[Bytes]]]:
        waiting = [self.path]
        while waiting:
            folder = waiting.pop()
            found = sorted(self._list(folder))
            waiting += [folder / name for name, is_folder in reversed(found) if is_folder]
            for name, is_folder in found:
                if not is_folder:
                    yield from self._file(folder / name)

    def segments(self) -> Iterator[tuple[int, Bytes]]:
        yield from ()

    def close(self) -> None:
        pass

    def _file(self, path: Path) -> Iterator[tuple[str, Sequence[Bytes]]]:
        name = printable(os.fspath(path))
        try:
            opened = self.open_medium(path, name, self.errors)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ELOOP, errno.ENXIO):  # a pipe, a link, a socket; or gone
                self._skip(path, error)
            return
        with opened as medium:
            yield name, [medium]

    def _list(self, folder: Path) -> Iterator[tuple[str, bool]]:
        """What can be read of a folder: names, and whether each is a folder."""
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    try:
                        yield entry.name, entry.is_dir(follow_symlinks=False)
                    except OSError as error:
                        self._skip(folder / entry.name, error)
        except OSError as error:
            self._skip(folder, error)

    def _skip(self, path: Path, error: OSError) -> None:
        text = f"{printable(os.fspath(path))}: {error.strerror}"
        if text not in self.unread:
            self.unread.append(text)


class Image:
    """An image of a card or of one file system, or the block device itself."""

    def __init__(self, medium: Medium) -> None:
        self._medium = medium
        self._lines = array("Q")
        self._segments = array("Q")
        self._inodes: dict[int, list[int]] = {}
        """Where inodes lie, by where the files that they tell of begin."""
        self.file_systems: tuple[Geometry, ...] = ()

    @property
    def name(self) -> str:
        return self._medium.name

    def find_lines(self, take: TakeLine) -> int:
        torn = 0
        found_systems: Counter[Geometry] = Counter()
        places = array("Q")
        for found in scan(self._medium):
            match found:
                case FoundLine():
                    self._lines.append(found.at)
                    take(found.text, self.name, found.at)
                case FoundTornLine():
                    self._lines.append(found.at)
                    torn += 1
                case FoundSegment():
                    self._segments.append(found.at)
                case FoundInode():
                    if len(places) < MOST_INODES:
                        places.append(found.at)
                case FoundSuperblock():
                    geometry = read_superblock(found.data, found.at)
                    if geometry is not None:
                        found_systems[geometry] += 1
        self.file_systems = _choose(found_systems)
        self._sort_inodes(places)
        for name, versions in self.files():
            longest = versions[0]
            if longest.read(0, len(LINE_PREFIX)) == LINE_PREFIX or self._has_lines(longest):
                _take_lines(longest, name, take)
        return torn

    def join_lines(self, wanted: Iterable[tuple[str, int]]) -> Iterator[tuple[int, bytes]]:
        return join(self._medium, self._lines, wanted)

    def files(self) -> Iterator[tuple[str, Sequence[InodeFile]]]:
        for begin, places in self._inodes.items():
            if self._medium.worn:
                return
            inodes = [inode for at in places if (inode := self._inode(at)) is not None and inode.begin == begin]
            if inodes:
                inodes.sort(key=lambda inode: -inode.size)
                yield f"{self.name}, file at byte {begin}", [InodeFile(self._medium, inode) for inode in inodes]

    def segments(self) -> Iterator[tuple[int, Bytes]]:
        for at in self._segments:
            if self._medium.worn:
                return
            yield at, self._medium

    @property
    def size(self) -> int:
        """In bytes."""
        return self._medium.size

    @property
    def worn(self) -> bool:
        """Whether reading was given up, because the tables of a file system lead in circles."""
        return self._medium.worn

    def close(self) -> None:
        self._medium.close()

    def _sort_inodes(self, places: Iterable[int]) -> None:
        """The same inode lies in its table and, in many states, in the journal: each state counts once."""
        known: set[int] = set()
        for at in places:
            inode = self._inode(at)
            if inode is not None and hash(inode) not in known:
                known.add(hash(inode))
                versions = self._inodes.setdefault(inode.begin, [])
                if len(versions) < MOST_VERSIONS:
                    versions.append(at)

    def _inode(self, at: int) -> Inode | None:
        """What the inode at ``at`` says, in the file system that it lies in."""
        for geometry in self.file_systems:
            if geometry.begin <= at < geometry.end:
                inode = read_inode(self._medium, geometry, at)
                if inode is not None:
                    return inode
        return None

    def _has_lines(self, file: InodeFile) -> bool:
        """Whether lines were seen in the file's blocks: its beginning may be damaged."""
        for _, place, length in file.places:
            at = bisect_left(self._lines, place)
            if at < len(self._lines) and self._lines[at] < place + length:
                return True
        return False


def _choose(found: Counter[Geometry]) -> tuple[Geometry, ...]:
    """The file systems that superblocks tell of, the one with most copies first.

    A single copy inside another file system is one in its journal, and says nothing of where anything begins.
    """
    ranked = sorted(found, key=lambda geometry: (-found[geometry], geometry.begin))
    chosen: list[Geometry] = []
    for geometry in ranked[:MOST_FILE_SYSTEMS]:
        inside = any(other.begin < geometry.begin < other.end for other in chosen)
        if found[geometry] > 1 or not inside:
            chosen.append(geometry)
    return tuple(chosen)


def is_segment(head: bytes) -> bool:
    """Whether a file that begins like this begins with an identity box."""
    return head[HEADER_BYTES - 4 :] == b"uuid" + IDENTITY_UUID


def _take_lines(file: Bytes, name: str, take: TakeLine) -> int:
    torn = 0
    for found in scan_lines(file):
        if isinstance(found, FoundLine):
            take(found.text, name, found.at)
        else:
            torn += 1
    return torn
