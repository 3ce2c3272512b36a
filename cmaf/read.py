"""Strict reading of hostile segments: exactly what ``identity``, ``fragment`` and ``track`` write is accepted.

Every function raises MediaError and nothing else, keeps no view of its argument, and needs memory
in proportion to the number of samples, of which there are at most MAX_SAMPLES. ``data`` may be a mapped file.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from cmaf.avc import read_decoder_configuration
from cmaf.boxes import HEADER_BYTES, box_end
from cmaf.errors import MediaError
from cmaf.fragment import HEAD_BYTES, KEYFRAME_FLAGS, OTHER_FLAGS, moof_head, segment_type
from cmaf.identity import find_identity
from cmaf.track import Track, init_segment

_START = b"\x00\x00\x00\x01"
_SEGMENT_TYPE = segment_type()

# Places in an init segment (track.py); all in front of the avcC box have a fixed length.
_TIMESCALE_AT = 272
_WIDTH_AT = 437
_AVCC_AT = 491

# Where each box of a moof begins (fragment.py), to say which one is wrong.
_HEAD_PARTS = ((0, "moof"), (8, "mfhd"), (24, "traf"), (32, "tfhd"), (48, "tfdt"), (68, "trun"))
_HEAD_VALUES = struct.Struct(">I16xI36xQ12xI4x")
MAX_SAMPLES = 1 << 16
"""Pictures in a segment (spec/segment.md, section 3)."""
_LAST_TIME = (1 << 64) - 1


class Data(Protocol):
    """Bytes of a file: ``bytes``, a memoryview of bytes, or a mapped file (PEP 688)."""

    def __buffer__(self, flags: int, /) -> memoryview:
        """What ``memoryview()`` looks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentLayout:
    """One ``moof`` and its ``mdat``: where in the file, and when in ticks."""

    offset: int
    size: int
    sequence: int
    decode_time: int
    duration: int
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLayout:
    """What a whole segment file holds. Times are ticks; ``durations`` has one entry for each sample.

    ``first_is_keyframe`` and ``keyframes`` are the samples' own flags; nothing here looks into
    pictures. ``longest_sample`` is the longest of ``durations``.
    """

    identity: bytes
    decode_time: int
    duration: int
    samples: int
    keyframes: int
    first_is_keyframe: bool
    longest_sample: int
    durations: tuple[int, ...]
    fragments: tuple[FragmentLayout, ...]


@dataclass(frozen=True, slots=True)
class _Fragment:
    """A fragment as met in the file; ``table`` holds duration, size and flags of each sample in turn."""

    offset: int
    media_at: int
    end: int
    sequence: int
    decode_time: int
    duration: int
    table: tuple[int, ...]


def read_segment(data: Data) -> SegmentLayout:
    """Read a whole segment file: identity box, ``styp``, one or more fragments, nothing else.

    Checked: box order, sizes and flags; that each ``mdat`` is exactly the samples of its ``trun``;
    that no sample is empty or lasts 0 ticks; that sequence numbers and decode times follow on.
    """
    with memoryview(data) as view:
        identity, at = _opening(view)
        found = list(_fragments(view, at))
    if not found:
        raise MediaError(f"byte {at}: segment without a fragment")
    table = [value for fragment in found for value in fragment.table]
    durations = tuple(table[0::3])
    return SegmentLayout(
        identity=identity,
        decode_time=found[0].decode_time,
        duration=found[-1].decode_time + found[-1].duration - found[0].decode_time,
        samples=len(durations),
        keyframes=table[2::3].count(KEYFRAME_FLAGS),
        first_is_keyframe=table[2] == KEYFRAME_FLAGS,
        longest_sample=max(durations),
        durations=durations,
        fragments=tuple(
            FragmentLayout(
                offset=fragment.offset,
                size=fragment.end - fragment.offset,
                sequence=fragment.sequence,
                decode_time=fragment.decode_time,
                duration=fragment.duration,
                samples=len(fragment.table) // 3,
            )
            for fragment in found
        ),
    )


def read_identity(data: Data) -> bytes:
    """The payload of the identity box, looking at nothing behind it; the first 64 KiB of a file are enough."""
    with memoryview(data) as view:
        return find_identity(view)[0]


def read_init(data: Data) -> Track:
    """The track of an init segment. Only the bytes that ``init_segment`` writes for that track are accepted."""
    with memoryview(data) as view:
        # The four values lie at fixed places; whatever else a file holds there, rebuilding it shows.
        avcc_end = box_end(view, _AVCC_AT, b"avcC", len(view))
        (timescale,) = struct.unpack_from(">I", view, _TIMESCALE_AT)
        width, height = struct.unpack_from(">HH", view, _WIDTH_AT)
        avcc = bytes(view[_AVCC_AT + HEADER_BYTES : avcc_end])
        track = Track(width=width, height=height, timescale=timescale, avcc=avcc)
        if init_segment(track) != view:
            raise MediaError("init segment: does not follow from its own size, timescale and avcC")
    return track


def complete_length(data: Data) -> int:
    """Length of the longest prefix that ``read_segment`` accepts; 0 if there is none. Never raises.

    For a file cut off by a crash: what was torn, and anything that does not belong, lies behind it.
    """
    length = 0
    with memoryview(data) as view, suppress(MediaError):
        for fragment in _fragments(view, _opening(view)[1]):
            length = fragment.end
    return length


def annexb(data: Data, avcc: bytes) -> bytes:
    """A whole segment as an Annex B byte stream, the parameter sets of ``avcc`` once in front of it.

    Beyond ``read_segment``, each sample must consist of whole NAL units.
    """
    configuration = read_decoder_configuration(avcc)
    # Once, not before every keyframe: a hostile file has many of those, and the output must stay of its size.
    parts = [_START + nal for nal in (configuration.sps, *configuration.pps)]
    empty = len(parts)
    with memoryview(data) as view:
        for fragment in _fragments(view, _opening(view)[1]):
            at = fragment.media_at
            for size in fragment.table[1::3]:
                end = at + size
                while at < end:
                    begin = at + 4
                    at = begin + int.from_bytes(view[at:begin], "big")
                    if begin >= at or at > end:
                        raise MediaError(f"byte {begin - 4}: sample is not made of whole NAL units")
                    parts += (_START, bytes(view[begin:at]))
    if len(parts) == empty:
        raise MediaError("segment without a fragment")
    return b"".join(parts)


def sample_places(view: memoryview) -> Iterator[tuple[int, int, bool]]:
    """Where each sample of a segment begins and ends, and whether its flags call it a keyframe. Raises MediaError."""
    for fragment in _fragments(view, _opening(view)[1]):
        at = fragment.media_at
        for size, flags in zip(fragment.table[1::3], fragment.table[2::3], strict=True):
            yield at, at + size, flags == KEYFRAME_FLAGS
            at += size


def _opening(view: memoryview) -> tuple[bytes, int]:
    """The identity's payload, and where the first fragment must begin."""
    identity, at = find_identity(view)
    end = at + len(_SEGMENT_TYPE)
    if view[at:end] != _SEGMENT_TYPE:
        raise MediaError(f"byte {at}: not the segment's styp box")
    return identity, end


def _fragments(view: memoryview, at: int) -> Iterator[_Fragment]:
    """The fragments from ``at`` to the end, each checked against the one before. MediaError at the first bad one."""
    before: _Fragment | None = None
    samples = 0
    while at < len(view):
        fragment = _fragment(view, at)
        samples += len(fragment.table) // 3
        if samples > MAX_SAMPLES:
            raise MediaError(f"byte {at}: more than {MAX_SAMPLES} samples")
        if before and fragment.sequence != before.sequence + 1:
            raise MediaError(f"byte {at}: fragment {fragment.sequence} after {before.sequence}")
        if before and fragment.decode_time != before.decode_time + before.duration:
            raise MediaError(f"byte {at}: decode time {fragment.decode_time} does not follow on")
        yield fragment
        before, at = fragment, fragment.end


def _fragment(view: memoryview, at: int) -> _Fragment:
    media_at = box_end(view, at, b"moof", len(view))
    if media_at - at < HEAD_BYTES:
        raise MediaError(f"byte {at}: moof box of {media_at - at} bytes")
    _, sequence, decode_time, samples = _HEAD_VALUES.unpack_from(view, at)
    expected = moof_head(sequence, decode_time, samples) if samples <= MAX_SAMPLES else b""
    if view[at : at + HEAD_BYTES] != expected:
        raise MediaError(f"byte {at}: {_first_difference(bytes(view[at : at + HEAD_BYTES]), expected)}")
    table: tuple[int, ...] = struct.unpack_from(f">{3 * samples}I", view, at + HEAD_BYTES)
    sizes, flags = table[1::3], table[2::3]
    duration = sum(table[0::3])
    if not sequence or not samples or not min(table[0::3]) or not min(sizes):
        raise MediaError(f"byte {at}: sequence 0, no samples, an empty sample or one of 0 ticks")
    if flags.count(KEYFRAME_FLAGS) + flags.count(OTHER_FLAGS) != samples:
        raise MediaError(f"byte {at}: unknown sample flags")
    if decode_time + duration > _LAST_TIME:
        raise MediaError(f"byte {at}: ends at {decode_time + duration} ticks")
    end = box_end(view, media_at, b"mdat", len(view))
    if end - media_at - HEADER_BYTES != sum(sizes):
        raise MediaError(f"byte {media_at}: mdat box is not exactly its samples")
    return _Fragment(at, media_at + HEADER_BYTES, end, sequence, decode_time, duration, table)


def _first_difference(found: bytes, expected: bytes) -> str:
    at = next((i for i, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b), 0)
    return f"{[name for begin, name in _HEAD_PARTS if begin <= at][-1]} box is not as it must be"
