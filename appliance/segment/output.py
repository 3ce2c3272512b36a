"""What a segmenter says, in the order in which it must reach the disk."""

from dataclasses import dataclass

from cmaf.track import Track
from evidence.words import Cause, Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBegun:
    """A new run: its track, from which the init segment follows."""

    run: int
    track: Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Bytes to append to the segment's file. The first chunk of a segment begins with its identity."""

    run: int
    index: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentDone:
    """The segment's bytes are complete. Members as in spec/ledger.md, section 4.3."""

    run: int
    index: int
    mode: Mode
    from_ns: int
    to_ns: int
    frames: int
    holes: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """An interval without pictures, and why."""

    from_ns: int
    to_ns: int
    cause: Cause


Output = RunBegun | Chunk | SegmentDone | Hole


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A segment that begins: what its identity needs to know."""

    run: int
    index: int
    mode: Mode
    boot_ns: int
    track: Track
