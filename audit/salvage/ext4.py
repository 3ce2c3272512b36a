"""Files of an ext4 file system by their inodes, read from its bytes: no mount, no directory, no name, no table.

Layout: Linux, Documentation/filesystems/ext4. An inode is known by its looks and found wherever it lies: in the inode
tables, whether or not anything still says where those are, or in the journal, where a power cut leaves the newest of
them. What a file is, its bytes say. So files without a directory come out like any other, and nothing on the card
decides where anything is written. Every number may be stale, wrong or hostile: each is bounded.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from audit.salvage.medium import Bytes

SUPERBLOCK_BYTES = 1024
MAGIC_AT = 56
MAGIC = b"\x53\xef"
INODE_BYTES = 128
"""Inodes begin at multiples of this, and all that is needed of one lies in so many bytes."""
EXTENTS_AT = 40
EXTENTS_MAGIC = b"\x0a\xf3"
MAX_FILE_BYTES = 1 << 38
_EXTENTS_FLAG = 0x80000
_REGULAR = 0x8000
_TYPE = 0xF000
_IN_INODE = 4
_MOST_EXTENTS = 1 << 16
_DEEPEST = 5
_LONGEST_EXTENT = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Where a file system begins in a source, the size of its blocks in bytes, and how many it has."""

    begin: int
    block_size: int
    blocks: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.begin + self.blocks * self.block_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Inode:
    """A regular file: its length, and the stretches of the source that hold it as (offset in the file, offset in the
    source, length), in order. What no stretch holds is zeros.
    """

    size: int
    stretches: tuple[tuple[int, int, int], ...]

    @property
    def begin(self) -> int:
        """Where the first byte lies in the source."""
        return self.stretches[0][1]


def read_superblock(data: bytes, at: int) -> Geometry | None:
    """The geometry in the 1,024 bytes that lie at ``at`` of a source, or None where they are no superblock.

    Every copy says which group it belongs to, and so where the file system begins.
    """
    if len(data) < SUPERBLOCK_BYTES or data[MAGIC_AT : MAGIC_AT + 2] != MAGIC:
        return None
    low, high = struct.unpack_from("<I", data, 4)[0], struct.unpack_from("<I", data, 336)[0]
    first_block, log_block = struct.unpack_from("<II", data, 20)
    (blocks_per_group,) = struct.unpack_from("<I", data, 32)
    (group,) = struct.unpack_from("<H", data, 90)
    block_size = 1024 << log_block if log_block <= 6 else 0
    blocks = low | high << 32
    if (
        not block_size
        or first_block != (1 if block_size == 1024 else 0)
        or not 0 < blocks_per_group <= 8 * block_size
        or not first_block < blocks < 1 << 40
    ):
        return None
    # Group 0's copy lies 1,024 bytes into the file system, any other at the beginning of its group.
    place = (group * blocks_per_group + first_block) * block_size if group else SUPERBLOCK_BYTES
    return Geometry(begin=at - place, block_size=block_size, blocks=blocks) if at >= place else None


def is_inode(data: bytes) -> bool:
    """Whether INODE_BYTES look like the inode of a regular file with something in it."""
    if len(data) < INODE_BYTES or data[EXTENTS_AT : EXTENTS_AT + 2] != EXTENTS_MAGIC:
        return False
    (mode,) = struct.unpack_from("<H", data, 0)
    (flags,) = struct.unpack_from("<I", data, 32)
    entries, most, depth = struct.unpack_from("<HHH", data, EXTENTS_AT + 2)
    regular = mode & _TYPE == _REGULAR and bool(flags & _EXTENTS_FLAG)
    return regular and 0 < entries <= most == _IN_INODE and depth <= _DEEPEST and 0 < _size(data) <= MAX_FILE_BYTES


def read_inode(source: Bytes, geometry: Geometry, at: int) -> Inode | None:
    """The file that the inode at ``at`` tells of, or None where it makes no sense in this file system."""
    data = source.read(at, INODE_BYTES)
    if not is_inode(data):
        return None
    size = _size(data)
    found: list[tuple[int, int, int]] = []
    _walk(source, geometry, data[EXTENTS_AT : EXTENTS_AT + 60], _DEEPEST, found, set())
    stretches: list[tuple[int, int, int]] = []
    end = 0
    for begin, place, length in sorted(found):
        if begin >= end and begin < size:  # of stretches that overlap, the first
            stretches.append((begin, place, min(length, size - begin)))
            end = begin + length
    return Inode(size=size, stretches=tuple(stretches)) if stretches else None


def _size(data: bytes) -> int:
    return int(struct.unpack_from("<I", data, 4)[0] | struct.unpack_from("<I", data, 108)[0] << 32)


def _walk(
    source: Bytes,
    geometry: Geometry,
    node: bytes,
    depth_left: int,
    found: list[tuple[int, int, int]],
    seen: set[int],
) -> None:
    """Collect the extents below a node. Each block is looked at once, so a circle ends."""
    entries, _, depth = struct.unpack_from("<HHH", node, 2)
    if node[:2] != EXTENTS_MAGIC or depth > depth_left or 12 + 12 * entries > len(node):
        return
    for at in range(12, 12 + 12 * entries, 12):
        if len(found) >= _MOST_EXTENTS or len(seen) >= _MOST_EXTENTS:
            return
        if depth:
            _, low, high = struct.unpack_from("<IIH", node, at)
            child = int(low | high << 32)
            if child < geometry.blocks and child not in seen:
                seen.add(child)
                data = source.read(geometry.begin + child * geometry.block_size, geometry.block_size)
                if len(data) == geometry.block_size:
                    _walk(source, geometry, data, depth - 1, found, seen)
            continue
        block, count, high, low = struct.unpack_from("<IHHI", node, at)
        start = low | high << 32
        # A longer one is allocated and was never written: zeros.
        if 0 < count <= _LONGEST_EXTENT and start + count <= geometry.blocks:
            size = geometry.block_size
            found.append((block * size, geometry.begin + start * size, count * size))


class InodeFile:
    """The bytes of a file that lies in stretches of a source."""

    def __init__(self, source: Bytes, inode: Inode) -> None:
        self._source = source
        self._inode = inode
        self._ends = [begin + length for begin, _, length in inode.stretches]

    @property
    def size(self) -> int:
        """In bytes."""
        return self._inode.size

    @property
    def places(self) -> tuple[tuple[int, int, int], ...]:
        """Where it lies in the source, as in ``Inode``."""
        return self._inode.stretches

    def read(self, at: int, size: int) -> bytes:
        """As ``Bytes.read``."""
        size = max(0, min(size, self.size - at))
        out = bytearray(size)
        for begin, place, length in self._inode.stretches[bisect_right(self._ends, at) :]:
            if begin >= at + size:
                break
            low, high = max(at, begin), min(at + size, begin + length)
            data = self._source.read(place + low - begin, high - low)
            out[low - at : low - at + len(data)] = data
        return bytes(out)

    def stretches(self) -> Iterator[tuple[int, int]]:
        """As ``Bytes.stretches``."""
        for begin, _, length in self._inode.stretches:
            yield begin, min(begin + length, self.size)
