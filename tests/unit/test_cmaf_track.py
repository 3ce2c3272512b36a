"""The init segment: deterministic, rebuilt from four values, read strictly."""

import dataclasses

import pytest

from cmaf.annexb import parameter_sets, split
from cmaf.avc import decoder_configuration
from cmaf.errors import MediaError
from cmaf.read import read_init
from cmaf.track import Track, init_segment, track_of
from tests.fakes.tinyh264 import TinyEncoder

SMALL = TinyEncoder(40, 22)
TRACK = track_of(SMALL.sps, [SMALL.pps])
INIT = init_segment(TRACK)

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"mvex"}


def tree(data: bytes) -> list[object]:
    """Box types, nested where a box holds boxes."""
    found: list[object] = []
    while data:
        size, kind = int.from_bytes(data[:4], "big"), data[4:8]
        assert 8 <= size <= len(data)
        found.append(kind.decode())
        if kind in CONTAINERS:
            found.append(tree(data[8:size]))
        data = data[size:]
    return found


def test_the_track_follows_from_the_parameter_sets_in_the_stream() -> None:
    found = parameter_sets(split(SMALL.idr()))
    assert found is not None
    track = track_of(found.sps, found.pps)
    assert track == TRACK
    assert (track.width, track.height, track.timescale) == (40, 22, 90_000)
    assert track.avcc == decoder_configuration(SMALL.sps, [SMALL.pps])


def test_an_init_segment_holds_the_boxes_of_a_cmaf_header() -> None:
    stbl = ["stsd", "stts", "stsc", "stsz", "stco"]
    minf = ["vmhd", "dinf", ["dref"], "stbl", stbl]
    trak = ["tkhd", "mdia", ["mdhd", "hdlr", "minf", minf]]
    assert tree(INIT) == ["ftyp", "moov", ["mvhd", "trak", trak, "mvex", ["trex"]]]
    assert INIT.startswith(b"\x00\x00\x00\x1cftypcmf2\x00\x00\x00\x00cmf2cmfciso6")
    assert SMALL.sps in INIT
    assert SMALL.pps in INIT
    assert b"elst" not in INIT


def test_an_init_segment_is_the_same_each_time_and_read_back() -> None:
    rebuilt = Track(width=40, height=22, timescale=90_000, avcc=TRACK.avcc)
    assert init_segment(rebuilt) == INIT
    assert read_init(INIT) == read_init(memoryview(INIT)) == TRACK


@pytest.mark.parametrize(("width", "height", "high"), [(32, 32, True), (2, 2, False), (640, 360, True)])
def test_init_segments_of_other_streams_are_read_back(width: int, height: int, high: bool) -> None:
    encoder = TinyEncoder(width, height, high=high)
    track = track_of(encoder.sps, [encoder.pps, encoder.pps + b"\x01"], timescale=1000)
    assert (track.width, track.height) == (width, height)
    assert read_init(init_segment(track)) == track


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width": 42}, "SPS says 40x22"),
        ({"height": 24}, "SPS says 40x22"),
        ({"timescale": 0}, "timescale 0"),
        ({"timescale": 2**32}, "timescale 4294967296"),
        ({"avcc": b""}, "avcC"),
        ({"avcc": TRACK.avcc + b"\x00"}, "avcC"),
    ],
)
def test_a_track_cannot_contradict_itself(change: dict[str, int | bytes], said: str) -> None:
    with pytest.raises(MediaError, match=said):
        dataclasses.replace(TRACK, **change)  # type: ignore[arg-type]


def test_an_init_segment_cut_off_or_added_to_anywhere_is_refused() -> None:
    for size in range(len(INIT)):
        with pytest.raises(MediaError):
            read_init(INIT[:size])
    with pytest.raises(MediaError):
        read_init(INIT + b"\x00")


def test_no_byte_of_an_init_segment_can_change_unnoticed() -> None:
    for at in range(len(INIT)):
        other = bytearray(INIT)
        other[at] ^= 0x01
        try:
            found = read_init(other)
        except MediaError:
            continue
        assert found != TRACK
        assert init_segment(found) == other
