"""From the rows of a record to its day line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evidence.day.answer import Clock, Event, Finding, Moment, Record
from evidence.day.line import DAY_US, HOUR_US, Axis, Band, ClockPiece, DayLine, Flag, Lane, Piece, Pin, Stretch
from evidence.day.rows import Row, boots_of
from evidence.day.times import half_us, middle_us, short_boot
from evidence.words import ClockState, Mode, Phase

FLAGGED = ("armed", *Phase)
"""The events that stand as flags above the lanes."""

_APART_US = 6 * HOUR_US
"""Boots further apart than this are drawn with a break, so that a day does not shrink beside the weeks before it."""


_CLOCK_STATES = {state.value: state for state in ClockState}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sayings:
    """What the picture says and where it leads, in the page's language."""

    title: str
    text: str
    time_unset: str
    row: Callable[[Row], str]
    row_link: Callable[[Row], str]
    clock_name: str
    clock: Callable[[Clock], str]
    event: Callable[[Event], str]
    finding: Callable[[Finding], str]
    finding_link: Callable[[Finding], str]


def lay_out(record: Record, rows: Sequence[Row], sayings: Sayings) -> DayLine | None:
    """The day line of ``rows``, which hold every camera's; None where there is nothing to draw."""
    if not rows:
        return None
    axes = _Axes(record, rows, sayings.time_unset)
    flags = []
    for event in record.events:
        at = axes.place(event.at)
        if event.event in FLAGGED and at:
            flags.append(Flag(stretch=at[0], at_us=at[1], label=sayings.event(event)))
    clock = []
    for told in record.clock:
        extent = axes.extent(told.start, told.end)
        if extent and told.state in _CLOCK_STATES:
            stretch, from_us, to_us = extent
            state = _CLOCK_STATES[told.state]
            piece = ClockPiece(stretch=stretch, from_us=from_us, to_us=to_us, state=state, label=sayings.clock(told))
            clock.append(piece)
    return DayLine(
        title=sayings.title,
        text=sayings.text,
        stretches=axes.stretches,
        lanes=tuple(_lane(camera.camera, record, rows, axes, sayings) for camera in record.cameras),
        flags=tuple(flags),
        clock=tuple(clock),
        clock_name=sayings.clock_name,
    )


def _lane(camera: str, record: Record, rows: Sequence[Row], axes: "_Axes", sayings: Sayings) -> Lane:
    pieces, bands, pins = [], list[Band](), []
    for row in rows:
        extent = axes.extent(row.start, row.end) if row.camera == camera else None
        if extent is None:
            continue
        stretch, from_us, to_us = extent
        soft = max((half_us(at.utc_us) for at in (row.start, row.end) if at.utc_us is not None), default=0)
        piece = Piece(
            stretch=stretch,
            from_us=from_us,
            to_us=to_us,
            state=row.state,
            soft_us=soft,
            cause=row.cause,
            label=sayings.row(row),
            href=sayings.row_link(row),
        )
        pieces.append(piece)
        if row.mode in (Mode.TEST, Mode.UNARMED):
            _widen(bands, Band(stretch=stretch, from_us=from_us, to_us=to_us, mode=Mode(row.mode)))
    for finding in record.findings:
        at = axes.place(finding.at) if finding.at and finding.weight != "note" else None
        if at and finding.camera in (None, camera):
            label, href = sayings.finding(finding), sayings.finding_link(finding)
            pins.append(Pin(stretch=at[0], at_us=at[1], label=label, href=href))
    return Lane(camera=camera, pieces=tuple(pieces), bands=tuple(bands), pins=tuple(pins))


def _widen(bands: list[Band], band: Band) -> None:
    """A mode lasts through the gaps between its videos: one ribbon, not one for each piece."""
    last = bands[-1] if bands else None
    if last and (last.stretch, last.mode) == (band.stretch, band.mode):
        bands[-1] = Band(stretch=band.stretch, from_us=last.from_us, to_us=band.to_us, mode=band.mode)
    else:
        bands.append(band)


class _Axes:
    """Where each moment lies: boots of known UTC share stretches of one axis, each other boot has its own."""

    def __init__(self, record: Record, rows: Sequence[Row], time_unset: str) -> None:
        self._known: dict[str, tuple[int, int]] = {}
        self._of: dict[str, int] = {}
        reach: dict[str, tuple[int, int]] = {}
        boots = boots_of(record)
        for moment in (moment for row in rows for moment in (row.start, row.end)):
            if moment.utc_us is not None:
                self._known.setdefault(moment.boot_id, (moment.boot_ns // 1000, middle_us(moment.utc_us)))
            # A later boot counts from its power-on: its first minute belongs to the gap before it.
            first = moment.boot_ns if moment.boot_id == boots[0] else 0
            least, most = reach.get(moment.boot_id, (first, moment.boot_ns))
            reach[moment.boot_id] = min(least, first), max(most, moment.boot_ns)
        spans: list[Stretch] = []
        for boot in boots:
            least, most = (self._at(boot, boot_ns) for boot_ns in reach[boot])
            axis = Axis.UTC if boot in self._known else Axis.BOOT
            last = spans[-1] if spans else None
            after = least - last.to_us if last and axis is last.axis is Axis.UTC else None
            if last and after is not None and after <= _APART_US and least >= last.from_us:
                spans[-1] = Stretch(axis=axis, from_us=last.from_us, to_us=max(most, last.to_us), before=last.before)
            else:
                caption, detail = ("", "") if axis is Axis.UTC else (time_unset, short_boot(boot))
                before = "" if last is None else "?" if after is None or after < 0 else _roughly(after)
                most = max(most, least + 1)
                spans.append(
                    Stretch(axis=axis, from_us=least, to_us=most, caption=caption, detail=detail, before=before)
                )
            self._of[boot] = len(spans) - 1
        self.stretches = tuple(spans)

    def _at(self, boot_id: str, boot_ns: int) -> int:
        if boot_id not in self._known:
            return boot_ns // 1000
        boot_us, utc_us = self._known[boot_id]
        return utc_us + boot_ns // 1000 - boot_us

    def place(self, moment: Moment) -> tuple[int, int] | None:
        """Stretch and position; None for a boot in which no camera has a record."""
        if moment.boot_id not in self._of:
            return None
        at_us = middle_us(moment.utc_us) if moment.utc_us is not None else self._at(moment.boot_id, moment.boot_ns)
        return self._of[moment.boot_id], at_us

    def extent(self, start: Moment, end: Moment) -> tuple[int, int, int] | None:
        """Stretch, from and to. What crosses a break is drawn after it, for as long as the later boot vouches for."""
        first, last = self.place(start), self.place(end)
        if first is None or last is None:
            return None
        if first[0] == last[0]:
            return first[0], first[1], last[1]
        return last[0], last[1] - end.boot_ns // 1000, last[1]


def _roughly(length_us: int) -> str:
    return f"{length_us // DAY_US} d" if length_us >= 2 * DAY_US else f"{length_us // HOUR_US} h"
