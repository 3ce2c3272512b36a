"""Access units into NAL units, and NAL units into samples (H.264 Annex B, ISO/IEC 14496-15)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmaf.annexb import holds_idr, parameter_sets, sample, split
from cmaf.errors import MediaError
from tests.fakes.tinyh264 import TinyEncoder

SPS, OTHER_SPS, PPS, OTHER_PPS = b"\x67\x42\x01", b"\x67\x42\x02", b"\x68\xce", b"\x68\xcf"
SEI, AUD, IDR, SECOND_SLICE, P = b"\x06\x05\x01", b"\x09\x10", b"\x65\x88\x84", b"\x65\x01\x84", b"\x41\x9a"


def stream(*nals: bytes, start: bytes = b"\x00\x00\x00\x01") -> bytes:
    return b"".join(start + nal for nal in nals)


def test_start_codes_of_both_lengths_may_be_mixed() -> None:
    au = b"\x00\x00\x00\x01" + SPS + b"\x00\x00\x01" + PPS + b"\x00\x00\x00\x01" + SEI + b"\x00\x00\x01" + IDR
    assert split(au) == [SPS, PPS, SEI, IDR]


def test_zero_bytes_around_nal_units_belong_to_none() -> None:
    au = b"\x00" * 9 + b"\x01" + SPS + b"\x00" * 70 + b"\x01" + IDR + b"\x00" * 5
    assert split(au) == [SPS, IDR]


def test_emulation_prevention_is_kept_and_makes_no_start_code() -> None:
    escaped = b"\x65\x00\x00\x03\x01\x00\x00\x03\x00\x00\x03"
    assert split(stream(escaped)) == [escaped]


def test_splitting_copies_nothing() -> None:
    au = stream(SPS, IDR)
    assert all(nal.obj is au for nal in split(au))


@pytest.mark.parametrize(
    ("au", "said"),
    [
        (b"", "no start code"),
        (b"\x00\x00\x00", "no start code"),
        (b"\x65\x88", "no start code"),
        (b"\x02\x00\x00\x01\x65", "before the first start code"),
        (b"\x00\x00\x01", "empty NAL unit at byte 3"),
        (b"\x00\x00\x01\x65\x00\x00\x01", "empty NAL unit at byte 7"),
        (b"\x00\x00\x01\x00\x00\x00\x00", "empty NAL unit at byte 3"),
        (b"\x00\x00\x01\x00\x00\x00\x01\x65", "empty NAL unit at byte 3"),
        (b"\x00\x00\x01\xe5\x88", "forbidden_zero_bit set at byte 3"),
    ],
)
def test_bytes_that_are_no_byte_stream_are_refused(au: bytes, said: str) -> None:
    with pytest.raises(MediaError, match=said):
        split(au)


def test_a_sample_leaves_out_parameter_sets_and_delimiter_and_keeps_sei_and_all_slices() -> None:
    nals = split(stream(AUD, SPS, PPS, SEI, IDR, SECOND_SLICE))
    assert sample(nals) == b"".join(len(nal).to_bytes(4, "big") + nal for nal in (SEI, IDR, SECOND_SLICE))
    assert holds_idr(nals)


def test_an_access_unit_without_a_slice_makes_no_sample() -> None:
    with pytest.raises(MediaError, match="no coded slice"):
        sample(split(stream(SPS, PPS, SEI)))


def test_a_predicted_picture_is_no_idr_picture_and_carries_no_parameter_sets() -> None:
    nals = split(stream(AUD, P))
    assert not holds_idr(nals)
    assert parameter_sets(nals) is None


def test_parameter_sets_are_found_once_each() -> None:
    found = parameter_sets(split(stream(SPS, PPS, OTHER_PPS, SPS, PPS, IDR)))
    assert found is not None
    assert (found.sps, found.pps) == (SPS, (PPS, OTHER_PPS))


@pytest.mark.parametrize("nals", [(SPS, OTHER_SPS, PPS), (SPS,), (PPS,)])
def test_two_sps_or_one_kind_without_the_other_are_refused(nals: tuple[bytes, ...]) -> None:
    with pytest.raises(MediaError, match="different SPS"):
        parameter_sets(split(stream(*nals, IDR)))


def test_the_tiny_encoder_gives_the_same_bytes_each_time_and_both_start_codes() -> None:
    first, second = TinyEncoder(), TinyEncoder()
    au = first.idr(90)
    assert au == second.idr(90)
    assert first.p(macroblock=1, level=3) == second.p(macroblock=1, level=3)
    assert au.startswith(b"\x00\x00\x00\x01\x67")
    assert b"\x84\x00\x00\x01\x65" not in au
    assert b"\x00\x00\x01\x65" in au
    assert b"\x00\x00\x00\x01\x65" not in au


@given(st.lists(st.binary(min_size=1).map(lambda tail: b"\x41" + tail.replace(b"\x00", b"\x01")), min_size=1))
def test_what_is_joined_by_start_codes_comes_apart_again(nals: list[bytes]) -> None:
    assert split(stream(*nals)) == nals
    assert split(stream(*nals, start=b"\x00\x00\x01")) == nals


@given(st.lists(st.sampled_from([b"\x00", b"\x01", b"\x00\x00\x01", b"\x41", b"\x67\xff", b"\x80"])).map(b"".join))
def test_any_bytes_split_or_raise_a_media_error(au: bytes) -> None:
    try:
        nals = split(au)
    except MediaError:
        return
    assert all(len(nal) and nal[-1] and b"\x00\x00\x01" not in bytes(nal) for nal in nals)
    assert au.replace(b"\x00", b"") == b"\x01".join([b"", *(bytes(nal) for nal in nals)]).replace(b"\x00", b"")
