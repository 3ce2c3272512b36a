"""Parameter sets and the AVC decoder configuration record."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cmaf.avc import codec_string, decoder_configuration, parse_sps, read_decoder_configuration
from cmaf.errors import MediaError
from tests.fakes.tinyh264 import TinyEncoder

HIGH, BASELINE = TinyEncoder(), TinyEncoder(40, 22, high=False)

# Written by x264 for 1080p: cropped by 8 lines, with VUI and emulation prevention.
X264 = {
    "67640028acb403c0113f2c20000003002000000651e30654": (100, 1, 8),
    "677a0028b6cb403c0113f130800000030080000019478c1950": (122, 2, 10),
    "67f40028919680780227e261000003000100000300328f1832a0": (244, 3, 8),
    "674d4028f403c0227ee1000003000100000300329f162ea0": (77, 1, 8),  # interlaced
}


def test_a_high_profile_sps_is_understood() -> None:
    found = parse_sps(HIGH.sps)
    assert (found.profile_idc, found.constraint_flags, found.level_idc, found.sps_id) == (100, 0, 10, 0)
    assert (found.chroma_format_idc, found.bit_depth_luma, found.bit_depth_chroma) == (1, 8, 8)
    assert (found.width, found.height) == (32, 32)


def test_cropping_is_taken_off_the_picture_size() -> None:
    found = parse_sps(BASELINE.sps)
    assert (found.profile_idc, found.width, found.height) == (66, 40, 22)


@pytest.mark.parametrize(("text", "expected"), X264.items())
def test_what_x264_writes_is_understood(text: str, expected: tuple[int, int, int]) -> None:
    found = parse_sps(bytes.fromhex(text))
    assert (found.width, found.height, found.level_idc) == (1920, 1080, 40)
    assert (found.profile_idc, found.chroma_format_idc, found.bit_depth_luma) == expected


def sps(profile: int, *fields: str) -> bytes:
    """An SPS of bits; blanks separate syntax elements."""
    bits = "".join(fields).replace(" ", "") + "1"
    bits += "0" * (-len(bits) % 8)
    return bytes((0x67, profile, 0, 10)) + int(bits, 2).to_bytes(len(bits) // 8, "big")


SEVEN_BY_FOUR = "00111 00100 1 1 0 0"
"""Macroblocks; frames only, direct_8x8_inference, no cropping, no VUI."""


def test_scaling_lists_are_passed_over() -> None:
    found = parse_sps(
        sps(
            100,
            "1 010 1 1 0 1",  # id 0, 4:2:0, 8 bits twice, no bypass, scaling lists
            "1 00101" + "1" * 15 + "0",  # the first has a delta of -2 and fifteen of 0, the second is absent
            "1 000010001 00000",  # the third ends at once with a delta of -8, the others are absent
            "1 011 010 0",  # frame_num of 4 bits, order type 2, 1 reference, no gaps
            SEVEN_BY_FOUR,
        )
    )
    assert (found.width, found.height) == (112, 64)


def test_the_fields_of_order_count_type_1_are_passed_over() -> None:
    found = parse_sps(
        sps(
            66,
            "1 1 010",  # id 0, frame_num of 4 bits, order type 1
            "0 1 1 011 010 1",  # offsets of 0, a cycle of two: +1 and 0
            "010 0",  # 1 reference, no gaps
            SEVEN_BY_FOUR,
        )
    )
    assert (found.width, found.height) == (112, 64)


def test_baseline_gets_no_chroma_fields_and_high_does() -> None:
    baseline = decoder_configuration(BASELINE.sps, [BASELINE.pps])
    assert baseline.hex() == (
        f"0142c00affe1{len(BASELINE.sps):04x}{BASELINE.sps.hex()}01{len(BASELINE.pps):04x}{BASELINE.pps.hex()}"
    )
    high = decoder_configuration(HIGH.sps, [HIGH.pps])
    assert high.hex() == (
        f"0164000affe1{len(HIGH.sps):04x}{HIGH.sps.hex()}01{len(HIGH.pps):04x}{HIGH.pps.hex()}fdf8f800"
    )


def test_a_record_is_read_back_with_all_its_parameter_sets() -> None:
    second = HIGH.pps + b"\x01"
    found = read_decoder_configuration(decoder_configuration(HIGH.sps, [HIGH.pps, second]))
    assert (found.sps, found.pps) == (HIGH.sps, (HIGH.pps, second))
    assert found.parsed == parse_sps(HIGH.sps)


def test_the_codec_string_names_profile_constraints_and_level() -> None:
    assert codec_string(HIGH.sps) == "avc1.64000a"
    assert codec_string(BASELINE.sps) == "avc1.42c00a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "0 bytes"),
        (b"\x68" + HIGH.sps[1:], "NAL header is 0x68"),
        (b"\xe7" + HIGH.sps[1:], "NAL header is 0xe7"),
        (b"\x67\x63" + HIGH.sps[2:], "unknown profile_idc 99"),
        (b"\x67\x00\x00\x03", "unknown profile_idc 0"),
        (HIGH.sps[:6], "ends too early"),
        (HIGH.sps[:4] + bytes(40), "no Exp-Golomb code"),
        (HIGH.sps[:4] + b"\x00\x00\x80", "ends too early"),
    ],
)
def test_a_broken_sps_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(MediaError, match=said):
        parse_sps(text)


@pytest.mark.parametrize("size", range(1, len(HIGH.sps)))
def test_an_sps_cut_off_anywhere_is_refused(size: int) -> None:
    with pytest.raises(MediaError):
        parse_sps(HIGH.sps[:size])


@pytest.mark.parametrize("pps_list", [[], [b""], [b"\x68"], [HIGH.sps], [HIGH.pps] * 256])
def test_a_record_needs_real_picture_parameter_sets(pps_list: list[bytes]) -> None:
    with pytest.raises(MediaError, match="PPS"):
        decoder_configuration(HIGH.sps, pps_list)


AVCC = decoder_configuration(HIGH.sps, [HIGH.pps])


@pytest.mark.parametrize("at", range(len(AVCC)))
def test_a_record_that_does_not_follow_from_its_sps_or_is_cut_off_is_refused(at: int) -> None:
    with pytest.raises(MediaError):
        read_decoder_configuration(AVCC[:at])
    with pytest.raises(MediaError):
        read_decoder_configuration(AVCC + AVCC[: at + 1])


@given(st.binary(max_size=64))
@example(b"\x67\x64\x00\x0a" + b"\xff" * 4000)
@example(b"\x67\x64\x00\x0a" + b"\x00\x00\x80" * 20000)
def test_any_bytes_as_sps_raise_at_most_a_media_error(tail: bytes) -> None:
    for text in (tail, b"\x67\x64\x00\x28" + tail, b"\x67\x42\xc0\x28" + tail, b"\x67\xf4\x00\x28" + tail):
        try:
            found = parse_sps(text)
        except MediaError:
            continue
        assert 1 <= found.width <= 16384
        assert 1 <= found.height <= 32768


@given(st.data())
def test_a_mutated_record_raises_at_most_a_media_error(data: st.DataObject) -> None:
    changed = bytearray(AVCC)
    for at in data.draw(st.lists(st.integers(0, len(AVCC) - 1), max_size=4)):
        changed[at] = data.draw(st.integers(0, 255))
    try:
        found = read_decoder_configuration(bytes(changed))
    except MediaError:
        return
    assert decoder_configuration(found.sps, found.pps) == changed
