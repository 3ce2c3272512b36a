"""The H.264 byte stream (ITU-T H.264, Annex B) and the samples made from it (ISO/IEC 14496-15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from cmaf.errors import MediaError

_START = b"\x00\x00\x01"


class NalType(IntEnum):
    """``nal_unit_type`` (H.264, table 7-1), as far as this package looks at it."""

    SLICE = 1
    IDR = 5
    SEI = 6
    SPS = 7
    PPS = 8
    AUD = 9


_TYPE_BITS = 0x1F
_FORBIDDEN_BIT = 0x80
# Plain integers in plain sets: these tests run for every NAL unit of every picture.
_PICTURE = frozenset({1, 5})
_LEFT_OUT = frozenset({7, 8, 9})


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSets:
    """The parameter sets that came with a picture, NAL header included, no start codes."""

    sps: bytes
    pps: tuple[bytes, ...]


def split(au: bytes) -> list[memoryview]:
    """The NAL units of one access unit, in order, without start codes; views into ``au``, nothing is copied.

    Start codes of 3 and 4 bytes may be mixed. Zero bytes around NAL units belong to none of them
    (B.1.1: a NAL unit never ends in 0x00). Raises MediaError for anything else before the first
    start code, for an empty NAL unit and for a set forbidden_zero_bit. Linear in time.
    """
    found = au.find(_START)
    if found < 0:
        raise MediaError("access unit: no start code")
    if found and au[:found].strip(b"\x00"):
        raise MediaError("access unit: bytes before the first start code")
    view = memoryview(au)
    nals = []
    while found >= 0:
        begin = found + 3
        found = au.find(_START, begin)
        end = found if found >= 0 else len(au)
        # At most one zero is the rule (the long start code); more are stripped in C, not one by one.
        if end > begin and au[end - 1] == 0:
            end -= 1
            if end > begin and au[end - 1] == 0:
                end = begin + len(au[begin:end].rstrip(b"\x00"))
        if end == begin:
            raise MediaError(f"access unit: empty NAL unit at byte {begin}")
        if au[begin] & _FORBIDDEN_BIT:
            raise MediaError(f"access unit: forbidden_zero_bit set at byte {begin}")
        nals.append(view[begin:end])
    return nals


def holds_idr(nals: Sequence[memoryview]) -> bool:
    """Whether the access unit is an IDR picture, so that decoding can begin with it."""
    return any(nal[0] & _TYPE_BITS == NalType.IDR for nal in nals)


def sample(nals: Sequence[memoryview]) -> bytes:
    """The access unit as an ``avc1`` sample: each NAL unit behind its length in 4 bytes, big-endian.

    SPS, PPS and access unit delimiters are left out (an ``avc1`` track carries parameter sets in
    its sample entry only); SEI and all slices are kept. Raises MediaError where no slice is left.
    """
    parts: list[bytes | memoryview] = []
    picture = False
    for nal in nals:
        kind = nal[0] & _TYPE_BITS
        if kind in _LEFT_OUT:
            continue
        picture = picture or kind in _PICTURE
        parts.append(len(nal).to_bytes(4, "big"))
        parts.append(nal)
    if not picture:
        raise MediaError("access unit: no coded slice")
    return b"".join(parts)


def parameter_sets(nals: Sequence[memoryview]) -> ParameterSets | None:
    """The SPS and the PPSs of the access unit, repetitions dropped; None where it carries neither.

    Because ``sample`` drops them, a writer compares these with its track's and begins a new run
    where they differ. Raises MediaError for two different SPSs, and for one kind without the other.
    """
    sps: dict[bytes, None] = {}
    pps: dict[bytes, None] = {}
    for nal in nals:
        kind = nal[0] & _TYPE_BITS
        if kind == NalType.SPS:
            sps[bytes(nal)] = None
        elif kind == NalType.PPS:
            pps[bytes(nal)] = None
    if not sps and not pps:
        return None
    if len(sps) != 1 or not pps:
        raise MediaError(f"access unit: {len(sps)} different SPS and {len(pps)} PPS")
    return ParameterSets(sps=next(iter(sps)), pps=tuple(pps))
