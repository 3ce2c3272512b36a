"""Which stations need an answer, since when, and in what order. Pure: facts and time in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from archive.account.state import StationState
from archive.account.stations import StationFacts
from archive.roster import StationStatus
from archive.supervision.queue.day import Day, Phase

_SECOND_US = 1_000_000
NO_CONNECTION_US = 45 * _SECOND_US
"""Counted from the last line. A connection that is made anew takes less; the alarm must be out within a minute."""
THINNED_US = 600 * _SECOND_US
"""A link that is crowded for some minutes gets over it; beyond, somebody may find a better one."""
COVERED_US = 30 * _SECOND_US
"""Whoever passes in front of a camera is gone by then; a unit tells sooner."""
CALM_US = 60 * _SECOND_US
"""A station must be well for so long before its case ends: one that comes and goes is one case."""


class Reason(StrEnum):
    """Why a station needs an answer."""

    BLIND = "blind"
    """Of the centre itself: it cannot read its index, so no state is known."""
    NOT_RECORDING = "not-recording"
    SILENT = "silent"
    NEVER_SEEN = "never-seen"
    NOT_ARMED = "not-armed"
    DEGRADED = "degraded"
    NO_CONNECTION = "no-connection"
    FINDING = "finding"
    THINNED = "thinned"


WEIGHTS: Mapping[Reason, int] = MappingProxyType(
    {
        Reason.BLIND: 10,
        Reason.NOT_RECORDING: 8,
        Reason.SILENT: 6,
        Reason.NEVER_SEEN: 6,
        Reason.NOT_ARMED: 5,
        Reason.DEGRADED: 4,
        Reason.FINDING: 3,
        Reason.NO_CONNECTION: 2,
        Reason.THINNED: 1,
    }
)
"""Pictures that nobody takes are lost for good, so they weigh most; what only comes later weighs least."""

_PHASE_WEIGHTS: Mapping[Phase, int] = MappingProxyType(
    {Phase.BEFORE: 1, Phase.SETTING_UP: 1, Phase.EVE: 3, Phase.VOTING: 2, Phase.COUNTING: 4, Phase.AFTER: 1}
)
"""A count cannot be recorded again; in the last hour before opening a unit can still be replaced in time."""

FEW_VOTERS = 1_000
"""What a station counts for whose list does not say how many voters it has: about the usual number."""
CENTRE = "centre"
"""Stands for a station in a case of the centre itself. No station has such a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A station needs an answer, for this reason, since then. ``about`` is ``state``, or a finding's code."""

    station: str
    about: str
    reason: Reason
    since_us: int


STATE = "state"


def trouble(facts: StationFacts, day: Day | None, now_us: int, *, begun: bool = False) -> Trouble | None:
    """What a station's state asks for at ``now_us``; None where it asks for nothing.

    Without a ``day`` every time counts as within it. Before and after it nothing is asked for: units are packed
    up and switched off then, and that is no trouble. What is in no list is nobody's duty to record. ``begun``:
    there is a case already, so what would only count after a while counts at once: it is not well.
    """
    if facts.listed is None or facts.listed.status is not StationStatus.RECORDED:
        return None
    since_us = now_us if facts.since_us is None else facts.since_us
    found = _reason(facts.state, day, now_us, since_us)
    if found is None or (day is not None and not day.from_us <= now_us < day.to_us):
        return None
    reason, begins_us = found
    if day is not None:
        since_us = max(since_us, day.from_us)
    if reason is Reason.NEVER_SEEN and day is not None:
        since_us = day.eve_us
    if now_us - since_us < begins_us and not begun:
        return None
    return Trouble(station=facts.name, about=STATE, reason=reason, since_us=min(since_us, now_us))


def _reason(state: StationState, day: Day | None, now_us: int, since_us: int) -> tuple[Reason, int] | None:
    """The reason, and after how long it counts."""
    match state:
        case StationState.NOT_RECORDING:
            return Reason.NOT_RECORDING, 0
        case StationState.SILENT:
            return Reason.SILENT, 0
        case StationState.NOT_ARMED:
            return Reason.NOT_ARMED, 0
        case StationState.RECORDING:
            return Reason.NO_CONNECTION, NO_CONNECTION_US
        case StationState.DEGRADED:
            return Reason.DEGRADED, COVERED_US
        case StationState.THINNED:
            return Reason.THINNED, THINNED_US
        case StationState.NEVER_SEEN:
            return None if day is not None and now_us < day.eve_us else (Reason.NEVER_SEEN, 0)
        case _:
            return None


def is_graver(reason: Reason, than: Reason) -> bool:
    """Whether an answer to ``than`` is none to ``reason``."""
    return WEIGHTS[reason] > WEIGHTS[than]


def urgency(reason: Reason, since_us: int, voters: int | None, phase: Phase, now_us: int) -> int:
    """What the queue is ordered by, the greatest first: voter-minutes, times what the reason and the phase weigh."""
    minutes = max(now_us - since_us, 0) // (60 * _SECOND_US) + 1
    return minutes * max(FEW_VOTERS if voters is None else voters, 1) * WEIGHTS[reason] * _PHASE_WEIGHTS[phase]
