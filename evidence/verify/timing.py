"""Step 5 of spec/verify.md: boot time runs forward, and jumps of UTC are told."""

from dataclasses import dataclass, replace

from evidence.codes import Code
from evidence.lines import Body, ClockLine, Close, Gap, Line, Recovered, Segment, Stamp
from evidence.utc import Utc
from evidence.verify.chain import Standing
from evidence.verify.findings import Findings, Place
from evidence.words import ClockChange, ClockState

MAX_AHEAD_NS = 10**9
MAX_STEP_US = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSpan:
    """The clock's state from one line to another, both of one boot."""

    boot_id: str
    from_ns: int
    to_ns: int
    state: ClockState


class Timing:
    """Judges the stamps of one ledger's lines."""

    def __init__(self, findings: Findings, utc: Utc) -> None:
        self._findings = findings
        self._utc = utc
        self._newest: dict[str, int] = {}
        self._before: tuple[str, Stamp] | None = None
        self._told: Stamp | None = None
        self._clock: list[ClockSpan] = []
        self._newest_ns = 0  # how far the last of them reaches: that grows with every line, its value does not

    @property
    def clock(self) -> list[ClockSpan]:
        """The clock's states, one after the other."""
        return [*self._clock[:-1], *(replace(span, to_ns=self._newest_ns) for span in self._clock[-1:])]

    def judge(self, line: Line, session: str, boot_id: str, standing: Standing, at: Place, *, observed: bool) -> None:
        """The next good line. ``observed`` is False for a line that another ledger of the unit brought already."""
        stamp, body = line.stamp, line.body
        moved = standing is Standing.MOVED
        newest = self._newest.get(boot_id)
        if newest is not None and stamp.boot_ns < newest and not moved:
            self._findings.add(Code.TIME_BACKWARDS, at, f"by {(newest - stamp.boot_ns) / 1e9:.3f} s")
        self._newest[boot_id] = stamp.boot_ns
        ahead_ns = _end_ns(body) - stamp.boot_ns
        if ahead_ns > MAX_AHEAD_NS:
            self._findings.add(Code.TIME_AHEAD, _of_camera(at, body), f"by {ahead_ns / 1e9:.3f} s")
        told = isinstance(body, ClockLine) and (body.change is ClockChange.STEP or bool(body.step_us))
        if standing is Standing.FOLLOWS and self._before is not None and self._before[0] == session:
            step_us = _step_us(self._before[1], stamp)
            told_us = (body.step_us or 0) if isinstance(body, ClockLine) else 0
            if abs(step_us) > MAX_STEP_US and abs(step_us - told_us) > MAX_STEP_US:
                self._findings.add(Code.CLOCK_STEP_UNTOLD, at, f"by {step_us / 1e6:+.3f} s")
        self._before = (session, stamp)
        if observed and not moved:
            excused = standing is Standing.AFTER_BREAK
            code = self._utc.observe(boot_id, stamp, told=told or excused)
            if code is Code.CLOCK_CONTRADICTION or (code is Code.CLOCK_STEP and not excused):
                self._findings.add(code, at)
            self._remember(boot_id, stamp)

    def within_session(self, segment: Segment, *, started_ns: int, same_boot: bool, at: Place) -> None:
        """A session's own media begin after it did; what it found and another recorded in its boot ended before."""
        if isinstance(segment, Recovered):
            ahead_ns = segment.to_ns - started_ns
            if same_boot and ahead_ns > MAX_AHEAD_NS:
                self._findings.add(Code.TIME_AHEAD, at, f"found after a restart, {ahead_ns / 1e9:.3f} s before its end")
        elif segment.from_ns < started_ns:
            self._findings.add(
                Code.TIME_BACKWARDS, at, f"begins {(started_ns - segment.from_ns) / 1e9:.3f} s before its session"
            )

    def _remember(self, boot_id: str, stamp: Stamp) -> None:
        clock, at_ns = self._clock, stamp.boot_ns
        last = clock[-1] if clock else None
        if last is None or last.boot_id != boot_id or last.state is not stamp.state:
            if last is not None:
                end_ns = max(at_ns, self._newest_ns) if last.boot_id == boot_id else self._newest_ns
                clock[-1] = replace(last, to_ns=end_ns)
            clock.append(ClockSpan(boot_id=boot_id, from_ns=at_ns, to_ns=at_ns, state=stamp.state))
            self._newest_ns = at_ns
        self._newest_ns = max(self._newest_ns, at_ns)


def _end_ns(body: Body) -> int:
    """Up to when a line tells what was, in its session's boot."""
    if isinstance(body, Segment | Gap | Close) and not isinstance(body, Recovered):
        return body.to_ns
    return 0


def _of_camera(at: Place, body: Body) -> Place:
    camera = body.camera if isinstance(body, Segment | Gap) else None
    return Place(seq=at.seq, camera=camera, boot_id=at.boot_id, boot_ns=at.boot_ns)


def _step_us(before: Stamp, after: Stamp) -> int:
    """How far UTC jumped against boot time; 0 where either is unset."""
    if before.utc_us is None or after.utc_us is None:
        return 0
    return (after.utc_us - before.utc_us) - (after.boot_ns - before.boot_ns) // 1_000
