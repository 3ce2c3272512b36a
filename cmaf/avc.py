"""H.264 parameter sets (ITU-T H.264, 7.3.2.1) and the AVC decoder configuration record (ISO/IEC 14496-15, 5.3.3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from cmaf.annexb import NalType
from cmaf.errors import MediaError

_PLAIN_PROFILES = frozenset({66, 77, 88})
"""Baseline, Main and Extended: 4:2:0 and 8 bits are implied, in the SPS and in the record."""

_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135, 144})
"""Profiles whose SPS tells chroma format and bit depths."""

_LARGEST_SIDE_MBS = 1024
"""16,384 pixels; larger than any level of the standard allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceParameterSet:
    """What an SPS says, as far as a container needs it. ``width`` and ``height`` are pixels after cropping."""

    profile_idc: int
    constraint_flags: int
    level_idc: int
    sps_id: int
    chroma_format_idc: int
    bit_depth_luma: int
    bit_depth_chroma: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderConfiguration:
    """An ``avcC`` record taken apart: parameter sets with their NAL headers, and what the SPS says."""

    sps: bytes
    pps: tuple[bytes, ...]
    parsed: SequenceParameterSet


class _Bits:
    """Reads an RBSP bit by bit; running out of it is a MediaError."""

    __slots__ = ("_at", "_length", "_value")

    def __init__(self, rbsp: bytes) -> None:
        self._value = int.from_bytes(rbsp, "big")
        self._length = len(rbsp) * 8
        self._at = 0

    def u(self, count: int) -> int:
        self._at += count
        if self._at > self._length:
            raise MediaError("SPS: ends too early")
        return self._value >> (self._length - self._at) & ((1 << count) - 1)

    def ue(self, name: str, most: int) -> int:
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise MediaError(f"SPS: {name} is no Exp-Golomb code")
        value = (1 << zeros) - 1 + self.u(zeros)
        if value > most:
            raise MediaError(f"SPS: {name} is {value}, more than {most}")
        return value

    def se(self, name: str) -> int:
        code = self.ue(name, 2**32)
        return (code + 1) // 2 if code & 1 else -(code // 2)


def parse_sps(sps: bytes) -> SequenceParameterSet:
    """Read a sequence parameter set, its NAL header included. The VUI is not looked at. Raises MediaError."""
    if not 4 <= len(sps) <= 0xFFFF:
        raise MediaError(f"SPS: {len(sps)} bytes long")
    if sps[0] & 0x80 or sps[0] & 0x1F != NalType.SPS:
        raise MediaError(f"SPS: NAL header is {sps[0]:#04x}")
    profile, constraints, level = sps[1:4]
    if profile not in _PLAIN_PROFILES and profile not in _HIGH_PROFILES:
        raise MediaError(f"SPS: unknown profile_idc {profile}")
    # The profile is not 0, so the first emulation prevention byte is the fifth at the earliest. What is read
    # lies in the first few hundred bytes at the very most; a hostile rest costs nothing.
    bits = _Bits(sps[1:2048].replace(b"\x00\x00\x03", b"\x00\x00")[3:])
    sps_id = bits.ue("seq_parameter_set_id", 31)
    chroma, depth_luma, depth_chroma, planes = 1, 8, 8, 0
    if profile in _HIGH_PROFILES:
        chroma = bits.ue("chroma_format_idc", 3)
        planes = bits.u(1) if chroma == 3 else 0
        depth_luma += bits.ue("bit_depth_luma_minus8", 6)
        depth_chroma += bits.ue("bit_depth_chroma_minus8", 6)
        bits.u(1)  # qpprime_y_zero_transform_bypass_flag
        if bits.u(1):
            _skip_scaling_lists(bits, 12 if chroma == 3 else 8)
    bits.ue("log2_max_frame_num_minus4", 12)
    order = bits.ue("pic_order_cnt_type", 2)
    if order == 0:
        bits.ue("log2_max_pic_order_cnt_lsb_minus4", 12)
    elif order == 1:
        bits.u(1)
        bits.se("offset_for_non_ref_pic")
        bits.se("offset_for_top_to_bottom_field")
        for _ in range(bits.ue("num_ref_frames_in_pic_order_cnt_cycle", 255)):
            bits.se("offset_for_ref_frame")
    bits.ue("max_num_ref_frames", 16)
    bits.u(1)  # gaps_in_frame_num_value_allowed_flag
    width = 16 * (bits.ue("pic_width_in_mbs_minus1", _LARGEST_SIDE_MBS - 1) + 1)
    map_units = bits.ue("pic_height_in_map_units_minus1", _LARGEST_SIDE_MBS - 1) + 1
    frames_only = bits.u(1)
    height = 16 * map_units * (2 - frames_only)
    if not frames_only:
        bits.u(1)  # mb_adaptive_frame_field_flag
    bits.u(1)  # direct_8x8_inference_flag
    if bits.u(1):
        array_type = 0 if planes else chroma
        unit_x = 2 if array_type in (1, 2) else 1
        unit_y = (2 if array_type == 1 else 1) * (2 - frames_only)
        left, right = bits.ue("frame_crop_left_offset", width), bits.ue("frame_crop_right_offset", width)
        top, bottom = bits.ue("frame_crop_top_offset", height), bits.ue("frame_crop_bottom_offset", height)
        width -= unit_x * (left + right)
        height -= unit_y * (top + bottom)
        if width <= 0 or height <= 0:
            raise MediaError("SPS: nothing is left after cropping")
    bits.u(1)  # vui_parameters_present_flag: the last bit that an SPS without VUI must have
    return SequenceParameterSet(
        profile_idc=profile,
        constraint_flags=constraints,
        level_idc=level,
        sps_id=sps_id,
        chroma_format_idc=chroma,
        bit_depth_luma=depth_luma,
        bit_depth_chroma=depth_chroma,
        width=width,
        height=height,
    )


def _skip_scaling_lists(bits: _Bits, count: int) -> None:
    """7.3.2.1.1.1: a list ends early where the next scale becomes 0."""
    for index in range(count):
        if not bits.u(1):
            continue
        last = scale = 8
        for _ in range(16 if index < 6 else 64):
            if scale:
                scale = (last + bits.se("delta_scale")) % 256
            last = scale or last


def decoder_configuration(sps: bytes, pps_list: Sequence[bytes]) -> bytes:
    """The ``avcC`` record for one SPS and 1 to 255 PPSs, NAL lengths in 4 bytes. Raises MediaError.

    Profiles above Extended add chroma format and bit depths, as taken from the SPS itself.
    """
    parsed = parse_sps(sps)
    if not 1 <= len(pps_list) <= 255:
        raise MediaError(f"avcC: {len(pps_list)} PPS")
    parts = [bytes((1, *sps[1:4], 0xFF, 0xE1)), len(sps).to_bytes(2, "big"), sps, bytes((len(pps_list),))]
    for pps in pps_list:
        if not 2 <= len(pps) <= 0xFFFF or pps[0] & 0x80 or pps[0] & 0x1F != NalType.PPS:
            raise MediaError("avcC: not a PPS")
        parts += [len(pps).to_bytes(2, "big"), pps]
    if parsed.profile_idc not in _PLAIN_PROFILES:
        chroma = 0xFC | parsed.chroma_format_idc
        parts.append(bytes((chroma, 0xF8 | parsed.bit_depth_luma - 8, 0xF8 | parsed.bit_depth_chroma - 8, 0)))
    return b"".join(parts)


def read_decoder_configuration(avcc: bytes) -> DecoderConfiguration:
    """Take an ``avcC`` record apart. Only what ``decoder_configuration`` writes is accepted; else MediaError."""
    sps, at = _counted_nal(avcc, 6)
    count = int.from_bytes(avcc[at : at + 1], "big")
    at += 1
    pps: list[bytes] = []
    for _ in range(count):
        nal, at = _counted_nal(avcc, at)
        pps.append(nal)
    if decoder_configuration(sps, pps) != avcc:
        raise MediaError("avcC: does not follow from its own SPS and PPS")
    return DecoderConfiguration(sps=sps, pps=tuple(pps), parsed=parse_sps(sps))


def _counted_nal(avcc: bytes, at: int) -> tuple[bytes, int]:
    begin = at + 2
    end = begin + int.from_bytes(avcc[at:begin], "big")
    if end > len(avcc) or begin > len(avcc):
        raise MediaError(f"avcC: ends inside the parameter set at byte {at}")
    return avcc[begin:end], end


def codec_string(sps: bytes) -> str:
    """The RFC 6381 name of the stream, such as ``avc1.640028``: profile, constraint flags and level in hex."""
    parse_sps(sps)
    return f"avc1.{sps[1:4].hex()}"
