"""Attacks on lines, judged in memory: each is found by its code and leaves no avalanche behind."""

import pytest

from evidence import base64url, jws
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.coverage import COVERED, State, total_ns
from evidence.lines import Event, Recovered, Unknown, line_hash
from evidence.verify.media import Fault
from evidence.verify.record import Record
from evidence.verify.verifier import Verifier
from evidence.words import Cause, ClockChange, Mode
from tests.fakes.checking import check, check_branches, codes, judge_lines
from tests.fakes.station import SECOND, Station, authority, signer


def whole(cameras: tuple[str, ...] = ("cam-0",), count: int = 6) -> Station:
    """An armed and closed day without media."""
    station = Station(authority(), cameras=cameras, media=False)
    station.begin()
    station.arm()
    for _ in range(count):
        for camera in cameras:
            station.segment(camera)
    station.close()
    return station


def covered_s(record: Record, camera: str = "cam-0") -> float:
    lanes, _ = record.cameras[camera].coverage.settled()
    return sum(total_ns(spans, COVERED) for spans in lanes.values()) / SECOND


def state_s(record: Record, state: State, camera: str = "cam-0") -> float:
    lanes, _ = record.cameras[camera].coverage.settled()
    return sum(total_ns(spans, frozenset({state})) for spans in lanes.values()) / SECOND


def flip(line: bytes, part: int) -> bytes:
    """The line with one bit changed in the value of header, payload or signature."""
    parts = line.split(b".")
    value = bytearray(base64url.decode(parts[part]))
    value[len(value) // 2] ^= 1
    parts[part] = base64url.encode(bytes(value)).encode()
    return b".".join(parts)


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


def _fork(abandoned_s: int, *, abandoned_start: bool = False) -> tuple[Station, Station]:
    """A unit that a power cut took back, and the branch that the archive has."""

    def to_the_fork() -> Station:
        station = Station(authority(), media=False)
        station.begin()
        station.segments(2)
        return station

    abandoned, station = to_the_fork(), to_the_fork()
    abandoned.segments(abandoned_s // 2)
    if abandoned_start:
        abandoned.start(ended="crash")
    ended = station.reboot(off_seconds=600)
    station.start(ended="power")
    station.gap(cause=Cause.POWER, from_boot=ended)
    station.run()
    station.segments(2)
    station.close()
    return station, abandoned


@pytest.mark.parametrize(("abandoned_s", "code"), [(4, Code.TAIL_LOST), (60, Code.TAIL_LOST), (64, Code.ROLLED_BACK)])
def test_a_lost_tail_and_a_rolled_back_card_count_both_branches(abandoned_s: int, code: Code) -> None:
    station, abandoned = _fork(abandoned_s)
    for ledgers in ([station.lines, abandoned.lines], [abandoned.lines, station.lines]):
        record = check_branches(station, ledgers)
        assert codes(record) == [code]
        assert covered_s(record) == 4 + abandoned_s + 4
        _, (crossing,) = record.cameras["cam-0"].coverage.settled()
        assert crossing.from_ns == abandoned.cameras["cam-0"].end_ns


def test_two_starts_after_a_fork_are_equivocation() -> None:
    station, abandoned = _fork(4, abandoned_start=True)
    assert Code.EQUIVOCATION in codes(check_branches(station, [station.lines, abandoned.lines]))


def test_a_ledger_that_is_the_beginning_of_another_is_no_fork() -> None:
    station = whole()
    for ledgers in ([station.lines, station.lines[:5]], [station.lines[:5], station.lines], [station.lines] * 2):
        record = check_branches(station, ledgers)
        assert codes(record) == []
        assert record.lines == len(station.lines)
        assert covered_s(record) == 12


def test_a_second_session_key_cannot_be_enrolled_twice() -> None:
    station = whole()
    lines = [*station.lines[:-1], station.lines[0], station.lines[-1]]
    assert codes(check(station, lines)) == [Code.LINE_REPEATED]


def test_findings_of_one_code_and_camera_are_merged_and_the_first_speaks() -> None:
    station = whole(count=40)
    seqs = [i for i, line in enumerate(station.lines) if b'"segment"' in jws.unseal(line).payload]
    (finding,) = check(station, settle=dict.fromkeys(seqs)).findings.all()
    assert (finding.code, finding.count, finding.at.seq) == (Code.MEDIA_MISSING, 40, seqs[0])


def test_a_start_of_another_station_does_not_take_over() -> None:
    station, other = whole(), Station(authority(), station="57-003", unit="u9", seed="other", media=False)
    other.lines = station.lines[:-1]
    other.start(ended="crash")
    lines = [*station.lines[:-1], other.lines[-1], station.lines[-1]]
    assert codes(check(station, lines)) == [Code.START_MISMATCH]


def test_the_same_day_in_another_order_of_settling_gives_the_same_answer() -> None:
    station = whole(("cam-0", "cam-1"))
    one, two = check(station), Record()
    judge_lines(station.lines, two, Verifier(Trust.from_pem(station.authority.root_pem), two))
    two.finish()
    assert one.findings.all() == two.findings.all()
    assert one.sessions == two.sessions
