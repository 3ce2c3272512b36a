"""Boxes (ISO/IEC 14496-12, 4.2), with 32-bit sizes only."""

import struct

from cmaf.errors import MediaError

HEADER_BYTES = 8

_HEADER = struct.Struct(">I4s")


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of the four-character type ``kind`` around ``parts``. Raises MediaError past 4 GiB."""
    size = HEADER_BYTES + sum(map(len, parts))
    if size > 0xFFFF_FFFF:
        raise MediaError(f"{kind.decode()}: {size} bytes do not fit a box")
    return b"".join((_HEADER.pack(size, kind), *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box that begins with a version and 24 bits of flags."""
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def box_end(data: memoryview, at: int, kind: bytes, limit: int) -> int:
    """Where the box at ``at`` ends. Raises MediaError unless it is a ``kind`` that ends at or before ``limit``."""
    if at + HEADER_BYTES > limit:
        raise MediaError(f"byte {at}: no room for a {kind.decode()} box")
    size, found = _HEADER.unpack_from(data, at)
    if found != kind:
        raise MediaError(f"byte {at}: {found!r} where a {kind.decode()} box must be")
    if size < HEADER_BYTES or size > limit - at:
        raise MediaError(f"byte {at}: {kind.decode()} box of {size} bytes, room for {limit - at}")
    return at + int(size)
