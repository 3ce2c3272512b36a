"""What a crash left without a line: what continues the record, and what is kept aside."""

import hashlib
import os
from pathlib import Path

import pytest

from appliance.store.layout import Layout, part_of
from appliance.store.recovery import (
    MAX_RECOVERED_NS,
    MOST_ASIDE,
    SetAside,
    Standing,
    move_aside,
    recover,
    set_aside_unknown,
)
from base.durable import Disk
from cmaf.fragment import ticks
from cmaf.read import complete_length, read_segment
from evidence.lines import Recovered, Segment
from tests.fakes.station import SECOND, Station, authority


class Left:
    """A unit's disk as a crash leaves it: ``station`` has recorded more than its lines say."""

    def __init__(self, tmp_path: Path) -> None:
        self.layout = Layout(tmp_path / "disk")
        self.layout.media.mkdir(parents=True)
        # A beginning that falls between two ticks.
        self.station = Station(authority(), boot_ns=20 * SECOND + 12_345)
        self.station.begin()
        self.station.segments(2)
        state = self.station.cameras["cam-0"]
        self.standing = Standing(
            session=self.station.kid,
            camera="cam-0",
            covered_ns=state.end_ns,
            run=0,
            index=1,
            fps_by_run={0: 5},
        )

    def left(self, count: int = 1, seconds: int = 2) -> list[Segment]:
        return [self.station.record(seconds=seconds) for _ in range(count)]

    def path(self, index: int) -> Path:
        return self.layout.segment(self.station.kid, "cam-0", 0, index)

    def write(self) -> None:
        for name, data in self.station.files.items():
            path = self.layout.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def recover(self) -> tuple[list[Recovered], list[SetAside]]:
        return recover(Disk(), self.layout, self.standing)


@pytest.fixture
def left(tmp_path: Path) -> Left:
    return Left(tmp_path)


def test_nothing_left_is_nothing_found(left: Left) -> None:
    left.write()
    assert left.recover() == ([], [])


def test_whole_segments_without_a_line_continue_the_record_exactly(left: Left) -> None:
    segments = left.left(3)
    left.write()
    lines, aside = left.recover()
    assert aside == []
    assert [(line.index, line.from_ns, line.sha256, line.frames) for line in lines] == [
        (each.index, each.from_ns, each.sha256, each.frames) for each in segments
    ]
    assert [line.to_ns for line in lines[:-1]] == [each.to_ns for each in segments[:-1]]
    # The end of the last one is known in ticks only.
    assert ticks(lines[-1].to_ns) == ticks(segments[-1].to_ns)
    assert {line.session for line in lines} == {left.station.kid}


def test_a_part_is_cut_to_whole_fragments_and_gets_its_name(left: Left) -> None:
    left.left(2)
    left.write()
    whole = left.path(3).read_bytes()
    os.rename(left.path(3), part_of(left.path(3)))
    part_of(left.path(3)).write_bytes(whole[:-10])
    lines, aside = left.recover()
    kept = left.path(3).read_bytes()
    assert aside == []
    assert kept == whole[: complete_length(whole[:-10])]
    assert 0 < len(kept) < len(whole) - 10
    assert (lines[1].size, lines[1].sha256) == (len(kept), hashlib.sha256(kept).hexdigest())
    layout = read_segment(kept)
    assert (lines[1].frames, ticks(lines[1].to_ns)) == (layout.samples, layout.decode_time + layout.duration)
    assert not part_of(left.path(3)).exists()


def test_every_length_of_a_torn_part_gives_a_contiguous_answer(left: Left) -> None:
    left.left(1)
    left.write()
    whole = left.path(2).read_bytes()
    left.path(2).unlink()
    part = part_of(left.path(2))
    lengths = {0}
    for size in range(0, len(whole), 97):
        left.path(2).unlink(missing_ok=True)
        part.write_bytes(whole[:size] + bytes(50))
        lines, aside = left.recover()
        assert len(lines) + len(aside) == 1
        for line in lines:
            assert line.from_ns == left.standing.covered_ns < line.to_ns
            lengths.add(line.size)
        part.unlink(missing_ok=True)
    assert len(lengths) > 3


def test_doing_it_again_gives_the_same_answer(left: Left) -> None:
    left.left(2)
    left.write()
    data = left.path(3).read_bytes()
    left.path(3).unlink()
    part_of(left.path(3)).write_bytes(data[:-1])
    first = left.recover()
    assert left.recover() == first
    assert len(first[0]) == 2


def test_media_behind_a_missing_segment_do_not_count(left: Left) -> None:
    left.left(3)
    left.write()
    left.path(3).unlink()
    lines, aside = left.recover()
    assert [line.index for line in lines] == [2]
    assert [(item.path, item.size_bytes) for item in aside] == [
        (str(left.path(4).relative_to(left.layout.root)), left.path(4).stat().st_size)
    ]
    assert left.path(4).exists()


def test_media_of_another_time_do_not_count(left: Left) -> None:
    left.station.cameras["cam-0"].end_ns += 1
    left.left(1)
    left.write()
    lines, aside = left.recover()
    assert lines == []
    assert aside[0].reason == "does not continue the record"


def test_media_of_another_camera_or_session_in_this_ones_place_do_not_count(left: Left) -> None:
    left.left(1)
    left.write()
    left.standing = Standing(
        session=left.station.kid, camera="cam-1", covered_ns=left.standing.covered_ns, run=0, index=1, fps_by_run={0: 5}
    )
    folder = left.layout.media / left.station.kid
    (folder / "cam-0").rename(folder / "cam-1")
    assert left.recover()[0] == []


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", bytes(10_000)])
def test_rubbish_does_not_count_and_is_no_crash(left: Left, rubbish: bytes) -> None:
    left.left(1)
    left.write()
    left.path(2).write_bytes(rubbish)
    lines, aside = left.recover()
    assert lines == []
    assert aside[0].reason == "no whole fragment"


def test_a_page_that_a_power_cut_lost_ends_what_is_recovered_before_its_fragment(left: Left) -> None:
    left.left(1)
    left.write()
    whole = left.path(2).read_bytes()
    left.path(2).unlink()
    part = part_of(left.path(2))
    fragments = read_segment(whole).fragments
    for number, fragment in enumerate(fragments):
        left.path(2).unlink(missing_ok=True)
        end = fragment.offset + fragment.size
        # Of the last picture, the length before it, or its bytes.
        for begin in (end - 8, end - 4):
            part.write_bytes(whole[:begin] + bytes(4) + whole[begin + 4 :])
            lines, aside = left.recover()
            if number == 0:
                assert (lines, aside[0].reason) == ([], "no fragment whose pictures are whole")
            else:
                assert [line.size for line in lines] == [fragment.offset]
                left.path(2).unlink()


def test_more_than_thirty_seconds_are_not_what_a_crash_leaves(left: Left) -> None:
    left.left(17)
    left.write()
    lines, aside = left.recover()
    assert len(lines) == 15
    assert sum(line.to_ns - line.from_ns for line in lines) <= MAX_RECOVERED_NS + 11_112
    assert [item.reason for item in aside] == ["longer than a crash can leave", "behind what does not count"]


def test_the_number_of_files_set_aside_is_bounded(left: Left) -> None:
    left.left(1)
    left.write()
    for index in range(5, 5 + 2 * MOST_ASIDE):
        left.path(index).write_bytes(b"rubbish")
    lines, aside = left.recover()
    assert (len(lines), len(aside)) == (1, MOST_ASIDE)


def test_what_is_set_aside_is_moved_and_kept(left: Left) -> None:
    left.write()
    left.path(7).write_bytes(b"rubbish")
    _, (item,) = left.recover()
    move_aside(Disk(), left.layout, item)
    move_aside(Disk(), left.layout, item)
    (kept,) = left.layout.aside.iterdir()
    assert kept.read_bytes() == b"rubbish"
    assert not left.path(7).exists()


def test_two_files_of_one_name_are_both_kept_aside(left: Left) -> None:
    left.write()
    for _ in range(2):
        left.path(7).write_bytes(b"rubbish")
        _, (item,) = left.recover()
        move_aside(Disk(), left.layout, item)
    assert len(list(left.layout.aside.iterdir())) == 2


def test_a_session_that_the_ledger_does_not_know_is_set_aside_as_one_folder(left: Left) -> None:
    left.left(3)
    left.write()
    (item,) = set_aside_unknown(left.layout, set())
    assert (item.path, item.size_bytes, item.sha256) == (f"media/{left.station.kid}", None, None)
    assert item.reason.startswith("6 files")
    move_aside(Disk(), left.layout, item)
    assert set_aside_unknown(left.layout, set()) == []
    assert len(list((left.layout.aside / left.station.kid).rglob("*.m4s"))) == 5


def test_known_sessions_and_a_missing_folder_are_left_alone(left: Left, tmp_path: Path) -> None:
    left.write()
    assert set_aside_unknown(left.layout, {left.station.kid}) == []
    assert set_aside_unknown(Layout(tmp_path / "nothing"), set()) == []


def test_a_stray_file_among_the_sessions_is_set_aside_by_its_digest(left: Left) -> None:
    left.write()
    (left.layout.media / "note.txt").write_bytes(b"hello")
    (item,) = set_aside_unknown(left.layout, {left.station.kid})
    assert item.sha256 == hashlib.sha256(b"hello").hexdigest()
