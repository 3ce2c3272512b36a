"""How much the disk still takes, and what is done when that is little (design, invariant 5).

Pure: it is told the room and the bytes written, and says what is due. In this order: UNARMED media go, the bitrate is
lowered, media stop. Each step is undone by itself when there is room again.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

FLOOR_BYTES = 64 << 20
"""Free space below which no new media are written; the reserve lies beyond it."""
SECOND = 1_000_000_000
MEASURED_NS = 60 * SECOND
"""The rate is that of the last minute."""
SETTLING_NS = 60 * SECOND
"""After a change, and at the beginning, the rate is watched for so long before the bitrate is changed."""
LOWER_BELOW_S = (3600, 1200)
"""At full bitrate with less than an hour left it is halved; at half with less than twenty minutes, once more."""
RAISE_ABOVE_S = 4 * 3600


class Due(StrEnum):
    """What is to be done now."""

    PRUNE = "prune"
    STOP = "stop"
    """Prune what may go, and stop media meanwhile."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    to_ns: int
    size_bytes: int


class Space:
    """The room of one disk. ``nominal`` is what all cameras together write at their configured bitrate, bytes a second.

    ``full`` says that no media are written, ``level`` how often the bitrate has been halved.
    """

    def __init__(self, *, nominal: int, now_ns: int) -> None:
        self._nominal = nominal
        self._changed_ns = now_ns
        self._written: deque[_Written] = deque()
        self._written_bytes = 0
        self.full = False
        self.level = 0
        self.room_bytes = 0

    def wrote(self, to_ns: int, size_bytes: int) -> None:
        """A segment that ends at ``to_ns`` has been committed."""
        self._written.append(_Written(to_ns=to_ns, size_bytes=size_bytes))
        self._written_bytes += size_bytes

    def rate(self, now_ns: int) -> int:
        """Bytes a second: as measured, or the nominal rate where nothing was written of late."""
        while self._written and self._written[0].to_ns <= now_ns - MEASURED_NS:
            self._written_bytes -= self._written.popleft().size_bytes
        if not self._written:
            return self._nominal >> self.level
        lasted_ns = max(10 * SECOND, min(MEASURED_NS, now_ns - self._changed_ns))
        return max(1, self._written_bytes * SECOND // lasted_ns)

    def seconds_left(self, now_ns: int) -> int:
        """How long media can be written at the current rate."""
        return max(0, self.room_bytes - FLOOR_BYTES) // self.rate(now_ns)

    def look(self, room_bytes: int, *, prunable: bool) -> Due:
        """What is due, with ``room_bytes`` free for media; ``prunable`` says whether there is anything that may go.

        Far below the floor media stop at once, and go on when enough has gone: writing them could fail before.
        """
        self.room_bytes = room_bytes
        if room_bytes >= 2 * FLOOR_BYTES:
            self.full = False
        elif room_bytes < FLOOR_BYTES or self.full:
            if self.full:
                return Due.PRUNE
            if not prunable or room_bytes < FLOOR_BYTES // 2:
                self.full = True
                return Due.STOP
            return Due.PRUNE
        return Due.NOTHING

    def new_level(self, now_ns: int, *, prunable: bool) -> bool:
        """Whether ``level`` has changed now. While something may be pruned, the picture stays as good as it is."""
        if now_ns - self._changed_ns < SETTLING_NS or self.full:
            return False
        left_s, before = self.seconds_left(now_ns), self.level
        if not prunable and self.level < len(LOWER_BELOW_S) and left_s < LOWER_BELOW_S[self.level]:
            self.level += 1
        elif self.level and (prunable or left_s > RAISE_ABOVE_S):
            self.level -= 1
        if self.level == before:
            return False
        self._changed_ns = now_ns
        self._written.clear()
        self._written_bytes = 0
        return True
