"""Segment files: what is written, box by box, and what the strict reader refuses."""

import hashlib
import mmap
import struct
import uuid
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from cmaf.annexb import sample, split
from cmaf.avc import decoder_configuration
from cmaf.errors import MediaError
from cmaf.fragment import Sample, fragment, segment_type, ticks
from cmaf.identity import IDENTITY_UUID, MAX_BOX_BYTES, identity_box
from cmaf.read import annexb, complete_length, read_identity, read_segment
from tests.fakes.tinyh264 import TinyEncoder

FPS = 25
BOOT_NS = 98_765_432_109_876
IDENTITY = b'{"v":1,"camera":"front"}'


def pictures(count: int) -> list[bytes]:
    encoder = TinyEncoder()
    return [encoder.idr(90), *(encoder.p(macroblock=i % 4, level=i) for i in range(count - 1))]


def fragments(count: int = 50, each: int = 12, sequence: int = 1) -> list[bytes]:
    at = [ticks(BOOT_NS + i * 1_000_000_000 // FPS) for i in range(count + 1)]
    samples = [
        Sample(data=sample(split(au)), duration=at[i + 1] - at[i], keyframe=i == 0)
        for i, au in enumerate(pictures(count))
    ]
    return [
        fragment(sequence=sequence + n, decode_time=at[begin], samples=samples[begin : begin + each])
        for n, begin in enumerate(range(0, count, each))
    ]


def segment(count: int = 50, each: int = 12, sequence: int = 1) -> bytes:
    return b"".join((identity_box(IDENTITY), segment_type(), *fragments(count, each, sequence)))


SMALL = segment(4, 2)
SMALL_SHA256 = "acc981e0873e170c0f82a4d6c917839b8bcf2bb5f541239942f83ff380867958"
SMALL_FRAGMENTS = fragments(4, 2)
OPENING = identity_box(IDENTITY) + segment_type()


def test_a_fragment_is_what_the_standard_demands_byte_for_byte() -> None:
    samples = [Sample(data=b"key", duration=3600, keyframe=True), Sample(data=b"other", duration=3601, keyframe=False)]
    assert fragment(sequence=7, decode_time=2**40 + 5, samples=samples) == b"".join(
        map(
            bytes.fromhex,
            (
                "00000070 6d6f6f66",  # moof
                "00000010 6d666864 00000000 00000007",  # mfhd
                "00000058 74726166",  # traf
                "00000010 74666864 00020000 00000001",  # tfhd: default-base-is-moof, track 1
                "00000014 74666474 01000000 0000010000000005",  # tfdt, 64 bit
                "0000002c 7472756e 01000701 00000002 00000078",  # trun: 2 samples, data at 120
                "00000e10 00000003 02000000",  # 3600 ticks, 3 bytes, a sync sample
                "00000e11 00000005 01010000",
                "00000010 6d646174 6b6579 6f74686572",  # mdat
            ),
        )
    )


def test_the_segment_type_names_cmaf_segment_and_fragment() -> None:
    assert segment_type() == b"\x00\x00\x00\x20styp" + b"cmfs" + bytes(4) + b"cmfscmffmsdhiso6"


def test_the_identity_box_has_its_own_extended_type() -> None:
    assert uuid.uuid5(uuid.NAMESPACE_URL, "https://unbroken.example/identity/1").bytes == IDENTITY_UUID
    assert identity_box(b"{}") == b"\x00\x00\x00\x1auuid" + IDENTITY_UUID + b"{}"


def test_the_same_pictures_give_the_same_file() -> None:
    assert segment() == segment()
    assert hashlib.sha256(SMALL).hexdigest() == SMALL_SHA256


def test_a_segment_is_read_back_as_it_was_written() -> None:
    data = segment()
    found = read_segment(data)
    start, end = ticks(BOOT_NS), ticks(BOOT_NS + 2_000_000_000)
    assert found.identity == IDENTITY
    assert (found.decode_time, found.duration) == (start, end - start)
    assert (found.samples, found.keyframes, found.first_is_keyframe) == (50, 1, True)
    assert (found.longest_sample, len(found.durations), sum(found.durations)) == (3600, 50, end - start)
    assert [f.sequence for f in found.fragments] == [1, 2, 3, 4, 5]
    assert [f.samples for f in found.fragments] == [12, 12, 12, 12, 2]
    at = len(OPENING)
    for part in found.fragments:
        assert data[at + 4 : at + 8] == b"moof"
        assert part.offset == at
        at += part.size
    assert at == len(data)


def test_durations_never_add_up_to_a_rounding_error() -> None:
    spacing_ns = 33_366_701  # 29.97 frames a second
    at = [ticks(BOOT_NS + i * spacing_ns) for i in range(10_001)]
    assert at[0] + sum(b - a for a, b in pairwise(at)) == ticks(BOOT_NS + 10_000 * spacing_ns)
    assert ticks(10**18 - 1) == 90_000 * 10**9 - 1
    assert ticks(1_500_000_000, 1000) == 1500


def test_a_partial_group_of_one_picture_is_a_segment() -> None:
    found = read_segment(segment(1))
    assert (found.samples, len(found.fragments), found.longest_sample) == (1, 1, found.duration)


def test_a_segment_may_be_read_from_a_mapped_file_which_can_then_be_closed(tmp_path: Path) -> None:
    path = tmp_path / "000000.m4s"
    path.write_bytes(SMALL + b"torn")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert complete_length(mapped) == len(SMALL)
        assert read_identity(mapped) == IDENTITY
        with pytest.raises(MediaError) as caught:
            read_segment(mapped)
    assert caught.value.__traceback__ is not None
    assert read_segment(memoryview(SMALL)) == read_segment(SMALL) == read_segment(bytearray(SMALL))


def test_the_identity_is_read_from_the_head_of_a_file_alone() -> None:
    assert read_identity(OPENING[:-1]) == IDENTITY
    longest = bytes(MAX_BOX_BYTES - 24)
    assert read_identity(identity_box(longest) + SMALL) == longest


@pytest.mark.parametrize("payload", [b"", bytes(MAX_BOX_BYTES - 23)])
def test_an_identity_that_is_empty_or_too_long_is_not_written(payload: bytes) -> None:
    with pytest.raises(MediaError, match="identity box"):
        identity_box(payload)


def test_a_segment_becomes_a_byte_stream_again() -> None:
    encoder = TinyEncoder()
    stream = annexb(SMALL, decoder_configuration(encoder.sps, [encoder.pps]))
    written = b"".join(pictures(4))
    assert split(stream) == split(written)


GOOD = Sample(data=b"picture", duration=3600, keyframe=True)


@pytest.mark.parametrize(
    "write",
    [
        lambda: fragment(sequence=1, decode_time=0, samples=[]),
        lambda: fragment(sequence=0, decode_time=0, samples=[GOOD]),
        lambda: fragment(sequence=2**32, decode_time=0, samples=[GOOD]),
        lambda: fragment(sequence=1, decode_time=-1, samples=[GOOD]),
        lambda: fragment(sequence=1, decode_time=2**64 - 3600, samples=[GOOD]),
        lambda: fragment(sequence=1, decode_time=0, samples=[Sample(data=b"", duration=1, keyframe=True)]),
        lambda: fragment(sequence=1, decode_time=0, samples=[Sample(data=b"x", duration=0, keyframe=True)]),
        lambda: fragment(sequence=1, decode_time=0, samples=[Sample(data=b"x", duration=-5, keyframe=True)]),
        lambda: fragment(sequence=1, decode_time=0, samples=[Sample(data=b"x", duration=2**32, keyframe=True)]),
    ],
)
def test_a_fragment_that_could_not_be_read_is_not_written(write: Callable[[], bytes]) -> None:
    with pytest.raises(MediaError):
        write()


def changed(at: int, form: str, value: int) -> bytes:
    """SMALL with a number changed, ``at`` bytes behind the opening."""
    data = bytearray(SMALL)
    struct.pack_into(form, data, len(OPENING) + at, value)
    return bytes(data)


FIRST, SECOND = SMALL_FRAGMENTS
FREE = b"\x00\x00\x00\x08free"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "byte 0: no room for a uuid box"),
        (SMALL[len(identity_box(IDENTITY)) :], "b'styp' where a uuid box must be"),
        (OPENING, "without a fragment"),
        (identity_box(IDENTITY) + FIRST, "not the segment's styp box"),
        (identity_box(IDENTITY) * 2 + SMALL, "not the segment's styp box"),
        (b"\x00\x00\x00\x18uuid" + IDENTITY_UUID + segment_type() + FIRST, "empty identity box"),
        (b"\x00\x00\x00\x19uuid" + bytes(16) + b"{" + segment_type() + FIRST, "extended type"),
        (struct.pack(">I4s", 65_537, b"uuid") + IDENTITY_UUID + bytes(70_000), "uuid box of 65537 bytes"),
        (OPENING + FREE + FIRST, "b'free' where a moof box must be"),
        (OPENING + FIRST + FREE + SECOND, "b'free' where a moof box must be"),
        (SMALL + FREE, "b'free' where a moof box must be"),
        (SMALL + b"\x00", "no room for a moof box"),
        (SMALL[:-1], "mdat box of"),
        (OPENING + FIRST + FIRST, "fragment 1 after 1"),
        (OPENING + SECOND + FIRST, "fragment 1 after 2"),
        (OPENING + FIRST + fragments(4, 1)[1], "does not follow on"),
        (changed(0, ">I", 0), "moof box of 0 bytes"),
        (changed(0, ">I", 1), "moof box of 1 bytes"),
        (changed(0, ">I", 87), "moof box of 87 bytes"),
        (changed(0, ">I", 2**32 - 1), "moof box of 4294967295 bytes"),
        (changed(0, ">I", 124), "moof box is not as it must be"),
        (changed(8, ">I", 17), "mfhd box is not"),
        (changed(20, ">I", 0), "sequence 0"),
        (changed(24, ">I", 1), "traf box is not"),
        (changed(40, ">I", 0x0002_0001), "tfhd box is not"),
        (changed(44, ">I", 2), "tfhd box is not"),
        (changed(56, ">I", 0), "tfdt box is not"),
        (changed(60, ">Q", 2**64 - 1), "ends at"),
        (changed(76, ">I", 0x0000_0701), "trun box is not"),
        (changed(80, ">I", 0), "is not as it must be"),
        (changed(80, ">I", 1), "is not as it must be"),
        (changed(80, ">I", 2**32 - 1), "is not as it must be"),
        (changed(84, ">I", 121), "trun box is not"),
        (changed(88, ">I", 0), "one of 0 ticks"),
        (changed(88, ">I", 3601), "does not follow on"),
        (changed(92, ">I", 0), "an empty sample"),
        (changed(92, ">I", 2**32 - 1), "not exactly its samples"),
        (changed(96, ">I", 0x0100_0000), "unknown sample flags"),
        (changed(112, ">I", 0), "mdat box of 0 bytes"),
        (changed(112, ">I", 8), "not exactly its samples"),
        (changed(116, ">I", 0), "where a mdat box must be"),
    ],
)
def test_a_file_that_fragment_would_not_write_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(MediaError, match=said):
        read_segment(data)


def test_samples_that_are_not_whole_nal_units_make_no_byte_stream() -> None:
    encoder = TinyEncoder()
    avcc = decoder_configuration(encoder.sps, [encoder.pps])
    for data in (b"\x00\x00\x00\x05\x65", b"\x00\x00\x00\x00", b"\x00\x00\x00", b"\x00\x00\x00\x01\x65\x00"):
        bad = fragment(sequence=1, decode_time=0, samples=[Sample(data=data, duration=1, keyframe=True)])
        with pytest.raises(MediaError, match="whole NAL units"):
            annexb(OPENING + bad, avcc)
    with pytest.raises(MediaError, match="without a fragment"):
        annexb(OPENING, avcc)


def test_a_file_cut_off_at_any_byte_keeps_its_whole_fragments() -> None:
    first, second = len(OPENING) + len(FIRST), len(SMALL)
    for size in range(len(SMALL) + 1):
        kept = complete_length(SMALL[:size])
        assert kept == (second if size == second else first if size >= first else 0)
        if kept:
            assert read_segment(SMALL[:kept]).samples == (4 if kept == second else 2)


def test_what_does_not_belong_is_cut_off_with_all_behind_it() -> None:
    first = len(OPENING) + len(FIRST)
    assert complete_length(OPENING + FIRST + bytes(4096)) == first
    assert complete_length(OPENING + FIRST + FIRST) == first
    assert complete_length(OPENING + FIRST + FREE + SECOND) == first
    assert complete_length(FIRST + SECOND) == 0
    assert complete_length(b"") == 0
