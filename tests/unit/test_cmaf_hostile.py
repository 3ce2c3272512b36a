"""Hostile bytes: every reader accepts or raises MediaError, whatever it is given."""

import tracemalloc
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from cmaf.annexb import sample, split
from cmaf.avc import decoder_configuration
from cmaf.errors import MediaError
from cmaf.fragment import Sample, fragment, moof_head, segment_type
from cmaf.identity import identity_box
from cmaf.read import annexb, complete_length, read_identity, read_init, read_segment
from cmaf.track import init_segment, track_of
from tests.fakes.tinyh264 import TinyEncoder

ENCODER = TinyEncoder(16, 16)
AVCC = decoder_configuration(ENCODER.sps, [ENCODER.pps])
OPENING = identity_box(b'{"v":1}') + segment_type()
PICTURES = [ENCODER.idr(7), *(ENCODER.p() for _ in range(3))]
SAMPLES = [Sample(data=sample(split(au)), duration=3000 + i, keyframe=i == 0) for i, au in enumerate(PICTURES)]
FIRST = fragment(sequence=9, decode_time=1_000_000, samples=SAMPLES[:2])
SECOND = fragment(sequence=10, decode_time=1_006_001, samples=SAMPLES[2:])
SEGMENT = OPENING + FIRST + SECOND
INIT = init_segment(track_of(ENCODER.sps, [ENCODER.pps]))
TELLING = st.sampled_from([0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF])


@st.composite
def mutated(draw: st.DrawFn, good: bytes, hot: int) -> bytes:
    """``good`` with a few bytes changed, cut out or put in, mostly among the first ``hot`` and near box borders."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, min(len(data), hot) - 1)) | st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["set", "set", "set", "cut", "put", "copy"])):
            case "set" if data:
                data[at] = draw(TELLING | st.integers(0, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 64))]
            case "put":
                data[at:at] = draw(st.binary(max_size=16))
            case "copy":
                data[at:at] = data[at : at + draw(st.integers(1, 256))]
    return bytes(data)


def check(data: bytes) -> None:
    """Read ``data`` in every way; anything but MediaError escapes, and what is accepted must hang together."""
    kept = complete_length(data)
    assert 0 <= kept <= len(data)
    if kept:
        assert read_segment(data[:kept]).fragments[-1].offset < kept
    try:
        found = read_segment(data)
    except MediaError:
        assert kept < len(data) or not data
    else:
        assert kept == len(data)
        assert found.samples == len(found.durations) == sum(f.samples for f in found.fragments)
        assert found.duration == sum(found.durations) == sum(f.duration for f in found.fragments)
        assert read_identity(data) == found.identity
    for read in (read_identity, lambda bytes_: annexb(bytes_, AVCC)):
        with suppress(MediaError):
            read(data)
    with suppress(MediaError):
        assert init_segment(read_init(data)) == data


@given(st.binary(max_size=400) | st.binary(max_size=100).map(lambda tail: OPENING + tail))
def test_any_bytes_raise_at_most_a_media_error(data: bytes) -> None:
    check(data)


@given(mutated(SEGMENT, hot=len(OPENING) + 140))
def test_a_mutated_segment_raises_at_most_a_media_error(data: bytes) -> None:
    check(data)


@given(mutated(FIRST, hot=130))
def test_a_mutated_fragment_raises_at_most_a_media_error(data: bytes) -> None:
    check(OPENING + data)


@given(mutated(INIT, hot=len(INIT)))
def test_a_mutated_init_segment_raises_at_most_a_media_error(data: bytes) -> None:
    check(data)


@given(
    st.integers(0, 2**64 - 1),
    st.integers(1, 2**32 - 1),
    st.lists(st.tuples(st.binary(min_size=1, max_size=9), st.integers(1, 2**32 - 1), st.booleans()), min_size=1),
)
def test_whatever_fragment_writes_is_accepted(
    decode_time: int, sequence: int, values: list[tuple[bytes, int, bool]]
) -> None:
    samples = [Sample(data=data, duration=duration, keyframe=keyframe) for data, duration, keyframe in values]
    try:
        written = fragment(sequence=sequence, decode_time=decode_time, samples=samples)
    except MediaError:
        assert decode_time + sum(s.duration for s in samples) >= 2**64
        return
    found = read_segment(OPENING + written)
    assert (found.decode_time, found.durations) == (decode_time, tuple(s.duration for s in samples))
    assert found.keyframes == sum(s.keyframe for s in samples)
    assert complete_length(OPENING + written) == len(OPENING + written)


def test_a_claim_of_millions_of_samples_costs_nothing() -> None:
    bomb = OPENING + moof_head(1, 0, 100_000_000) + bytes(4096)
    tracemalloc.start()
    try:
        assert complete_length(bomb) == 0
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
