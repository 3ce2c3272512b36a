"""All stations as they are now, and the numbers of the day."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from archive.account.state import SILENT_US, StationState, UnitFacts, decide, speaker
from archive.account.unitfacts import UnitMemory
from archive.finding import FindingRow
from archive.index.latest import UnitLatest
from archive.names import UnitName
from archive.roster import Roster, RosterStation, StationStatus

_LIVE = frozenset({StationState.LIVE, StationState.THINNED, StationState.DEGRADED})
_RECORDED = _LIVE | {StationState.RECORDING, StationState.BACKFILLING, StationState.COMPLETE}
"""A LIVE record goes on, by all that is known, or has come to its end. A test is none of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAt:
    """The place of a ledger line."""

    name: UnitName
    branch: int
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFacts:
    """A station as it is now. ``listed`` is None where no list names it; ``units`` are those that were ever heard;
    ``test``: what it records is a TEST, whatever the state. ``recording`` are the units whose video is of the last
    five minutes; ``coming``: armed video of a unit is on its way. Of the unit that was heard last: ``head`` is its
    newest line, ``gap`` cause and line of its newest gap, ``cameras`` how many it has.

    Times are UTC in microseconds, None where nothing is known: since when the state holds, and up to when the record
    is proven.
    """

    name: str
    listed: RosterStation | None
    units: tuple[UnitName, ...]
    state: StationState
    since_us: int | None
    proven_us: int | None
    test: bool = False
    recording: tuple[UnitName, ...] = ()
    coming: bool = False
    head: LineAt | None = None
    gap: tuple[str, LineAt] | None = None
    cameras: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The numbers of the day; ``states`` counts every station once. ``at_us`` is when they were counted, UTC.

    ``stations`` = ``expected`` + ``exempt`` + ``not_covered`` + ``unlisted``; ``expected`` = ``recorded`` +
    ``missing``; ``live`` are some of those ``recorded``. What is in no list counts as ``unlisted`` and nowhere else.
    ``test`` are those whose record is a TEST, listed or not: in ``states`` they count, among ``recorded`` never.
    """

    at_us: int
    expected: int
    exempt: int
    not_covered: int
    unlisted: int
    recorded: int
    live: int
    test: int
    states: Mapping[StationState, int]

    @property
    def stations(self) -> int:
        """All of them."""
        return self.expected + self.exempt + self.not_covered + self.unlisted

    @property
    def missing(self) -> int:
        """Expected, and no LIVE record of them goes on or is complete."""
        return self.expected - self.recorded


class Stations:
    """The states of all stations, from what ``News`` brings. Any thread may call. Memory: a few KiB for each unit."""

    def __init__(self, roster: Roster, *, now_us: Callable[[], int]) -> None:
        """``now_us`` is the archive's time, UTC in microseconds."""
        self._now_us = now_us
        self._listed = {station.name: station for station in roster.stations}
        self._memories: dict[UnitName, UnitMemory] = {}
        self._units: dict[str, dict[UnitName, UnitFacts]] = {}
        self._since: dict[str, tuple[StationState, int | None]] = {}
        self._lock = Lock()

    def take(self, news: Iterable[UnitLatest], findings: Sequence[FindingRow]) -> None:
        """What is new of some units."""
        with self._lock:
            for latest in news:
                memory = self._memories.setdefault(latest.name, UnitMemory())
                self._units.setdefault(latest.name.station, {})[latest.name] = memory.facts(latest)

    def all(self) -> list[StationFacts]:
        """Every station: those of the list in its order, then those that are in no list, by name."""
        now_us = self._now_us()
        with self._lock:
            others = sorted(name for name in self._units if name not in self._listed)
            return [self._station(name, now_us) for name in (*self._listed, *others)]

    def station(self, name: str) -> StationFacts | None:
        """One of them; None where nobody knows it."""
        now_us = self._now_us()
        with self._lock:
            known = name in self._listed or name in self._units
            return self._station(name, now_us) if known else None

    def totals(self) -> Totals:
        """The numbers of the day."""
        return total(self.all(), self._now_us())

    def _station(self, name: str, now_us: int) -> StationFacts:
        listed, units = self._listed.get(name), self._units.get(name, {})
        now = decide(None if listed is None else listed.status, list(units.values()), now_us)
        before = self._since.get(name)
        since_us = now.since_us
        if since_us is None and before is not None:
            since_us = before[1] if before[0] is now.state else now_us
        self._since[name] = now.state, since_us
        name_of, head, gap = _told(units)
        return StationFacts(
            name=name,
            listed=listed,
            units=tuple(sorted(units)),
            state=now.state,
            since_us=since_us,
            proven_us=now.proven_us,
            test=now.test,
            recording=tuple(sorted(each for each, unit in units.items() if _records(unit, now_us))),
            coming=any(unit.lacks for unit in units.values()),
            head=head,
            gap=gap,
            cameras=None if name_of is None else units[name_of].cameras,
        )


def counts_as_recorded(station: StationFacts) -> bool:
    """Whether a LIVE record of it goes on, by all that is known, or is complete."""
    return station.state in _RECORDED and not station.test


def _records(unit: UnitFacts, now_us: int) -> bool:
    newest_us = min(unit.recorded_us or 0, unit.alive_us)
    return not unit.closed and now_us - newest_us <= SILENT_US


def _told(units: Mapping[UnitName, UnitFacts]) -> tuple[UnitName | None, LineAt | None, tuple[str, LineAt] | None]:
    """The unit that speaks for the station, its newest line, and its newest gap."""
    if not units:
        return None, None, None
    facts = speaker(list(units.values()))
    name = next(each for each, unit in units.items() if unit is facts)
    if facts.head is None:
        return name, None, None
    branch, seq = facts.head
    gap = None if facts.gap is None else (facts.gap[1], LineAt(name=name, branch=branch, seq=facts.gap[0]))
    return name, LineAt(name=name, branch=branch, seq=seq), gap


def total(stations: Iterable[StationFacts], at_us: int) -> Totals:
    """The numbers of these stations."""
    states = dict.fromkeys(StationState, 0)
    of_status: dict[StationStatus | None, int] = dict.fromkeys((None, *StationStatus), 0)
    recorded = live = tests = 0
    for station in stations:
        states[station.state] += 1
        status = None if station.listed is None else station.listed.status
        of_status[status] += 1
        tests += station.test
        if status is StationStatus.RECORDED and not station.test:
            recorded += counts_as_recorded(station)
            live += station.state in _LIVE
    return Totals(
        at_us=at_us,
        expected=of_status[StationStatus.RECORDED],
        exempt=of_status[StationStatus.EXEMPT],
        not_covered=of_status[StationStatus.NOT_COVERED],
        unlisted=of_status[None],
        recorded=recorded,
        live=live,
        test=tests,
        states=states,
    )
