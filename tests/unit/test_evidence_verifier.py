"""Attacks on what lines say, judged in memory: each is found by its code and leaves no avalanche behind."""

import pytest

from evidence import jws
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.coverage import State
from evidence.lines import Event, Recovered, Unknown
from evidence.verify.media import Fault
from evidence.verify.record import Record
from evidence.verify.verifier import Verifier
from evidence.words import Cause, ClockChange, Mode
from tests.fakes.checking import check, codes, covered_s, judge_lines, state_s, whole
from tests.fakes.station import SECOND, Station, authority


def test_a_hole_is_a_finding_and_missing_time() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segment()
    station.cameras["cam-0"].end_ns += 3 * SECOND
    station.segment()
    station.close()
    record = check(station)
    assert codes(record) == [Code.HOLE]
    assert state_s(record, State.UNEXPLAINED) == 3


def test_an_overlap_is_a_finding_and_covered_once() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segment()
    station.cameras["cam-0"].end_ns -= SECOND
    station.segment()
    station.segment()
    station.close()
    record = check(station)
    assert codes(record) == [Code.OVERLAP]
    assert covered_s(record) == 5


def test_a_gap_over_a_segment_is_a_finding_and_the_segment_counts() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segment()
    station.cameras["cam-0"].end_ns -= SECOND
    station.gap(seconds=3)
    station.run()
    station.segment()
    station.close()
    record = check(station)
    assert codes(record) == [Code.GAP_OVER_SEGMENT]
    assert covered_s(record) == 4


def test_lines_missing_from_one_camera_do_not_excuse_a_later_hole_of_another() -> None:
    station = Station(authority(), cameras=("cam-0", "cam-1"), media=False)
    station.begin()
    for _ in range(4):
        station.segment("cam-0")
        station.segment("cam-1")
    lost = len(station.lines)
    station.segment("cam-0")
    station.segment("cam-1")
    station.segment("cam-0")
    station.segment("cam-1")
    station.cameras["cam-1"].end_ns += SECOND
    station.segment("cam-1")
    station.segment("cam-0")
    station.close()
    record = check(station, station.lines[:lost] + station.lines[lost + 1 :])
    assert codes(record) == [Code.LINE_MISSING, Code.HOLE]
    assert [finding.at.camera for finding in record.findings.all()] == [None, "cam-1"]


@pytest.mark.parametrize(("late_s", "expected"), [(0, []), (1, [Code.RECOVERED_NOT_CONTIGUOUS])])
def test_recovered_media_must_be_contiguous(late_s: int, expected: list[Code]) -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segment()
    station.cameras["cam-0"].end_ns += late_s * SECOND
    found, session = station.record(), station.kid
    station.boot_ns += 5 * SECOND
    station.start(ended="crash")
    station.recovered(found, session)
    station.gap(cause=Cause.CRASH)
    station.close()
    record = check(station)
    assert codes(record) == expected
    assert state_s(record, State.RECOVERED) == 2


def test_recovered_media_of_more_than_30_s_are_one_finding() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segment()
    found, session = [station.record() for _ in range(20)], station.kid
    station.start(ended="crash")
    for segment in found:
        station.recovered(segment, session)
    station.gap(seconds=1, cause=Cause.CRASH)
    station.close()
    assert codes(check(station)) == [Code.RECOVERED_TOO_LONG]


def test_recovered_media_of_no_known_session_are_refused() -> None:
    station = whole()
    station.lines.pop()
    body = Recovered(
        session="A" * 43,
        camera="cam-0",
        run=0,
        index=6,
        mode=Mode.LIVE,
        sha256="0" * 64,
        size=1,
        from_ns=station.cameras["cam-0"].end_ns,
        to_ns=station.cameras["cam-0"].end_ns + SECOND,
        frames=1,
    )
    station.append(body)
    station.close()
    assert codes(check(station)) == [Code.RECOVERED_NOT_CONTIGUOUS]


def test_a_reboot_is_bridged_by_a_gap_whose_duration_is_an_interval() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segments(3)
    ended = station.reboot(off_seconds=60)
    station.start(ended="power")
    station.gap(cause=Cause.POWER, from_boot=ended)
    station.run()
    station.segments(2)
    station.close()
    record = check(station)
    assert codes(record) == []
    _, (crossing,) = record.cameras["cam-0"].coverage.settled()
    assert crossing.cause is Cause.POWER
    assert covered_s(record) == 10


def test_a_reboot_that_no_gap_bridges_is_a_hole() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segments(3)
    station.reboot()
    station.start(ended="power")
    station.cameras["cam-0"].end_ns = station.boot_ns
    station.run()
    station.segments(2)
    station.close()
    assert codes(check(station)) == [Code.HOLE]


def test_a_clock_set_back_untold_is_found_and_told_is_noted() -> None:
    def day(*, told: bool, synced: bool) -> list[Code]:
        station = Station(authority(), media=False)
        station.begin()
        station.segment()
        station.error_us = 1_000 if synced else None
        station.clock(ClockChange.LOST, 0)
        assert station.utc_us is not None
        station.utc_us -= 3_600_000_000
        if told:
            station.clock(ClockChange.STEP, -3_600_000_000)
        station.segments(3)
        station.close()
        return codes(check(station))

    assert day(told=True, synced=False) == []
    assert day(told=False, synced=False) == [Code.CLOCK_STEP_UNTOLD]
    assert day(told=True, synced=True) == [Code.CLOCK_STEP]
    assert day(told=False, synced=True) == [Code.CLOCK_STEP_UNTOLD, Code.CLOCK_CONTRADICTION]


def test_boot_time_that_runs_backwards_is_one_finding() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.append(Event(event="opened"), stamp=station.stamp(station.boot_ns - SECOND // 2))
    station.segments(3)
    station.close()
    assert codes(check(station)) == [Code.TIME_BACKWARDS]


def test_test_passed_off_as_live_is_found_once() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.arm(Mode.LIVE, signed=station.profile(Mode.TEST))
    station.segments(10)
    station.close()
    assert codes(check(station)) == [Code.TEST_AS_LIVE]


def test_a_live_segment_that_nothing_armed_is_test_as_live() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segments(2)
    station.mode = Mode.LIVE
    station.segments(4)
    station.close()
    (finding,) = check(station).findings.all()
    assert finding.code is Code.TEST_AS_LIVE
    assert finding.count == 4


def test_a_missing_armed_line_is_no_finding_on_every_segment_after_it() -> None:
    station = whole(count=40)
    place = next(i for i, line in enumerate(station.lines) if b'"armed"' in jws.unseal(line).payload)
    assert codes(check(station, station.lines[:place] + station.lines[place + 1 :])) == [Code.LINE_MISSING]


def test_a_rearmed_unit_may_finish_its_segment_in_the_mode_before() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.arm(Mode.TEST)
    station.segments(7)
    running = station.record()
    station.arm(Mode.LIVE)
    station.append(running)
    station.segments(2)
    station.close()
    assert codes(check(station)) == []


def test_index_and_run_numbers_have_no_holes() -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segment()
    station.cameras["cam-0"].index = 5
    station.segments(3)
    station.cameras["cam-0"].run = 3
    station.run()
    station.segment()
    station.close()
    (finding,) = check(station).findings.all()
    assert (finding.code, finding.count) == (Code.INDEX_MISSING, 2)


def test_media_that_do_not_check_are_damaged_and_media_that_are_not_there_are_missing() -> None:
    station = whole()
    seqs = [i for i, line in enumerate(station.lines) if b'"segment"' in jws.unseal(line).payload]
    settle = {seqs[1]: (Fault(code=Code.MEDIA_CHANGED, detail=""),), seqs[3]: None}
    record = check(station, settle=settle)
    assert codes(record) == [Code.MEDIA_CHANGED, Code.MEDIA_MISSING]
    assert (covered_s(record), state_s(record, State.DAMAGED), state_s(record, State.MISSING)) == (8, 2, 2)
    assert record.cameras["cam-0"].frames == 4 * 10


def test_pruned_media_are_no_finding_before_and_after_the_line_is_read() -> None:
    station = Station(authority(), media=False)
    station.begin()
    first = len(station.lines)
    station.segments(5)
    station.pruned("cam-0", 0, 3, drop=False)
    station.segments(2)
    station.close()
    record = check(station, settle={first + index: None for index in range(3)})
    assert codes(record) == []
    assert (covered_s(record), state_s(record, State.PRUNED)) == (8, 6)


def test_live_media_must_not_be_pruned() -> None:
    station = whole()
    station.lines.pop()
    station.pruned("cam-0", 0, 2, drop=False)
    station.close()
    assert codes(check(station)) == [Code.PRUNED_UNLAWFULLY]


def test_a_kind_of_a_later_version_keeps_its_place_and_is_noted() -> None:
    station = whole()
    station.lines.pop()
    station.append(Unknown(kind="anchor"))
    station.close()
    assert codes(check(station)) == [Code.KIND_UNKNOWN]


def test_no_root_means_the_chain_is_checked_in_itself_only() -> None:
    station = whole()
    record = Record()
    judge_lines(station.lines, record, Verifier(Trust(), record))
    record.finish()
    assert codes(record) == []
    assert record.lines == len(station.lines)


def test_a_certificate_is_judged_on_the_utc_of_its_session_and_not_without_it() -> None:
    def day(utc_us: int | None) -> list[Code]:
        station = Station(authority(), media=False, utc_us=utc_us)
        station.begin()
        station.segment()
        station.close()
        return codes(check(station))

    year_us = 366 * 24 * 3600 * 10**6
    noon = Station(authority(), media=False).utc_us
    assert noon is not None
    assert day(noon) == []
    assert day(noon + 2 * year_us) == [Code.CERT_EXPIRED]
    assert day(noon - year_us) == [Code.CERT_NOT_YET_VALID]
    assert day(None) == [Code.CERT_TIME_UNKNOWN]
