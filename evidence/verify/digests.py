"""Which digests a record names, and where: packed, 44 bytes for each segment that a line names."""

from collections.abc import Container, Iterator
from itertools import pairwise
from struct import Struct

_ENTRY = Struct(">32sIQ")
Place = tuple[int, int]
"""A run, by a number of the caller's, and an index."""


class Digests:
    """Every digest and its place. The same line again changes nothing."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries = bytearray()

    def add(self, digest: bytes, place: Place) -> None:
        """A line names ``digest`` (32 bytes) at a place."""
        self._entries += _ENTRY.pack(digest, *place)

    def repeated(self) -> frozenset[bytes]:
        """The digests that stand at several places."""
        size = _ENTRY.size
        entries = sorted({bytes(self._entries[at : at + size]) for at in range(0, len(self._entries), size)})
        digests = [entry[:32] for entry in entries]
        return frozenset(one for one, two in pairwise(digests) if one == two)

    def at(self, places: Container[Place]) -> Iterator[tuple[Place, bytes]]:
        """What lines name at these places."""
        for digest, run, index in _ENTRY.iter_unpack(self._entries):
            if (run, index) in places:
                yield (run, index), digest
