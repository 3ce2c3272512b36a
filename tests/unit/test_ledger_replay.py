"""What a new session takes from the lines before it, also where a power cut or a bad card has been at them."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.ledger.replay import replay
from appliance.ledger.state import LedgerState
from evidence.lines import Pruned, line_hash
from evidence.words import Cause, Mode, Phase
from tests.fakes.station import Station, authority


@pytest.fixture
def station() -> Station:
    station = Station(authority(), cameras=("cam-0", "cam-1"), media=False)
    station.begin()
    return station


def _replay(tmp_path: Path, lines: list[bytes], tail: bytes = b"") -> LedgerState:
    path = tmp_path / "ledger.jws"
    path.write_bytes(b"".join(line + b"\n" for line in lines) + tail)
    with path.open("rb") as file:
        return replay(file)


def test_an_empty_ledger_is_a_fresh_record(tmp_path: Path) -> None:
    state = _replay(tmp_path, [])
    assert (state.next_seq, state.prev, state.size_bytes, state.torn_bytes) == (0, "", 0, 0)
    assert state.start is None


def test_the_state_is_what_the_lines_say(tmp_path: Path, station: Station) -> None:
    station.segments(2)
    station.arm(Mode.TEST)
    station.event("opened")
    station.event("counting")
    station.segment("cam-1")
    station.event("stopped")
    state = _replay(tmp_path, station.lines)
    assert state.next_seq == len(station.lines)
    assert state.prev == line_hash(station.lines[-1])
    assert state.size_bytes == sum(len(line) + 1 for line in station.lines)
    assert (state.mode, state.phases, state.ending) == (Mode.TEST, [Phase.OPENED, Phase.COUNTING], "stopped")
    assert not state.closed
    first, second = state.cameras["cam-0"], state.cameras["cam-1"]
    assert (first.run, first.index, first.covered_ns) == (0, 1, station.cameras["cam-0"].end_ns)
    assert (second.run, second.index, second.covered_ns) == (0, 0, station.cameras["cam-1"].end_ns)
    assert first.fps_by_run == {0: 5}
    assert first.session == station.kid
    assert list(state.unarmed) == [("cam-0", station.kid, 0, 0), ("cam-0", station.kid, 0, 1)]


def test_a_line_after_stopped_means_that_the_session_did_not_end_orderly(tmp_path: Path, station: Station) -> None:
    station.event("stopped")
    station.start("stopped")
    assert not _replay(tmp_path, station.lines).ending


def test_a_closed_record_is_known_for_one(tmp_path: Path, station: Station) -> None:
    station.segment()
    station.close()
    assert _replay(tmp_path, station.lines).closed


def test_pruned_segments_are_no_longer_kept(tmp_path: Path, station: Station) -> None:
    station.segments(5)
    station.append(
        Pruned(camera="cam-0", session=station.kid, run=0, from_index=1, to_index=3, reason="unarmed-expired")
    )
    state = _replay(tmp_path, station.lines)
    assert [index for _, _, _, index in state.unarmed] == [0, 3, 4]
    assert [(pruned.from_index, pruned.to_index) for pruned in state.last_pruned] == [(1, 3)]


def test_a_camera_stays_in_the_hands_of_the_session_before_until_the_new_one_accounts_for_it(
    tmp_path: Path, station: Station
) -> None:
    station.segments(3)
    before = station.kid
    segment = station.record()
    station.start("crash")
    state = _replay(tmp_path, station.lines)
    assert (state.cameras["cam-0"].session, state.cameras["cam-0"].index) == (before, 2)
    station.recovered(segment, before)
    state = _replay(tmp_path, station.lines)
    assert (state.cameras["cam-0"].session, state.cameras["cam-0"].index) == (before, 3)
    station.gap(seconds=1, cause=Cause.CRASH)
    state = _replay(tmp_path, station.lines)
    assert (state.cameras["cam-0"].session, state.cameras["cam-0"].index) == (station.kid, -1)
    assert state.cameras["cam-0"].fps_by_run == {}
    assert state.cameras["cam-1"].session == before


def test_the_boot_of_a_camera_changes_with_the_gap_that_leads_there(tmp_path: Path, station: Station) -> None:
    station.segment()
    ended = station.reboot()
    station.start("power")
    assert _replay(tmp_path, station.lines).cameras["cam-0"].boot_id == ended
    station.gap(cause=Cause.POWER, to_ns=station.boot_ns, from_boot=ended)
    camera = _replay(tmp_path, station.lines).cameras["cam-0"]
    assert (camera.boot_id, camera.covered_ns) == (station.boot, station.boot_ns)


@pytest.mark.parametrize("cut", [1, 2, 100, -2, -1])
def test_a_torn_line_is_measured_and_not_taken(tmp_path: Path, station: Station, cut: int) -> None:
    station.segments(2)
    torn = station.lines[-1][:cut]
    state = _replay(tmp_path, station.lines[:-1], torn)
    assert (state.next_seq, state.torn_bytes) == (len(station.lines) - 1, len(torn))
    assert state.size_bytes == sum(len(line) + 1 for line in station.lines[:-1])


def test_a_commit_of_which_only_the_later_pages_reached_the_disk_is_torn_as_a_whole(
    tmp_path: Path, station: Station
) -> None:
    station.segments(3)
    whole = len(station.lines)
    for event in ("opened", "closed", "counting"):
        station.event(event)
    lines = [*station.lines[:whole], bytes(len(station.lines[whole])), *station.lines[whole + 1 :]]
    state = _replay(tmp_path, lines)
    assert (state.next_seq, state.damages, state.phases) == (whole, 0, [])
    assert state.torn_bytes == sum(len(line) + 1 for line in station.lines[whole:])


@pytest.mark.parametrize("tail", [bytes(5_000), b"\n", b"\xff\xfe\n" * 10, b"." * 200_000, b"." * 200_000 + b"\n"])
def test_rubbish_behind_the_last_line_is_torn_whatever_it_is(tmp_path: Path, station: Station, tail: bytes) -> None:
    station.segments(2)
    state = _replay(tmp_path, station.lines, tail)
    assert (state.next_seq, state.torn_bytes, state.damages) == (len(station.lines), len(tail), 0)


def test_a_ledger_of_rubbish_alone_is_torn_as_a_whole(tmp_path: Path) -> None:
    state = _replay(tmp_path, [], b"rubbish\n" * 100)
    assert (state.next_seq, state.size_bytes, state.torn_bytes, state.start) == (0, 0, 800, None)


def test_a_damaged_line_inside_is_counted_and_the_record_goes_on_behind_it(tmp_path: Path, station: Station) -> None:
    station.segments(10)
    lines = list(station.lines)
    lines[8] = b"x" + lines[8][1:]
    state = _replay(tmp_path, lines)
    assert (state.damages, state.torn_bytes, state.next_seq) == (1, 0, len(lines))
    assert state.prev == line_hash(lines[-1])
    assert state.cameras["cam-0"].covered_ns == station.cameras["cam-0"].end_ns


def test_missing_and_altered_lines_are_damages_each_of_which_counts_once(tmp_path: Path, station: Station) -> None:
    station.segments(30)
    other = Station(authority(), seed="other", cameras=("cam-0", "cam-1"), media=False)
    other.begin()
    other.segments(30)
    lines = list(station.lines)
    lines[20] = other.lines[20]
    del lines[10:13]
    state = _replay(tmp_path, lines)
    assert state.next_seq == len(station.lines)
    assert state.prev == line_hash(station.lines[-1])
    # A line taken from elsewhere fits neither the line before it nor the line behind it.
    assert state.damages == 3


def test_a_damaged_start_costs_the_session_its_name_and_not_the_record(tmp_path: Path, station: Station) -> None:
    station.segments(3)
    number = len(station.lines)
    before = station.kid
    station.start("crash")
    station.gap(seconds=1)
    station.run()
    station.segments(3)
    lines = list(station.lines)
    lines[number] = b"\0" * len(lines[number])
    state = _replay(tmp_path, lines)
    assert state.damages == 1
    assert state.sessions == {before}
    assert state.next_seq == len(lines)


def test_lines_of_a_camera_that_no_start_names_are_damage_and_no_crash(tmp_path: Path, station: Station) -> None:
    station.segments(2)
    station.append(replace(station.record(), camera="cam-9"))
    station.segments(3)
    state = _replay(tmp_path, station.lines)
    assert state.damages == 1
    assert "cam-9" not in state.cameras
    assert state.next_seq == len(station.lines)
