"""Files of an ext4 file system by their inodes, read from its bytes: no mount, no directory needed, no path followed.

Layout: Linux, Documentation/filesystems/ext4. Names are not looked at: what a file is, its bytes say. So files whose
directory is gone come out like any other, and no name on the card decides anything here. Every number that is read
may be wrong or hostile: each is bounded, and what does not make sense is left out.
"""

import struct
from bisect import bisect_right
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from audit.salvage.medium import Bytes

SUPERBLOCK_BYTES = 1024
MAGIC_AT = 56
MAGIC = 0xEF53
MAX_FILE_BYTES = 1 << 38
_BITS_64 = 0x80
_SPARSE_SUPER = 0x1
_META_BG = 0x10
_EXTENTS = 0x80000
_REGULAR = 0x8000
_TYPE = 0xF000
_MOST_EXTENTS = 1 << 16
_DEEPEST = 5
_EXTENT_MAGIC = 0xF30A
_INODES_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """What a superblock says, checked for sense. Sizes are bytes. ``begin`` is where the file system begins in the
    source, worked out from which group's copy of the superblock this is.
    """

    begin: int
    block_size: int
    blocks: int
    first_block: int
    blocks_per_group: int
    inodes_per_group: int
    inode_size: int
    descriptor_size: int
    sparse: bool
    meta_group: int | None

    @property
    def groups(self) -> int:
        """How many block groups there are."""
        return -(-(self.blocks - self.first_block) // self.blocks_per_group)

    def block(self, number: int) -> int:
        """Where a block begins in the source."""
        return self.begin + number * self.block_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Inode:
    """A regular file: its length, and the stretches of the source that hold it as (offset in the file, offset in the
    source, length), in order. What no stretch holds is zeros.
    """

    number: int
    size: int
    stretches: tuple[tuple[int, int, int], ...]


def read_superblock(data: bytes, at: int) -> Geometry | None:
    """The geometry in the 1,024 bytes that lie at ``at`` of a source, or None where they are no superblock."""
    if len(data) < SUPERBLOCK_BYTES or data[MAGIC_AT : MAGIC_AT + 2] != MAGIC.to_bytes(2, "little"):
        return None
    first_block, log_block = struct.unpack_from("<II", data, 20)
    blocks_per_group, _, inodes_per_group = struct.unpack_from("<III", data, 32)
    (revision,) = struct.unpack_from("<I", data, 76)
    inode_size, group = struct.unpack_from("<HH", data, 88)
    incompatible, compatible = struct.unpack_from("<II", data, 96)
    (descriptor_size,) = struct.unpack_from("<H", data, 254)
    (first_meta,) = struct.unpack_from("<I", data, 260)
    blocks = struct.unpack_from("<I", data, 4)[0] | struct.unpack_from("<I", data, 336)[0] << 32
    block_size = 1024 << log_block if log_block <= 6 else 0
    wide = incompatible & _BITS_64
    if (
        revision != 1
        or not block_size
        or first_block != (1 if block_size == 1024 else 0)
        or not 0 < blocks_per_group <= 8 * block_size
        or not 0 < inodes_per_group <= 8 * block_size
        or not 128 <= inode_size <= block_size
        or inode_size & (inode_size - 1)
        or (wide and not 64 <= descriptor_size <= 1024)
        or not first_block < blocks < 1 << 40
    ):
        return None
    # Group 0's copy lies 1,024 bytes into the file system, any other at the beginning of its group.
    place = (group * blocks_per_group + first_block) * block_size if group else SUPERBLOCK_BYTES
    if at < place:
        return None
    return Geometry(
        begin=at - place,
        block_size=block_size,
        blocks=blocks,
        first_block=first_block,
        blocks_per_group=blocks_per_group,
        inodes_per_group=inodes_per_group,
        inode_size=inode_size,
        descriptor_size=descriptor_size if wide else 32,
        sparse=bool(compatible & _SPARSE_SUPER),
        meta_group=first_meta if incompatible & _META_BG else None,
    )


def inodes(source: Bytes, geometry: Geometry) -> Iterator[Inode]:
    """Every regular file that an inode tells of, deleted ones whose blocks are still listed included."""
    table_bytes = geometry.inodes_per_group * geometry.inode_size
    for group in range(min(geometry.groups, source.size // table_bytes + 1)):  # more tables than this do not fit
        tried: set[int] = set()
        for table in _tables(source, geometry, group):
            if table not in tried:
                tried.add(table)
                if (yield from _table(source, geometry, group, table)):
                    break


def _tables(source: Bytes, geometry: Geometry, group: int) -> Iterator[int]:
    """Where a group's inode table may begin, by the descriptors behind group 0's superblock and by their copies."""
    per_block = geometry.block_size // geometry.descriptor_size
    copies: tuple[int, ...] = (0, 1, 3, 5, 7, 9) if geometry.sparse else (0, 1, 2, 3)
    block, slot = divmod(group, per_block)
    behind = [1] * len(copies)
    if geometry.meta_group is not None and block >= geometry.meta_group:
        first = block * per_block
        copies = tuple(first + offset for offset in (0, 1, per_block - 1))
        block = 0
        behind = [1 if _has_superblock(geometry, copy) else 0 for copy in copies]
    for copy, skip in zip(copies, behind, strict=True):
        if copy < geometry.groups:
            start = geometry.first_block + copy * geometry.blocks_per_group + skip + block
            at = geometry.block(start) + slot * geometry.descriptor_size
            data = source.read(at, geometry.descriptor_size)
            if len(data) == geometry.descriptor_size:
                low = int.from_bytes(data[8:12], "little")
                high = int.from_bytes(data[40:44], "little") if geometry.descriptor_size >= 64 else 0
                table = low | high << 32
                if geometry.first_block < table < geometry.blocks:
                    yield table


def _has_superblock(geometry: Geometry, group: int) -> bool:
    if not geometry.sparse or group <= 1:
        return True
    return any(_is_power(group, base) for base in (3, 5, 7))


def _is_power(number: int, base: int) -> bool:
    while number % base == 0:
        number //= base
    return number == 1


def _table(source: Bytes, geometry: Geometry, group: int, table: int) -> Generator[Inode, None, bool]:
    """The files of one inode table. Returns whether there was any inode at all: else it may be the wrong place."""
    used = False
    at, size = geometry.block(table), geometry.inode_size
    for first in range(0, geometry.inodes_per_group, _INODES_AT_ONCE):
        count = min(_INODES_AT_ONCE, geometry.inodes_per_group - first)
        data = source.read(at + first * size, count * size)
        if not data.strip(b"\0"):
            continue
        used = True
        for index in range(len(data) // size):
            number = group * geometry.inodes_per_group + first + index + 1
            inode = _inode(source, geometry, number, data[index * size : (index + 1) * size])
            if inode is not None:
                yield inode
    return used


def _inode(source: Bytes, geometry: Geometry, number: int, data: bytes) -> Inode | None:
    (mode,) = struct.unpack_from("<H", data, 0)
    size = struct.unpack_from("<I", data, 4)[0] | struct.unpack_from("<I", data, 108)[0] << 32
    (flags,) = struct.unpack_from("<I", data, 32)
    if mode & _TYPE != _REGULAR or not flags & _EXTENTS or not 0 < size <= MAX_FILE_BYTES:
        return None
    found: list[tuple[int, int, int]] = []
    _walk(source, geometry, data[40:100], _DEEPEST, found, set())
    stretches: list[tuple[int, int, int]] = []
    end = 0
    for begin, place, length in sorted(found):
        if begin >= end and begin < size:  # of stretches that overlap, the first
            stretches.append((begin, place, min(length, size - begin)))
            end = begin + length
    return Inode(number=number, size=size, stretches=tuple(stretches)) if stretches else None


def _walk(
    source: Bytes,
    geometry: Geometry,
    node: bytes,
    depth_left: int,
    found: list[tuple[int, int, int]],
    seen: set[int],
) -> None:
    """Collect the extents below a node. Each block is looked at once, so a circle ends."""
    magic, entries, _, depth = struct.unpack_from("<HHHH", node, 0)
    if magic != _EXTENT_MAGIC or depth > depth_left or 12 + 12 * entries > len(node):
        return
    for at in range(12, 12 + 12 * entries, 12):
        if len(found) >= _MOST_EXTENTS or len(seen) >= _MOST_EXTENTS:
            return
        if depth:
            _, low, high = struct.unpack_from("<IIH", node, at)
            child = int(low | high << 32)
            if child < geometry.blocks and child not in seen:
                seen.add(child)
                data = source.read(geometry.block(child), geometry.block_size)
                if len(data) == geometry.block_size:
                    _walk(source, geometry, data, depth - 1, found, seen)
            continue
        block, count, high, low = struct.unpack_from("<IHHI", node, at)
        start = low | high << 32
        if count > 32_768:  # allocated, but never written: zeros
            continue
        if count and start + count <= geometry.blocks:
            size = geometry.block_size
            found.append((block * size, geometry.block(start), count * size))


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
