"""A camera's day as rows in order: what the picture draws and the table says, so that the two cannot differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evidence.coverage import State
from evidence.day.answer import Bounds, Camera, Gap, Moment, Record
from evidence.day.thinned import join_thinned
from evidence.words import Mode

_VIDEO = frozenset(
    (
        *(State.SEGMENT, State.RECOVERED, State.WITHHELD, State.HELD),
        *(State.DAMAGED, State.MISSING, State.AT_UNIT, State.THINNED),
    )
)
_STATES = {state.value: state for state in State}

Armings = Sequence[tuple[Moment | None, str]]
"""From when on which mode held, in order; None is the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table and one piece of the picture.

    ``gap`` is the gap's number among the camera's, None for all else. ``duration_ms`` is None where nothing says it.
    """

    camera: str
    start: Moment
    end: Moment
    state: State
    cause: str
    mode: str
    duration_ms: Bounds | None
    gap: int | None


def rows_of(record: Record, camera: Camera, *, joined: bool = True) -> tuple[Row, ...]:
    """The camera's spans in order; gaps are told apart by cause, and time that nothing explains has its own rows.

    ``joined``: what came thinned is one row, however many pieces it has.
    """
    by_start = {(gap.start.boot_id, gap.start.boot_ns): (number, gap) for number, gap in enumerate(camera.gaps)}
    armings = _armings(record)
    order = {boot: number for number, boot in enumerate(boots_of(record))}
    rows: list[Row] = []
    for span in join_thinned(camera.spans) if joined else camera.spans:
        last = rows[-1].end if rows else None
        if last and last.boot_id == span.start.boot_id and last.boot_ns < span.start.boot_ns:
            rows.append(_row(camera.camera, last, span.start, State.UNEXPLAINED))
        row = _row(camera.camera, span.start, span.end, _STATES.get(span.state, State.UNEXPLAINED))
        if row.state is State.GAP:
            rows += _told_apart(replace(row, cause=span.cause or ""), by_start)
        elif row.state in _VIDEO:
            rows += [replace(row, mode=span.mode)] if span.mode else _cut(row, armings, order)
        else:
            rows.append(row)
    return tuple(rows)


def boots_of(record: Record) -> tuple[str, ...]:
    """The kernel boots in which cameras have a record, in order of appearance."""
    boots: dict[str, None] = {}
    for camera in record.cameras:
        for span in camera.spans:
            boots.setdefault(span.start.boot_id)
            boots.setdefault(span.end.boot_id)
    return tuple(boots)


def _row(camera: str, start: Moment, end: Moment, state: State) -> Row:
    exact = (end.boot_ns - start.boot_ns) // 1_000_000
    duration_ms = (exact, exact) if start.boot_id == end.boot_id else None
    return Row(camera=camera, start=start, end=end, state=state, cause="", mode="", duration_ms=duration_ms, gap=None)


def _told_apart(row: Row, by_start: Mapping[tuple[str, int], tuple[int, Gap]]) -> list[Row]:
    """The gaps that together fill ``row``; ``row`` itself where they do not."""
    rows: list[Row] = []
    at, end = (row.start.boot_id, row.start.boot_ns), (row.end.boot_id, row.end.boot_ns)
    while at != end:
        if at not in by_start or len(rows) == len(by_start):
            return [row]
        number, gap = by_start[at]
        piece = _row(row.camera, gap.start, gap.end, State.GAP)
        rows.append(replace(piece, cause=gap.cause, duration_ms=gap.duration_ms, gap=number))
        at = (gap.end.boot_id, gap.end.boot_ns)
    return rows or [row]


def _armings(record: Record) -> Armings:
    """spec/ledger.md, section 6: UNARMED until an ``armed`` event, its mode after that, for all later sessions."""
    seen = [mode for mode, time_ms in record.modes if time_ms > 0]
    if len(seen) == 1:
        return [(None, seen[0])]
    armed = [(event.at, dict(event.data).get("mode", "")) for event in record.events if event.event == "armed"]
    return [(None, Mode.UNARMED.value if armed else ""), *armed]


def _cut(row: Row, armings: Armings, order: Mapping[str, int]) -> list[Row]:
    """A row of video, in as many pieces as modes held during it."""

    def place(moment: Moment) -> tuple[int, int]:
        return order.get(moment.boot_id, -1), moment.boot_ns

    rows = [row]
    for since, mode in armings:
        last = rows.pop()
        if since is None or place(since) <= place(last.start):
            rows.append(replace(last, mode=mode))
        elif place(since) < place(last.end) and since.boot_id == last.start.boot_id == last.end.boot_id:
            first, rest = _row(row.camera, last.start, since, row.state), _row(row.camera, since, last.end, row.state)
            rows += [replace(first, mode=last.mode), replace(rest, mode=mode)]
        else:
            rows.append(last)
    return rows
