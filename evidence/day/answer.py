"""The answer of a verifier as typed values (spec/verify.md, section 5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

SCHEMA = "unbroken-verdict-1"

Bounds = tuple[int, int | None]
"""At least and at most; None where nothing bounds it."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An instant: in boot time, and as the interval of UTC in which it lies, where that is known."""

    boot_id: str
    boot_ns: int
    utc_us: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """``mode`` and ``cause`` are None where the answer does not say them."""

    start: Moment
    end: Moment
    state: str
    mode: str | None
    cause: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time in which nothing was recorded, and why."""

    start: Moment
    end: Moment
    duration_ms: Bounds
    cause: str
    evidence: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """What the record says of one camera."""

    camera: str
    covered_ms: Bounds
    held_ms: Bounds
    missing_ms: Bounds
    segments: int
    recovered: int
    frames: int
    dropped_frames: int
    gaps: tuple[Gap, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of the day."""

    seq: int
    event: str
    camera: str | None
    at: Moment
    data: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What the kernel said of the wall clock; ``state`` is a word of spec/ledger.md, section 3."""

    start: Moment
    end: Moment
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``weight`` is the answer's ``class``; ``at`` is None where the finding has no time."""

    code: str
    weight: str
    camera: str | None
    seq: int | None
    at: Moment | None
    message: str
    advice: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One unit's record."""

    election: str | None
    station: str | None
    unit: str | None
    verdict: str
    head: tuple[int, str] | None
    closed: bool
    lines: int
    modes: tuple[tuple[str, int], ...]
    time_zone: str | None
    cameras: tuple[Camera, ...]
    events: tuple[Event, ...]
    clock: tuple[Clock, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The whole answer."""

    verdict: str
    records: tuple[Record, ...]


def read_answer(answer: dict[str, object]) -> Answer:
    """``answer`` as values; unknown members are ignored. Raises ValueError where it is not of the schema."""
    if answer.get("schema") != SCHEMA:
        raise ValueError(f"the answer is not of the schema {SCHEMA}")
    return Answer(verdict=_text(answer, "verdict"), records=_each(answer, "records", _record))


def _record(record: dict[str, object]) -> Record:
    head = record.get("head")
    return Record(
        election=_text_or_none(record, "election"),
        station=_text_or_none(record, "station"),
        unit=_text_or_none(record, "unit"),
        verdict=_text(record, "verdict"),
        head=(_integer(head, "seq"), _text(head, "sha256")) if isinstance(head, dict) else None,
        closed=record.get("closed") is True,
        lines=_integer(record, "lines"),
        modes=_modes(record),
        time_zone=_text_or_none(record, "time_zone"),
        cameras=_each(record, "cameras", _camera),
        events=_each(record, "events", _event),
        clock=_each(record, "clock", _clock),
        findings=_each(record, "findings", _finding),
    )


def _camera(camera: dict[str, object]) -> Camera:
    return Camera(
        camera=_text(camera, "camera"),
        covered_ms=_bounds(camera, "covered_ms"),
        held_ms=_bounds(camera, "held_ms") if "held_ms" in camera else (0, 0),
        missing_ms=_bounds(camera, "missing_ms"),
        segments=_integer(camera, "segments"),
        recovered=_integer(camera, "recovered"),
        frames=_integer(camera, "frames"),
        dropped_frames=_integer(camera, "dropped_frames"),
        gaps=_each(camera, "gaps", _gap),
        spans=_each(camera, "spans", _span),
    )


def _span(span: dict[str, object]) -> Span:
    return Span(
        start=_moment(_object(span, "from")),
        end=_moment(_object(span, "to")),
        state=_text(span, "state"),
        mode=_text_or_none(span, "mode"),
        cause=_text_or_none(span, "cause"),
    )


def _gap(gap: dict[str, object]) -> Gap:
    return Gap(
        start=_moment(_object(gap, "from")),
        end=_moment(_object(gap, "to")),
        duration_ms=_bounds(gap, "duration_ms"),
        cause=_text_or_none(gap, "cause") or "unknown",
        evidence=_facts(gap, "evidence"),
    )


def _event(event: dict[str, object]) -> Event:
    return Event(
        seq=_integer(event, "seq"),
        event=_text(event, "event"),
        camera=_text_or_none(event, "camera"),
        at=_moment(event),
        data=_facts(event, "data"),
    )


def _clock(clock: dict[str, object]) -> Clock:
    return Clock(start=_moment(_object(clock, "from")), end=_moment(_object(clock, "to")), state=_text(clock, "state"))


def _finding(finding: dict[str, object]) -> Finding:
    placed = finding.get("boot_id") is not None and finding.get("boot_ns") is not None
    seq, count = finding.get("seq"), finding.get("count")
    return Finding(
        code=_text(finding, "code"),
        weight=_text(finding, "class"),
        camera=_text_or_none(finding, "camera"),
        seq=None if seq is None else _integer(finding, "seq"),
        at=_moment(finding) if placed else None,
        message=_text_or_none(finding, "message") or "",
        advice=_text_or_none(finding, "advice") or "",
        count=1 if count is None else _integer(finding, "count"),
    )


def _moment(moment: dict[str, object]) -> Moment:
    utc = moment.get("utc_us")
    if utc is not None:
        least, most = _bounds(moment, "utc_us")
        utc = None if most is None else (min(least, most), max(least, most))
    return Moment(boot_id=_text(moment, "boot_id"), boot_ns=_integer(moment, "boot_ns"), utc_us=utc)


def _modes(record: dict[str, object]) -> tuple[tuple[str, int], ...]:
    modes = record.get("modes")
    if modes is None:
        return ()
    if not isinstance(modes, dict):
        raise ValueError("modes is not an object")
    return tuple((str(mode), _bounds(modes, mode)[0]) for mode in modes)


def _bounds(members: dict[str, object], name: str) -> Bounds:
    value = members.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    if isinstance(value, list | tuple) and len(value) == 2:
        least, most = value
        if _is_integer(least) and (most is None or _is_integer(most)):
            return int(least), None if most is None else int(most)
    raise ValueError(f"{name} is not a pair of bounds")


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _integer(members: dict[str, object], name: str) -> int:
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} is not an integer")
    return value


def _text(members: dict[str, object], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is not a text")
    return value


def _text_or_none(members: dict[str, object], name: str) -> str | None:
    return None if members.get(name) is None else _text(members, name)


def _object(members: dict[str, object], name: str) -> dict[str, object]:
    value = members.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return value


def _facts(members: dict[str, object], name: str) -> tuple[tuple[str, str], ...]:
    value = members.get(name)
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return tuple((str(key), "" if fact is None else str(fact)) for key, fact in value.items())


def _each(members: dict[str, object], name: str, read: Callable[[dict[str, object]], T]) -> tuple[T, ...]:
    value = members.get(name)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name} is not a list")
    out = []
    for number, item in enumerate(value):
        if not isinstance(item, dict):
            raise ValueError(f"{name}[{number}] is not an object")
        try:
            out.append(read(item))
        except ValueError as error:
            raise ValueError(f"{name}[{number}]: {error}") from error
    return tuple(out)
