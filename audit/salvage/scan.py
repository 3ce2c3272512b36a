"""Looks through raw bytes for what a record is made of: lines, segments, inodes, superblocks. Judges nothing.

Fast where there is nothing: the C searches of ``bytes`` look for a few fixed bytes, and Python only looks at hits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from audit.salvage.ext4 import EXTENTS_AT, EXTENTS_MAGIC, INODE_BYTES, MAGIC, MAGIC_AT, SUPERBLOCK_BYTES, is_inode
from audit.salvage.medium import Bytes
from cmaf.identity import IDENTITY_UUID
from evidence.jws import MAX_BYTES

LINE_PREFIX = b"eyJhbGciOiJFUzI1NiIsImtpZCI6I"
"""How every line begins: base64url of ``{"alg":"ES256","kid":"``, without what the kid decides."""
_RUN = re.compile(rb"[A-Za-z0-9_.-]*")
_CHUNK_BYTES = 1 << 20
_UUID_AT = 8


@dataclass(frozen=True, slots=True)
class FoundLine:
    """Bytes that may be a line, without LF, and where they begin."""

    at: int
    text: bytes


@dataclass(frozen=True, slots=True)
class FoundSegment:
    """Where an identity box may begin."""

    at: int


@dataclass(frozen=True, slots=True)
class FoundSuperblock:
    """1,024 bytes that may be a superblock."""

    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FoundInode:
    """Where an inode may begin."""

    at: int


@dataclass(frozen=True, slots=True)
class FoundTornLine:
    """The beginning of a line that does not go on: cut at the border of a block, or damaged."""

    at: int


Found = FoundLine | FoundSegment | FoundSuperblock | FoundInode | FoundTornLine


def scan(source: Bytes) -> Iterator[Found]:
    """Everything that ``source`` may hold, in one pass. Time grows with its length alone, whatever it holds."""
    for begin, end in source.stretches():
        for at in range(begin // SUPERBLOCK_BYTES * SUPERBLOCK_BYTES, end, _CHUNK_BYTES):
            # A hit in this chunk may reach into the next one.
            data = source.read(at, _CHUNK_BYTES + MAX_BYTES)
            yield from _lines(data, at)
            yield from _segments(data, at)
            whole = data[:_CHUNK_BYTES]
            for place in _marks(whole, MAGIC, MAGIC_AT, SUPERBLOCK_BYTES):
                yield FoundSuperblock(at + place, whole[place : place + SUPERBLOCK_BYTES])
            for place in _marks(whole, EXTENTS_MAGIC, EXTENTS_AT, INODE_BYTES):
                if is_inode(whole[place : place + INODE_BYTES]):
                    yield FoundInode(at + place)


def scan_lines(source: Bytes) -> Iterator[FoundLine | FoundTornLine]:
    """The lines of a file, read as ``scan`` does."""
    for begin, end in source.stretches():
        for at in range(begin, end, _CHUNK_BYTES):
            yield from _lines(source.read(at, _CHUNK_BYTES + MAX_BYTES), at)


def _lines(data: bytes, base: int) -> Iterator[FoundLine | FoundTornLine]:
    """Of each unbroken run of the alphabet, the last beginning of a line: no line holds another's beginning."""
    at = data.find(LINE_PREFIX)
    while 0 <= at < _CHUNK_BYTES:
        run = _RUN.match(data, at)
        assert run is not None
        end = run.end()
        last = data.rfind(LINE_PREFIX, at, end)
        if last < _CHUNK_BYTES and end - last < MAX_BYTES:
            whole = end < len(data) and data[end] == 0x0A
            yield FoundLine(base + last, data[last:end]) if whole else FoundTornLine(base + last)
        at = data.find(LINE_PREFIX, end)


def _segments(data: bytes, base: int) -> Iterator[FoundSegment]:
    at = data.find(IDENTITY_UUID)
    while 0 <= at < _CHUNK_BYTES + _UUID_AT:
        if at >= _UUID_AT and data[at - 4 : at] == b"uuid":
            yield FoundSegment(base + at - _UUID_AT)
        at = data.find(IDENTITY_UUID, at + 1)


def _marks(data: bytes, mark: bytes, offset: int, step: int) -> Iterator[int]:
    """The multiples of ``step`` behind which, by ``offset``, the two bytes of ``mark`` stand."""
    firsts = data[offset::step]
    number = firsts.find(mark[:1])
    while number >= 0:
        at = number * step
        if data[at + offset + 1 : at + offset + 2] == mark[1:]:
            yield at
        number = firsts.find(mark[:1], number + 1)
