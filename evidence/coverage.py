"""Which moments of a camera are covered, and by what: half-open intervals of boot time (spec/verify.md, section 3).

Neighbours that say the same are one span, so what is kept grows with the changes of a day, not with its segments.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from evidence.words import Cause, Mode

Facts = dict[str, str | int | None]


class State(StrEnum):
    """What is true of an interval. Where two claim the same time, the earlier in this list wins."""

    SEGMENT = "segment"
    RECOVERED = "recovered"
    WITHHELD = "withheld"
    """Signed for and at the archive, which shows it later: on public pages only, never in a verifier's answer."""
    HELD = "held"
    """Signed for, and not here: the archive holds it, as a receipt of it says."""
    DAMAGED = "damaged"
    """Signed for, but what is here does not check."""
    MISSING = "missing"
    """Signed for, but not here."""
    AT_UNIT = "at-unit"
    """Signed for as UNARMED, and not in an archive's copy: it stays at the unit."""
    PRUNED = "pruned"
    """Signed for and deleted, as the record says."""
    GAP = "gap"
    UNEXPLAINED = "unexplained"
    """Neither media nor gap."""
    THINNED = "thinned"
    """No state of a moment: a stretch in which every few seconds are here and the rest is missing, as one."""


COVERED = frozenset({State.SEGMENT, State.RECOVERED})
HELD = frozenset({State.HELD, State.WITHHELD})
"""Neither covered nor missing."""
_RANK = {state: rank for rank, state in enumerate(State)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """``state`` from ``from_ns`` (inside) to ``to_ns`` (outside). ``mode`` goes with media, ``cause`` with a gap."""

    from_ns: int
    to_ns: int
    state: State
    mode: Mode | None = None
    cause: Cause | None = None
    evidence: Facts = field(default_factory=dict, compare=False)

    def says_the_same(self, other: "Span") -> bool:
        """Whether the two differ in nothing but their times (and the evidence for a cause)."""
        return self.state is other.state and self.mode is other.mode and self.cause is other.cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Time without a picture that begins in one kernel boot and ends in another: a gap, or unexplained."""

    from_boot: str
    from_ns: int
    to_boot: str
    to_ns: int
    state: State
    cause: Cause | None = None
    evidence: Facts = field(default_factory=dict, compare=False)


class Lane:
    """The spans of one camera in one kernel boot: sorted, disjoint, no two neighbours that say the same.

    Adding at the end takes constant time; anywhere else, time in proportion to the spans behind it.
    """

    __slots__ = ("_end_ns", "_spans")

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._spans: list[Span] = []
        self._end_ns: int | None = None  # where the last span ends: it grows with every segment, its value does not
        for span in spans:
            self.add(span)

    @property
    def spans(self) -> tuple[Span, ...]:
        """What has been added, as values."""
        return tuple(self._settled())

    @property
    def end_ns(self) -> int | None:
        """Where the last span ends."""
        return self._end_ns

    def copy(self) -> "Lane":
        """Another one that says the same."""
        lane = Lane()
        lane._spans, lane._end_ns = list(self._spans), self._end_ns
        return lane

    def add(self, new: Span) -> None:
        """Claim ``new``; for time that is claimed already, the state that comes first in ``State`` wins."""
        end_ns = self._end_ns
        if end_ns is None or end_ns <= new.from_ns:
            if end_ns != new.from_ns or not self._spans[-1].says_the_same(new):
                self._settled().append(new)
            self._end_ns = new.to_ns
            return
        spans = self._settled()
        first, last = _touched(spans, new.from_ns, new.to_ns)
        first, last = max(first - 1, 0), min(last + 1, len(spans))
        spans[first:last] = _joined(_overlaid(spans[first:last], new))
        self._end_ns = spans[-1].to_ns

    def overlapping(self, from_ns: int, to_ns: int) -> Sequence[Span]:
        """The spans that share time with the interval, whole."""
        if self._end_ns is None or self._end_ns <= from_ns:
            return ()
        spans = self._settled()
        first, last = _touched(spans, from_ns, to_ns)
        return spans[first:last]

    def _settled(self) -> list[Span]:
        """The spans, the last one with its end."""
        spans = self._spans
        if spans and spans[-1].to_ns != self._end_ns:
            assert self._end_ns is not None
            spans[-1] = replace(spans[-1], to_ns=self._end_ns)
        return spans


def union(*lanes: Iterable[Span]) -> tuple[Span, ...]:
    """What several branches say together: for each moment the state that comes first in ``State``."""
    merged = Lane()
    for span in sorted((span for lane in lanes for span in lane), key=_begin):
        merged.add(span)
    return merged.spans


def clip(spans: Iterable[Span], from_ns: int, to_ns: int) -> tuple[Span, ...]:
    """What lies in the interval, cut at its ends."""
    return tuple(
        replace(span, from_ns=max(span.from_ns, from_ns), to_ns=min(span.to_ns, to_ns))
        for span in spans
        if span.from_ns < to_ns and from_ns < span.to_ns
    )


def holes(spans: Iterable[Span], from_ns: int, to_ns: int) -> tuple[tuple[int, int], ...]:
    """The intervals between ``from_ns`` and ``to_ns`` in which sorted, disjoint ``spans`` say nothing."""
    found: list[tuple[int, int]] = []
    at = from_ns
    for span in clip(spans, from_ns, to_ns):
        if at < span.from_ns:
            found.append((at, span.from_ns))
        at = span.to_ns
    if at < to_ns:
        found.append((at, to_ns))
    return tuple(found)


def total_ns(spans: Iterable[Span], states: frozenset[State]) -> int:
    """How long ``states`` last together."""
    return sum(span.to_ns - span.from_ns for span in spans if span.state in states)


class CameraCoverage:
    """A camera over several kernel boots, in the order in which the boots were first heard of."""

    __slots__ = ("_crossings", "_lanes")

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._crossings: list[Crossing] = []

    def copy(self) -> "CameraCoverage":
        """Another one that says the same."""
        coverage = CameraCoverage()
        coverage._lanes = {boot_id: lane.copy() for boot_id, lane in self._lanes.items()}
        coverage._crossings = list(self._crossings)
        return coverage

    def add(self, boot_id: str, span: Span) -> None:
        """Claim a span in a boot."""
        lane = self._lanes.get(boot_id)
        if lane is None:
            lane = self._lanes[boot_id] = Lane()
        lane.add(span)

    def cross(self, crossing: Crossing) -> None:
        """Claim time that ends in another boot than it began in."""
        self._lanes.setdefault(crossing.from_boot, Lane())
        self._lanes.setdefault(crossing.to_boot, Lane())
        self._crossings.append(crossing)

    def overlapping(self, boot_id: str, from_ns: int, to_ns: int) -> Sequence[Span]:
        """The spans of a boot that share time with the interval."""
        lane = self._lanes.get(boot_id)
        return () if lane is None else lane.overlapping(from_ns, to_ns)

    def settled(self) -> tuple[dict[str, tuple[Span, ...]], tuple[Crossing, ...]]:
        """Spans by boot, and crossings that begin only where no branch has anything more of the boot.

        What another branch leaves open behind the beginning of a crossing belongs to the crossing's cause.
        """
        lanes = {boot_id: lane.copy() for boot_id, lane in self._lanes.items()}
        crossings: dict[tuple[str, str, int], Crossing] = {}
        for crossing in self._crossings:
            lane = lanes[crossing.from_boot]
            end_ns = lane.end_ns
            if end_ns is not None and end_ns > crossing.from_ns:
                lane.add(
                    Span(
                        from_ns=crossing.from_ns,
                        to_ns=end_ns,
                        state=crossing.state,
                        cause=crossing.cause,
                        evidence=crossing.evidence,
                    )
                )
                crossing = replace(crossing, from_ns=end_ns)
            crossings.setdefault((crossing.from_boot, crossing.to_boot, crossing.to_ns), crossing)
        return {boot_id: lane.spans for boot_id, lane in lanes.items()}, tuple(crossings.values())


def _touched(spans: Sequence[Span], from_ns: int, to_ns: int) -> tuple[int, int]:
    """Where the spans begin and end that share time with the interval."""
    first = bisect_right(spans, from_ns, key=_end)
    return first, max(first, bisect_left(spans, to_ns, key=_begin))


def _overlaid(old: Sequence[Span], new: Span) -> list[Span]:
    """``old`` with ``new`` on or under it; ``old`` may reach beyond ``new`` on both sides, or lie beside it."""
    out: list[Span] = []
    at = new.from_ns
    for span in old:
        low, high = max(span.from_ns, new.from_ns), min(span.to_ns, new.to_ns)
        if low >= high:  # beside it, kept for joining
            if span.from_ns >= new.to_ns and at < new.to_ns:
                out.append(replace(new, from_ns=at))
                at = new.to_ns
            out.append(span)
            continue
        if span.from_ns < low:
            out.append(replace(span, to_ns=low))
        if at < low:
            out.append(replace(new, from_ns=at, to_ns=low))
        winner = new if _RANK[new.state] < _RANK[span.state] else span
        out.append(replace(winner, from_ns=low, to_ns=high))
        if high < span.to_ns:
            out.append(replace(span, from_ns=high))
        at = high
    if at < new.to_ns:
        out.append(replace(new, from_ns=at))
    return out


def _joined(spans: Sequence[Span]) -> list[Span]:
    out: list[Span] = []
    for span in spans:
        if out and out[-1].to_ns == span.from_ns and out[-1].says_the_same(span):
            out[-1] = replace(out[-1], to_ns=span.to_ns)
        else:
            out.append(span)
    return out


def _begin(span: Span) -> int:
    return span.from_ns


def _end(span: Span) -> int:
    return span.to_ns
