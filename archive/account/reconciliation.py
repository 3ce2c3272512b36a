"""Expected − exempt = recorded + missing: one table from the list of stations and the ledgers alone.

Wall, public pages, press desk and readiness report show this value and no other. What the list and the ledgers say
against each other is named, station by station, and never settled silently.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archive.account.state import StationState
from archive.account.stations import LineAt, StationFacts, counts_as_recorded
from archive.roster import StationStatus
from base.errors import OperatorError


class Contradiction(StrEnum):
    """What list and ledgers say against each other."""

    DUPLICATE = "duplicate"
    """The list names the station twice; it is counted once."""
    EXEMPT_DELIVERS = "exempt-delivers"
    NOT_COVERED_DELIVERS = "not-covered-delivers"
    UNLISTED = "unlisted"
    """A ledger of a station that no list names; it counts as no station of the list."""
    TWO_UNITS = "two-units"
    """Two units record at the same time, so neither has replaced the other."""
    CAMERAS = "cameras"
    """The unit has another number of cameras than the list says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradicted:
    """One contradiction. ``detail`` are names or numbers, never words of a language."""

    station: str
    what: Contradiction
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A station that is to be recorded and is not.

    ``cause`` is a state's word, or ``test``; ``gap`` the cause that the unit itself signed for its gap. ``line`` is the
    evidence: the line that tells the gap, else the last that was heard; None of a station that was never heard.
    ``proven_us`` is the last second that is proven to be recorded; ``coming`` says that video of it is on its way.
    """

    station: str
    cause: str
    gap: str | None
    since_us: int | None
    proven_us: int | None
    coming: bool
    line: LineAt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """``listed`` − ``exempt`` − ``not_covered`` = ``recorded`` + the number ``missing``, always.

    ``recorded`` counts stations whose LIVE record goes on or is complete, however early it began.
    ``unlisted`` counts outside the sum.
    """

    at_us: int
    listed: int
    exempt: int
    not_covered: int
    unlisted: int
    recorded: int
    missing: tuple[Missing, ...]
    contradictions: tuple[Contradicted, ...]

    @property
    def expected(self) -> int:
        """How many are to be recorded."""
        return self.listed - self.exempt - self.not_covered

    def require_sound(self) -> None:
        """Raises OperatorError that names every contradictory station."""
        if self.contradictions:
            named = ", ".join(f"{each.station} ({each.what}: {each.detail})" for each in self.contradictions)
            raise OperatorError(
                f"The list of stations and the ledgers contradict each other: {named}.",
                hint="Correct the list, or find out which unit records where; docs/guide/press.md says how.",
            )


def reconcile(stations: Iterable[StationFacts], at_us: int) -> Reconciliation:
    """The table of these stations, as of ``at_us``. Pure."""
    seen: dict[str, StationFacts] = {}
    times: Counter[str] = Counter()
    for station in stations:
        seen.setdefault(station.name, station)
        times[station.name] += 1
    found = [
        Contradicted(station=name, what=Contradiction.DUPLICATE, detail=str(count))
        for name, count in times.items()
        if count > 1
    ]
    statuses: Counter[StationStatus | None] = Counter()
    recorded = 0
    missing: list[Missing] = []
    for station in seen.values():
        status = None if station.listed is None else station.listed.status
        statuses[status] += 1
        found += _contradictions(station)
        if status is not StationStatus.RECORDED:
            continue
        if counts_as_recorded(station):
            recorded += 1
        else:
            missing.append(_missing(station))
    return Reconciliation(
        at_us=at_us,
        listed=statuses[StationStatus.RECORDED] + statuses[StationStatus.EXEMPT] + statuses[StationStatus.NOT_COVERED],
        exempt=statuses[StationStatus.EXEMPT],
        not_covered=statuses[StationStatus.NOT_COVERED],
        unlisted=statuses[None],
        recorded=recorded,
        missing=tuple(missing),
        contradictions=tuple(found),
    )


def _missing(station: StationFacts) -> Missing:
    gap = station.gap if station.state is StationState.NOT_RECORDING else None
    return Missing(
        station=station.name,
        cause="test" if station.test else station.state.value,
        gap=None if gap is None else gap[0],
        since_us=station.since_us,
        proven_us=station.proven_us,
        coming=station.coming,
        line=station.head if gap is None else gap[1],
    )


def _contradictions(station: StationFacts) -> Sequence[Contradicted]:
    listed, name = station.listed, station.name
    units = " ".join(each.unit for each in station.units)
    if listed is None:
        return [Contradicted(station=name, what=Contradiction.UNLISTED, detail=units)]
    if listed.status is not StationStatus.RECORDED:
        exempt = listed.status is StationStatus.EXEMPT
        what = Contradiction.EXEMPT_DELIVERS if exempt else Contradiction.NOT_COVERED_DELIVERS
        return [Contradicted(station=name, what=what, detail=units)] if units else []
    found: list[Contradicted] = []
    if len(station.recording) > 1:
        both = " ".join(each.unit for each in station.recording)
        found.append(Contradicted(station=name, what=Contradiction.TWO_UNITS, detail=both))
    if station.cameras is not None and station.cameras != listed.cameras:
        detail = f"{station.cameras} ≠ {listed.cameras}"
        found.append(Contradicted(station=name, what=Contradiction.CAMERAS, detail=detail))
    return found
