"""Writing a segment's fragments: ``moof`` and ``mdat`` (a CMAF chunk, ISO/IEC 23000-19)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from cmaf.boxes import HEADER_BYTES, box
from cmaf.errors import MediaError
from cmaf.track import TIMESCALE, TRACK_ID

KEYFRAME_FLAGS = 0x0200_0000
"""sample_depends_on 2 (on no other), a sync sample (ISO/IEC 14496-12, 8.8.3.1)."""

OTHER_FLAGS = 0x0101_0000
"""sample_depends_on 1 (on others), not a sync sample."""

_NS_PER_SECOND = 1_000_000_000
_BYTES_PER_SAMPLE = 12

_HEAD = struct.Struct(
    ">"
    "I4s"  # moof
    "I4sII"  # mfhd: version and flags, sequence_number
    "I4s"  # traf
    "I4sII"  # tfhd: version and flags, track_ID
    "I4sIQ"  # tfdt: version and flags, baseMediaDecodeTime
    "I4sIII"  # trun: version and flags, sample_count, data_offset
)
HEAD_BYTES = _HEAD.size
"""Length of a ``moof`` without the entries of its ``trun``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture: ``data`` from ``annexb.sample``, ``duration`` in ticks until the next picture."""

    data: bytes
    duration: int
    keyframe: bool


def ticks(boot_ns: int, timescale: int = TIMESCALE) -> int:
    """The decode time of a picture at ``boot_ns``, rounded down.

    A duration is the difference of two such values, so rounding never accumulates.
    """
    return boot_ns * timescale // _NS_PER_SECOND


def segment_type() -> bytes:
    """``styp``: a CMAF segment (``cmfs``) that is one CMAF fragment (``cmff``), in DASH a media segment (``msdh``)."""
    return box(b"styp", b"cmfs", bytes(4), b"cmfs", b"cmff", b"msdh", b"iso6")


def moof_head(sequence: int, decode_time: int, samples: int) -> bytes:
    """The first HEAD_BYTES of a ``moof`` with ``samples`` entries; its whole size follows from their number.

    ``tfhd``: default-base-is-moof, no defaults. ``trun`` version 1: data offset; duration, size and
    flags of each sample; no composition offsets.
    """
    entries = samples * _BYTES_PER_SAMPLE
    size = HEAD_BYTES + entries
    head = (size, b"moof", 16, b"mfhd", 0, sequence, size - 24, b"traf", 16, b"tfhd", 0x0002_0000, TRACK_ID)
    run = (20, b"tfdt", 0x0100_0000, decode_time, 20 + entries, b"trun", 0x0100_0701, samples, size + HEADER_BYTES)
    try:
        return _HEAD.pack(*head, *run)
    except struct.error as e:
        raise MediaError(f"moof: sequence {sequence}, decode time {decode_time}, {samples} samples") from e


def fragment(*, sequence: int, decode_time: int, samples: Sequence[Sample]) -> bytes:
    """``moof`` and ``mdat`` for pictures that follow each other.

    ``sequence`` counts 1, 2, 3 … through a run; ``decode_time`` is ``ticks`` of the first picture.
    Raises MediaError for no samples, an empty sample, a duration below 1 and what 32 bits (64 for
    the time at the end) cannot hold.
    """
    if not samples or sequence < 1:
        raise MediaError(f"fragment: sequence {sequence} with {len(samples)} samples")
    entries: list[int] = []
    total = 0
    for sample in samples:
        if sample.duration < 1 or not sample.data:
            raise MediaError(f"fragment: sample of {len(sample.data)} bytes and {sample.duration} ticks")
        total += sample.duration
        entries += (sample.duration, len(sample.data), KEYFRAME_FLAGS if sample.keyframe else OTHER_FLAGS)
    if decode_time + total > 0xFFFF_FFFF_FFFF_FFFF:
        raise MediaError(f"fragment: ends at {decode_time + total} ticks")
    head = moof_head(sequence, decode_time, len(samples))
    size = HEADER_BYTES + sum(entries[1::3])
    try:
        table = struct.pack(f">{len(entries)}I", *entries)
        media = struct.pack(">I4s", size, b"mdat")
    except struct.error as e:
        raise MediaError(f"fragment: {size} bytes, {total} ticks") from e
    return b"".join((head, table, media, *[sample.data for sample in samples]))
