"""Attacks on the chain, judged in memory: each is found by its code and leaves no avalanche behind."""

import pytest

from evidence.codes import Code
from evidence.coverage import State
from evidence.lines import Event, line_hash
from evidence.words import Cause
from tests.fakes.checking import check, codes, covered_s, flip, whole
from tests.fakes.station import SECOND, Station, authority, signer


def test_a_whole_record_has_no_findings() -> None:
    station = whole(("cam-0", "cam-1"))
    record = check(station)
    assert codes(record) == []
    assert record.closed
    assert record.lines == len(station.lines)
    assert covered_s(record) == covered_s(record, "cam-1") == 12


@pytest.mark.parametrize("place", range(1, 12))
def test_a_missing_line_is_one_finding_wherever_it_is(place: int) -> None:
    station = whole()
    lines = station.lines[:place] + station.lines[place + 1 :]
    expected = [Code.OPEN_END] if place == len(station.lines) - 1 else [Code.LINE_MISSING]
    assert codes(check(station, lines)) == expected


@pytest.mark.parametrize("place", range(12))
def test_a_changed_signature_is_one_finding_wherever_it_is(place: int) -> None:
    station = whole()
    lines = list(station.lines)
    lines[place] = flip(lines[place], 2)
    found = set(codes(check(station, lines)))
    assert found - {Code.OPEN_END} == {Code.SIGNATURE_WRONG}
    assert (Code.OPEN_END in found) == (place == len(lines) - 1)


@pytest.mark.parametrize("place", range(1, 11))
def test_a_line_that_cannot_be_read_is_one_finding(place: int) -> None:
    station = whole()
    lines = list(station.lines)
    lines[place] = b"!" + lines[place]
    assert codes(check(station, lines)) == [Code.LINE_MALFORMED]


@pytest.mark.parametrize("place", range(1, 11))
def test_a_repeated_line_is_one_finding_and_counts_once(place: int) -> None:
    station = whole()
    lines = [*station.lines[:-1], station.lines[place], *station.lines[-1:]]
    record = check(station, lines)
    assert codes(record) == [Code.LINE_REPEATED]
    assert covered_s(record) == 12


@pytest.mark.parametrize("place", range(1, 11))
def test_swapped_lines_are_one_finding_and_both_count(place: int) -> None:
    station = whole()
    lines = list(station.lines)
    lines[place], lines[place + 1] = lines[place + 1], lines[place]
    record = check(station, lines)
    assert codes(record) == [Code.LINE_REORDERED]
    assert covered_s(record) == 12


@pytest.mark.parametrize("to", [3, 6, 9])
@pytest.mark.parametrize("place", [5, 7, 10])
def test_a_line_moved_far_is_one_finding(place: int, to: int) -> None:
    station = whole()
    lines = list(station.lines)
    lines.insert(to, lines.pop(place))
    assert set(codes(check(station, lines))) == {Code.LINE_REORDERED}


def test_a_missing_line_that_comes_back_behind_a_second_jump_is_not_missing() -> None:
    station = whole()
    assert len(station.lines) > 10
    order = [0, 1, 2, 3, 4, 10, 7, 6, 8, 9, 5, *range(11, len(station.lines))]
    record = check(station, [station.lines[seq] for seq in order])
    assert set(codes(record)) == {Code.LINE_REORDERED}
    assert record.lines == len(station.lines)


def test_a_line_that_came_back_behind_a_second_jump_counts_once() -> None:
    station = whole()
    order = [0, 1, 2, 3, 4, 10, 7, 6, 8, 9, 5, 8, *range(11, len(station.lines))]
    record = check(station, [station.lines[seq] for seq in order])
    assert set(codes(record)) == {Code.LINE_REORDERED, Code.LINE_REPEATED}
    assert record.lines == len(station.lines)


def test_an_inserted_line_of_a_stranger_is_key_unknown_and_nothing_else() -> None:
    for place in range(1, 12):
        station = whole()
        forger = whole()
        forger.lines = forger.lines[:place]
        forger.append(Event(event="finished"), by=signer("stranger"))
        lines = station.lines[:place] + forger.lines[-1:] + station.lines[place:]
        assert codes(check(station, lines)) == [Code.KEY_UNKNOWN]


def test_a_line_of_an_earlier_session_is_key_stale() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segment()
    stale = station.session
    station.start(ended="crash")
    station.append(Event(event="opened"), by=stale)
    station.gap(seconds=1, cause=Cause.CRASH)
    station.close()
    assert codes(check(station)) == [Code.KEY_STALE]


def test_a_head_cut_off_within_the_first_session_is_head_missing_only() -> None:
    station = whole()
    assert codes(check(station, station.lines[1:])) == [Code.HEAD_MISSING]
    assert codes(check(station, [])) == [Code.HEAD_MISSING]


def test_a_head_cut_off_before_a_later_session_keeps_that_session() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.arm()
    station.segments(2)
    cut = len(station.lines)
    station.boot_ns += 5 * SECOND
    station.start(ended="crash")
    station.gap(cause=Cause.CRASH)
    station.run()
    station.segments(2)
    station.close()
    record = check(station, station.lines[cut:])
    assert codes(record) == [Code.HEAD_MISSING]
    assert covered_s(record) == 4


def test_a_head_cut_off_before_a_later_boot_adds_no_time_back_to_the_boot_before() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segments(2)
    cut = len(station.lines)
    ended = station.reboot(off_seconds=600)
    station.start(ended="power")
    station.gap(cause=Cause.POWER, from_boot=ended)
    station.run()
    station.segments(2)
    station.close()
    record = check(station, station.lines[cut:])
    assert codes(record) == [Code.HEAD_MISSING]
    lanes, (crossing,) = record.cameras["cam-0"].coverage.settled()
    assert (crossing.state, crossing.to_boot) == (State.GAP, list(lanes)[-1])


def test_a_tail_cut_off_is_an_open_end_since_the_last_line() -> None:
    station = whole()
    record = check(station, station.lines[:-3])
    (finding,) = record.findings.all()
    assert finding.code is Code.OPEN_END
    assert finding.at.seq == len(station.lines) - 4
    assert record.head == (len(station.lines) - 4, line_hash(station.lines[-4]))


def test_a_fork_inside_one_file_counts_its_first_branch_only() -> None:
    station = whole()
    fork = whole()
    fork.lines = fork.lines[:8]
    fork.cameras["cam-0"].end_ns -= 8 * SECOND
    fork.cameras["cam-0"].index = 2
    fork.segment()
    fork.segment()
    record = check(station, station.lines + fork.lines[8:])
    assert Code.LINE_REORDERED in codes(record)
    assert set(codes(record)) <= {Code.LINE_REORDERED, Code.LINE_REPEATED}
    assert covered_s(record) == 12


def test_a_refused_start_covers_every_line_of_its_session() -> None:
    station = Station(authority(), media=False)
    station.certs = Station(authority("az-2027", "other"), media=False).certs
    station.begin()
    station.segments(40)
    station.close()
    record = check(station)
    assert codes(record) == [Code.CERT_UNTRUSTED]
    assert record.names == ("az-2026", "57-002", "u1")
    assert record.lines == 0
