"""What is kept of a unit that nobody has armed (spec/ledger.md, section 4.9)."""

from collections import deque
from collections.abc import Iterable
from itertools import count
from typing import Protocol

from evidence.lines import Pruned

KEPT_NS = 30 * 60 * 1_000_000_000
BATCH = 30
"""Segments that go together below the reserve."""


class Kept(Protocol):
    """An UNARMED segment on the disk."""

    @property
    def camera(self) -> str: ...
    @property
    def session(self) -> str: ...
    @property
    def run(self) -> int: ...
    @property
    def index(self) -> int: ...
    @property
    def length_ns(self) -> int: ...


class UnarmedMedia:
    """UNARMED segments in the order of recording, and which of them go first."""

    def __init__(self, kept: Iterable[Kept]) -> None:
        self._order = count()
        self._kept: dict[str, deque[tuple[int, Kept]]] = {}
        self._length_ns: dict[str, int] = {}
        for segment in kept:
            self.add(segment)

    @property
    def prunable(self) -> bool:
        """Whether there is anything left that may go."""
        return any(self._kept.values())

    def add(self, segment: Kept) -> None:
        """A segment was committed."""
        self._kept.setdefault(segment.camera, deque()).append((next(self._order), segment))
        self._length_ns[segment.camera] = self._length_ns.get(segment.camera, 0) + segment.length_ns

    def expire(self) -> list[Pruned]:
        """All but the newest 30 minutes of each camera: while UTC is proven to be before the window."""
        gone: list[Kept] = []
        for camera, kept in self._kept.items():
            while kept and self._length_ns[camera] - kept[0][1].length_ns >= KEPT_NS:
                gone.append(self._take(camera))
        return _lines(gone, "unarmed-expired")

    def shrink(self) -> list[Pruned]:
        """The oldest few, because the disk is down to its reserve."""
        gone: list[Kept] = []
        while len(gone) < BATCH and (left := [camera for camera, kept in self._kept.items() if kept]):
            gone.append(self._take(min(left, key=lambda camera: self._kept[camera][0][0])))
        return _lines(gone, "unarmed-reserve")

    def _take(self, camera: str) -> Kept:
        _, segment = self._kept[camera].popleft()
        self._length_ns[camera] -= segment.length_ns
        return segment


def _lines(gone: list[Kept], reason: str) -> list[Pruned]:
    """One line for each stretch of neighbours."""
    lines: dict[tuple[str, str, int], list[Pruned]] = {}
    for segment in gone:
        stretches = lines.setdefault((segment.camera, segment.session, segment.run), [])
        begin = segment.index
        if stretches and stretches[-1].to_index == segment.index:
            begin = stretches.pop().from_index
        stretches.append(
            Pruned(
                camera=segment.camera,
                session=segment.session,
                run=segment.run,
                from_index=begin,
                to_index=segment.index + 1,
                reason=reason,
            )
        )
    return [line for stretches in lines.values() for line in stretches]
