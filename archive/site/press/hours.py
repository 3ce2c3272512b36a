"""What each hour was: how many stations were recorded and live, what began, and whose lists were asked for.

Only stations are counted, never who asks: no address, no cookie, nothing per person. Behind nginx the site sees each
list about once a second, however many watch, so what is counted there says which stations were watched, not by how
many; docs/guide/press.md says so.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

from archive.account.incidents import Incident, Kind
from archive.account.stations import Totals
from evidence.day.line import HOUR_US
from evidence.day.times import middle_us

MOST_HOURS = 96
"""The newest; a record that lasts longer is in the open data of each station."""
MOST_WATCHED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of UTC from ``begin_us`` on.

    ``expected``, ``recorded`` and ``live`` are stations as last counted in it, None where nobody counted: this process
    was not running. ``gaps`` and ``incidents`` are how many began in it, from the ledgers. ``watched`` are stations
    with the requests for their lists that this process answered, most first.
    """

    begin_us: int
    expected: int | None
    recorded: int | None
    live: int | None
    gaps: int
    incidents: int
    watched: tuple[tuple[str, int], ...]


class Hours:
    """Counts as the day goes. Any thread may call. At most ``MOST_HOURS`` hours are kept."""

    def __init__(self) -> None:
        self._totals: dict[int, Totals] = {}
        self._asked: dict[int, Counter[str]] = {}
        self._lock = Lock()

    def count(self, totals: Totals) -> None:
        """The numbers of the day as they are now: the last of an hour stand for it."""
        with self._lock:
            self._totals[totals.at_us // HOUR_US] = totals
            _bound(self._totals)

    def asked(self, station: str, at_us: int) -> None:
        """A list of ``station`` was given out."""
        with self._lock:
            self._asked.setdefault(at_us // HOUR_US, Counter())[station] += 1
            _bound(self._asked)

    def rows(self, incidents: Iterable[Incident]) -> list[Hour]:
        """Every hour of which anything is known, the newest first."""
        gaps: Counter[int] = Counter()
        others: Counter[int] = Counter()
        for each in incidents:
            if (at_us := _begun_us(each)) is not None:
                (gaps if each.kind is Kind.GAP else others)[at_us // HOUR_US] += 1
        with self._lock:
            hours = sorted({*self._totals, *self._asked, *gaps, *others}, reverse=True)[:MOST_HOURS]
            return [self._hour(hour, gaps[hour], others[hour]) for hour in hours]

    def _hour(self, hour: int, gaps: int, incidents: int) -> Hour:
        totals = self._totals.get(hour)
        asked = self._asked.get(hour, Counter())
        watched: Sequence[tuple[str, int]] = sorted(asked.items(), key=lambda each: (-each[1], each[0]))
        return Hour(
            begin_us=hour * HOUR_US,
            expected=None if totals is None else totals.expected,
            recorded=None if totals is None else totals.recorded,
            live=None if totals is None else totals.live,
            gaps=gaps,
            incidents=incidents,
            watched=tuple(watched[:MOST_WATCHED]),
        )


def _begun_us(incident: Incident) -> int | None:
    if incident.start is not None and incident.start.utc_us is not None:
        return middle_us(incident.start.utc_us)
    return incident.heard_us


def _bound(kept: "dict[int, Totals] | dict[int, Counter[str]]") -> None:
    while len(kept) > MOST_HOURS:
        del kept[min(kept)]
