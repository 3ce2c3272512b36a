"""Step 4 of spec/verify.md: the place of a line in its chain.

One damage is one finding. A refused line keeps the place that it claims, or, where it claims none that fits, the
place where it stands; so what follows it is not missing anything. Lines that are missing are reported at the end,
since they may still come: then they were moved.
"""

from enum import StrEnum

from evidence.codes import Code
from evidence.lines import Close, Line, Start, genesis
from evidence.verify.findings import Findings, Place
from evidence.verify.keyring import Opened
from evidence.verify.ranges import Ranges, count

REMEMBERED_LINES = 16_384
"""How far back a repeated line is known for one."""


class Standing(StrEnum):
    """What a line's place says about what it reports."""

    FOLLOWS = "follows"
    """It follows the line before."""
    AFTER_BREAK = "after-break"
    """Lines before it are missing or refused: whatever they reported is not held against it."""
    MOVED = "moved"
    """It belongs further up: it counts, but nothing is concluded from its place."""
    IGNORED = "ignored"
    """It was there before, or comes after the end: it counts for nothing."""


class Chain:
    """The lines of one ledger file, in its order. Of a part of a record, lines up to ``since`` may be left out.

    ``remembered`` is how many lines are known for repeated ones.
    """

    def __init__(self, findings: Findings, *, since: int | None = None, remembered: int = REMEMBERED_LINES) -> None:
        self._findings = findings
        self._since = since
        self._seq = -1
        self._digest: str | None = None
        self._top = -1
        self._base: int | None = None
        self._unseen = Ranges()
        self._unexplained = Ranges()
        self._breaks: list[tuple[int, Place]] = []
        self._claimed = Ranges()
        self._strays = 0
        self._empty = True
        self._headless = False
        self._recent = [""] * remembered
        self.closed = False
        self.damaged = False
        """Whether lines are missing or refused."""

    @property
    def head(self) -> tuple[int, str] | None:
        """``seq`` and digest of the last good line."""
        return None if self._digest is None else (self._seq, self._digest)

    def refuse(self, opened: Opened, at: Place) -> None:
        """The next line counts for nothing but its place."""
        self._first(opened.line, opened.refusal is not None, at)
        self.damaged = True
        if opened.line is None or opened.line.seq <= self._seq:
            self._strays += 1
        else:
            self._claimed.add(opened.line.seq, opened.line.seq + 1)

    def place(self, opened: Opened, line: Line, at: Place) -> Standing:
        """Where the next line, a good one, stands."""
        self._first(line, False, at)
        seq = line.seq
        if self._seen(seq):
            return self._again(opened, seq, at)
        if self.closed and seq > self._top:
            self._findings.add(Code.LINE_AFTER_CLOSE, at)
            return Standing.IGNORED
        standing = Standing.FOLLOWS
        if seq == self._seq + 1:
            if line.prev != self._digest and self._digest is not None:
                self._findings.add(Code.PREV_MISMATCH, at)
                standing = Standing.AFTER_BREAK
        elif seq > self._seq:
            self._jump(seq, at)
            standing = Standing.AFTER_BREAK
        else:
            self._findings.add(Code.LINE_REORDERED, at)
            standing = Standing.MOVED
        self._unseen.discard(seq)  # a line that was missing may come by any of the three
        self._unexplained.discard(seq)
        self._go_on(opened, seq)
        if isinstance(line.body, Close):
            self.closed = True
        return standing

    def finish(self, findings: Findings) -> None:
        """Report what is missing for good."""
        if self._empty:
            findings.add(Code.HEAD_MISSING, Place(), "the file holds no line")
        for begin, end in self._unexplained:
            at = next((place for first, place in reversed(self._breaks) if first <= begin), Place())
            what = f"line {begin}" if end == begin + 1 else f"lines {begin} to {end - 1}"
            where = Place(seq=begin, boot_id=at.boot_id, boot_ns=at.boot_ns)
            findings.add(Code.LINE_MISSING, where, f"{what}, before the time given here")

    def _first(self, line: Line | None, judged: bool, at: Place) -> None:
        """Line 0 follows the genesis text and is a ``start``. A line that has a finding of its own is not judged."""
        if not self._empty:
            return
        self._empty = False
        if self._since is not None:
            self._headless = self.damaged = True
            return
        if line is None or judged:
            return
        body = line.body
        if isinstance(body, Start) and (line.seq, line.prev) == (0, genesis(body.election, body.station, body.unit)):
            return
        self._headless = self.damaged = True
        detail = "" if line.seq == 0 else f"the file begins with line {line.seq}"
        self._findings.add(Code.HEAD_MISSING, at, detail)

    def _seen(self, seq: int) -> bool:
        return self._base is not None and self._base <= seq <= self._top and seq not in self._unseen

    def _again(self, opened: Opened, seq: int, at: Place) -> Standing:
        """A number that was there before. A copy of the very line is passed over; anything else is gone on from."""
        if self._recent[seq % len(self._recent)] == opened.digest:
            self._findings.add(Code.LINE_REPEATED, at)
            return Standing.IGNORED
        if seq != self._seq + 1:
            self._findings.add(Code.LINE_REORDERED, at)
        self._seq, self._digest = seq, opened.digest
        return Standing.IGNORED

    def _jump(self, seq: int, at: Place) -> None:
        """Lines are left out before ``seq``, unless they came before or refused lines stand for them."""
        if (self._headless and self._digest is None) or (self._since is not None and seq <= self._since):
            return
        absent = Ranges()
        begin = self._seq + 1
        for first, end in self._left_out(begin, seq):
            absent.add(first, end)
            self._unseen.add(first, end)
        unclaimed = [part for first, end in absent for part in self._claimed.without(first, end)]
        if count(unclaimed) > self._strays:
            self.damaged = True
            self._breaks.append((begin, at))
            for first, end in unclaimed:
                self._unexplained.add(first, end)

    def _left_out(self, begin: int, end: int) -> list[tuple[int, int]]:
        """What between the two was never seen."""
        known_to = self._top + 1
        parts = self._unseen.within(begin, min(end, known_to)) if begin < known_to else []
        return [*parts, *([(max(begin, known_to), end)] if max(begin, known_to) < end else [])]

    def _go_on(self, opened: Opened, seq: int) -> None:
        self._seq, self._digest = seq, opened.digest
        self._base = seq if self._base is None else min(self._base, seq)
        self._top = max(self._top, seq)
        self._recent[seq % len(self._recent)] = opened.digest
        self._strays = 0
