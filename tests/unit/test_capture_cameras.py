"""The software cameras end to end: paced, painted, encoded, decoded again."""

import threading
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from appliance.capture.camera import AccessUnit, Camera, Picture
from appliance.capture.group import GroupOfPictures
from appliance.capture.libx264 import Encoder
from appliance.capture.mask import Mask
from appliance.capture.paint import Painter
from appliance.capture.picture import Canvas, Plane
from appliance.capture.scene import SceneCamera
from appliance.capture.source import open_camera
from base.errors import OperatorError
from cmaf.annexb import NalType, split
from evidence.words import Mode
from tests.fakes.clock import FakeClock

SMALL = Picture(width=320, height=240, fps=10, bitrate=500_000, gop=5)
NO_MASK = Mask.parse([])
SECOND_NS = 1_000_000_000


class Collector:
    """A sink that keeps the first ``wanted`` access units."""

    def __init__(self, wanted: int, on_unit: Callable[[int], None] = lambda count: None) -> None:
        self.units: list[AccessUnit] = []
        self._wanted = wanted
        self._on_unit = on_unit
        self.done = threading.Event()

    def __call__(self, unit: AccessUnit) -> None:
        if len(self.units) < self._wanted:
            self.units.append(unit)
            self._on_unit(len(self.units))
        if len(self.units) == self._wanted:
            self.done.set()


def record(camera: Camera, count: int, on_unit: Callable[[int], None] = lambda count: None) -> list[AccessUnit]:
    sink = Collector(count, on_unit)
    camera.start(sink)
    try:
        assert sink.done.wait(20), camera.failure()
    finally:
        camera.stop()
    return sink.units


def decode(units: list[AccessUnit]) -> list[Plane]:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    frames = [frame for unit in units for frame in decoder.decode(av.Packet(unit.data))]
    return [frame.to_ndarray().astype(np.uint8) for frame in frames + decoder.decode(None)]


def kinds(unit: AccessUnit) -> list[int]:
    return [nal[0] & 0x1F for nal in split(unit.data)]


def opened(spec: str, *, clock: FakeClock, picture: Picture = SMALL, mask: Mask = NO_MASK) -> Camera:
    return open_camera(spec, station="57-002", camera="cam1", picture=picture, mask=mask, clock=clock)


def write_video(
    path: Path, *, codec: str = "libx264", count: int = 12, rate: int = 10, b_frames: int = 0, size: int = 320
) -> Path:
    """A clip whose n-th picture has a luma of 40 + 10 n."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = size, 240, "yuv420p"
        context = stream.codec_context
        context.gop_size = 4
        context.max_b_frames = b_frames
        if codec == "libx264":
            context.options = {"x264-params": f"bframes={b_frames}:b-adapt=0:scenecut=0:keyint=4:min-keyint=4"}
        for number in range(count):
            pixels = np.full((360, size), 128, dtype=np.uint8)
            pixels[:240] = 40 + 10 * number
            frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_groups_have_their_exact_length_and_begin_with_parameter_sets() -> None:
    units = record(opened("pattern", clock=FakeClock()), 23)
    assert [index for index, unit in enumerate(units) if unit.keyframe] == [0, 5, 10, 15, 20]
    for unit in units:
        found = kinds(unit)
        assert (NalType.IDR in found) == unit.keyframe
        assert (NalType.SPS in found and NalType.PPS in found) == unit.keyframe
    assert len(decode(units)) == 23


def test_pictures_are_paced_on_a_grid_that_does_not_drift() -> None:
    picture = Picture(width=320, height=240, fps=15, bitrate=500_000, gop=15)
    units = record(opened("pattern", clock=FakeClock(boot_ns=77), picture=picture), 31)
    assert [unit.boot_ns for unit in units] == [77 - (-n * SECOND_NS // 15) for n in range(31)]


def test_every_picture_of_the_pattern_differs_from_the_one_before() -> None:
    pictures = decode(record(opened("pattern", clock=FakeClock()), 12))
    assert all((np.abs(b.astype(int) - a) > 60).sum() > 50 for a, b in pairwise(pictures))


def test_a_new_mode_waits_for_the_next_keyframe_in_picture_and_access_unit() -> None:
    camera = opened("pattern", clock=FakeClock())
    camera.set_mode(Mode.TEST)
    units = record(camera, 15, lambda count: camera.set_mode(Mode.LIVE) if count == 7 else None)
    assert [unit.mode for unit in units] == [Mode.TEST] * 10 + [Mode.LIVE] * 5
    # The band at the bottom is violet for TEST; in LIVE the dark ground of the card shows.
    violet = [Canvas.over(picture, 320, 240).u[-4].mean() > 150 for picture in decode(units)]
    assert violet == [True] * 10 + [False] * 5


def test_a_camera_is_unarmed_until_told_otherwise() -> None:
    assert {unit.mode for unit in record(opened("pattern", clock=FakeClock()), 6)} == {Mode.UNARMED}


def test_late_pictures_are_left_out_and_the_picture_after_a_long_hole_is_a_keyframe() -> None:
    clock = FakeClock()
    lateness_ns = {3: SECOND_NS // 4, 6: SECOND_NS}
    units = record(opened("pattern", clock=clock), 12, lambda count: clock.advance(lateness_ns.get(count, 0)))
    steps = np.diff([unit.boot_ns for unit in units])
    assert steps[2] == SECOND_NS // 4
    assert steps[5] == SECOND_NS
    assert steps.min() == SECOND_NS // 20  # back on the grid, half a place after 250 ms; nothing is caught up
    assert [index for index, unit in enumerate(units) if unit.keyframe] == [0, 5, 6, 11]
    assert len(decode(units[6:])) == 6


def test_stop_hands_over_every_picture_and_is_idempotent() -> None:
    camera = opened("pattern", clock=FakeClock())
    units: list[AccessUnit] = []
    enough = threading.Event()

    def sink(unit: AccessUnit) -> None:
        units.append(unit)
        if len(units) == 8:
            enough.set()

    camera.stop()
    camera.start(sink)
    assert enough.wait(20)
    camera.stop()
    count = len(units)
    camera.stop()
    assert len(units) == count
    assert len(decode(units)) == count
    assert camera.failure() is None


def test_a_camera_can_be_started_again_with_a_keyframe_first() -> None:
    camera = opened("pattern", clock=FakeClock())
    first, second = record(camera, 3), record(camera, 3)
    assert first[0].keyframe
    assert second[0].keyframe
    assert second[0].boot_ns > first[-1].boot_ns


def test_a_camera_whose_scene_breaks_reports_why_and_keeps_what_it_had() -> None:
    class Breaking:
        def __init__(self) -> None:
            self.drawn = 0

        def draw(self, canvas: Canvas, *, boot_ns: int, elapsed_ns: int) -> None:
            self.drawn += 1
            if self.drawn == 4:
                raise OSError("lens fell off")
            canvas.blank()

        def close(self) -> None:
            pass

    clock = FakeClock()
    painter = Painter(picture=SMALL, mask=NO_MASK, station="1", camera="a", clock=clock)
    camera = SceneCamera(source="broken", open_scene=Breaking, picture=SMALL, painter=painter, clock=clock)
    units = record(camera, 3)
    assert len(decode(units)) == 3
    assert "lens fell off" in (camera.failure() or "")


def test_a_masked_zone_is_black_in_what_the_camera_delivers() -> None:
    mask = Mask.parse([[[2000, 5000], [8000, 5000], [8000, 8000], [2000, 8000]]])
    for picture in decode(record(opened("pattern", clock=FakeClock(), mask=mask), 3)):
        canvas = Canvas.over(picture, 320, 240)
        assert canvas.y[128:184, 72:248].max() <= 20
        assert canvas.y[142:176, :40].min() > 100


def test_the_encoder_gives_back_exactly_the_times_and_modes_it_was_given() -> None:
    encoder = Encoder(SMALL, preset="veryfast")
    generator = np.random.default_rng(3)
    given = [(int(ns), mode) for ns, mode in zip(generator.integers(0, 2**62, 9), [*Mode] * 3, strict=True)]
    buffer = generator.integers(16, 235, (360, 320), dtype=np.uint8)
    units = []
    for number, (boot_ns, mode) in enumerate(given):
        units += encoder.encode(buffer, boot_ns=boot_ns, mode=mode, keyframe=number in (0, 2))
    units += encoder.flush()
    assert [(unit.boot_ns, unit.mode) for unit in units] == given
    assert [index for index, unit in enumerate(units) if unit.keyframe] == [0, 2, 7]
    # profile_idc 100 is High
    assert next(nal for nal in split(units[0].data) if nal[0] & 0x1F == NalType.SPS)[1] == 100


def test_the_bitrate_is_kept_even_for_noise() -> None:
    encoder = Encoder(SMALL)
    generator = np.random.default_rng(5)
    size = 0
    for number in range(40):
        buffer = generator.integers(16, 235, (360, 320), dtype=np.uint8)
        size += sum(
            len(u.data) for u in encoder.encode(buffer, boot_ns=number, mode=Mode.TEST, keyframe=number % 5 == 0)
        )
    assert size * 8 < 1.3 * SMALL.bitrate * 4


def test_an_impossible_encode_is_an_operator_error() -> None:
    with pytest.raises(OperatorError, match="319x240"):
        Encoder(Picture(width=319, height=240, fps=10, bitrate=500_000, gop=5))


def test_a_hole_of_exactly_the_limit_does_not_break_a_group() -> None:
    group = GroupOfPictures(10, Mode.TEST)
    assert [group.place(t).begins for t in (0, 500_000_000, 1_000_000_001)] == [True, False, True]


def test_replay_loops_with_time_running_on_and_shows_the_files_pictures(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4")
    camera = opened(f"replay:{path}", clock=FakeClock(boot_ns=5))
    units = record(camera, 30)
    assert [unit.boot_ns for unit in units] == [5 + n * SECOND_NS // 10 for n in range(30)]
    middles = [float(Canvas.over(picture, 320, 240).y[100:140].mean()) for picture in decode(units)]
    expected = [40 + 10 * (n % 12) for n in range(30)]
    assert np.abs(np.subtract(middles, expected)).max() < 6
    assert camera.source == "replay"


def test_replay_resamples_to_the_configured_rate_and_keeps_proportions(tmp_path: Path) -> None:
    path = write_video(tmp_path / "square.mkv", rate=5, size=240)
    pictures = [Canvas.over(p, 320, 240) for p in decode(record(opened(f"replay:{path}", clock=FakeClock()), 6))]
    assert [round(float(canvas.y[100:140, 60:260].mean()) / 10) for canvas in pictures] == [4, 4, 5, 5, 6, 6]
    assert all(canvas.y[60:200, :32].max() < 30 and canvas.y[60:200, -32:].max() < 30 for canvas in pictures)


def test_replay_of_a_file_that_breaks_off_loops_what_is_there(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.ts", count=12).read_bytes()
    path = tmp_path / "cut.ts"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    units = record(opened(f"replay:{path}", clock=FakeClock()), 30)
    assert len(decode(units)) == 30


@pytest.mark.parametrize("kind", ["replay", "replay-raw"])
def test_a_file_that_is_missing_empty_or_no_video_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("these are words\n" * 99)
    for name, complaint in (("none.mp4", "no file"), ("empty.mp4", "empty.mp4"), ("text.mp4", "text.mp4")):
        with pytest.raises(OperatorError, match=complaint):
            opened(f"{kind}:{tmp_path / name}", clock=FakeClock()).start(lambda unit: None)


@pytest.mark.parametrize("suffix", ["mp4", "h264", "ts", "mkv"])
def test_raw_replay_passes_pictures_through_and_loops(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"clip.{suffix}")
    units = record(opened(f"replay-raw:{path}", clock=FakeClock(boot_ns=9)), 30)
    steps = np.diff([unit.boot_ns for unit in units])
    assert (steps > 0).all()
    assert abs(steps.mean() - SECOND_NS / 10) < SECOND_NS / 100
    assert [index for index, unit in enumerate(units) if unit.keyframe] == [0, 4, 8, 12, 16, 20, 24, 28]
    for unit in units:
        if unit.keyframe:
            assert kinds(unit).count(NalType.SPS) == 1
            assert kinds(unit).count(NalType.PPS) == 1
    lumas = [round(float(picture[:240].mean()) / 10) for picture in decode(units)]
    assert lumas == [4 + n % 12 for n in range(30)]


def test_raw_replay_adds_parameter_sets_where_only_the_first_keyframe_has_them(tmp_path: Path) -> None:
    units = record(opened("pattern", clock=FakeClock()), 12)
    stream = b""
    for index, unit in enumerate(units):
        for nal in split(unit.data):
            if index == 0 or nal[0] & 0x1F not in (NalType.SPS, NalType.PPS):
                stream += b"\0\0\0\1" + nal
    path = tmp_path / "once.h264"
    path.write_bytes(stream)
    played = record(opened(f"replay-raw:{path}", clock=FakeClock()), 12)
    assert [NalType.SPS in kinds(unit) for unit in played] == [unit.keyframe for unit in played]
    assert [unit.keyframe for unit in played] == [unit.keyframe for unit in units]
    assert len(decode(played[5:])) == 7


def test_raw_replay_refuses_b_frames_other_codecs_masks_and_live(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="B-frames"):
        opened(f"replay-raw:{write_video(tmp_path / 'b.mp4', b_frames=2)}", clock=FakeClock()).start(lambda unit: None)
    path = write_video(tmp_path / "m.mp4", codec="mpeg4")
    with pytest.raises(OperatorError, match=r"mpeg4, not H\.264"):
        opened(f"replay-raw:{path}", clock=FakeClock()).start(lambda unit: None)
    mask = Mask.parse([[[0, 0], [9, 0], [0, 9]]])
    with pytest.raises(OperatorError, match="masked"):
        opened(f"replay-raw:{path}", clock=FakeClock(), mask=mask)
    camera = opened(f"replay-raw:{path}", clock=FakeClock())
    camera.set_mode(Mode.TEST)
    with pytest.raises(OperatorError, match="LIVE"):
        camera.set_mode(Mode.LIVE)


def test_raw_replay_changes_mode_at_a_keyframe(tmp_path: Path) -> None:
    camera = opened(f"replay-raw:{write_video(tmp_path / 'clip.mp4')}", clock=FakeClock())
    units = record(camera, 10, lambda count: camera.set_mode(Mode.TEST) if count == 2 else None)
    assert [unit.mode for unit in units] == [Mode.UNARMED] * 4 + [Mode.TEST] * 6


def test_raw_replay_that_was_held_up_goes_on_with_a_keyframe(tmp_path: Path) -> None:
    clock = FakeClock()
    camera = opened(f"replay-raw:{write_video(tmp_path / 'clip.mp4')}", clock=clock)
    units = record(camera, 10, lambda count: clock.advance(3 * SECOND_NS) if count == 6 else None)
    assert units[6].keyframe
    assert units[6].boot_ns - units[5].boot_ns > 2 * SECOND_NS
    assert len(decode(units[6:])) == 4


@pytest.mark.parametrize("spec", ["", "webcam", "replay", "replay:", "replay-raw:", "pattern:x", "picamera2:"])
def test_an_unknown_spec_is_answered_with_the_valid_ones(spec: str) -> None:
    with pytest.raises(OperatorError, match="picamera2, picamera2:ID, pattern, replay:FILE, replay-raw:FILE"):
        opened(spec, clock=FakeClock())


def test_an_odd_picture_size_is_refused_before_anything_starts() -> None:
    with pytest.raises(OperatorError, match="641x480"):
        opened("pattern", clock=FakeClock(), picture=Picture(width=641, height=480, fps=15, bitrate=10**6, gop=30))


def test_the_bitrate_of_a_running_encode_can_be_lowered_and_its_parameter_sets_stay() -> None:
    encoder = Encoder(Picture(width=320, height=180, fps=15, bitrate=1_000_000, gop=30))
    chance = np.random.default_rng(1)
    still = chance.integers(16, 235, (270, 320), dtype=np.uint8)

    def two_seconds(begin: int) -> tuple[int, bytes]:
        size, sets = 0, b""
        for number in range(begin, begin + 30):
            moved = np.ascontiguousarray(np.roll(still, number * 4, axis=1))
            for unit in encoder.encode(moved, boot_ns=number, mode=Mode.TEST, keyframe=False):
                size += len(unit.data)
                sets = unit.data[:30] if unit.keyframe else sets
        return size, sets

    before = [two_seconds(60 * n) for n in range(4)]
    encoder.set_bitrate(250_000)
    after = [two_seconds(60 * n) for n in range(4, 10)]
    assert after[-1][0] < before[-1][0] / 2
    assert {sets for _, sets in before + after} == {before[0][1]}
