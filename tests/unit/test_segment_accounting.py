"""Whatever pictures come, and whenever: time is covered exactly once and every picture is accounted for."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.segment.output import Chunk, Hole, Output, RunBegun, SegmentDone
from appliance.segment.segmenter import Segmenter
from cmaf.fragment import ticks
from cmaf.read import read_segment
from evidence.words import Cause, Mode
from tests.fakes.camera import Unit
from tests.fakes.tinyh264 import TinyEncoder

BEGIN = 3_000_000_007
MS = 10**6

FRAME = 66_666_667
Event = tuple[object, ...]

_spacings = st.one_of(
    st.integers(-300 * MS, 300 * MS),
    st.sampled_from([0, 1, 999_999, 1_000_000, 100 * MS, 100 * MS + 1, 499 * MS, 500 * MS, 500 * MS + 1, 501 * MS]),
    st.integers(300 * MS, 600 * MS),
    st.integers(600 * MS, 4_000 * MS),
    st.just(13_000 * MS),
)
_kinds = st.sampled_from(["p", "p", "p", "idr", "other", "bare", "garbage", "no-slice"])
_disturbances: st.SearchStrategy[Event] = st.one_of(
    st.tuples(st.just("picture"), _spacings, _kinds, st.sampled_from(Mode), st.booleans()),
    st.tuples(st.just("picture"), _spacings, st.just("p"), st.just(Mode.TEST), st.just(True)),
    st.tuples(st.just("interrupt"), st.sampled_from([Cause.OVERLOAD, Cause.DISK_FULL]), st.booleans()),
    st.tuples(st.just("idle"), st.integers(0, 30_000 * MS)),
    st.tuples(st.just("account"), st.integers(-1_000 * MS, 5_000 * MS)),
)


@st.composite
def _groups(draw: st.DrawFn) -> list[Event]:
    """A group of pictures as a camera delivers it, with a disturbance here and there."""
    mode = draw(st.sampled_from([Mode.TEST, Mode.TEST, Mode.LIVE]))
    first = draw(st.sampled_from(["idr", "idr", "idr", "bare", "other", "p"]))
    jitter = draw(st.integers(0, 20 * MS))
    count = draw(st.sampled_from([1, 4, 12, 30]))
    spacing = draw(st.one_of(st.just(FRAME), st.integers(FRAME, 500 * MS)))
    events: list[Event] = [("picture", spacing, first, mode, True)]
    events += [("picture", FRAME + (-jitter if number % 2 else jitter), "p", mode, True) for number in range(count)]
    for disturbance in draw(st.lists(_disturbances, max_size=2)):
        events.insert(draw(st.integers(0, len(events))), disturbance)
    return events


_events = st.lists(_groups(), min_size=2, max_size=6).map(lambda groups: [event for group in groups for event in group])


@dataclass
class _Account:
    """Follows the outputs: where the record stands, the open file, the numbers of runs and segments."""

    covered_ns: int = BEGIN
    run: int = -1
    index: int = 0
    data: bytes = b""
    sequence: int = 0
    frames: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)

    def take(self, output: Output) -> None:
        match output:
            case RunBegun(run=run):
                assert run == self.run + 1
                assert not self.data
                self.run, self.index, self.sequence = run, 0, 0
            case Chunk(run=run, index=index, data=data):
                assert (run, index) == (self.run, self.index)
                self.data += data
            case Hole(from_ns=from_ns, to_ns=to_ns):
                assert not self.data, "a hole inside a segment"
                assert from_ns == self.covered_ns < to_ns
                self.holes.append((from_ns, to_ns))
                self.covered_ns = to_ns
            case SegmentDone() as done:
                assert (done.run, done.index) == (self.run, self.index)
                assert done.from_ns == self.covered_ns < done.to_ns
                self._check_media(done)
                self.covered_ns, self.index, self.data = done.to_ns, self.index + 1, b""
                self.frames += done.frames

    def _check_media(self, done: SegmentDone) -> None:
        layout = read_segment(self.data)
        assert layout.decode_time == ticks(done.from_ns)
        assert layout.decode_time + layout.duration == ticks(done.to_ns)
        assert layout.samples == done.frames
        assert layout.first_is_keyframe
        assert layout.keyframes == 1
        assert layout.longest_sample <= 45_000
        for fragment in layout.fragments:
            self.sequence += 1
            assert fragment.sequence == self.sequence
            assert fragment.duration <= 45_000 or fragment.samples == 1
        uneven = 2 * layout.longest_sample * 15 > 3 * 90_000 + 30
        assert bool(done.holes[0]) == bool(done.holes[1])
        assert done.holes[0] or not uneven


@settings(max_examples=400)
@given(events=_events)
def test_time_is_covered_exactly_once_and_every_picture_is_accounted_for(events: list[Event]) -> None:
    pictures = _pictures()
    segmenter = Segmenter(fps=15, begin_ns=BEGIN, describe=lambda opening: b"{}")
    account = _Account()
    now_ns, pushed = BEGIN, 0
    for event in events:
        match event:
            case ("picture", int(spacing), str(kind), Mode() as mode, bool(flag)):
                now_ns = max(0, now_ns + spacing)
                data = pictures[kind]
                keyframe = kind in ("idr", "other", "bare") if flag else kind == "p"
                pushed += 1
                outputs = segmenter.push(Unit(data=data, boot_ns=now_ns, keyframe=keyframe, mode=mode))
            case ("interrupt", Cause() as cause, bool(new_run)):
                outputs = segmenter.interrupt(cause, new_run=new_run)
            case ("idle", int(later)):
                outputs = segmenter.idle(now_ns + later)
            case ("account", int(later)):
                outputs = segmenter.account(now_ns + later, Cause.STOPPING)
            case _:
                raise AssertionError(event)
        for output in outputs:
            account.take(output)
        if segmenter.open_from_ns is None:
            assert segmenter.covered_ns == account.covered_ns
        else:
            assert segmenter.open_from_ns == segmenter.covered_ns == account.covered_ns
    for output in segmenter.interrupt(Cause.STOPPED):
        account.take(output)
    assert segmenter.covered_ns == account.covered_ns
    assert account.frames + segmenter.late + segmenter.undecodable == pushed


def _pictures() -> dict[str, bytes]:
    encoder = TinyEncoder(16, 16)
    idr = encoder.idr()
    return {
        "idr": idr,
        "p": encoder.p(),
        "other": TinyEncoder(32, 16).idr(),
        "bare": b"\0\0\1" + idr.split(b"\0\0\1")[-1],
        "garbage": b"\0\0\1",
        "no-slice": b"\0\0\1" + encoder.sps,
    }
