"""The report's picture of the day, with the legend of what it holds."""

from audit.report.parts import (
    Setting,
    bounds,
    cause_text,
    event_text,
    findings_shown,
    gap_anchor,
    gaps_shown,
    number,
    place_lines,
    row_text,
)
from evidence.coverage import State
from evidence.day.answer import Record
from evidence.day.layout import Sayings, lay_out
from evidence.day.markup import escape
from evidence.day.picture import render_band_key, render_clock_key, render_day, render_key, render_pin_key
from evidence.day.rows import Row
from evidence.day.size import NARROW, PAGE
from evidence.words import ClockState, Mode


def picture_part(setting: Setting, record: Record, rows: tuple[Row, ...], said: str) -> str:
    """The day, drawn for a wide page and for a phone, with its legend; ``said`` tells what its times are."""
    words = setting.words
    anchors = {
        (camera, place): "#" + gap_anchor(setting, record, camera, place) for camera, place, _ in gaps_shown(record)
    }
    places = {id(finding): place for place, finding in enumerate(findings_shown(record))}

    def say_row(row: Row) -> str:
        lasts = f" ({bounds(setting, row.duration_ms)})" if row.duration_ms else ""
        return f"{place_lines(setting, row.start, row.end)[0]}: {row_text(words, row)}{lasts}"

    cameras = [
        words.picture_camera.format(
            camera=camera.camera,
            covered=bounds(setting, camera.covered_ms),
            missing=bounds(setting, camera.missing_ms),
            gaps=number(len(camera.gaps)),
        )
        for camera in record.cameras
    ]
    cameras += [
        words.picture_held.format(camera=camera.camera, held=bounds(setting, camera.held_ms))
        for camera in record.cameras
        if camera.held_ms != (0, 0)
    ]
    sayings = Sayings(
        title=words.picture_title.format(station=record.station or "–", unit=record.unit or "–"),
        text=" ".join([*cameras, words.picture_twin.format(table=words.in_words)]),
        time_unset=words.time_unset,
        row=say_row,
        row_link=lambda row: "" if row.gap is None else anchors.get((row.camera, row.gap), ""),
        clock_name=words.clock,
        clock=lambda clock: words.clock_keys.get(clock.state, clock.state),
        event=lambda event: event_text(words, event),
        finding=lambda finding: f"{finding.code}: {finding.message}",
        finding_link=lambda finding: (
            f"#{setting.name}-finding-{places[id(finding)]}" if id(finding) in places else f"#{setting.name}-findings"
        ),
    )
    day = lay_out(record, rows, sayings)
    if day is None:
        return f"<p>{escape(words.no_cameras)}</p>"
    offset_at = setting.zone.offset_at
    wide = render_day(day, PAGE, offset_at=offset_at, name=f"{setting.name}-wide")
    narrow = render_day(day, NARROW, offset_at=offset_at, name=f"{setting.name}-narrow")
    clock = [state for state in ClockState if any(piece.state is state for piece in day.clock)]
    legend = _legend(setting, rows, clock, any(lane.pins for lane in day.lanes))
    return (
        f'<figure><div class="wide">{wide}</div><div class="narrow">{narrow}</div>{legend}</figure>'
        f'<p class="small">{escape(said)} {escape(words.legend_note)}</p>'
    )


def _legend(setting: Setting, rows: tuple[Row, ...], clock: list[ClockState], pins: bool) -> str:
    """Only what the picture holds."""
    words = setting.words
    keys: list[tuple[str, str]] = []
    for state in (state for state in State if any(row.state is state for row in rows)):
        for cause in sorted({row.cause for row in rows if row.state is state}):
            text = words.states[state.value]
            if cause:
                text = words.gap_key.format(cause=cause_text(words, cause))
            keys.append((render_key(state, cause=cause, name=f"{setting.name}-key{len(keys)}"), text))
    modes = [mode for mode in (Mode.TEST, Mode.UNARMED) if any(row.mode == mode for row in rows)]
    keys += [(render_band_key(mode), mode.value) for mode in modes]
    keys += [(render_clock_key(state), words.clock_keys[state]) for state in clock]
    keys += [(render_pin_key(), words.finding_key)] if pins else []
    return f'<ul class="key">{"".join(f"<li>{key}<span>{escape(text)}</span></li>" for key, text in keys)}</ul>'
