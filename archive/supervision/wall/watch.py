"""How all stations are now, read once a second for everybody, and what has changed since a number.

One thread calls ``refresh``; any may read. Followers (the queue) are told after each look, in the same thread.
"""

import itertools
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from archive.account.incidents import Incidents
from archive.account.news import News
from archive.account.stations import StationFacts, Stations, Totals, total
from archive.index.reading import IndexReader
from archive.roster import Roster

KEPT_BATCHES = 300
"""Five minutes of changes: who was away for longer gets the whole state."""

Told = Callable[[Sequence[StationFacts] | None, int], None]
"""Told all stations, or None where the index cannot be read, and the archive's time in microseconds of UTC. It may
raise OSError, which is logged and keeps nobody else from being told.
"""
_log = logging.getLogger("supervision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look: its number, when it was taken (UTC, microseconds), every station, and the numbers of the day."""

    number: int
    at_us: int
    stations: tuple[StationFacts, ...]
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a look found changed: ``stations`` are whole."""

    number: int
    stations: tuple[StationFacts, ...]


class Watch:
    """Looks at the index. Memory: a few KiB for each unit, and the changes of five minutes."""

    def __init__(self, reader: IndexReader, roster: Roster, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._stations = Stations(roster, now_us=now_us)
        self.incidents = Incidents(reader)
        self._news = News(reader, self._stations, self.incidents)
        self._followers: list[Told] = []
        self._batches: deque[Batch] = deque(maxlen=KEPT_BATCHES)
        self._lock = Lock()
        self._seen = Seen(number=0, at_us=0, stations=(), totals=total((), 0))

    def follow(self, told: Told) -> None:
        """Have ``told`` be told after every look. Before the first."""
        self._followers.append(told)

    @property
    def seen(self) -> Seen:
        """The newest look; number 0 before the first."""
        with self._lock:
            return self._seen

    def station(self, name: str) -> StationFacts | None:
        """One of them, as the newest look found it."""
        return next((each for each in self.seen.stations if each.name == name), None)

    def refresh(self) -> Seen:
        """Look once. Raises OSError where the index cannot be read: then the look before stands, with its time."""
        try:
            stations = self.look()
        except OSError:
            self._tell(None, self._now_us())
            raise
        at_us = self._now_us()
        before = {each.name: each for each in self._seen.stations}
        # What is proven grows each second; a tile shows it only where nothing is heard.
        changed = tuple(each for each in stations if _shown(each) != _shown(before.get(each.name)))
        seen = Seen(number=self._seen.number + 1, at_us=at_us, stations=stations, totals=total(stations, at_us))
        with self._lock:
            self._seen = seen
            self._batches.append(Batch(number=seen.number, stations=changed))
        self._tell(stations, at_us)
        return seen

    def _tell(self, stations: Sequence[StationFacts] | None, at_us: int) -> None:
        for told in self._followers:
            try:
                told(stations, at_us)
            except OSError as error:
                _log.error("who follows the stations has failed", extra={"fields": {"error": str(error)}})

    def look(self) -> tuple[StationFacts, ...]:
        """Every station as it is now. Raises OSError."""
        self._news.refresh()
        return tuple(self._stations.all())

    def since(self, number: int) -> tuple[StationFacts, ...] | None:
        """What has changed behind a look, each station once as it is now; None where that is not known any more."""
        with self._lock:
            if number == self._seen.number:
                return ()
            kept = [batch for batch in self._batches if batch.number > number]
            if not kept or kept[0].number != number + 1:
                return None
        newest = {each.name: each for each in itertools.chain.from_iterable(batch.stations for batch in kept)}
        return tuple(newest.values())


def _shown(facts: StationFacts | None) -> object:
    """What of a station a tile shows."""
    return None if facts is None else (facts.state, facts.since_us, getattr(facts, "test", False), facts.units)
