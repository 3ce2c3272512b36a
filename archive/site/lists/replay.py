"""A replay list: an hour of a camera as text, from rows of the index (spec/list.md, section 5). Pure.

An entry's date follows from its own line and the mapping of boot time to UTC alone. So an hour has those segments that
begin in it, and the lists of all hours together have each segment exactly once.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from archive.index.rows import HeldSegment
from archive.site.lists import form
from archive.site.lists.choose import choose, signed_between
from archive.site.lists.hours import HOUR_US, BootHour, Hour
from evidence.utc import Utc
from evidence.words import Mode

VERSION = 8
LONGEST_FILLED_US = 30_000_000
SHORTEST_FILLED_US = 100_000
"""A shorter hole is left out: players look entries up with a tolerance of a quarter second."""
GAP_US = 2_000_000
JUMP_US = 500_000
"""A date that is further from where the one before leads to is a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A list, and whether nothing that is signed can still be added to it."""

    text: str
    entries: int
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    row: HeldSegment
    date_us: int

    @property
    def end_us(self) -> int:
        return self.date_us + self.duration_us

    @property
    def duration_us(self) -> int:
        """Both ends are rounded the same way, so that rounding never adds up."""
        return self.row.segment.to_ns // 1000 - self.row.segment.from_ns // 1000


def replay(
    rows: Sequence[HeldSegment],
    hour: Hour,
    *,
    way: Mapping[int, int],
    utc: Utc,
    public: AbstractSet[tuple[int, int]],
) -> Replay | None:
    """The list of ``hour``, None where nothing of it is public.

    ``rows`` are all of one camera that begin in the hour, and their neighbours (``choose.NEIGHBOURS_NS``); ``way`` is
    ``choose.own_lines``'; ``public`` holds branch and seq of what is published.
    """
    shown = [row for row in rows if (row.branch, row.seq) in public and _playable(row)]
    stretches: list[list[_Entry]] = []
    for lane in choose(shown, way, utc).values():
        entries = [_Entry(row=row, date_us=at) for row in lane if (at := _date(row, hour, utc)) is not None]
        stretches.append([entry for entry in entries if entry.date_us // HOUR_US == hour.number])
    stretches = sorted(filter(None, stretches), key=lambda stretch: stretch[0].date_us)
    if not stretches:
        return None
    list_of = _List(rows, "BOOT" if isinstance(hour, BootHour) else "UTC")
    for stretch in stretches:
        list_of.add(stretch)
    return Replay(text=list_of.text(), entries=list_of.entries, whole=not any(_awaited(rows, hour, utc, public)))


class _List:
    def __init__(self, rows: Iterable[HeldSegment], date: str) -> None:
        self._signed: dict[str, list[HeldSegment]] = {}
        for row in sorted(rows, key=_begin):
            self._signed.setdefault(row.boot_id, []).append(row)
        self._date = date
        self._parts: list[str] = []
        self._init: str | None = None
        self._longest_us = 0
        self.entries = 0

    def add(self, stretch: Sequence[_Entry]) -> None:
        """Entries of one boot, in order."""
        before: _Entry | None = None
        for entry in stretch:
            if before is None:
                goes_on = False
            else:
                goes_on = self._bridge(before, entry) and _run(before.row) == _run(entry.row)
            if not goes_on and self.entries:
                self._parts.append(form.DISCONTINUITY)
            self._media(entry)
            before = entry

    def text(self) -> str:
        first = form.head(VERSION, form.target_s(self._longest_us))
        kind = "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MEDIA-SEQUENCE:0\n"
        return "".join((first, kind, *self._parts, form.END))

    def _bridge(self, before: _Entry, entry: _Entry) -> bool:
        """Fill the hole between two entries where it can be; whether the wall clock goes on."""
        elapsed_us = entry.row.segment.from_ns // 1000 - before.row.segment.from_ns // 1000
        if abs(entry.date_us - before.date_us - elapsed_us) > JUMP_US:
            return False
        hole_us = elapsed_us - before.duration_us
        if hole_us == 0:
            return True
        signed = self._signed[entry.row.boot_id]
        if not SHORTEST_FILLED_US <= hole_us <= LONGEST_FILLED_US or signed_between(
            signed, before.row.segment.to_ns, entry.row.segment.from_ns
        ):
            return False
        pieces = -(-hole_us // GAP_US)
        for piece in range(pieces):
            begin_us, end_us = hole_us * piece // pieces, hole_us * (piece + 1) // pieces
            self._parts.append(form.date(before.end_us + begin_us) + form.gap(end_us - begin_us))
            self._longest_us = max(self._longest_us, end_us - begin_us)
        return True

    def _media(self, entry: _Entry) -> None:
        row = entry.row
        assert row.init_sha256 is not None
        assert row.run_seq is not None
        assert row.start_seq is not None
        if row.init_sha256 != self._init:
            self._init = row.init_sha256
            self._parts.append(form.init_map(row.init_sha256))
        tag = form.lines_of(
            branch=row.branch,
            seq=row.seq,
            run_seq=row.run_seq,
            start_seq=row.start_seq,
            mode=row.segment.mode,
            date=self._date,
        )
        self._parts.append(form.date(entry.date_us) + tag + form.media(entry.duration_us, row.segment.sha256))
        self._longest_us = max(self._longest_us, entry.duration_us)
        self.entries += 1


def _date(row: HeldSegment, hour: Hour, utc: Utc) -> int | None:
    """When a segment begins, in microseconds: the middle of what is known of UTC, or boot time where nothing is."""
    if isinstance(hour, BootHour):
        return row.segment.from_ns // 1000 if row.boot_id == hour.boot_id else None
    known = utc.at(row.boot_id, row.segment.from_ns)
    return None if known is None else sum(known) // 2


def _awaited(
    rows: Iterable[HeldSegment], hour: Hour, utc: Utc, public: AbstractSet[tuple[int, int]]
) -> Iterable[HeldSegment]:
    """What begins in the hour and is not public yet, but may become so."""
    for row in rows:
        may_come = row.segment.mode is not Mode.UNARMED and (row.stored or row.wanted)
        if may_come and (row.branch, row.seq) not in public:
            at = _date(row, hour, utc)
            if at is not None and at // HOUR_US == hour.number:
                yield row


def _playable(row: HeldSegment) -> bool:
    return row.init_sha256 is not None and row.run_seq is not None and row.start_seq is not None


def _run(row: HeldSegment) -> tuple[str, int]:
    return row.session, row.segment.run


def _begin(row: HeldSegment) -> int:
    return row.segment.from_ns
