"""When a unit's boots were: by UTC where lines say it, else by when the archive first heard of them."""

from collections.abc import Iterable

from archive.index.rows import Statement
from archive.site.lists.times import MOST_BOOTS, MOST_NS, UnitTimes
from evidence.utc import Utc

_NEWTON_STEPS = 6


class Dates:
    """All boots of a unit. Where no line of a boot says anything of UTC, its lines came to the archive after they were
    made: the one that came soonest tells nearly when. Such a date is good for finding video, and proves nothing.
    """

    def __init__(self, times: UnitTimes, statements: Iterable[Statement]) -> None:
        self._utc: Utc = times.utc
        self._known = times.boots
        self._arrival_us: dict[str, int] = {}
        for each in statements:
            if each.boot_id not in self._known and each.heard_us is not None:
                offset_us = each.heard_us - each.line.stamp.boot_ns // 1_000
                before = self._arrival_us.get(each.boot_id)
                self._arrival_us[each.boot_id] = offset_us if before is None else min(before, offset_us)

    def windows(self, from_us: int, to_us: int) -> list[tuple[str, int, int]]:
        """Boot, and from and to which boot time a range of UTC may lie in it."""
        found: list[tuple[str, int, int]] = []
        for boot_id in (*self._known, *self._arrival_us):
            begin_ns, end_ns = self._boot_ns(boot_id, from_us), self._boot_ns(boot_id, to_us)
            if end_ns > 0 and begin_ns < MOST_NS:
                found.append((boot_id, max(0, begin_ns), min(end_ns, MOST_NS)))
        return found[:MOST_BOOTS]

    def at(self, boot_id: str, boot_ns: int) -> int:
        """The middle of what is known of UTC then, microseconds."""
        known = self._utc.at(boot_id, boot_ns)
        return self._arrival_us.get(boot_id, 0) + boot_ns // 1_000 if known is None else sum(known) // 2

    def is_arrival(self, boot_id: str) -> bool:
        """Whether dates of the boot are those of arrival."""
        return boot_id not in self._known

    def _boot_ns(self, boot_id: str, utc_us: int) -> int:
        """When that is; negative where it was before the boot. A mapping bends by 500 ppm at most: it converges."""
        at = 0
        for _ in range(_NEWTON_STEPS):
            at += (utc_us - self.at(boot_id, at)) * 1_000
        return at
