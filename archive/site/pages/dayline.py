"""The day of a unit as a picture on its station's page: each piece leads to its time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from archive.site.pages.terms import CAUSES, CLOCKS, EVENTS, SPANS
from archive.site.pages.times import Times, number
from archive.site.words import N_
from evidence.coverage import State
from evidence.day.answer import Record
from evidence.day.layout import Sayings, lay_out
from evidence.day.line import Axis, DayLine
from evidence.day.picture import render_band_key, render_clock_key, render_day, render_key, render_pin_key
from evidence.day.rows import Row, rows_of
from evidence.day.size import NARROW, PAGE, Size, places
from evidence.words import ClockState, Mode

MOST_ROWS = 400
"""Of the table that says the same as the picture."""
MOST_LABELLED = 600
"""Pieces of a picture that each have a label and a link; of more, which are narrower than a finger, none has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The drawings, their legend, and the rows of the table beneath. ``wide`` and ``narrow`` are SVG.

    ``wide_places`` and ``narrow_places`` are JSON: for each piece of the axis whose UTC is known its left and right in
    the drawing's own units, and its first and last microsecond.
    """

    wide: Markup
    narrow: Markup
    wide_places: str
    narrow_places: str
    legend: tuple[tuple[Markup, str], ...]
    rows: tuple[tuple[str, str, str, str, str], ...]
    """Camera, when, how long, what, and the address behind ``?t=``."""
    rows_in_all: int


def picture_of(
    record: Record, times: Times, name: str, findings: str, held: Callable[[Row], str] | None = None
) -> Picture | None:
    """The picture of ``record``; None where nothing is known. ``name`` begins every id; ``findings`` is where findings
    are told on the page; ``held`` says why a piece is held back.
    """
    say = times.words.say
    rows = tuple(row for camera in record.cameras for row in rows_of(record, camera))

    labelled = len(rows) <= MOST_LABELLED

    def say_row(row: Row) -> str:
        if not labelled:
            return ""
        lasts = f" ({times.bounds(row.duration_ms)})" if row.duration_ms else ""
        return f"{times.moment(row.start, row.end)[0]}: {_row_text(times, row, held)}{lasts}"

    cameras = [
        say(N_("{camera}: here {covered}, not here {missing}, gaps: {gaps}.")).format(
            camera=camera.camera,
            covered=times.bounds(camera.covered_ms),
            missing=times.bounds(camera.missing_ms),
            gaps=number(len(camera.gaps)),
        )
        for camera in record.cameras
    ]
    sayings = Sayings(
        title=say(N_("Unit {unit}: the day as a line")).format(unit=record.unit or "–"),
        text=" ".join([*cameras, say(N_("The table below the picture says the same."))]),
        time_unset="TIME UNSET",
        row=say_row,
        row_link=lambda row: f"?t={times.link(row.start)}" if labelled else "",
        clock_name=say(N_("Clock of the unit")),
        clock=lambda clock: say(CLOCKS.get(clock.state, clock.state)),
        event=lambda event: say(EVENTS.get(event.event, event.event)),
        finding=lambda finding: finding.code,
        finding_link=lambda _finding: findings,
    )
    day = lay_out(record, rows, sayings)
    if day is None:
        return None
    wide, narrow = (
        Markup(render_day(day, size, offset_at=times.zone.offset_at, name=f"{name}-{kind}"))
        for size, kind in ((PAGE, "wide"), (NARROW, "narrow"))
    )
    return Picture(
        wide=wide,
        narrow=narrow,
        wide_places=_places(day, PAGE),
        narrow_places=_places(day, NARROW),
        legend=_legend(day, rows, times, name),
        rows=tuple(_told(times, row, held) for row in rows[:MOST_ROWS]),
        rows_in_all=len(rows),
    )


def _row_text(times: Times, row: Row, held: Callable[[Row], str] | None) -> str:
    text = times.words.say(_known(SPANS, row.state.value))
    if held is not None and row.state is State.WITHHELD:
        text = held(row)
    if row.state is State.GAP and row.cause:
        text = f"{text}: {times.words.say(CAUSES.get(row.cause, row.cause))}"
    return f"{text} · {row.mode}" if row.mode not in ("", Mode.LIVE) else text


def _told(times: Times, row: Row, held: Callable[[Row], str] | None) -> tuple[str, str, str, str, str]:
    lasts = times.bounds(row.duration_ms) if row.duration_ms else "–"
    return row.camera, times.moment(row.start, row.end)[0], lasts, _row_text(times, row, held), times.link(row.start)


def _places(day: DayLine, size: Size) -> str:
    found = [
        [round(left, 2), round(right, 2), stretch.from_us, stretch.to_us]
        for stretch, (left, right) in zip(day.stretches, places(day.stretches, size), strict=True)
        if stretch.axis is Axis.UTC
    ]
    return json.dumps(found, separators=(",", ":"))


def _legend(day: DayLine, rows: tuple[Row, ...], times: Times, name: str) -> tuple[tuple[Markup, str], ...]:
    """Only what the picture holds."""
    say = times.words.say
    keys: list[tuple[str, str]] = []
    for state in (state for state in State if any(row.state is state for row in rows)):
        for cause in sorted({row.cause for row in rows if row.state is state}):
            text = say(_known(SPANS, state.value))
            if cause:
                text = say(N_("Gap: {cause}")).format(cause=say(_known(CAUSES, cause)))
            keys.append((render_key(state, cause=cause, name=f"{name}-key{len(keys)}"), text))
    modes = [mode for mode in (Mode.TEST, Mode.UNARMED) if any(row.mode == mode for row in rows)]
    keys += [(render_band_key(mode), mode.value) for mode in modes]
    keys += [
        (render_clock_key(state), say(CLOCKS[state]))
        for state in ClockState
        if any(piece.state is state for piece in day.clock)
    ]
    if any(lane.pins for lane in day.lanes):
        keys.append((render_pin_key(), say(N_("Does not check, or cannot be told, here"))))
    return tuple((Markup(key), text) for key, text in keys)


def _known(terms: Mapping[str, str], word: str) -> str:
    return terms.get(word, word)
