"""What is known of UTC in the boots of a unit, kept between requests and only ever added to."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from archive.index.rows import BranchRow, StampRow
from archive.names import UnitName
from archive.site.lists.choose import NEIGHBOURS_NS, own_lines
from archive.site.lists.hours import HOUR_NS, HOUR_US, BootHour, Hour
from evidence.lines import Stamp
from evidence.utc import Utc

MOST_UNITS = 1_024
MOST_NS = 1 << 53
MOST_BOOTS = 64
"""So many boots at most are looked into for one range of time: no unit boots more often than once a minute."""
_NEWTON_STEPS = 6
"""Each leaves a two-thousandth of the error before it: a mapping bends by 500 ppm at most."""


class Stamps(Protocol):
    """What is asked of the index."""

    def branches(self, name: UnitName) -> list[BranchRow]:
        """The unit's branches."""

    def stamps(self, name: UnitName, branch: int | None = None, after: int = -1) -> list[StampRow]:
        """What lines behind a ``seq`` say of UTC."""


@dataclass(slots=True, kw_only=True)
class UnitTimes:
    """``boots`` are those of which some UTC is known; ``way`` is ``choose.own_lines``'."""

    utc: Utc
    boots: dict[str, None]
    way: dict[int, int]
    seen: dict[int, int]

    def windows(self, hour: Hour) -> list[tuple[str, int, int]]:
        """Boot, and from and to which boot time rows are needed for the list of an hour."""
        if isinstance(hour, BootHour):
            if hour.boot_id in self.boots:
                return []
            begin_ns = hour.number * HOUR_NS
            return [(hour.boot_id, max(0, begin_ns - NEIGHBOURS_NS), begin_ns + HOUR_NS + NEIGHBOURS_NS)]
        found: list[tuple[str, int, int]] = []
        for boot_id in self.boots:
            begin_ns = self._boot_ns(boot_id, hour.number * HOUR_US) - NEIGHBOURS_NS
            end_ns = self._boot_ns(boot_id, (hour.number + 1) * HOUR_US) + NEIGHBOURS_NS
            # What a unit claims of UTC may lead anywhere; its boot times end here (spec/ledger.md, section 2).
            if end_ns > 0 and begin_ns < MOST_NS:
                found.append((boot_id, max(0, begin_ns), min(end_ns, MOST_NS)))
        return found[:MOST_BOOTS]

    def _boot_ns(self, boot_id: str, utc_us: int) -> int:
        """When the middle of UTC is there; before the boot where that is negative."""
        at = 0
        for _ in range(_NEWTON_STEPS):
            known = self.utc.at(boot_id, at)
            assert known is not None
            at += (utc_us - sum(known) // 2) * 1000
        return at


class Times:
    """One thread calls it. The units asked for last are kept."""

    def __init__(self, stamps: Stamps) -> None:
        self._stamps = stamps
        self._units: OrderedDict[UnitName, UnitTimes] = OrderedDict()

    def of(self, name: UnitName) -> UnitTimes | None:
        """As the index has it now; None for a unit that it does not know. Raises OSError."""
        branches = self._stamps.branches(name)
        if not branches:
            self._units.pop(name, None)
            return None
        times = self._units.get(name)
        heads = {row.number: row.head_seq for row in branches}
        if times is None or any(heads.get(number, -1) < seq for number, seq in times.seen.items()):
            times = UnitTimes(utc=Utc(), boots={}, way={}, seen={})
            self._units[name] = times
        for number, head_seq in heads.items():
            after = times.seen.get(number, -1)
            if head_seq > after:
                for row in self._stamps.stamps(name, number, after):
                    stamp = Stamp(boot_ns=row.boot_ns, utc_us=row.utc_us, error_us=row.error_us)
                    times.utc.observe(row.boot_id, stamp)
                    times.boots[row.boot_id] = None
                times.seen[number] = head_seq
        times.way = own_lines(branches)
        self._units.move_to_end(name)
        while len(self._units) > MOST_UNITS:
            self._units.popitem(last=False)
        return times
