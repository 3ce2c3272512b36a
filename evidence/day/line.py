"""The day line: what is true of each moment of a camera, as values that can be drawn.

Pure values, in integer microseconds. Whoever has coverage (the auditor's report, a public page, a wall) lays it out
as a ``DayLine``; ``evidence.day.picture`` draws it. Every text that a reader sees is the caller's, so that the picture
speaks the language of its page.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from evidence.coverage import State
from evidence.words import ClockState, Mode

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US

OffsetAt = Callable[[int], int]
"""Local time minus UTC in seconds, at a UTC instant in microseconds. Must not raise."""

_STEPS_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
_MAX_TICKS = 200


class Axis(StrEnum):
    """What the positions of a stretch count."""

    UTC = "utc"
    """Microseconds since 1970-01-01T00:00:00Z."""
    BOOT = "boot"
    """Microseconds of boot time: UTC was never known in that boot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A piece of the axis without a break.

    ``caption`` stands below it in place of dates, with ``detail`` where there is room; ``before`` stands at the break
    on its left.
    """

    axis: Axis
    from_us: int
    to_us: int
    caption: str = ""
    detail: str = ""
    before: str = ""

    def __post_init__(self) -> None:
        if self.from_us >= self.to_us:
            raise ValueError("a stretch of the day line ends before it begins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One state over ``[from_us, to_us)`` of a stretch.

    ``soft_us`` is half the width of the interval in which each end lies, in microseconds; 0 where the time is proven.
    ``cause`` is a word of spec/ledger.md, section 4.5, and counts for gaps. ``label`` is what the piece says when
    asked. ``href`` leads within the page or site: empty, or beginning with ``#``, ``?`` or a single ``/``.
    """

    stretch: int
    from_us: int
    to_us: int
    state: State
    soft_us: int = 0
    cause: str = ""
    label: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Time whose video is not LIVE. Drawn as a ribbon with the mode's word under the lane."""

    stretch: int
    from_us: int
    to_us: int
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Something does not check, or cannot be told, here. ``href`` as for ``Piece``."""

    stretch: int
    at_us: int
    label: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A phase of the day, across all lanes."""

    stretch: int
    at_us: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPiece:
    """What the kernel said of the wall clock. Drawn as a thin line below the lanes."""

    stretch: int
    from_us: int
    to_us: int
    state: ClockState
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One camera. Pieces of one state are in order and may touch."""

    camera: str
    pieces: tuple[Piece, ...] = ()
    bands: tuple[Band, ...] = ()
    pins: tuple[Pin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLine:
    """The day of one unit. ``title`` and ``text`` are what a screen reader says of the picture.

    ``clock`` is drawn where there is room for words, under ``clock_name``.
    """

    title: str
    text: str
    stretches: tuple[Stretch, ...]
    lanes: tuple[Lane, ...]
    flags: tuple[Flag, ...] = ()
    clock: tuple[ClockPiece, ...] = ()
    clock_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on the axis. ``date`` is set at the first tick and where a new local day begins."""

    at_us: int
    label: str
    date: str = ""


def at_utc(_utc_us: int) -> int:
    """The ``OffsetAt`` of UTC itself."""
    return 0


def step_for(length_us: int, most: int) -> int:
    """The smallest usual step, in microseconds, that gives at most ``most`` ticks over ``length_us``."""
    for step_s in _STEPS_S:
        if length_us <= step_s * SECOND_US * most:
            return step_s * SECOND_US
    return -(-length_us // (most * DAY_US)) * DAY_US


def ticks(stretch: Stretch, most: int, offset_at: OffsetAt = at_utc) -> list[Tick]:
    """About ``most`` ticks at most, on round local times or round boot times (``+hh:mm``), in order; one at least
    wherever the stretch holds a full second.

    A change of the zone's offset within the stretch shows in the labels, which always tell the local time.
    """
    utc = stretch.axis is Axis.UTC
    shift = offset_at(stretch.from_us) * SECOND_US if utc else 0
    step = step_for(stretch.to_us - stretch.from_us, max(1, min(most, _MAX_TICKS)))
    places = _round(stretch, step, shift)
    while not places and step > SECOND_US:
        step = max(each_s * SECOND_US for each_s in _STEPS_S if each_s * SECOND_US < step)
        places = _round(stretch, step, shift)
    found, date = [], ""
    for at in places:
        local = at + offset_at(at) * SECOND_US if utc else at
        label = ("" if utc else "+") + clock_text(local, step < 60 * SECOND_US, wrap=utc)
        today = date_text(local) if utc else ""
        found.append(Tick(at_us=at, label=label, date="" if today == date else today))
        date = today
    return found


def _round(stretch: Stretch, step: int, shift: int) -> range:
    return range(-(-(stretch.from_us + shift) // step) * step - shift, stretch.to_us + 1, step)


def clock_text(local_us: int, seconds: bool, *, wrap: bool = True) -> str:
    """``hh:mm`` or ``hh:mm:ss``; with ``wrap`` of the day, without it of the whole duration."""
    total = local_us // SECOND_US
    hours = total // 3600 % 24 if wrap else total // 3600
    text = f"{hours:02d}:{total // 60 % 60:02d}"
    return f"{text}:{total % 60:02d}" if seconds else text


def date_text(local_us: int) -> str:
    """``yyyy-mm-dd``, or nothing for a day that the calendar does not hold."""
    ordinal = datetime.date(1970, 1, 1).toordinal() + local_us // DAY_US
    if not 1 <= ordinal <= datetime.date.max.toordinal():
        return ""
    return datetime.date.fromordinal(ordinal).isoformat()
