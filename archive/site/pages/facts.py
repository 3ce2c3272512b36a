"""What the pages need to know, as values: whoever keeps the account of the stations answers these questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from archive.roster import RosterStation
from evidence.day.answer import Bounds, Moment, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFacts:
    """A station as it is now. ``state`` is a word of ``terms.STATES``; ``listed`` is None where no list names it.

    Times are UTC in microseconds, None where nothing is known: since when the state holds, and up to when the record
    is proven.
    """

    name: str
    listed: RosterStation | None
    state: str
    since_us: int | None = None
    proven_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The numbers of the day; ``states`` counts every station once. ``at_us`` is when they were counted, UTC.

    ``stations`` = ``expected`` + ``exempt`` + ``not_covered`` + ``unlisted``, and ``expected`` = ``recorded`` +
    ``missing``.
    """

    at_us: int
    stations: int
    expected: int
    exempt: int
    not_covered: int
    unlisted: int
    recorded: int
    live: int
    missing: int
    states: Mapping[str, int]


class Kind(StrEnum):
    """What an incident is."""

    GAP = "gap"
    EVENT = "event"
    FINDING = "finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One gap, event or finding. ``seq`` and ``branch`` name the first line that tells it, and so its address.

    ``what`` is a cause, an event or a code. ``end`` and ``duration_ms`` are None where it has none; ``ongoing`` says
    that nothing has followed it yet. ``heard_us`` is when the archive learned of it, UTC.
    """

    station: str
    unit: str
    branch: int
    seq: int
    kind: Kind
    what: str
    camera: str | None
    start: Moment | None
    end: Moment | None
    duration_ms: Bounds | None
    ongoing: bool
    facts: tuple[tuple[str, str], ...]
    heard_us: int | None

    @property
    def address(self) -> str:
        """What stands behind ``/LANGUAGE/gaps/``."""
        return f"{self.station}/{self.unit}/{self.branch}/{self.seq}"


class Facts(Protocol):
    """Asked from one thread at a time; each answer is as of now. OSError where the index cannot be read."""

    def totals(self) -> Totals:
        """The numbers of the day."""

    def stations(self) -> Sequence[StationFacts]:
        """Every station, listed or heard of, in the order of the list; those that are in no list come last."""

    def records(self, station: str) -> Sequence[tuple[int, Record]]:
        """For each unit of a station: the branch that it is on, and its record."""

    def incidents(self, station: str | None, skip: int, most: int) -> tuple[Sequence[Incident], int]:
        """Of one station or of all, newest first; and how many there are."""

    def incident(self, station: str, unit: str, branch: int, seq: int) -> Incident | None:
        """The one that this line tells."""
