"""The boxes of a clip around whole segment files (spec/clip.md): its beginning, its proofs, and the ``moof`` of each.

Each ``mdat`` of a clip is one segment file, byte for byte. The ``moof`` before it says where in there the samples lie,
and when they are shown: hours of boot time would be hours of nothing in a player.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cmaf.boxes import HEADER_BYTES, box, full_box
from cmaf.errors import MediaError
from cmaf.fragment import HEAD_BYTES
from cmaf.read import Data, FragmentLayout, read_segment
from cmaf.track import TRACK_ID, Track, movie

PROOF_UUID: Final = bytes.fromhex("9da9a562a3e95fb3963a27893af8a5ad")
"""Extended type (ISO/IEC 14496-12, 4.2): UUID version 5 of https://unbroken.example/clip/1."""

PROOF_MARK: Final = b"uuid" + PROOF_UUID
"""What stands behind the size of every proof box."""

PROOF_AT: Final = HEADER_BYTES + len(PROOF_UUID)
"""Where a proof box's payload begins."""

MAX_PROOF_BYTES: Final = 1 << 20
"""No proof box is longer, header included; nor is the ``moof`` of a segment."""

MAX_HEAD_BYTES: Final = 1 << 16
"""No clip's beginning (``ftyp`` and ``moov``) is longer."""

_FILE_TYPE = box(b"ftyp", b"iso6", bytes(4), b"iso6", b"isom", b"avc1", b"mp41")
_DURATION_BACK = 32 + 8
"""How far before the end of a beginning the 8 bytes of its duration lie: ``trex`` follows them."""
_FIRST_BOXES = struct.Struct(">I4sI4sIII4sI4sIII4sIQ")
_TIME_AT = _FIRST_BOXES.size - 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How a clip carries a segment: the boxes in front of its bytes, and their end in ticks of the clip's own time."""

    head: bytes
    to_ticks: int


def proof_box(payload: bytes) -> bytes:
    """A ``uuid`` box around ``payload``, which is opaque here. Raises MediaError where it is too long."""
    if PROOF_AT + len(payload) > MAX_PROOF_BYTES:
        raise MediaError(f"proof box: payload of {len(payload)} bytes")
    return box(b"uuid", PROOF_UUID, payload)


def proof_size(data: bytes) -> int | None:
    """The size that the box at the beginning of ``data`` claims, if it is a proof box; else None."""
    if data[4:PROOF_AT] != PROOF_MARK:
        return None
    size = int.from_bytes(data[:4], "big")
    return size if PROOF_AT <= size <= MAX_PROOF_BYTES else None


def clip_head(track: Track, duration_ms: int) -> bytes:
    """``ftyp`` and ``moov``: as in the init segment, but of a brand that promises less, and with a duration."""
    return _FILE_TYPE + movie(track, extends=full_box(b"mehd", 1, 0, duration_ms.to_bytes(8, "big")))


def read_duration_ms(head: bytes) -> int:
    """The duration in a clip's beginning; whether it is one, ``clip_head`` with this duration tells."""
    at = max(0, len(head) - _DURATION_BACK)
    return int.from_bytes(head[at : at + 8], "big")


def carry(segment: Data, *, base_ticks: int, sequence: int) -> Carried:
    """The ``moof`` for a segment file and the header of the ``mdat`` that is to hold it. Raises MediaError.

    ``base_ticks`` is the decode time that the clip calls 0. One ``trun`` for each fragment of the segment, with the
    same table, so that nothing is left out and nothing comes in another order.
    """
    with memoryview(segment) as view:
        layout = read_segment(view)
        at = layout.decode_time - base_ticks
        if base_ticks < 0 or at < 0:
            raise MediaError(f"clip: a segment at {layout.decode_time} ticks, counted from {base_ticks}")
        moof = _moof(view, layout.fragments, at, sequence)
        size = HEADER_BYTES + len(view)
        return Carried(head=moof + struct.pack(">I4s", size, b"mdat"), to_ticks=at + layout.duration)


def carried_base(head: bytes, segment: Data) -> int | None:
    """The decode time that the boxes ``head`` in front of ``segment`` call 0; None where ``carry`` writes others."""
    if len(head) < _FIRST_BOXES.size:
        return None
    shown, sequence = (int.from_bytes(head[at:end], "big") for at, end in ((_TIME_AT, _TIME_AT + 8), (20, 24)))
    try:
        base_ticks = read_segment(segment).decode_time - shown
        return base_ticks if carry(segment, base_ticks=base_ticks, sequence=sequence).head == head else None
    except MediaError:
        return None


def _moof(view: memoryview, fragments: Sequence[FragmentLayout], at: int, sequence: int) -> bytes:
    tables = [
        bytes(view[part.offset + HEAD_BYTES : part.offset + HEAD_BYTES + 12 * part.samples]) for part in fragments
    ]
    size = _FIRST_BOXES.size + sum(20 + len(table) for table in tables)
    first = (size, b"moof", 16, b"mfhd", 0, sequence, size - 24, b"traf", 16, b"tfhd", 0x0002_0000, TRACK_ID)
    parts = [_FIRST_BOXES.pack(*first, 20, b"tfdt", 0x0100_0000, at)]
    for part, table in zip(fragments, tables, strict=True):
        # The samples lie behind this moof, the mdat's header, and the fragment's own moof and mdat header.
        data_at = size + HEADER_BYTES + part.offset + HEAD_BYTES + len(table) + HEADER_BYTES
        parts.append(struct.pack(">I4sIII", 20 + len(table), b"trun", 0x0100_0701, part.samples, data_at))
        parts.append(table)
    return b"".join(parts)
