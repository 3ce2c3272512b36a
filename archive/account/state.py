"""In which state a station is: decided from facts alone, by one rule for page, open data and wall.

The words are those of the pages. Times are UTC in microseconds: of the archive's clock where something was heard or
came, else of the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from archive.roster import StationStatus
from evidence.words import Mode

_SECOND_US = 1_000_000
HEARD_US = 15 * _SECOND_US
"""A recording unit sends lines about once a second; a connection that is made anew takes no longer than this."""
SILENT_US = 300 * _SECOND_US
"""A mobile network's usual failures are over by then. Until then what was recording goes on to, by all that is known:
a unit needs no network for that."""
LIVE_US = 15 * _SECOND_US
"""So far may the newest video be behind the newest line: some segments, and one that had to be sent again."""
LATE_US = 30 * _SECOND_US
"""And so far the newest line behind the clock: beyond, lines of an outage are coming in."""
ARRIVING_US = 60 * _SECOND_US
"""Media that came within this time are being delivered now; the uplink's longest wait between two tries is shorter."""
GAP_US = 12 * _SECOND_US
"""A camera that starts or is started again takes less; a piece of a gap is told after 10 s."""


class StationState(StrEnum):
    """What a page says of a station in one word; docs/design/site.md says when."""

    LIVE = "live"
    RECORDING = "recording"
    """It records, and its video does not come: no connection, or none that carries it."""
    THINNED = "thinned"
    BACKFILLING = "backfilling"
    COMPLETE = "complete"
    DEGRADED = "degraded"
    """It is live, and something covers the view of a camera."""
    SILENT = "silent"
    NOT_ARMED = "not-armed"
    NOT_RECORDING = "not-recording"
    EXEMPT = "exempt"
    NOT_COVERED = "not-covered"
    NEVER_SEEN = "never-seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """What is known of a unit now; None where nothing is.

    ``heard_us``: lines came last. ``arrived_us``: media came last. ``recorded_us``: the end of the newest video that a
    line names, of mode ``mode``, and ``here_us`` of the newest of the last minute that is here. ``thin``: of what was
    named in that minute, a part is not here. ``lacks``: some armed video is on its way. ``gap_us``: since when no
    camera has a picture; ``covered_us``: since when something covers a camera's view. ``head`` is branch and ``seq`` of
    the newest line, ``gap`` that of the newest gap's and its cause; ``cameras`` is how many the unit says it has.
    """

    heard_us: int | None
    arrived_us: int | None = None
    recorded_us: int | None = None
    here_us: int | None = None
    mode: Mode | None = None
    thin: bool = False
    lacks: bool = False
    closed: bool = False
    closed_us: int | None = None
    gap_us: int | None = None
    covered_us: int | None = None
    head: tuple[int, int] | None = None
    gap: tuple[int, str] | None = None
    cameras: int | None = None

    @property
    def alive_us(self) -> int:
        """When it gave a sign of life last; 0 where the archive had no time then."""
        return max(self.heard_us or 0, self.arrived_us or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationNow:
    """The state, since when (None where the facts do not say), and the last second that is proven to be recorded.

    ``test``: what is recorded is a TEST, whatever the state. It never counts as the record of the day.
    """

    state: StationState
    since_us: int | None
    proven_us: int | None
    test: bool = False


def decide(status: StationStatus | None, units: Sequence[UnitFacts], now_us: int) -> StationNow:
    """The state of a station with these units, of which the one that was heard last speaks for it.

    ``status`` is the list's, None for a station that is in no list. The first that applies, in this order: exempt or
    not covered; nothing heard yet; closed; silent; no picture; not armed; not connected; covered; live; else what is
    recorded does not come, or comes late. A TEST is judged like a LIVE record, and marked.
    """
    proven_us = max((unit.recorded_us for unit in units if unit.recorded_us is not None), default=None)
    state, since_us = _decide(status, units, now_us)
    test = bool(units) and speaker(units).mode is Mode.TEST
    return StationNow(state=state, since_us=since_us, proven_us=proven_us, test=test)


def speaker(units: Sequence[UnitFacts]) -> UnitFacts:
    """The one that speaks for its station: of those that were ever heard, the one heard last."""
    return max(units, key=lambda each: each.alive_us)


def _decide(status: StationStatus | None, units: Sequence[UnitFacts], now_us: int) -> tuple[StationState, int | None]:
    if status is StationStatus.EXEMPT:
        return StationState.EXEMPT, None
    if status is StationStatus.NOT_COVERED:
        return StationState.NOT_COVERED, None
    if not units:
        return StationState.NEVER_SEEN, None
    unit = speaker(units)
    quiet = now_us - unit.alive_us > SILENT_US
    if unit.closed:
        if not any(each.lacks for each in units):
            return StationState.COMPLETE, max(unit.closed_us or 0, unit.arrived_us or 0) or None
        return (StationState.SILENT, unit.alive_us or None) if quiet else (StationState.BACKFILLING, unit.closed_us)
    if quiet:
        return StationState.SILENT, unit.alive_us or None
    return _decide_open(unit, now_us)


def _decide_open(unit: UnitFacts, now_us: int) -> tuple[StationState, int | None]:
    """Of a unit whose record goes on and that was heard not long ago."""
    heard_us = unit.heard_us or unit.alive_us
    if unit.gap_us is not None and heard_us - unit.gap_us > GAP_US:
        return StationState.NOT_RECORDING, unit.gap_us
    if unit.mode not in (Mode.LIVE, Mode.TEST):
        return StationState.NOT_ARMED, None
    if now_us - heard_us > HEARD_US:
        return StationState.RECORDING, heard_us
    if _is_live(unit, now_us):
        if unit.covered_us is not None:
            return StationState.DEGRADED, unit.covered_us
        return (StationState.THINNED if unit.thin else StationState.LIVE), None
    if unit.arrived_us is not None and now_us - unit.arrived_us <= ARRIVING_US:
        return StationState.BACKFILLING, None
    return StationState.RECORDING, unit.arrived_us


def _is_live(unit: UnitFacts, now_us: int) -> bool:
    if unit.recorded_us is None or unit.here_us is None:
        return False
    return unit.recorded_us - unit.here_us <= LIVE_US and now_us - unit.recorded_us <= LATE_US
