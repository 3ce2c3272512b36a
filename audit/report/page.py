"""The auditor's report: one self-contained page made of a verifier's answer (spec/verify.md, section 5)."""

from pathlib import Path

from audit.report.parts import (
    Setting,
    bounds,
    cameras_part,
    clock_part,
    events_part,
    findings_part,
    gaps_part,
    modes_text,
    number,
    rows_part,
)
from audit.report.picture import picture_part
from audit.report.style import STYLE
from audit.report.words import ENGLISH, Words
from base.errors import OperatorError
from base.zones import UTC_ZONE, find_zone
from evidence.coverage import State
from evidence.day.answer import Answer, Record, read_answer
from evidence.day.layout import FLAGGED
from evidence.day.markup import escape
from evidence.day.rows import Row, rows_of
from evidence.words import Mode

_SIGNS = {
    "verified": "M6 16.5 13 23.5 26 9",
    "findings": "M8 8 24 24M24 8 8 24",
    "cannot-tell": "M11 12a5 5 0 1 1 7.2 4.4C16.4 17.4 16 18.6 16 20.5M16 24.5v.6",
}


def write_report(answer: dict[str, object], path: Path, *, time_zone: str | None = None) -> None:
    """Write the report of ``answer`` to ``path``, replacing what is there. Not durable on return.

    Raises OperatorError where the file cannot be written, ValueError as ``render_report`` does.
    """
    page = render_report(answer, time_zone=time_zone).encode()
    try:
        path.write_bytes(page)
    except OSError as error:
        hint = "Give a file in a folder that exists and that you may write to."
        raise OperatorError(f"The report could not be written to {path}: {error.strerror}.", hint=hint) from error


def render_report(answer: dict[str, object], *, time_zone: str | None = None, words: Words = ENGLISH) -> str:
    """The report as an HTML page without script and without any request; the same answer gives the same bytes.

    Local times are in ``time_zone`` (IANA name), else in the zone that the record names, else in UTC.
    Raises ValueError where ``answer`` is not of the schema.
    """
    read = read_answer(answer)
    single = len(read.records) == 1
    parts = [_verdict(read, words)]
    for place, record in enumerate(read.records):
        parts.append(_record(record, f"r{place}", words, time_zone, single))
    parts.append(
        f"<h2>{escape(words.repeat)}</h2><p>{escape(words.repeat_text)}</p>"
        f"<pre><code>{escape(words.repeat_command)}</code></pre><p>{escape(words.repeat_codes)}</p>"
    )
    title = escape(words.page_title.format(station=", ".join(_named(record, words) for record in read.records) or "–"))
    return (
        f'<!DOCTYPE html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + f"\n</main>\n<footer>{escape(words.promise)}</footer>\n</body>\n</html>\n"
    )


def _verdict(answer: Answer, words: Words) -> str:
    """The first thing that is read: the verdict in words, what it means and what to do."""
    verdict = answer.verdict
    text = words.verdicts.get(verdict, verdict)
    meaning, step = words.meanings.get(verdict, ""), words.next_steps.get(verdict, "")
    if verdict == "verified" and any(_held(record) for record in answer.records):
        text, meaning = words.held_headline, words.held_meaning
    elif verdict == "verified" and any(_at_unit(record) for record in answer.records):
        text = words.at_unit_headline
    if any(_at_unit(record) for record in answer.records):
        meaning = f"{meaning} {words.at_unit_note}"
    if not answer.records:
        meaning, step = words.nothing, words.nothing_next
    weights = [finding.weight for record in answer.records for finding in record.findings]
    counts = {weight: number(weights.count(weight)) for weight in ("wrong", "open", "note")}
    lede = f'<p><a href="#r0-findings">{escape(words.findings_lede.format(**counts))}</a></p>' if weights else ""
    several = words.several.format(count=len(answer.records)) if len(answer.records) > 1 else ""
    kicker = " · ".join([words.kicker, *(_named(record, words) for record in answer.records[:3])])
    return (
        f'<p class="kicker">{escape(kicker)}</p>'
        f'<div class="verdict">{_sign(verdict)}<h1>{escape(text)}</h1></div>'
        f'<p class="lede">{escape(meaning)}</p><p>{escape(step)}</p>{lede}'
        + (f"<p>{escape(several)}</p>" if several else "")
    )


def _sign(verdict: str) -> str:
    css = verdict if verdict in _SIGNS else "cannot-tell"
    return (
        f'<svg class="{css}" viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="16" r="15" fill="none" '
        f'stroke="currentColor" stroke-width="1.5"/><path d="{_SIGNS[css]}" fill="none" stroke="currentColor" '
        'stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" transform="translate(3.2 3.2) scale(.8)"/>'
        "</svg>"
    )


def _record(record: Record, name: str, words: Words, time_zone: str | None, single: bool) -> str:
    wanted = time_zone or record.time_zone
    zone = find_zone(wanted)
    setting = Setting(words=words, zone=zone or UTC_ZONE, name=name)
    rows = tuple(row for camera in record.cameras for row in rows_of(record, camera, joined=False))
    if not any(moment.utc_us for row in rows for moment in (row.start, row.end)):
        said = words.clock_none
    elif wanted and zone is None:
        said = words.zone_unknown.format(zone=wanted)
    elif zone is None or zone.name == "UTC":
        said = words.times_in_utc
    else:
        said = words.times_in.format(zone=zone.name, offset=_offset(setting, rows))
    sections = [
        (words.day, "day", picture_part(setting, record, rows, said)),
        (words.cameras, "cameras", cameras_part(setting, record)),
        (words.findings, "findings", findings_part(setting, record)),
        (words.gaps, "gaps", gaps_part(setting, record)),
        (words.events, "events", events_part(setting, record, FLAGGED)),
        (words.clock, "clock", clock_part(setting, record, rows)),
        (words.in_words, "words", rows_part(setting, rows)),
    ]
    level = "h2" if single else "h3"
    head = "" if single else f'<h2 class="unit">{escape(_named(record, words))}</h2>'
    return (
        head
        + _facts(record, setting, single)
        + "".join(
            f'<section id="{name}-{key}"><{level}>{escape(text)}</{level}>{part}</section>'
            for text, key, part in sections
        )
    )


def _facts(record: Record, setting: Setting, single: bool) -> str:
    words = setting.words
    facts = [] if single else [(words.record_verdict, escape(words.verdicts.get(record.verdict, record.verdict)))]
    facts += [
        (words.station, escape(record.station or words.unknown_name)),
        (words.unit, escape(record.unit or words.unknown_name)),
        (words.election, escape(record.election or words.unknown_name)),
        (words.state, escape(words.closed if record.closed else words.open_end)),
    ]
    if modes_text(words, record):
        facts.append((words.modes, escape(modes_text(words, record))))
    missing = [
        words.missing_each.format(camera=camera.camera, time=bounds(setting, camera.missing_ms))
        if camera.missing_ms != (0, 0)
        else words.missing_each.format(camera=camera.camera, time=words.nothing_missing)
        for camera in record.cameras
    ]
    if _held(record):
        facts.append((words.held, escape(", ".join(_held_each(record, setting)))))
    if missing:
        facts.append((words.missing, escape(", ".join(missing))))
    facts.append((words.lines, number(record.lines)))
    if record.head:
        line = escape(words.head_text.format(seq=number(record.head[0])))
        use = escape(words.head_use)
        facts.append(
            (words.head, f'<code>{escape(record.head[1])}</code>, {line}<br/><span class="small">{use}</span>')
        )
    else:
        facts.append((words.head, escape(words.no_head)))
    body = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in facts)
    return _notice(record, words) + f"<dl>{body}</dl>"


def _held(record: Record) -> bool:
    """Whether some of the video is not here, and held by the archive."""
    return any(camera.held_ms != (0, 0) for camera in record.cameras)


def _at_unit(record: Record) -> bool:
    """Whether some of the video stays at the unit, because it is unarmed and this is an archive's copy."""
    return any(span.state == State.AT_UNIT for camera in record.cameras for span in camera.spans)


def _held_each(record: Record, setting: Setting) -> list[str]:
    return [
        setting.words.missing_each.format(camera=camera.camera, time=bounds(setting, camera.held_ms))
        for camera in record.cameras
        if camera.held_ms != (0, 0)
    ]


def _notice(record: Record, words: Words) -> str:
    """A test must never be taken for the day itself."""
    timed = dict(record.modes)
    others = [mode for mode in (Mode.TEST, Mode.UNARMED) if timed.get(mode, 0) > 0]
    if others and not timed.get(Mode.LIVE, 0):
        return f'<p class="notice">{escape(words.not_live.format(mode=", ".join(others)))}</p>'
    if Mode.TEST in others:
        return f'<p class="notice">{escape(words.part_live.format(parts=modes_text(words, record)))}</p>'
    return ""


def _offset(setting: Setting, rows: tuple[Row, ...]) -> str:
    """``UTC+04:00`` at the first moment whose UTC is known."""
    for row in rows:
        for moment in (row.start, row.end):
            if moment.utc_us is not None:
                minutes = setting.zone.offset_at(moment.utc_us[0]) // 60
                sign = "-" if minutes < 0 else "+"
                return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    return "UTC"


def _named(record: Record, words: Words) -> str:
    return f"{record.station} / {record.unit}" if record.station and record.unit else words.unknown_name
