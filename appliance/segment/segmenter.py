"""One camera's pictures, cut into runs, segments and fragments (spec/segment.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from appliance.segment.output import Chunk, Hole, Opening, Output, RunBegun, SegmentDone
from cmaf.annexb import ParameterSets, holds_idr, parameter_sets, sample, split
from cmaf.errors import MediaError
from cmaf.fragment import Sample, fragment, segment_type, ticks
from cmaf.identity import identity_box
from cmaf.track import Track, track_of
from evidence.words import Cause, Mode

MIN_SPACING_NS = 1_000_000
"""Pictures closer than this, or out of order, are a fault of the source and are left out."""
MAX_HOLE_NS = 500_000_000
"""The longest spacing of two pictures inside a segment."""
FRAGMENT_NS = 500_000_000
STALL_NS = 2_000_000_000
"""Silence after which a segment is closed without waiting for the next picture."""
PIECE_NS = 10_000_000_000
"""While a camera delivers nothing, a gap is closed this often."""
SEGMENT_NS = 12_000_000_000
"""A segment without a new keyframe is ended here, so that a stuck encoder cannot grow it without bound."""
MAX_IDENTITY_BYTES = 8_192
"""Of the identity's payload (spec/segment.md, section 4)."""


class Coded(Protocol):
    """One coded picture, as the capture stage delivers it."""

    @property
    def data(self) -> bytes: ...
    @property
    def boot_ns(self) -> int: ...
    @property
    def keyframe(self) -> bool: ...
    @property
    def mode(self) -> Mode: ...


@dataclass(slots=True)
class _Open:
    """The segment being built. ``pending`` are pictures of the fragment that is not written yet."""

    index: int
    mode: Mode
    from_ns: int
    last_ns: int
    head: bytes
    pending: list[tuple[int, bytes, bool]]
    frames: int = 1
    dropped_frames: int = 0
    max_hole_ms: int = 0


class Segmenter:
    """Every instant from ``begin_ns`` on ends in exactly one SegmentDone or Hole.

    Pictures that are older than what is already accounted for are left out and counted in ``late``.
    """

    def __init__(self, *, fps: int, begin_ns: int, describe: Callable[[Opening], bytes]) -> None:
        """``describe`` gives the payload of the identity box. ``begin_ns`` is where the record stands."""
        self._frame_ns = 1_000_000_000 // fps
        self._describe = describe
        self._covered_ns = begin_ns
        self._cause = Cause.STARTING
        self._run = -1
        self._track: Track | None = None
        self._sets: ParameterSets | None = None
        self._index = 0
        self._sequence = 0
        self._open: _Open | None = None
        self.newest_ns: int | None = None
        """Boot time of the newest picture that is in a segment."""
        self.late = 0
        self.undecodable = 0

    @property
    def covered_ns(self) -> int:
        """Up to here every instant is accounted for."""
        return self._covered_ns

    @property
    def open_from_ns(self) -> int | None:
        """Where the segment being built begins, or None."""
        return self._open.from_ns if self._open else None

    def push(self, unit: Coded) -> list[Output]:
        """Take the next picture. Whether it is a keyframe is decided by what is in it, not by what is said of it."""
        open_ = self._open
        if unit.boot_ns < (self._covered_ns if open_ is None else open_.last_ns + MIN_SPACING_NS):
            self.late += 1
            # What follows a lost keyframe cannot be decoded against what is open.
            return self.interrupt(Cause.CAMERA) if open_ and unit.keyframe else []
        try:
            nals = split(unit.data)
            data, sets, idr = sample(nals), parameter_sets(nals), holds_idr(nals)
        except MediaError:
            # No picture: nothing after it can be decoded before the next keyframe.
            self.undecodable += 1
            return self.interrupt(Cause.CAMERA)
        out: list[Output] = []
        if open_ is not None:
            if unit.boot_ns - open_.last_ns > MAX_HOLE_NS:
                out += self._finish(self._nominal_end())
            elif idr or self._leaves(open_, unit, sets):
                out += self._finish(unit.boot_ns)
            else:
                return self._add(open_, unit, data)
        if not idr:
            self.undecodable += 1
            return out
        try:
            out += self._begin(unit, sets, data)
        except MediaError:
            self.undecodable += 1
        return out

    def interrupt(self, cause: Cause, *, new_run: bool = False) -> list[Output]:
        """The pictures end here for now: close what is open, and explain what follows by ``cause``."""
        out = self._finish(self._nominal_end()) if self._open else []
        self._cause = cause
        if new_run:
            self._sets = None
        return out

    def idle(self, now_ns: int) -> list[Output]:
        """Nothing came: close a stalled segment, and a piece of gap every ten seconds."""
        out: list[Output] = []
        if self._open is not None and now_ns - self._open.last_ns > STALL_NS:
            out += self.interrupt(Cause.CAMERA)
        if self._open is None and now_ns - self._covered_ns >= PIECE_NS + STALL_NS:
            out.append(self._hole(now_ns - STALL_NS))
        return out

    def account(self, to_ns: int, cause: Cause) -> list[Output]:
        """Close what is open, so that the record reaches ``to_ns`` exactly; ``cause`` explains what is cut off now."""
        out = self.interrupt(cause) if self._open else []
        if to_ns > self._covered_ns:
            out.append(self._hole(to_ns))
        return out

    def _leaves(self, open_: _Open, unit: Coded, sets: ParameterSets | None) -> bool:
        """Whether a picture that is no keyframe cannot belong to the open segment."""
        too_long = unit.boot_ns - open_.from_ns > SEGMENT_NS
        return too_long or unit.mode is not open_.mode or (sets is not None and sets != self._sets)

    def _begin(self, unit: Coded, sets: ParameterSets | None, data: bytes) -> list[Output]:
        """Open a segment. Raises MediaError, and has changed nothing then."""
        sets = sets or self._sets
        if sets is None:
            raise MediaError("a keyframe without parameter sets")
        track, run, index = self._track, self._run, self._index
        if track is None or sets != self._sets:
            track, run, index = track_of(sets.sps, sets.pps), run + 1, 0
        opening = Opening(run=run, index=index, mode=unit.mode, boot_ns=unit.boot_ns, track=track)
        head = self._head(opening)
        out: list[Output] = []
        if run != self._run:
            self._run, self._sequence = run, 0
            out.append(RunBegun(run=run, track=track))
        self._sets, self._track, self._index = sets, track, index
        if unit.boot_ns > self._covered_ns:
            out.append(self._hole(unit.boot_ns))
        self._open = _Open(
            index=index,
            mode=unit.mode,
            from_ns=unit.boot_ns,
            last_ns=unit.boot_ns,
            head=head,
            pending=[(unit.boot_ns, data, True)],
        )
        self._cause = Cause.CAMERA
        self.newest_ns = unit.boot_ns
        return out

    def _head(self, opening: Opening) -> bytes:
        identity = self._describe(opening)
        if len(identity) > MAX_IDENTITY_BYTES:
            raise MediaError(f"parameter sets that make an identity of {len(identity)} bytes")
        return identity_box(identity) + segment_type()

    def _add(self, open_: _Open, unit: Coded, data: bytes) -> list[Output]:
        out: list[Output] = []
        self._count_hole(open_, unit.boot_ns)
        out += self._flush_but_last(open_, unit.boot_ns)
        if unit.boot_ns + self._frame_ns - open_.pending[0][0] > FRAGMENT_NS:
            out.append(self._flush(open_, unit.boot_ns))
        open_.pending.append((unit.boot_ns, data, False))
        open_.last_ns = self.newest_ns = unit.boot_ns
        open_.frames += 1
        return out

    def _finish(self, to_ns: int) -> list[Output]:
        open_ = self._open
        assert open_ is not None
        self._count_hole(open_, to_ns)
        chunks = [*self._flush_but_last(open_, to_ns), self._flush(open_, to_ns)]
        self._open = None
        self._index += 1
        self._covered_ns = to_ns
        done = SegmentDone(
            run=self._run,
            index=open_.index,
            mode=open_.mode,
            from_ns=open_.from_ns,
            to_ns=to_ns,
            frames=open_.frames,
            holes=(open_.dropped_frames, open_.max_hole_ms),
        )
        return [*chunks, done]

    def _count_hole(self, open_: _Open, next_ns: int) -> None:
        """Count the pictures that should have come between the last one and ``next_ns``."""
        spacing = next_ns - open_.last_ns
        if 2 * spacing > 3 * self._frame_ns:
            open_.dropped_frames += max(1, round(spacing / self._frame_ns) - 1)
            open_.max_hole_ms = max(open_.max_hole_ms, spacing // 1_000_000)

    def _flush_but_last(self, open_: _Open, end_ns: int) -> list[Chunk]:
        """Where the pending pictures up to ``end_ns`` are too long for one fragment, all of them but the last."""
        if len(open_.pending) > 1 and end_ns - open_.pending[0][0] > FRAGMENT_NS:
            return [self._flush(open_, open_.pending[-1][0], keep_last=True)]
        return []

    def _flush(self, open_: _Open, end_ns: int, *, keep_last: bool = False) -> Chunk:
        """The pending pictures as one fragment that ends at ``end_ns``."""
        kept = [open_.pending.pop()] if keep_last else []
        times = [ticks(boot_ns) for boot_ns, _, _ in open_.pending] + [ticks(end_ns)]
        samples = [
            Sample(data=data, duration=times[n + 1] - times[n], keyframe=key)
            for n, (_, data, key) in enumerate(open_.pending)
        ]
        self._sequence += 1
        data = open_.head + fragment(sequence=self._sequence, decode_time=times[0], samples=samples)
        open_.head = b""
        open_.pending = kept
        return Chunk(run=self._run, index=open_.index, data=data)

    def _hole(self, to_ns: int) -> Hole:
        hole = Hole(from_ns=self._covered_ns, to_ns=to_ns, cause=self._cause)
        self._covered_ns = to_ns
        return hole

    def _nominal_end(self) -> int:
        assert self._open is not None
        return self._open.last_ns + self._frame_ns
