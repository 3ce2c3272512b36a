"""What has come since one asked last, handed to all who keep something of it."""

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Protocol

from archive.finding import FindingRow
from archive.index.latest import UnitLatest, read_latest
from archive.index.reading import IndexReader
from archive.names import UnitName

_LOOK_BACK = 20_000
"""At the start, so many of the newest media are looked at for when they came: what came long before is no news."""


class Follower(Protocol):
    """Who keeps something of the news: ``Stations``, ``Incidents``."""

    def take(self, news: Iterable[UnitLatest], findings: Sequence[FindingRow]) -> None:
        """What is new of some units, and all that the archive has found of any."""


class News:
    """Reads the index as it grows. Any thread may call ``refresh``; one at a time does.

    The cost grows with the units that have changed, and at the first time with all statements of the day.
    """

    def __init__(self, reader: IndexReader, *followers: Follower) -> None:
        self._reader, self._followers = reader, followers
        self._after, self._arrival = -1, -1
        self._seen: dict[UnitName, dict[int, int]] = {}
        self._lock = Lock()

    def refresh(self) -> int:
        """Hand on what is new. Returns how many units that concerned. Raises OSError."""
        with self._lock:
            arrival = self._reader.last_arrival()
            if self._arrival < 0:
                self._arrival = max(arrival - _LOOK_BACK, 0)
            news = self._news()
            if not news and self._is_another():
                self._after, self._arrival, self._seen = -1, max(arrival - _LOOK_BACK, 0), {}
                news = self._news()
            if not news:
                return 0
            findings = self._reader.findings()
            for follower in self._followers:
                follower.take(news, findings)
            for latest in news:
                self._seen[latest.name] = dict(latest.heads)
            self._after, self._arrival = max(latest.changed for latest in news), arrival
            return len(news)

    def _news(self) -> list[UnitLatest]:
        return read_latest(self._reader, self._after, self._seen, arrival=self._arrival)

    def _is_another(self) -> bool:
        """Whether the index was made anew: then it counts from the beginning."""
        return max((row.changed for row in self._reader.units()), default=-1) < self._after
