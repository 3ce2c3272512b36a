"""Days as they grow, delivered to a real archive: what is kept, what is begun anew and the verifier say the same."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from archive.account.account import account
from archive.account.accounts import Accounts
from archive.account.ahead import read_ahead
from archive.finding import Oddity
from archive.index.index import Index
from archive.names import UnitName
from archive.publish.publications import Publications, PublicSegment
from evidence.codes import Code
from evidence.coverage import State
from evidence.day.answer import Record
from evidence.lines import Pruned
from evidence.words import Cause
from tests.fakes.account_day import NAME, Day
from tests.fakes.archive import ELECTION
from tests.fakes.archive_unit import deliver, media_of
from tests.fakes.station import NOON_US, SECOND


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    day = Day(tmp_path / "archive")
    yield day
    day.close()


def states(record: Record, camera: int = 0) -> list[str]:
    return [span.state for span in record.cameras[camera].spans]


def test_a_plain_day_grows_and_closes(day: Day) -> None:
    assert day.accounts.of(NAME) is None
    day.begin()
    day.record(3)
    day.lines()
    assert states(day.agree()) == [State.GAP, State.MISSING]
    day.media()
    record = day.agree()
    assert states(record) == [State.GAP, State.SEGMENT]
    assert (record.verdict, record.findings) == ("cannot-tell", ()), "it goes on"
    day.station.event("opened")
    day.record(2)
    day.lines()
    assert [span.state for span in day.agree().cameras[1].spans] == [State.GAP, State.SEGMENT, State.MISSING]
    day.media()
    day.station.event("finished")
    day.station.close()
    day.lines()
    record = day.agree()
    assert (record.verdict, record.closed, record.time_zone) == ("verified", True, "Asia/Baku")
    assert [event.event for event in record.events] == ["armed", "opened", "finished"]
    assert record.modes == (("LIVE", 20_000),)


def test_gaps_are_merged_and_a_silent_camera_is_told(day: Day) -> None:
    day.begin()
    day.record(2)
    for _ in range(5):
        day.station.gap("cam-0", seconds=10)
        for _ in range(5):
            day.station.segment("cam-1")
        day.lines()
        day.media()
        day.agree()
    record = day.agree()
    (_, gap) = record.cameras[0].gaps
    assert (gap.cause, gap.duration_ms) == ("camera", (50_000, 50_000)), "one entry"
    assert record.cameras[0].missing_ms == (51_000, 51_000)


def test_a_reboot_and_what_was_found_after_it(day: Day) -> None:
    day.begin()
    day.record(3)
    left = day.station.record("cam-0")
    kid = day.station.kid
    day.lines()
    day.media()
    day.agree()
    before = day.station.reboot()
    day.station.start("power")
    day.station.recovered(left, kid)
    for camera in day.station.camera_ids:
        day.station.gap(camera, to_ns=day.station.boot_ns + SECOND, cause=Cause.POWER, from_boot=before)
        day.station.run(camera)
    day.record(2)
    day.lines()
    day.agree()
    day.media()
    record = day.agree()
    assert states(record) == [State.GAP, State.SEGMENT, State.RECOVERED, State.GAP, State.SEGMENT]
    least, most = record.cameras[0].gaps[1].duration_ms
    assert most is not None
    assert 61_000 <= least <= most <= 61_100


def fork(day: Day) -> int:
    """The unit goes on from before lines that the archive has."""
    common = len(day.station.lines)
    stood = {name: replace(state) for name, state in day.station.cameras.items()}
    day.record(2)
    day.lines()
    day.media()
    day.agree()
    del day.station.lines[common:]
    day.station.cameras = stood
    before = day.station.reboot()
    day.restart(before)
    day.record(1)
    day.lines(branch=common)
    return common


def test_a_lost_tail_is_a_branch_and_the_other_grows_on(day: Day) -> None:
    day.begin()
    day.record(3)
    common = fork(day)
    record = day.agree()
    assert [(finding.code, finding.seq) for finding in record.findings] == [(Code.TAIL_LOST, common)], "told once"
    for _ in range(3):
        day.station.event("opened")
        day.record(4)
        day.lines()
        day.agree()
        day.media()
        record = day.agree()
    assert record.cameras[0].covered_ms == (2_000 * (3 + 2 + 1 + 12), 2_000 * (3 + 2 + 1 + 12))
    day.station.close()
    day.lines()
    assert day.agree().closed


def test_media_of_before_a_fork_that_come_late_count_for_both_branches(day: Day, tmp_path: Path) -> None:
    public = Publications(f"sqlite:///{tmp_path / 'publish.sqlite'}", writes=True)
    accounts = Accounts(day.reader, public, trust=day.archive.trust, seconds=lambda: 0)
    day.begin()
    day.record(3)
    common = len(day.station.lines)
    stood = {name: replace(state) for name, state in day.station.cameras.items()}
    day.record(1)
    day.lines()
    del day.station.lines[common:]
    day.station.cameras = stood
    day.restart(day.station.reboot())
    day.record(6)
    day.lines(branch=common)
    assert [row.number for row in sorted(day.reader.branches(NAME), key=lambda row: -row.size_bytes)] == [1, 0]
    assert day.agree().cameras[0].covered_ms == (0, 0)
    assert accounts.of(NAME) == account(day.reader, NAME, public, trust=day.archive.trust)
    day.media()
    assert day.agree().cameras[0].covered_ms == (20_000, 20_000)
    for held in day.reader.segments(NAME):
        segment = PublicSegment(name=NAME, branch=held.branch, seq=held.seq, arrival=held.arrival or 0)
        public.add([segment], [], segment.arrival, NOON_US)
        accounts.of(NAME)
    record = accounts.of(NAME)
    assert record == account(day.reader, NAME, public, trust=day.archive.trust)
    assert record == day.agree(), "all of it is public"
    public.close()


def test_an_equivocation_takes_what_follows_it_from_both(day: Day) -> None:
    day.begin()
    day.record(2)
    common = fork(day)
    day.agree()
    # The same session goes on from the common line once more: another second history, which holds a start as well.
    del day.station.lines[common:]
    day.station.reboot()
    day.station.start("power")
    day.station.event("opened")
    day.lines(branch=common)
    record = day.agree()
    assert {finding.code for finding in record.findings} >= {Code.EQUIVOCATION}
    assert not [event for event in record.events if event.event == "opened"], "nothing behind it is attributed"


def test_pruned_media_stay_covered_where_the_archive_holds_them(day: Day) -> None:
    day.begin()
    day.record(4)
    day.lines()
    receipt = deliver(day.uplink, day.station)
    day.agree()
    day.station.pruned("cam-0", 0, 3, receipt=receipt)
    day.record(1)
    day.lines()
    assert states(day.agree()) == [State.GAP, State.SEGMENT, State.MISSING]
    day.media()
    assert states(day.agree()) == [State.GAP, State.SEGMENT]


def test_unarmed_video_stays_at_the_unit_and_goes(day: Day) -> None:
    day.station.begin()
    day.record(3)
    day.lines()
    assert states(day.agree()) == [State.GAP, State.AT_UNIT]
    day.station.pruned("cam-0", 0, 2)
    day.lines()
    assert states(day.agree()) == [State.GAP, State.PRUNED, State.AT_UNIT]
    day.station.arm()
    day.record(2)
    day.lines()
    day.media()
    assert states(day.agree()) == [State.GAP, State.PRUNED, State.AT_UNIT, State.SEGMENT]


def test_a_thinned_day_is_missing_and_not_found_wrong(day: Day) -> None:
    day.begin()
    for _ in range(3):
        day.record(4)
        day.lines()
        day.media(only=lambda number: number % 4 == 0)
        day.agree()
    record = day.agree()
    assert {State.SEGMENT, State.MISSING} <= set(states(record))
    assert record.findings == ()
    day.media()
    assert states(day.agree()) == [State.GAP, State.SEGMENT]


def test_live_media_pruned_without_a_receipt_are_gone(day: Day) -> None:
    day.begin()
    day.record(4)
    day.lines()
    day.agree()
    day.station.append(
        Pruned(camera="cam-0", session=day.station.kid, run=0, from_index=1, to_index=3, reason="unarmed-expired")
    )
    day.lines()
    record = day.agree()
    assert states(record) == [State.GAP, State.MISSING, State.PRUNED, State.MISSING]
    assert [finding.code for finding in record.findings] == [Code.PRUNED_UNLAWFULLY]


def test_without_utc_boot_time_is_all_there_is(day: Day) -> None:
    day.station.utc_us = None
    day.begin()
    day.record(2)
    day.lines()
    day.media()
    record = day.agree()
    assert [clock.state for clock in record.clock] == ["unset"]
    assert record.cameras[0].spans[0].start.utc_us is None


def test_only_what_is_public_counts_as_here(day: Day, tmp_path: Path) -> None:
    public = Publications(f"sqlite:///{tmp_path / 'publish.sqlite'}", writes=True)
    accounts = Accounts(day.reader, public, trust=day.archive.trust, seconds=lambda: 0)
    day.begin()
    day.record(3)
    day.lines()
    day.media()
    record = accounts.of(NAME)
    assert record is not None
    assert states(record) == [State.GAP, State.MISSING]
    for number, held in enumerate(day.reader.segments(NAME, camera="cam-0")):
        arrival = held.arrival or 0
        segment = PublicSegment(name=NAME, branch=held.branch, seq=held.seq, arrival=arrival)
        public.add([segment], [], arrival, NOON_US)
        record = accounts.of(NAME)
        assert record is not None
        assert record == account(day.reader, NAME, public, trust=day.archive.trust)
        assert record.cameras[0].covered_ms == ((number + 1) * 2_000,) * 2
    assert (states(record), states(record, 1)) == ([State.GAP, State.SEGMENT], [State.GAP, State.MISSING])
    assert record.findings == ()
    public.close()


def test_what_the_archive_lost_is_told_and_counts_as_missing_again(day: Day) -> None:
    day.begin()
    day.record(3)
    day.lines()
    day.media()
    day.agree()
    lost = next(iter(media_of(day.station)))
    day.archive.object(lost).unlink()
    day.archive.stop()
    index = Index(day.archive.config.database, ELECTION)
    index.lose(NAME, [lost], 5)
    index.close()
    record = day.agree()
    assert State.MISSING in states(record)
    assert [finding.code for finding in record.findings] == [Oddity.LOST_BY_ARCHIVE]


def test_an_answer_that_takes_long_is_given_again_for_a_while(day: Day) -> None:
    ticks = count()
    accounts = Accounts(day.reader, None, seconds=lambda: next(ticks))
    day.begin()
    day.record(1)
    day.lines()
    first = accounts.of(NAME)
    day.media()
    asked = 0
    while (later := accounts.of(NAME)) == first:
        asked += 1
    assert asked > 20, "making it took one tick of this clock"
    assert later == account(day.reader, NAME)


def test_only_so_many_accounts_are_kept(day: Day) -> None:
    accounts = Accounts(day.reader, None, most=1, seconds=lambda: 0)
    day.begin()
    day.record(1)
    day.lines()
    first = accounts.of(NAME)
    assert accounts.of(NAME) is first
    assert accounts.of(UnitName(station="57-003", unit="u1")) is None
    assert accounts.of(NAME) == first, "read anew"
    assert accounts.station("57-002") == (first,)
    assert accounts.station("57-003") == ()


def test_who_reads_ahead_has_nobody_wait_and_changes_no_answer(day: Day) -> None:
    ahead = Accounts(day.reader, None, seconds=lambda: 0)
    ahead.read_ahead(NAME)
    day.begin()
    for _ in range(3):
        day.record(1)
        day.lines()
        ahead.read_ahead(NAME)
        day.media()
        ahead.read_ahead(NAME)
    assert ahead.of(NAME) == account(day.reader, NAME)


def test_much_at_once_is_read_at_once(day: Day, tmp_path: Path) -> None:
    public = Publications(f"sqlite:///{tmp_path / 'publish.sqlite'}", writes=True)
    accounts = Accounts(day.reader, public, trust=day.archive.trust, seconds=lambda: 0)
    day.begin()
    day.record(1)
    day.lines()
    accounts.of(NAME)
    for _ in range(70):
        day.station.event("opened")
    day.record(40)
    day.lines()
    day.media()
    waiting = accounts.of(NAME)
    assert waiting is not None
    assert (len(waiting.events), waiting.cameras[0].covered_ms) == (71, (0, 0))
    for held in day.reader.segments(NAME):
        segment = PublicSegment(name=NAME, branch=held.branch, seq=held.seq, arrival=held.arrival or 0)
        public.add([segment], [], segment.arrival, NOON_US)
    record = accounts.of(NAME)
    assert record == account(day.reader, NAME, public, trust=day.archive.trust) == day.agree()
    public.close()


def test_the_thread_that_reads_ahead_goes_round_and_ends_when_told(day: Day) -> None:
    day.begin()
    day.record(2)
    day.lines()
    accounts = Accounts(day.reader, None, seconds=lambda: 0)
    stop = Event()
    read = []

    class Told(Accounts):
        def read_ahead(self, name: UnitName) -> None:
            accounts.read_ahead(name)
            read.append(name)
            stop.set()

    read_ahead(Told(day.reader, None), day.reader, stop)
    assert read == [NAME]
    assert accounts.of(NAME) == account(day.reader, NAME)
