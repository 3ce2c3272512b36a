"""The report's parts for one record: tables, findings and the clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.report.words import Words
from base.zones import Zone
from evidence.coverage import State
from evidence.day.answer import Bounds, Event, Finding, Gap, Moment, Record
from evidence.day.line import at_utc
from evidence.day.markup import escape
from evidence.day.rows import Row
from evidence.day.times import (
    boot_text,
    bounds_text,
    half_us,
    instant,
    interval,
    length,
    plus_minus,
    short_boot,
    uncertainty,
)

MOST_GAPS = 500
MOST_FINDINGS = 200
MOST_EVENTS = 300
MOST_ROWS = 2000
MOST_CLOCK = 200
_OPEN_ROWS = 15
_GRAVITY = ("wrong", "open", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Language, zone, and the prefix of every anchor of one record."""

    words: Words
    zone: Zone
    name: str


def gaps_shown(record: Record) -> tuple[tuple[str, int, Gap], ...]:
    """Camera, number and gap of those that the table shows: the longest, in the order of the record."""
    gaps = [(camera.camera, number, gap) for camera in record.cameras for number, gap in enumerate(camera.gaps)]
    longest = sorted(range(len(gaps)), key=lambda place: (-gaps[place][2].duration_ms[0], place))[:MOST_GAPS]
    return tuple(gaps[place] for place in sorted(longest))


def findings_shown(record: Record) -> tuple[Finding, ...]:
    """The findings that the list shows: the gravest first, else in the order of the answer."""

    def gravity(finding: Finding) -> int:
        return _GRAVITY.index(finding.weight) if finding.weight in _GRAVITY else 0

    return tuple(sorted(record.findings, key=gravity)[:MOST_FINDINGS])


def bounds(setting: Setting, value: Bounds) -> str:
    """A duration in words, with its bounds."""
    return bounds_text(value, setting.words.at_least, setting.words.between)


def place_lines(setting: Setting, start: Moment, end: Moment | None = None) -> tuple[str, ...]:
    """A time, or an interval, as the reader knows it; and beneath it UTC with its uncertainty, and boot time."""
    words, ends = setting.words, (start, end or start)
    main = interval(start, end, setting.zone.offset_at) if end else instant(start, setting.zone.offset_at)
    below = []
    if all(moment.utc_us is None for moment in ends):
        below.append(words.utc_unknown)
        if ends[0].boot_id == ends[1].boot_id:
            return main, f"{words.utc_unknown} · {words.boot.format(boot=short_boot(start.boot_id))}"
    elif setting.zone.name == "UTC":
        below.append(plus_minus(*ends))
    else:
        utc = interval(start, end, at_utc) if end else instant(start, at_utc)
        below.append(f"UTC {utc}, {plus_minus(*ends)}")
    first = f"{words.boot.format(boot=short_boot(start.boot_id))} {boot_text(start.boot_ns)}"
    if end is None:
        below.append(first)
    elif end.boot_id == start.boot_id:
        below.append(f"{first} – {boot_text(end.boot_ns)}")
    else:
        below.append(f"{first} – {words.boot.format(boot=short_boot(end.boot_id))} {boot_text(end.boot_ns)}")
    return main, *below


def cameras_part(setting: Setting, record: Record) -> str:
    """Covered, held and missing time for each camera."""
    words = setting.words
    if not record.cameras:
        return f"<p>{escape(words.no_cameras)}</p>"
    held = any(camera.held_ms != (0, 0) for camera in record.cameras)
    heads = [words.camera, words.covered, *([words.held] if held else []), words.missing]
    heads += [words.segments, words.recovered, words.pictures, words.dropped]
    rows = [
        [
            camera.camera,
            bounds(setting, camera.covered_ms),
            *([bounds(setting, camera.held_ms)] if held else []),
            bounds(setting, camera.missing_ms),
            number(camera.segments),
            number(camera.recovered),
            number(camera.frames),
            number(camera.dropped_frames),
        ]
        for camera in record.cameras
    ]
    cells = [
        "".join(_cell(name, escape(text), tight=len(text) < 18) for name, text in zip(heads, row, strict=True))
        for row in rows
    ]
    note = f"{words.held_note} {words.cameras_note}" if held else words.cameras_note
    return _table(heads, (f"<tr>{row}</tr>" for row in cells)) + f'<p class="small">{escape(note)}</p>'


def findings_part(setting: Setting, record: Record) -> str:
    """What does not check, what cannot be told, and what is worth a note."""
    words, shown = setting.words, findings_shown(record)
    if not shown:
        return f"<p>{escape(words.no_findings)}</p>"
    items = []
    for place, finding in enumerate(shown):
        sentence, advice = words.codes.get(finding.code, ("", ""))
        detail = finding.message.removeprefix(sentence).strip(" ()") if sentence else ""
        sentence = sentence or finding.message
        where = [words.all_cameras if finding.camera is None and finding.at else finding.camera or ""]
        where.append("" if finding.seq is None else words.line.format(seq=number(finding.seq)))
        where += place_lines(setting, finding.at) if finding.at else [] if finding.camera else [words.whole_record]
        where.append(words.times_over.format(count=number(finding.count)) if finding.count > 1 else "")
        weight = finding.weight if finding.weight in _GRAVITY else "wrong"
        weighed = words.classes.get(finding.weight, finding.weight)
        told = f"<p>{escape(detail)}</p>" if detail else ""
        items.append(
            f'<li id="{setting.name}-finding-{place}"><p><span class="class {weight}">'
            f"{escape(weighed)}</span> · <code>{escape(finding.code)}</code></p>"
            f"<p><strong>{escape(sentence)}</strong></p>{told}"
            f'<p class="small">{escape(" · ".join(part for part in where if part))}</p>'
            f'<p><span class="quiet">{escape(words.what_to_do)}:</span> {escape(advice or finding.advice)}</p></li>'
        )
    cut = words.findings_cut if len(shown) < len(record.findings) else ""
    return _said(cut, len(shown), len(record.findings)) + f'<ol class="list">{"".join(items)}</ol>'


def gaps_part(setting: Setting, record: Record) -> str:
    """Every gap with its times, its length and its cause."""
    words, shown = setting.words, gaps_shown(record)
    if not shown:
        return f"<p>{escape(words.no_gaps)}</p>"
    rows = []
    for camera, place, gap in shown:
        facts = ", ".join(f"{name} {value}".strip() for name, value in gap.evidence)
        why = escape(cause_text(words, gap.cause)) + (
            _small(words.concluded_from.format(facts=facts[:300])) if facts else ""
        )
        cells = [
            _cell(words.camera, escape(camera)),
            _cell("", _stack(place_lines(setting, gap.start, gap.end))),
            _cell(
                words.how_long,
                escape(bounds(setting, gap.duration_ms)),
                tight=len(bounds(setting, gap.duration_ms)) < 18,
            ),
            _cell(words.why, why),
        ]
        rows.append(f'<tr id="{gap_anchor(setting, record, camera, place)}">{"".join(cells)}</tr>')
    total = sum(len(camera.gaps) for camera in record.cameras)
    table = _table([words.camera, words.when, words.how_long, words.why], rows)
    cut = _said(words.gaps_cut if len(shown) < total else "", len(shown), total)
    return f"<p>{escape(words.gaps_note)}</p>{cut}{table}"


def gap_anchor(setting: Setting, record: Record, camera: str, place: int) -> str:
    """The id of a gap's row."""
    cameras = [each.camera for each in record.cameras]
    return f"{setting.name}-gap-{cameras.index(camera)}-{place}"


def events_part(setting: Setting, record: Record, flagged: Sequence[str]) -> str:
    """Phases and other events in order."""
    words = setting.words
    if not record.events:
        return f"<p>{escape(words.no_events)}</p>"
    weighed = sorted(range(len(record.events)), key=lambda place: (record.events[place].event not in flagged, place))
    rows = []
    for event in (record.events[place] for place in sorted(weighed[:MOST_EVENTS])):
        facts = ", ".join(f"{name} {value}".strip() for name, value in event.data)
        what = escape(event_text(words, event)) + (_small(facts[:300]) if facts else "")
        cells = [
            _cell(words.event, what),
            _cell("", _stack(place_lines(setting, event.at))),
            _cell(words.camera, escape(event.camera or words.all_cameras)),
            _cell(words.line_number, number(event.seq)),
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    cut = _said(words.events_cut if len(rows) < len(record.events) else "", len(rows), len(record.events))
    return cut + _table([words.event, words.when, words.camera, words.line_number], rows)


def clock_part(setting: Setting, record: Record, rows: Sequence[Row]) -> str:
    """For each boot: how well UTC is known."""
    words = setting.words
    boots: dict[str, list[Moment]] = {}
    for moment in [at for row in rows for at in (row.start, row.end)] + [event.at for event in record.events]:
        boots.setdefault(moment.boot_id, []).append(moment)
    halves = {boot: [half_us(at.utc_us) for at in moments if at.utc_us is not None] for boot, moments in boots.items()}
    known = [boot for boot in boots if halves[boot]]
    within = uncertainty(max((half for boot in known for half in halves[boot]), default=0))
    said = words.clock_all if len(known) == len(boots) else words.clock_some if known else words.clock_none
    text = said.format(known=len(known), count=len(boots), within=f"± {within}") if boots else words.clock_none
    table = []
    for boot, moments in boots.items():
        first, last = (pick(moments, key=lambda at: at.boot_ns) for pick in (min, max))
        told = f"± {uncertainty(max(halves[boot]))}" if halves[boot] else words.utc_unknown
        cells = [
            _cell("", f"<code>{escape(boot)}</code>"),
            _cell("", _stack(place_lines(setting, first, last))),
            _cell(words.utc_within, escape(told)),
        ]
        table.append(f"<tr>{''.join(cells)}</tr>")
    doubts = any("clock" in finding.code or "time-" in finding.code for finding in record.findings)
    more = f"<p>{escape(words.clock_findings)}</p>" if doubts else ""
    heads = [words.boot.format(boot="").strip(), words.first_last, words.utc_within]
    note = f"<p>{escape(text)}</p>{more}<p>{escape(words.clock_note)}</p>"
    return note + (_table(heads, table) if table else "") + _clock_states(setting, record)


def _clock_states(setting: Setting, record: Record) -> str:
    words, rows = setting.words, []
    for span in record.clock[:MOST_CLOCK]:
        state = _cell("", escape(words.clock_states.get(span.state, span.state)))
        rows.append(f"<tr>{_cell('', _stack(place_lines(setting, span.start, span.end)))}{state}</tr>")
    if not rows:
        return ""
    cut = words.rows_cut if len(rows) < len(record.clock) else ""
    table = _table([words.first_last, words.clock_said], rows)
    return f'<div class="after">{_said(cut, len(rows), len(record.clock))}{table}</div>'


def rows_part(setting: Setting, rows: Sequence[Row]) -> str:
    """The picture in words, row by row."""
    words, shown = setting.words, rows[:MOST_ROWS]
    body = []
    for row in shown:
        cells = [
            _cell(words.camera, escape(row.camera)),
            _cell("", _stack(place_lines(setting, row.start, row.end))),
            _cell(words.how_long, escape("" if row.duration_ms is None else bounds(setting, row.duration_ms))),
            _cell("", escape(row_text(words, row))),
        ]
        body.append(f'<tr data-state="{row.state}">{"".join(cells)}</tr>')
    table = _table([words.camera, words.when, words.how_long, words.what], body)
    cut = _said(words.rows_cut if len(shown) < len(rows) else "", len(shown), len(rows))
    if len(rows) > _OPEN_ROWS:
        table = (
            f"<details><summary>{escape(words.show_rows.format(count=number(len(shown))))}</summary>{table}</details>"
        )
    return f"<p>{escape(words.in_words_note)}</p>{cut}{table}"


def row_text(words: Words, row: Row) -> str:
    """What a row or a piece of the picture is, with cause and mode."""
    text = words.states[row.state.value]
    if row.state is State.GAP and row.cause:
        text = f"{text}: {cause_text(words, row.cause)}"
    return f"{text} · {row.mode}" if row.mode else text


def cause_text(words: Words, cause: str) -> str:
    """A cause in plain words; one of a later version as it is written."""
    return words.causes.get(cause, cause)


def event_text(words: Words, event: Event) -> str:
    """An event in plain words, or as it is written."""
    return words.event_names.get(event.event, event.event)


def number(value: int) -> str:
    """An integer with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def modes_text(words: Words, record: Record) -> str:
    """Time recorded in each mode, all cameras together."""
    modes = ", ".join(f"{mode} {length(time_ms)}" for mode, time_ms in record.modes if time_ms > 0)
    if modes and len(record.cameras) > 1:
        return words.modes_sum.format(modes=modes, count=len(record.cameras))
    return modes


def _table(heads: Sequence[str], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    return f'<table class="stack"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _cell(name: str, body: str, *, tight: bool = False) -> str:
    css = ' class="tight"' if tight else ""
    return f'<td{css} data-name="{escape(name)}">{body}</td>' if name else f"<td{css}>{body}</td>"


def _stack(lines: tuple[str, ...]) -> str:
    main, *below = lines
    return escape(main) + "".join(_small(line) for line in below)


def _small(text: str) -> str:
    return f"<small>{escape(text)}</small>" if text else ""


def _said(template: str, shown: int, count: int) -> str:
    return f"<p>{escape(template.format(shown=number(shown), count=number(count)))}</p>" if template else ""
