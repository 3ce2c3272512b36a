"""Which segments of a camera a replay shows, where lines on several branches claim the same time (spec/list.md, 5.1).

What is shown of an instant is what the unit's own branch shows of it; other branches fill what that leaves. A segment
is never cut: one that would show again what is shown is left out whole. The answer for a segment depends on its
neighbours in time only, so that lists of different hours never both show it, or both leave it to the other.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

from archive.index.rows import BranchRow, HeldSegment
from evidence.utc import Utc

MOST_LOOKS = 64
"""So many segments at most are looked at for one that shares time in another boot: an hour has far fewer at a time, and
a unit that signs thousands for one second must not hold up the lists of others.
"""
_NEVER = (0, 0)
NEIGHBOURS_NS = 120 * 10**9
"""Rows from so much before and behind an hour are to be looked at: a segment lasts a minute at most."""


def own_lines(branches: Iterable[BranchRow]) -> dict[int, int]:
    """Of each branch on the way to the one that the unit is on: below which ``seq`` its lines are of that way."""
    rows = {row.number: row for row in branches}
    way: dict[int, int] = {}
    at = max(rows.values(), key=lambda row: row.used, default=None)
    below = 1 << 62
    while at is not None and at.number not in way:
        way[at.number] = below
        below = min(below, at.from_seq)
        at = None if at.parent is None else rows.get(at.parent)
    return way


class _Lane:
    """What is shown of a boot, by time, and when that certainly was."""

    __slots__ = ("certain", "rows")

    def __init__(self) -> None:
        self.rows: list[HeldSegment] = []
        self.certain: list[tuple[int, int]] = []

    def claims(self, place: int, row: HeldSegment) -> bool:
        """Whether it has some of the time of ``row``, which would stand at ``place``."""
        rows = self.rows
        before = place > 0 and rows[place - 1].segment.to_ns > row.segment.from_ns
        return before or (place < len(rows) and rows[place].segment.from_ns < row.segment.to_ns)

    def shares(self, certain: tuple[int, int], branch: int) -> bool:
        """Whether a segment of another branch certainly shares time with that interval of UTC."""
        begin, end = certain
        last = bisect_left(self.certain, end, key=_first) - 1
        # UTC grows with boot time, and so do both ends: whoever shares time stands right here.
        for at in range(last, max(last - MOST_LOOKS, -1), -1):
            other_begin, other_end = self.certain[at]
            if other_end <= begin:
                return False
            if begin < end and self.rows[at].branch != branch and other_begin < other_end:
                return True
        return False


def choose(rows: Iterable[HeldSegment], way: Mapping[int, int], utc: Utc) -> dict[str, list[HeldSegment]]:
    """``rows`` without what would show an instant twice, by kernel boot, in order of time. ``way`` is ``own_lines``'.

    A digest is shown once. Across boots, only time that is certainly the same is the same.
    """

    def rank(row: HeldSegment) -> tuple[bool, int, int]:
        return row.seq >= way.get(row.branch, 0), row.branch, row.seq

    lanes: dict[str, _Lane] = {}
    digests: set[str] = set()
    ranked = sorted(rows, key=rank)
    several = len({row.branch for row in ranked}) > 1
    for row in ranked:
        lane = lanes.setdefault(row.boot_id, _Lane())
        place = bisect_left(lane.rows, row.segment.from_ns, key=_begin)
        if row.segment.sha256 in digests or lane.claims(place, row):
            continue
        certain = _certain(row, utc) if several else _NEVER
        if rank(row)[0] and any(lane.shares(certain, row.branch) for id, lane in lanes.items() if id != row.boot_id):
            continue
        digests.add(row.segment.sha256)
        lane.rows.insert(place, row)
        lane.certain.insert(place, certain)
    return {boot_id: lane.rows for boot_id, lane in lanes.items() if lane.rows}


def signed_between(rows: Sequence[HeldSegment], from_ns: int, to_ns: int) -> bool:
    """Whether any of ``rows``, of one boot by ``from_ns``, has time in the interval."""
    at = bisect_right(rows, from_ns - NEIGHBOURS_NS, key=_begin)
    while at < len(rows) and rows[at].segment.from_ns < to_ns:
        if rows[at].segment.to_ns > from_ns:
            return True
        at += 1
    return False


def _certain(row: HeldSegment, utc: Utc) -> tuple[int, int]:
    """From the latest beginning to the earliest end, in microseconds of UTC; the end may be before the beginning."""
    begin, end = utc.at(row.boot_id, row.segment.from_ns), utc.at(row.boot_id, row.segment.to_ns)
    return _NEVER if begin is None or end is None else (begin[1], end[0])


def _begin(row: HeldSegment) -> int:
    return row.segment.from_ns


def _first(certain: tuple[int, int]) -> int:
    return certain[0]
