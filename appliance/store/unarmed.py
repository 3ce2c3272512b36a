"""What is kept of a unit that nobody has armed (spec/ledger.md, section 4.9)."""

from collections import deque
from collections.abc import Iterable
from itertools import count
from typing import Protocol

from appliance.store.pruning import pruned_lines
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
    return pruned_lines([(each.session, each.camera, each.run, each.index) for each in gone], reason)
