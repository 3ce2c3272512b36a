"""Several histories of one unit, and answers that do not depend on the order of work."""

import pytest

from evidence import jws
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.verify.forks import History, judge_forks
from evidence.verify.record import Record
from evidence.verify.verifier import Verifier
from evidence.words import Cause
from tests.fakes.checking import check, check_branches, codes, covered_s, judge_lines, whole
from tests.fakes.station import Station, authority


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


@pytest.mark.parametrize("order", [(1, 0), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_moved_lines_of_an_abandoned_branch_accuse_nobody(order: tuple[int, ...]) -> None:
    station, abandoned = _fork(8)
    begin = len(abandoned.lines) - 4
    moved = (
        abandoned.lines[:begin] + [abandoned.lines[begin + at] for at in order] + abandoned.lines[begin + len(order) :]
    )
    for ledgers in ([station.lines, moved], [moved, station.lines]):
        record = check_branches(station, ledgers)
        assert set(codes(record)) == {Code.LINE_REORDERED, Code.TAIL_LOST}
        assert record.lines == len(station.lines) + 4


def test_a_moved_start_opens_its_branch_all_the_same() -> None:
    abandoned, other = History(), History()
    for seq in range(6):
        abandoned.add(seq, bytes((seq,)) * 32, seq, start=seq == 0)
    for seq in (0, 1, 2, 3, 5, 4, 6):
        other.add(seq, bytes((seq + 100 * (seq >= 4),)) * 32, seq, start=seq in (0, 4))
    for one, two in ((abandoned, other), (other, abandoned)):
        assert [(fork.seq, fork.code) for fork in judge_forks([one, two])] == [(4, Code.TAIL_LOST)]
    assert other.holds(4, bytes((104,)) * 32)
    assert not other.holds(4, bytes((4,)) * 32)


def test_a_copy_with_moved_lines_counts_no_line_twice() -> None:
    station = whole()
    moved = [station.lines[seq] for seq in (0, 1, 2, 3, 4, 10, 7, 6, 8, 9, 5, *range(11, len(station.lines)))]
    for ledgers in ([station.lines, moved], [moved, station.lines], [moved, moved]):
        record = check_branches(station, ledgers)
        assert set(codes(record)) == {Code.LINE_REORDERED}
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
