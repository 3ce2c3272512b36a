"""Adding lines: stamped, chained and signed in memory, durable together at ``commit``."""

from collections.abc import Callable
from dataclasses import dataclass

from evidence.keys import Signer
from evidence.lines import Body, ClockLine, Line, Stamp, Start, genesis, line_hash, write_line
from evidence.words import ClockChange, ClockState

STEP_US = 500_000
"""A jump of UTC against boot time that must be told (spec/ledger.md, section 4.7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest line of a ledger: its ``seq``, its hash, and the length of the file with it."""

    seq: int
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Lines that wait to be written: their bytes, what they say, and the head after them."""

    data: bytes
    lines: tuple[Line, ...]
    head: Head


class ChainWriter:
    """The end of one ledger, in memory. It touches no disk: ``take`` hands over what the caller makes durable."""

    def __init__(self, *, next_seq: int, prev: str, size_bytes: int, stamp: Callable[[], Stamp]) -> None:
        """``prev`` is empty for a new ledger. ``stamp`` reads the clocks."""
        self._next_seq = next_seq
        self._prev = prev
        self._size_bytes = size_bytes
        self._stamp = stamp
        self._last: Stamp | None = None
        self._signer: Signer | None = None
        self._waiting: list[tuple[bytes, Line]] = []

    @property
    def waiting(self) -> int:
        """How many lines have been added since the last ``take``."""
        return len(self._waiting)

    @property
    def last_boot_ns(self) -> int:
        """Boot time of the newest line of this session."""
        assert self._last is not None
        return self._last.boot_ns

    def begin(self, start: Start, device: Signer, session: Signer) -> None:
        """Add the ``start`` line, signed by the device key; everything after it is signed by ``session``."""
        if not self._prev:
            self._prev = genesis(start.election, start.station, start.unit)
        self._append(start, self._stamp(), device)
        self._signer = session

    def add(self, body: Body) -> None:
        """Add one line, and before it a ``clock`` line where the clock has changed since the line before."""
        assert self._signer is not None
        assert self._last is not None
        stamp = self._stamp()
        if stamp.boot_ns < self._last.boot_ns:
            stamp = Stamp(boot_ns=self._last.boot_ns, utc_us=stamp.utc_us, error_us=stamp.error_us)
        change = clock_change(self._last, stamp)
        if change is not None:
            self._append(change, stamp, self._signer)
        self._append(body, stamp, self._signer)

    def take(self) -> Batch | None:
        """All lines added since the last call, or None. The caller makes them durable or ends the process."""
        if not self._waiting:
            return None
        data = b"".join(text + b"\n" for text, _ in self._waiting)
        self._size_bytes += len(data)
        lines = tuple(line for _, line in self._waiting)
        self._waiting = []
        return Batch(
            data=data,
            lines=lines,
            head=Head(seq=self._next_seq - 1, sha256=self._prev, size_bytes=self._size_bytes),
        )

    def _append(self, body: Body, stamp: Stamp, signer: Signer) -> None:
        line = Line(seq=self._next_seq, prev=self._prev, stamp=stamp, body=body)
        text = write_line(line, signer)
        self._waiting.append((text, line))
        self._next_seq, self._prev, self._last = line.seq + 1, line_hash(text), stamp


def clock_change(before: Stamp, now: Stamp) -> ClockLine | None:
    """What a ``clock`` line must tell between two stamps of one session, or None."""
    step_us = None
    if before.utc_us is not None and now.utc_us is not None:
        step_us = (now.utc_us - before.utc_us) - (now.boot_ns - before.boot_ns) // 1000
    match before.state, now.state:
        case (was, is_now) if was is not ClockState.SYNCED and is_now is ClockState.SYNCED:
            return ClockLine(change=ClockChange.GAINED, step_us=step_us)
        case (ClockState.SYNCED, is_now) if is_now is not ClockState.SYNCED:
            return ClockLine(change=ClockChange.LOST, step_us=step_us)
        case (was, is_now) if (was is ClockState.UNSET) != (is_now is ClockState.UNSET):
            return ClockLine(change=ClockChange.STEP, step_us=None)
    if step_us is not None and abs(step_us) > STEP_US:
        return ClockLine(change=ClockChange.STEP, step_us=step_us)
    return None
