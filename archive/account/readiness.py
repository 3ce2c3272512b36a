"""The eve of the poll: which stations are ready, from the same facts as every other number.

``expected`` of the reconciliation is split once more: tested + failed + no network = expected. What was recorded LIVE
already counts as tested.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from archive.account.reconciliation import Reconciliation, reconcile
from archive.account.state import StationState
from archive.account.stations import LineAt, StationFacts
from archive.roster import StationStatus

_TESTED = frozenset({StationState.LIVE, StationState.THINNED, StationState.BACKFILLING, StationState.COMPLETE})
_AWAY = frozenset({StationState.NEVER_SEEN, StationState.SILENT, StationState.RECORDING})


class Ready(StrEnum):
    """How a station stands on the eve of the poll."""

    TESTED = "tested"
    """Its video, TEST or LIVE, is here or arriving."""
    FAILED = "failed"
    """It was heard, and what it says is not what it should: no picture, a covered view, not armed."""
    NO_NETWORK = "no-network"
    """Nothing has come of it, or nothing comes any more: from here nobody can tell more."""
    EXEMPT = "exempt"
    NOT_COVERED = "not-covered"


@dataclass(frozen=True, slots=True, kw_only=True)
class StationReady:
    """One station of the list. ``cause`` is its state's word, ``gap`` the cause that the unit signed where it records
    nothing, ``line`` the newest line that was heard of it.
    """

    station: str
    ready: Ready
    cause: str
    gap: str | None
    line: LineAt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Every listed station once, in the order of the list, beside the table that it splits."""

    table: Reconciliation
    stations: tuple[StationReady, ...]

    def count(self, ready: Ready) -> int:
        """How many stand so."""
        return sum(each.ready is ready for each in self.stations)


def readiness(stations: Iterable[StationFacts], at_us: int) -> Readiness:
    """How the stations of the list stand, as of ``at_us``. Pure. What is in no list is in the table alone."""
    known = {each.name: each for each in reversed(list(stations))}
    ordered = list(reversed(known.values()))
    return Readiness(
        table=reconcile(ordered, at_us),
        stations=tuple(_ready(each, each.listed.status) for each in ordered if each.listed is not None),
    )


def _ready(station: StationFacts, status: StationStatus) -> StationReady:
    ready = Ready.FAILED
    match status:
        case StationStatus.EXEMPT:
            ready = Ready.EXEMPT
        case StationStatus.NOT_COVERED:
            ready = Ready.NOT_COVERED
        case StationStatus.RECORDED if station.state in _TESTED:
            ready = Ready.TESTED
        case StationStatus.RECORDED if station.state in _AWAY:
            ready = Ready.NO_NETWORK
        case StationStatus.RECORDED:
            pass
    gap = station.gap if station.state is StationState.NOT_RECORDING else None
    return StationReady(
        station=station.name,
        ready=ready,
        cause=station.state.value,
        gap=None if gap is None else gap[0],
        line=station.head if gap is None else gap[1],
    )
