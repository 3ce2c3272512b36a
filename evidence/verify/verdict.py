"""The answer of a verifier as one object (spec/verify.md, section 5)."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from evidence.codes import MEANINGS, Weight
from evidence.coverage import COVERED, HELD, Crossing, Span, State, total_ns
from evidence.utc import Utc
from evidence.verify.crossings import cut_crossings
from evidence.verify.findings import Finding, Place
from evidence.verify.part import Clip
from evidence.verify.record import CameraTotals, Record

SCHEMA = "unbroken-verdict-1"
_NS_PER_MS = 1_000_000

Answer = dict[str, object]
Bounds = tuple[int, int | None]


class Verdict(StrEnum):
    """Section 1."""

    VERIFIED = "verified"
    FINDINGS = "findings"
    CANNOT_TELL = "cannot-tell"


EXITS = {Verdict.VERIFIED: 0, Verdict.FINDINGS: 1, Verdict.CANNOT_TELL: 3}


def verdict_of(weights: Iterable[Weight]) -> Verdict:
    """What findings of these weights come to."""
    found = set(weights)
    if Weight.WRONG in found:
        return Verdict.FINDINGS
    return Verdict.CANNOT_TELL if Weight.OPEN in found else Verdict.VERIFIED


def write_answer(records: Sequence[Record]) -> Answer:
    """The whole answer for finished records, one for each unit."""
    return {
        "schema": SCHEMA,
        "verdict": verdict_of(weight for record in records for weight in record.findings.weights()).value,
        "records": [_record(record) for record in records],
    }


def _record(record: Record) -> Answer:
    election, station, unit = record.names or (None, None, None)
    cameras = {name: _Lines(totals, record.utc) for name, totals in record.cameras.items()}
    modes: dict[str, int] = {}
    for lines in cameras.values():
        for span in lines.all_spans():
            if span.state in COVERED | HELD and span.mode is not None:
                modes[span.mode.value] = modes.get(span.mode.value, 0) + span.to_ns - span.from_ns
    return {
        "election": election,
        "station": station,
        "unit": unit,
        "verdict": verdict_of(record.findings.weights()).value,
        "head": None if record.head is None else {"seq": record.head[0], "sha256": record.head[1]},
        "closed": record.closed,
        "lines": record.lines,
        "time_zone": None if record.profile is None else record.profile.time_zone,
        "modes": {mode: total // _NS_PER_MS for mode, total in modes.items()},
        "cameras": [lines.answer(name) for name, lines in cameras.items()],
        "events": [
            {
                "seq": each.at.seq,
                "event": each.event.event,
                "camera": each.event.camera,
                **_moment(record.utc, each.at.boot_id or "", each.at.boot_ns or 0),
                "data": each.event.data,
            }
            for each in record.events
        ],
        "clock": [
            {
                "from": _moment(record.utc, span.boot_id, span.from_ns),
                "to": _moment(record.utc, span.boot_id, span.to_ns),
                "state": span.state.value,
            }
            for span in record.clock
        ],
        "findings": [_finding(finding, record.utc) for finding in record.findings.all()],
        **({} if record.clip is None else {"clip": _clip(record.clip, record.utc)}),
    }


def _clip(clip: Clip, utc: Utc) -> Answer:
    return {
        "camera": clip.camera,
        "first_seq": clip.first_seq,
        "last_seq": clip.last_seq,
        "from": _moment(utc, clip.boot_id, clip.from_ns),
        "to": _moment(utc, clip.boot_id, clip.to_ns),
        "segments": clip.segments,
        "receipted": clip.receipted,
    }


class _Lines:
    """A camera's spans and crossings in the order of time."""

    def __init__(self, totals: CameraTotals, utc: Utc) -> None:
        self._totals, self._utc = totals, utc
        self._spans, self._crossings = cut_crossings(*totals.coverage.settled())

    def all_spans(self) -> Iterable[Span]:
        """Every span of every boot."""
        return (span for spans in self._spans.values() for span in spans)

    def answer(self, name: str) -> Answer:
        """The camera's part of the answer."""
        totals = self._totals
        covered = total_ns(self.all_spans(), COVERED)
        held = total_ns(self.all_spans(), HELD)
        missing = total_ns(self.all_spans(), frozenset(State) - COVERED - HELD)
        least, most = missing, missing
        unbounded = False
        for crossing in self._crossings:
            low, high = self._duration(crossing)
            least += low
            most, unbounded = most + (high or 0), unbounded or high is None
        return {
            "camera": name,
            "covered_ms": _milliseconds(covered, covered),
            "held_ms": _milliseconds(held, held),
            "missing_ms": _milliseconds(least, None if unbounded else most),
            "segments": totals.segments,
            "recovered": totals.recovered,
            "frames": totals.frames,
            "dropped_frames": totals.dropped_frames,
            "gaps": [self._gap(part) for part in self._in_order() if part[1].state is State.GAP],
            "spans": [self._span(part) for part in self._in_order()],
        }

    def _in_order(self) -> list[tuple[str, Span | Crossing]]:
        """Boots in their order; a crossing stands before what follows it."""
        order: list[tuple[str, Span | Crossing]] = []
        for boot_id, spans in self._spans.items():
            order += [(boot_id, crossing) for crossing in self._crossings if crossing.to_boot == boot_id]
            order += [(boot_id, span) for span in spans]
        return order

    def _duration(self, crossing: Crossing) -> Bounds:
        """Nanoseconds of a crossing, at least and at most (section 3)."""
        least = crossing.to_ns
        begin = self._utc.at(crossing.from_boot, crossing.from_ns)
        end = self._utc.at(crossing.to_boot, crossing.to_ns)
        if begin is None or end is None:
            return least, None
        return max(least, (end[0] - begin[1]) * 1_000), max(least, (end[1] - begin[0]) * 1_000)

    def _ends(self, boot_id: str, part: Span | Crossing) -> Answer:
        begin, end = (part.from_boot, part.to_boot) if isinstance(part, Crossing) else (boot_id, boot_id)
        return {"from": _moment(self._utc, begin, part.from_ns), "to": _moment(self._utc, end, part.to_ns)}

    def _gap(self, placed: tuple[str, Span | Crossing]) -> Answer:
        boot_id, part = placed
        exact = part.to_ns - part.from_ns
        low, high = self._duration(part) if isinstance(part, Crossing) else (exact, exact)
        return {
            **self._ends(boot_id, part),
            "duration_ms": _milliseconds(low, high),
            "cause": None if part.cause is None else part.cause.value,
            "evidence": part.evidence,
        }

    def _span(self, placed: tuple[str, Span | Crossing]) -> Answer:
        boot_id, part = placed
        mode = part.mode.value if isinstance(part, Span) and part.mode is not None else None
        return {**self._ends(boot_id, part), "state": part.state.value, "mode": mode}


def _finding(finding: Finding, utc: Utc) -> Answer:
    meaning, at = MEANINGS[finding.code], finding.at
    return {
        "code": finding.code.value,
        "class": meaning.weight.value,
        "camera": at.camera,
        "seq": at.seq,
        "boot_id": at.boot_id,
        "boot_ns": at.boot_ns,
        "utc_us": _utc(utc, at),
        "message": meaning.sentence + (f" ({finding.detail})" if finding.detail else ""),
        "advice": meaning.advice,
        "count": finding.count,
    }


def _utc(utc: Utc, at: Place) -> list[int] | None:
    known = None if at.boot_id is None or at.boot_ns is None else utc.at(at.boot_id, at.boot_ns)
    return None if known is None else list(known)


def _milliseconds(least_ns: int, most_ns: int | None) -> list[int | None]:
    """Rounded outwards."""
    return [least_ns // _NS_PER_MS, None if most_ns is None else -(-most_ns // _NS_PER_MS)]


def _moment(utc: Utc, boot_id: str, boot_ns: int) -> Answer:
    known = utc.at(boot_id, boot_ns)
    return {"boot_id": boot_id, "boot_ns": boot_ns, "utc_us": None if known is None else list(known)}
