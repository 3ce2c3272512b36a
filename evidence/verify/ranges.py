"""Sets of whole numbers that are mostly intervals: sequence numbers, indexes."""

from bisect import bisect_right
from collections.abc import Iterator


class Ranges:
    """A set of integers, kept as half-open intervals that do not touch."""

    __slots__ = ("_begins", "_ends")

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(list(zip(self._begins, self._ends, strict=True)))

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._begins, number) - 1
        return at >= 0 and number < self._ends[at]

    def add(self, begin: int, end: int) -> None:
        """Put in the numbers from ``begin`` up to, not including, ``end``."""
        if begin >= end:
            return
        ends, begins = self._ends, self._begins
        if ends and begin == ends[-1]:
            ends[-1] = end
            return
        first = bisect_right(ends, begin - 1)
        last = bisect_right(begins, end)
        if first < last:
            begin, end = min(begin, begins[first]), max(end, ends[last - 1])
        begins[first:last], ends[first:last] = [begin], [end]

    def discard(self, number: int) -> None:
        """Take one number out, if it is in."""
        at = bisect_right(self._begins, number) - 1
        if at < 0 or number >= self._ends[at]:
            return
        begin, end = self._begins[at], self._ends[at]
        parts = [(b, e) for b, e in ((begin, number), (number + 1, end)) if b < e]
        self._begins[at : at + 1] = [b for b, _ in parts]
        self._ends[at : at + 1] = [e for _, e in parts]

    def within(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The parts that lie between ``begin`` and ``end``."""
        first, last = bisect_right(self._ends, begin), bisect_right(self._begins, end - 1)
        return [
            (max(b, begin), min(e, end)) for b, e in zip(self._begins[first:last], self._ends[first:last], strict=True)
        ]

    def without(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The parts between ``begin`` and ``end`` that are not in."""
        missing: list[tuple[int, int]] = []
        at = begin
        for b, e in self.within(begin, end):
            if at < b:
                missing.append((at, b))
            at = e
        if at < end:
            missing.append((at, end))
        return missing


def count(parts: list[tuple[int, int]]) -> int:
    """How many numbers lie in half-open intervals."""
    return sum(end - begin for begin, end in parts)
