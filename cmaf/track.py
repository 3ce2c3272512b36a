"""The one video track of a run and its init segment (the CMAF header, ISO/IEC 23000-19)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from cmaf.avc import decoder_configuration, parse_sps, read_decoder_configuration
from cmaf.boxes import box, full_box
from cmaf.errors import MediaError

TIMESCALE = 90_000
"""Ticks in a second of media time."""

TRACK_ID = 1

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_NO_ENTRIES = bytes(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """All that an init segment depends on. ``avcc`` is the AVC decoder configuration record.

    Making one raises MediaError where ``avcc`` is not exactly what ``decoder_configuration`` writes,
    or where its SPS tells another picture size: a track cannot contradict itself.
    """

    width: int
    height: int
    timescale: int
    avcc: bytes

    def __post_init__(self) -> None:
        sps = read_decoder_configuration(self.avcc).parsed
        if (self.width, self.height) != (sps.width, sps.height):
            raise MediaError(f"track: {self.width}x{self.height}, but the SPS says {sps.width}x{sps.height}")
        if not 1 <= self.timescale <= 0xFFFF_FFFF:
            raise MediaError(f"track: timescale {self.timescale}")


def track_of(sps: bytes, pps_list: Sequence[bytes], timescale: int = TIMESCALE) -> Track:
    """The track of a stream with these parameter sets (NAL headers included). Raises MediaError."""
    parsed = parse_sps(sps)
    return Track(
        width=parsed.width,
        height=parsed.height,
        timescale=timescale,
        avcc=decoder_configuration(sps, pps_list),
    )


def init_segment(track: Track) -> bytes:
    """``ftyp`` and ``moov``. The bytes follow from ``track`` alone, so that a reader can rebuild them.

    Structural brand ``cmf2``: no edit list, and every fragment says all of its samples itself.
    """
    return box(b"ftyp", b"cmf2", bytes(4), b"cmf2", b"cmfc", b"iso6") + movie(track)


def movie(track: Track, *, extends: bytes = b"") -> bytes:
    """``moov``; ``extends`` is a ``mehd`` box, where there is to be one."""
    return box(
        b"moov",
        # times, timescale and duration of nothing; rate 1.0, volume 1.0; next_track_ID
        full_box(b"mvhd", 0, 0, struct.pack(">4IIH10x", 0, 0, 1000, 0, 0x10000, 0x100), _MATRIX, bytes(24), _u32(2)),
        box(
            b"trak",
            # flags: enabled, in movie
            full_box(
                b"tkhd",
                0,
                3,
                struct.pack(">5I8x4H", 0, 0, TRACK_ID, 0, 0, 0, 0, 0, 0),
                _MATRIX,
                struct.pack(">II", track.width << 16, track.height << 16),
            ),
            box(
                b"mdia",
                full_box(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, track.timescale, 0, 0x55C4, 0)),
                full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(13)),
                box(
                    b"minf",
                    full_box(b"vmhd", 0, 1, bytes(8)),
                    box(b"dinf", full_box(b"dref", 0, 0, _u32(1), full_box(b"url ", 0, 1))),
                    box(
                        b"stbl",
                        full_box(b"stsd", 0, 0, _u32(1), _sample_entry(track)),
                        full_box(b"stts", 0, 0, _NO_ENTRIES),
                        full_box(b"stsc", 0, 0, _NO_ENTRIES),
                        full_box(b"stsz", 0, 0, bytes(4), _NO_ENTRIES),
                        full_box(b"stco", 0, 0, _NO_ENTRIES),
                    ),
                ),
            ),
        ),
        box(b"mvex", extends, full_box(b"trex", 0, 0, struct.pack(">5I", TRACK_ID, 1, 0, 0, 0))),
    )


def _sample_entry(track: Track) -> bytes:
    """``avc1``: 72 dpi, one picture a sample, no compressor name, 24 bits of colour."""
    return box(
        b"avc1",
        struct.pack(">6xH16x", 1),
        struct.pack(">HHII4xH32xHh", track.width, track.height, 72 << 16, 72 << 16, 1, 24, -1),
        box(b"avcC", track.avcc),
    )


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "big")
