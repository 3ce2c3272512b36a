"""What the archive's account knows, as pages ask for it."""

import os
import time
from collections.abc import Callable, Sequence
from threading import Event

from archive.account.accounts import Accounts
from archive.account.ahead import read_ahead
from archive.account.incidents import Incident, Incidents
from archive.account.news import News
from archive.account.stations import StationFacts, Stations, Totals, total
from archive.names import UnitName
from archive.site.parts import SiteParts
from evidence.day.answer import Record
from evidence.terms import Hold

FRESH_S = 1.0
"""The index is asked for news at most so often: pages may be two seconds old."""
_ACCOUNT_BYTES = 6 << 20
_LEAST_ACCOUNTS, _MOST_ACCOUNTS = 64, 2_000


def accounts_kept(memory_bytes: int) -> int:
    """How many units' accounts are kept: a quarter of this machine's memory, at what a day of two cameras takes.

    A unit that is asked for and not kept is read anew from the index, which takes seconds towards a day's end.
    """
    return max(_LEAST_ACCOUNTS, min(memory_bytes // 4 // _ACCOUNT_BYTES, _MOST_ACCOUNTS))


class Known:
    """``Facts`` over the index and what is public. For one thread at a time. ``now_s`` counts forward."""

    def __init__(self, parts: SiteParts, now_s: Callable[[], float] = time.monotonic) -> None:
        self._parts, self._now_s = parts, now_s
        memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self._accounts = Accounts(parts.reader, parts.publications, trust=parts.trust, most=accounts_kept(memory_bytes))
        self._stations = Stations(parts.roster, now_us=self._now_us)
        self._incidents = Incidents(parts.reader)
        self._news = News(parts.reader, self._stations, self._incidents)
        self._fresh_until_s = float("-inf")
        self._listed: list[StationFacts] = []
        self._totals = total((), 0)

    def read_ahead(self, stop: Event) -> None:
        """Read all accounts ahead until ``stop``: of a thread of its own."""
        read_ahead(self._accounts, self._parts.reader, stop)

    def totals(self) -> Totals:
        """The numbers of the day, counted over what ``stations`` gives."""
        self._refresh()
        return self._totals

    def stations(self) -> Sequence[StationFacts]:
        """Every station."""
        self._refresh()
        return self._listed

    def records(self, station: str) -> Sequence[tuple[int, Record]]:
        """Of each unit of a station."""
        self._refresh()
        facts = self._stations.station(station)
        found = []
        for name in facts.units if facts else ():
            branches, record = self._parts.reader.branches(name), self._accounts.of(name)
            if branches and record is not None:
                found.append((max(branches, key=lambda row: row.used).number, record))
        return found

    def live_lists(self, station: str) -> frozenset[tuple[str, str]]:
        """Of a station, as they are published."""
        cameras = self._parts.publications.cameras()
        return frozenset((name.unit, camera) for name, camera in cameras if name.station == station)

    def holds(self) -> Sequence[Hold]:
        """Of the profile by which the publisher works."""
        return self._parts.publications.holds()

    def incidents(self, station: str | None, skip: int, most: int) -> tuple[Sequence[Incident], int]:
        """Newest first."""
        self._refresh()
        return self._incidents.page(station, skip, most)

    def incident(self, name: UnitName, branch: int, seq: int) -> Incident | None:
        """The one that a line tells."""
        self._refresh()
        return self._incidents.of(name, branch, seq)

    def _refresh(self) -> None:
        if self._now_s() < self._fresh_until_s:
            return
        self._news.refresh()
        self._listed = self._stations.all()
        self._totals = total(self._listed, self._now_us())
        self._fresh_until_s = self._now_s() + FRESH_S

    def _now_us(self) -> int:
        return self._parts.clock.read().utc_us or 0
