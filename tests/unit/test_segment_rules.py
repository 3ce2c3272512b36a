"""One camera's pictures become runs, segments, fragments and holes (spec/segment.md, sections 3 and 6)."""

import pytest

from appliance.segment.output import Chunk, Hole, Opening, Output, RunBegun, SegmentDone
from appliance.segment.segmenter import Segmenter
from cmaf.annexb import NalType
from cmaf.fragment import ticks
from cmaf.read import SegmentLayout, read_segment
from evidence.words import Cause, Mode
from tests.fakes.camera import Unit
from tests.fakes.tinyh264 import TinyEncoder

MS = 10**6
BEGIN = 7_000_000_123
FPS = 10
FRAME = 10**9 // FPS


class Pictures:
    """Writes pictures of one encoder and collects what the segmenter says of them."""

    def __init__(self, *, fps: int = FPS, begin_ns: int = BEGIN) -> None:
        self.encoder = TinyEncoder(16, 16)
        self.openings: list[Opening] = []
        self.segmenter = Segmenter(fps=fps, begin_ns=begin_ns, describe=self._describe)
        self.out: list[Output] = []

    def key(self, boot_ns: int, mode: Mode = Mode.TEST) -> None:
        self.push(self.encoder.idr(), boot_ns, True, mode)

    def other(self, boot_ns: int, mode: Mode = Mode.TEST) -> None:
        self.push(self.encoder.p(), boot_ns, False, mode)

    def group(self, boot_ns: int, pictures: int, spacing: int = FRAME) -> None:
        self.key(boot_ns)
        for number in range(1, pictures):
            self.other(boot_ns + number * spacing)

    def push(self, data: bytes, boot_ns: int, keyframe: bool, mode: Mode = Mode.TEST) -> None:
        self.out += self.segmenter.push(Unit(data=data, boot_ns=boot_ns, keyframe=keyframe, mode=mode))

    def end(self, cause: Cause = Cause.STOPPED) -> None:
        self.out += self.segmenter.interrupt(cause)

    @property
    def segments(self) -> list[SegmentDone]:
        return [each for each in self.out if isinstance(each, SegmentDone)]

    @property
    def holes(self) -> list[Hole]:
        return [each for each in self.out if isinstance(each, Hole)]

    @property
    def runs(self) -> list[int]:
        return [each.run for each in self.out if isinstance(each, RunBegun)]

    def layout(self, run: int = 0, index: int = 0) -> SegmentLayout:
        chunks = [each for each in self.out if isinstance(each, Chunk)]
        return read_segment(b"".join(chunk.data for chunk in chunks if (chunk.run, chunk.index) == (run, index)))

    def _describe(self, opening: Opening) -> bytes:
        self.openings.append(opening)
        return b"{}"


def test_a_segment_is_one_group_and_the_next_begins_where_it_ends() -> None:
    pictures = Pictures()
    pictures.group(BEGIN + 500 * MS, 20)
    pictures.group(BEGIN + 2500 * MS, 20)
    pictures.end()
    first, second = pictures.segments
    assert pictures.holes == [Hole(from_ns=BEGIN, to_ns=BEGIN + 500 * MS, cause=Cause.STARTING)]
    assert (first.from_ns, first.to_ns, first.frames) == (BEGIN + 500 * MS, BEGIN + 2500 * MS, 20)
    assert (second.index, second.from_ns, second.frames) == (1, first.to_ns, 20)
    assert (first.holes[0], first.holes[1]) == (0, 0)
    assert pictures.runs == [0]


def test_durations_are_differences_of_ticks_so_rounding_never_adds_up() -> None:
    pictures = Pictures(fps=30)
    times = [BEGIN + number * 33_333_337 for number in range(60)]
    pictures.key(times[0])
    for at in times[1:]:
        pictures.other(at)
    pictures.key(times[-1] + 33_333_337)
    layout = pictures.layout()
    assert layout.decode_time == ticks(times[0])
    expected = [ticks(b) - ticks(a) for a, b in zip(times, [*times[1:], times[-1] + 33_333_337], strict=True)]
    assert list(layout.durations) == expected
    assert layout.decode_time + layout.duration == ticks(pictures.segments[0].to_ns)


@pytest.mark.parametrize("fps", [5, 10, 15, 24, 25, 30, 60])
def test_fragments_are_at_most_half_a_second_and_as_few_as_that_allows(fps: int) -> None:
    pictures = Pictures(fps=fps)
    pictures.group(BEGIN, 2 * fps, 10**9 // fps)
    pictures.key(BEGIN + 2 * 10**9)
    fragments = pictures.layout().fragments
    assert all(fragment.duration <= 45_000 for fragment in fragments)
    assert len(fragments) <= 5
    assert [fragment.sequence for fragment in fragments] == list(range(1, len(fragments) + 1))


def test_fragment_numbers_go_on_through_a_run_and_begin_anew_with_the_next() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 20)
    pictures.group(BEGIN + 2 * 10**9, 20)
    pictures.out += pictures.segmenter.interrupt(Cause.CAMERA, new_run=True)
    pictures.group(BEGIN + 6 * 10**9, 5)
    pictures.end()
    first, second, other = pictures.layout(0, 0), pictures.layout(0, 1), pictures.layout(1, 0)
    assert second.fragments[0].sequence == first.fragments[-1].sequence + 1
    assert other.fragments[0].sequence == 1


@pytest.mark.parametrize("late_ms", [160, 300, 450, 499, 500])
def test_a_hole_of_up_to_half_a_second_is_counted_inside_the_segment(late_ms: int) -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 10)
    at = BEGIN + 900 * MS + late_ms * MS
    pictures.other(at)
    pictures.key(at + FRAME)
    (segment,) = pictures.segments
    assert segment.holes[1] == late_ms
    assert segment.holes[0] == max(1, round(late_ms / 100) - 1)
    assert not pictures.holes


@pytest.mark.parametrize("late_ms", [400, 500])
def test_a_hole_before_the_next_keyframe_is_counted_and_its_fragments_stay_short(late_ms: int) -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 4)
    pictures.key(BEGIN + 300 * MS + late_ms * MS)
    (segment,) = pictures.segments
    assert (segment.to_ns, segment.holes[1]) == (BEGIN + 300 * MS + late_ms * MS, late_ms)
    layout = pictures.layout()
    assert layout.longest_sample == ticks(segment.to_ns) - ticks(BEGIN + 300 * MS)
    for fragment in layout.fragments:
        assert fragment.duration <= 45_000 or fragment.samples == 1


def test_a_spacing_of_one_and_a_half_frames_is_no_hole() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 5)
    pictures.other(BEGIN + 400 * MS + 150 * MS)
    pictures.end()
    assert (pictures.segments[0].holes[0], pictures.segments[0].holes[1]) == (0, 0)


def test_a_longer_hole_ends_the_segment_and_is_a_gap_up_to_the_next_keyframe() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 10)
    lost = BEGIN + 900 * MS + 501 * MS
    pictures.other(lost)
    pictures.other(lost + FRAME)
    pictures.group(lost + 5 * FRAME, 5)
    pictures.end()
    first, second = pictures.segments
    assert (first.to_ns, first.frames) == (BEGIN + 1000 * MS, 10)
    assert pictures.holes == [Hole(from_ns=first.to_ns, to_ns=lost + 5 * FRAME, cause=Cause.CAMERA)]
    assert (second.index, second.from_ns) == (1, lost + 5 * FRAME)
    assert pictures.segmenter.undecodable == 2


def test_a_part_of_a_group_is_kept_when_recording_stops() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 3)
    pictures.end()
    (segment,) = pictures.segments
    assert (segment.frames, segment.to_ns) == (3, BEGIN + 3 * FRAME)
    assert pictures.layout().samples == 3


def test_other_parameter_sets_begin_a_new_run_without_losing_time() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 10)
    pictures.encoder = TinyEncoder(32, 16)
    pictures.group(BEGIN + 10**9, 10)
    pictures.end()
    first, second = pictures.segments
    assert (second.run, second.index, second.from_ns) == (1, 0, first.to_ns)
    assert pictures.runs == [0, 1]
    assert (pictures.openings[1].track.width, pictures.openings[1].run) == (32, 1)
    assert not pictures.holes


def test_other_parameter_sets_in_the_middle_of_a_group_end_the_segment() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 5)
    other = TinyEncoder(32, 16)
    stray = b"\0\0\0\1" + other.sps + b"\0\0\0\1" + other.pps + pictures.encoder.p()
    pictures.push(stray, BEGIN + 5 * FRAME, False)
    pictures.group(BEGIN + 10 * FRAME, 5)
    pictures.end()
    first, second = pictures.segments
    assert first.frames == 5
    assert pictures.holes == [Hole(from_ns=first.to_ns, to_ns=second.from_ns, cause=Cause.CAMERA)]


def test_a_keyframe_that_repeats_no_parameter_sets_goes_on_in_the_run() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 10)
    bare = pictures.encoder.idr().split(b"\0\0\1")[-1]
    assert bare[0] & 0x1F == NalType.IDR
    pictures.push(b"\0\0\1" + bare, BEGIN + 10 * FRAME, True)
    pictures.end()
    assert [(each.run, each.index) for each in pictures.segments] == [(0, 0), (0, 1)]


def test_a_keyframe_is_told_by_its_content_and_not_by_its_flag() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 10)
    pictures.push(pictures.encoder.p(), BEGIN + 10 * FRAME, True)
    pictures.push(pictures.encoder.idr(), BEGIN + 11 * FRAME, False)
    pictures.end()
    assert [each.frames for each in pictures.segments] == [11, 1]
    assert pictures.layout().keyframes == 1


@pytest.mark.parametrize("step", [0, -1, -5 * FRAME, 999_999])
def test_late_repeated_and_backward_pictures_are_left_out_and_counted(step: int) -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 5)
    pictures.other(BEGIN + 4 * FRAME + step)
    pictures.other(BEGIN + 5 * FRAME)
    pictures.end()
    assert pictures.segmenter.late == 1
    assert pictures.segments[0].frames == 6


def test_a_late_keyframe_ends_the_segment_because_nothing_behind_it_can_be_decoded() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 5)
    pictures.key(BEGIN)
    pictures.other(BEGIN + 5 * FRAME)
    pictures.group(BEGIN + 10 * FRAME, 2)
    pictures.end()
    assert [each.frames for each in pictures.segments] == [5, 2]
    assert (pictures.segmenter.late, pictures.segmenter.undecodable) == (1, 1)


def test_pictures_from_before_what_is_accounted_for_are_late() -> None:
    pictures = Pictures()
    pictures.key(BEGIN - 1)
    pictures.other(BEGIN + FRAME)
    assert (pictures.segmenter.late, pictures.segmenter.undecodable) == (1, 1)
    assert not pictures.out


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0",
        b"rubbish",
        b"\0\0\1",
        b"\0\0\1\xe5abc",
        b"\0\0\1\x67",
        b"\0\0\1\x09\x10",
        b"\0\0\1\x67\1\0\0\1\x65\1",
    ],
)
def test_garbage_from_the_encoder_ends_the_segment_and_is_counted(garbage: bytes) -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 5)
    pictures.push(garbage, BEGIN + 5 * FRAME, False)
    pictures.other(BEGIN + 6 * FRAME)
    pictures.group(BEGIN + 10 * FRAME, 5)
    pictures.end()
    first, second = pictures.segments
    assert (first.frames, second.frames) == (5, 5)
    assert pictures.segmenter.undecodable == 2
    assert pictures.holes == [Hole(from_ns=first.to_ns, to_ns=second.from_ns, cause=Cause.CAMERA)]


def test_parameter_sets_too_long_for_an_identity_open_nothing_and_lose_nothing() -> None:
    pictures = Pictures()
    segmenter = Segmenter(fps=FPS, begin_ns=BEGIN, describe=lambda opening: bytes(8_193))
    pictures.segmenter = segmenter
    pictures.group(BEGIN + 10**9, 5)
    assert not pictures.out
    assert (segmenter.covered_ns, segmenter.undecodable) == (BEGIN, 5)


def test_a_mode_that_changes_inside_a_group_ends_the_segment() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 5)
    pictures.other(BEGIN + 5 * FRAME, Mode.LIVE)
    pictures.key(BEGIN + 6 * FRAME, Mode.LIVE)
    pictures.end()
    assert [(each.mode, each.frames) for each in pictures.segments] == [(Mode.TEST, 5), (Mode.LIVE, 1)]


def test_an_encoder_that_never_makes_a_keyframe_again_cannot_grow_a_segment_without_bound() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 200)
    assert [each.to_ns - each.from_ns for each in pictures.segments] == [121 * FRAME]
    assert pictures.segmenter.undecodable == 200 - 121


def test_a_silent_camera_closes_the_segment_after_two_seconds() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 5)
    last = BEGIN + 4 * FRAME
    assert pictures.segmenter.idle(last + 2000 * MS) == []
    pictures.out += pictures.segmenter.idle(last + 2001 * MS)
    assert [each.to_ns for each in pictures.segments] == [last + FRAME]


def test_while_a_camera_delivers_nothing_a_piece_of_gap_closes_about_every_ten_seconds() -> None:
    pictures = Pictures()
    pictures.out += pictures.segmenter.interrupt(Cause.CAMERA)
    for second in range(60):
        pictures.out += pictures.segmenter.idle(BEGIN + second * 10**9)
    assert [(each.to_ns - each.from_ns) // 10**9 for each in pictures.holes] == [10] * 5
    assert {each.cause for each in pictures.holes} == {Cause.CAMERA}
    assert pictures.holes[0].from_ns == BEGIN


def test_the_record_can_be_brought_to_an_exact_instant() -> None:
    pictures = Pictures()
    pictures.group(BEGIN, 5)
    pictures.out += pictures.segmenter.account(BEGIN + 10**9, Cause.STOPPING)
    assert pictures.segments[0].to_ns == BEGIN + 5 * FRAME
    assert pictures.holes == [Hole(from_ns=BEGIN + 5 * FRAME, to_ns=BEGIN + 10**9, cause=Cause.STOPPING)]
    assert pictures.segmenter.account(BEGIN + 10**9, Cause.STOPPING) == []
