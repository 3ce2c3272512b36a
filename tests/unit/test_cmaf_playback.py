"""Independent readers (PyAV, ffmpeg, ffprobe) play what cmaf writes from real x264 streams."""

import io
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cmaf.annexb import ParameterSets, holds_idr, parameter_sets, sample, split
from cmaf.fragment import Sample, fragment, segment_type, ticks
from cmaf.identity import identity_box
from cmaf.read import annexb, read_init, read_segment
from cmaf.track import TIMESCALE, init_segment, track_of
from tests.fakes.tinyh264 import TinyEncoder

BOOT_NS = 54_321_000_000_000
FPS, GOP, PICTURES = 25, 10, 30
WIDTH, HEIGHT = 320, 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A stream as written: init segment and segment files, one for each group of pictures."""

    parameter_sets: ParameterSets
    avcc: bytes
    init: bytes
    segments: tuple[bytes, ...]
    units: tuple[bytes, ...]


def x264(profile: str, parameters: str, pixels: str = "yuv420p") -> list[bytes]:
    """Access units as an encoder on a station gives them: parameter sets before each keyframe, no B-pictures."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, pixels
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    common = f"annexb=1:repeat-headers=1:scenecut=0:keyint={GOP}:min-keyint={GOP}:bframes=0:log-level=-1"
    encoder.options = {"tune": "zerolatency", "profile": profile, "x264-params": f"{common}:{parameters}"}
    noise = np.random.default_rng(1)
    units = []
    for i in range(PICTURES):
        grey = noise.integers(90, 120, (HEIGHT * 3 // 2, WIDTH), dtype=np.uint8)
        grey[40:80, 8 * i : 8 * i + 32] = 200
        picture = av.VideoFrame.from_ndarray(grey, format="yuv420p").reformat(format=pixels)
        picture.pts = i
        units += [bytes(packet) for packet in encoder.encode(picture)]
    return units + [bytes(packet) for packet in encoder.encode(None)]


def record(units: Sequence[bytes]) -> Recording:
    """Write ``units`` as the recorder does, three fragments to a segment."""
    at = [ticks(BOOT_NS + i * 1_000_000_000 // FPS) for i in range(len(units) + 1)]
    nals = [split(unit) for unit in units]
    samples = [
        Sample(data=sample(unit), duration=at[i + 1] - at[i], keyframe=holds_idr(unit)) for i, unit in enumerate(nals)
    ]
    keys = [i for i, one in enumerate(samples) if one.keyframe]
    segments: list[bytes] = []
    sequence = 1
    for begin, end in zip(keys, [*keys[1:], len(units)], strict=True):
        segment = identity_box(json.dumps({"v": 1, "index": len(segments)}).encode()) + segment_type()
        for first in range(begin, end, 4):
            run = samples[first : min(first + 4, end)]
            segment += fragment(sequence=sequence, decode_time=at[first], samples=run)
            sequence += 1
        segments.append(segment)
    found = parameter_sets(nals[0])
    assert found is not None
    track = track_of(found.sps, found.pps)
    return Recording(
        parameter_sets=found,
        avcc=track.avcc,
        init=init_segment(track),
        segments=tuple(segments),
        units=tuple(units),
    )


def decode(data: bytes, form: str) -> list[tuple[int | None, bytes]]:
    """Time stamp and pixels of every picture, by PyAV."""
    with av.open(io.BytesIO(data), "r", format=form, options={"err_detect": "explode"}) as container:
        return [(frame.pts, frame.to_ndarray().tobytes()) for frame in container.decode(video=0)]


def pixels(data: bytes, form: str) -> list[bytes]:
    return [picture for _, picture in decode(data, form)]


def ffmpeg_complaints(path: Path) -> str:
    """What ffmpeg says while decoding the whole file; empty if nothing is wrong."""
    command = ["ffmpeg", "-v", "warning", "-xerror", "-err_detect", "explode", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr + (f"exit {done.returncode}" if done.returncode else "")


STREAMS = {
    "baseline": ("baseline", "threads=1", "yuv420p"),
    "main": ("main", "threads=1", "yuv420p"),
    "high": ("high", "threads=1:8x8dct=1", "yuv420p"),
    "high with slices": ("high", "threads=4:sliced-threads=1", "yuv420p"),
    "high with delimiters": ("high", "threads=1:aud=1", "yuv420p"),
    "high 4:2:2": ("high422", "threads=1", "yuv422p"),
}
PROFILES = {
    "baseline": "Constrained Baseline",
    "main": "Main",
    "high": "High",
    "high with slices": "High",
    "high with delimiters": "High",
    "high 4:2:2": "High 4:2:2",
}


@pytest.fixture(scope="module")
def recordings() -> dict[str, Recording]:
    return {name: record(x264(*arguments)) for name, arguments in STREAMS.items()}


@pytest.mark.parametrize("name", STREAMS)
def test_every_picture_of_an_x264_stream_survives(recordings: dict[str, Recording], name: str) -> None:
    recording = recordings[name]
    original = pixels(b"".join(recording.units), "h264")
    played = decode(recording.init + b"".join(recording.segments), "mp4")
    assert len(original) == PICTURES
    assert [picture for _, picture in played] == original
    assert [pts for pts, _ in played] == [ticks(BOOT_NS + i * 1_000_000_000 // FPS) for i in range(PICTURES)]


@pytest.mark.parametrize("name", STREAMS)
def test_ffmpeg_and_ffprobe_agree(recordings: dict[str, Recording], name: str, tmp_path: Path) -> None:
    recording = recordings[name]
    path = tmp_path / "all.mp4"
    path.write_bytes(recording.init + b"".join(recording.segments))
    assert ffmpeg_complaints(path) == ""
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["streams"]
    assert len(found) == 1
    stream = found[0]
    assert (stream["codec_name"], stream["codec_tag_string"]) == ("h264", "avc1")
    assert (stream["width"], stream["height"], stream["profile"]) == (WIDTH, HEIGHT, PROFILES[name])
    assert (stream["nb_read_frames"], stream["has_b_frames"]) == (str(PICTURES), 0)
    assert (stream["time_base"], stream["start_pts"]) == (f"1/{TIMESCALE}", ticks(BOOT_NS))


@pytest.mark.parametrize("name", STREAMS)
def test_the_parameter_sets_in_the_stream_stand_in_the_init_segment(
    recordings: dict[str, Recording], name: str
) -> None:
    recording = recordings[name]
    assert recording.parameter_sets.sps in recording.init
    assert all(pps in recording.init for pps in recording.parameter_sets.pps)
    assert read_init(recording.init).avcc == recording.avcc
    with av.open(io.BytesIO(recording.init + recording.segments[0]), format="mp4") as container:
        assert container.streams.video[0].codec_context.extradata == recording.avcc


@pytest.mark.parametrize("name", STREAMS)
def test_playing_can_begin_with_any_segment(recordings: dict[str, Recording], name: str) -> None:
    recording = recordings[name]
    original = pixels(b"".join(recording.units), "h264")
    played = decode(recording.init + recording.segments[1], "mp4")
    assert [picture for _, picture in played] == original[GOP : 2 * GOP]
    assert played[0][0] == read_segment(recording.segments[1]).decode_time
    assert len(pixels(recording.init + recording.segments[0] + recording.segments[2], "mp4")) == 2 * GOP


@pytest.mark.parametrize("name", STREAMS)
def test_segments_turn_back_into_a_byte_stream_that_plays(recordings: dict[str, Recording], name: str) -> None:
    recording = recordings[name]
    stream = b"".join(annexb(segment, recording.avcc) for segment in recording.segments)
    assert pixels(stream, "h264") == pixels(b"".join(recording.units), "h264")


def test_the_streams_above_hold_what_they_are_there_for(recordings: dict[str, Recording]) -> None:
    kinds = {name: [[nal[0] & 31 for nal in split(unit)] for unit in r.units] for name, r in recordings.items()}
    assert all(unit.count(5) + unit.count(1) > 1 for unit in kinds["high with slices"])
    assert all(unit[0] == 9 for unit in kinds["high with delimiters"])
    assert kinds["high"][0][:2] == [7, 8]
    first = recordings["high"].units[0]
    assert first.count(b"\x00\x00\x00\x01") < first.count(b"\x00\x00\x01")


@pytest.mark.parametrize("high", [True, False])
def test_the_tiny_encoder_decodes_to_the_levels_asked_for(high: bool, tmp_path: Path) -> None:
    encoder = TinyEncoder(48, 32, high=high)
    levels = [0, 1, 50, 128, 200, 255]
    units = [encoder.idr(levels), *(encoder.p() for _ in range(20)), encoder.p(macroblock=5, level=9)]
    units += [encoder.idr(77), encoder.p(macroblock=0, level=3), encoder.p()]
    recording = record(units)
    path = tmp_path / "tiny.mp4"
    path.write_bytes(recording.init + b"".join(recording.segments))
    assert ffmpeg_complaints(path) == ""
    with av.open(path) as container:
        found = [frame.to_ndarray()[:32] for frame in container.decode(video=0)]
    seen = [[int(picture[y, x]) for y in (0, 31) for x in (0, 16, 47)] for picture in found]
    assert seen == [levels] * 21 + [[*levels[:5], 9]] + [[77] * 6] + [[3, *[77] * 5]] * 2
