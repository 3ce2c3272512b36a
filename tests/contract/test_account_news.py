"""States and incidents of stations, from a real archive's index as it grows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.account.incidents import NO_BRANCH, Incident, Incidents, Kind
from archive.account.news import News
from archive.account.reconciliation import reconcile
from archive.account.state import SILENT_US, StationState
from archive.account.stations import Stations
from archive.check import rebuild
from archive.finding import Oddity
from archive.index.index import Index
from archive.parts import open_parts
from archive.roster import Roster, RosterStation, StationStatus
from base.durable import Disk
from evidence.day.answer import Moment
from evidence.words import Cause, Mode
from tests.fakes.account_day import NAME, Day
from tests.fakes.archive import ELECTION
from tests.fakes.archive_unit import media_of
from tests.fakes.station import NOON_US, SECOND


def listed(name: str, status: StationStatus = StationStatus.RECORDED) -> RosterStation:
    constituency, number = name.split("-")
    return RosterStation(
        name=name,
        constituency=constituency,
        number=number,
        names={},
        addresses={},
        cameras=2,
        status=status,
        reason={},
    )


class Watched(Day):
    """A day with those who watch it, and one clock for archive and unit."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        roster = Roster(
            stations=(
                listed("57-001", StationStatus.EXEMPT),
                listed("57-002"),
                listed("57-003"),
                listed("57-004", StationStatus.NOT_COVERED),
            )
        )
        self.late_us = 1_000_000
        self.stations = Stations(roster, now_us=self.now_us)
        self.incidents = Incidents(self.reader)
        self.news = News(self.reader, self.stations, self.incidents)
        self.set_clock()

    def now_us(self) -> int:
        """A moment after the unit's newest line."""
        stamp = self.station.stamp()
        return (stamp.utc_us or NOON_US) + self.late_us

    def set_clock(self) -> None:
        """The archive's clock goes with the unit's."""
        self.archive.clock.set_utc(self.now_us())

    def deliver(self, *, media: bool = True) -> None:
        self.set_clock()
        self.lines()
        if media:
            self.media()
        self.news.refresh()

    def state(self) -> StationState:
        found = self.stations.station("57-002")
        assert found is not None
        return found.state

    def page(self, most: int = 50) -> list[Incident]:
        return self.incidents.page(None, 0, most)[0]


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Watched]:
    day = Watched(tmp_path / "archive")
    yield day
    day.close()


def place(moment: Moment | None) -> tuple[str, int] | None:
    return None if moment is None else (moment.boot_id, moment.boot_ns)


def test_a_station_goes_from_never_seen_to_complete(day: Watched) -> None:
    assert day.state() is StationState.NEVER_SEEN
    day.station.begin()
    day.record(6)
    day.deliver()
    assert day.state() is StationState.NOT_ARMED
    day.station.arm()
    day.record(6)
    day.deliver()
    assert day.state() is StationState.LIVE
    now = day.stations.station("57-002")
    assert now is not None
    assert now.proven_us is not None
    assert 0 <= day.now_us() - now.proven_us <= 2_000_000
    day.station.event("view-covered", "cam-0")
    day.record(1)
    day.deliver()
    assert day.state() is StationState.DEGRADED
    day.station.event("view-restored", "cam-0")
    day.record(1)
    day.deliver()
    assert day.state() is StationState.LIVE
    day.record(10)
    day.deliver(media=False)
    assert day.state() is StationState.BACKFILLING, "lines say that video is there which is not here yet"
    day.station.close()
    day.deliver(media=False)
    assert day.state() is StationState.BACKFILLING
    day.deliver()
    assert day.state() is StationState.COMPLETE


def test_a_station_that_falls_silent_was_recording_at_first(day: Watched) -> None:
    day.begin()
    day.record(6)
    day.deliver()
    day.late_us = 60_000_000
    assert day.state() is StationState.RECORDING
    day.late_us = SILENT_US + 2_000_000
    assert day.state() is StationState.SILENT
    assert day.news.refresh() == 0, "nothing is new"


def test_all_cameras_without_a_picture_is_not_recording_and_one_is(day: Watched) -> None:
    day.begin()
    day.record(6)
    day.station.gap("cam-0", seconds=30)
    for _ in range(15):
        day.station.segment("cam-1")
    day.deliver()
    assert day.state() is StationState.LIVE
    day.station.gap("cam-0", seconds=20)
    day.station.gap("cam-1", seconds=20)
    day.deliver()
    assert day.state() is StationState.NOT_RECORDING
    now = day.stations.station("57-002")
    assert now is not None
    assert now.since_us is not None
    assert day.now_us() - now.since_us == 21_000_000, "since the last camera has lost its picture"
    day.record(2)
    day.deliver()
    assert day.state() is StationState.LIVE


def test_a_thin_link_is_told(day: Watched) -> None:
    day.begin()
    day.record(20)
    day.set_clock()
    day.lines()
    day.media(only=lambda number: number % 8 >= 6)
    day.news.refresh()
    assert day.state() is StationState.THINNED


def test_a_test_counts_as_no_recording_of_the_day(day: Watched) -> None:
    day.begin(Mode.TEST)
    day.record(6)
    day.deliver()
    assert day.state() is StationState.LIVE
    now = day.stations.station("57-002")
    assert now is not None
    assert now.test
    totals = day.stations.totals()
    assert (totals.live, totals.recorded, totals.missing, totals.test) == (0, 0, 2, 1)
    assert totals.states[StationState.LIVE] == 1


def test_the_numbers_of_the_day_add_up(day: Watched) -> None:
    day.begin()
    day.record(6)
    day.deliver()
    totals = day.stations.totals()
    assert (totals.stations, totals.expected, totals.exempt, totals.not_covered, totals.unlisted) == (4, 2, 1, 1, 0)
    assert (totals.recorded, totals.live, totals.missing) == (1, 1, 1)
    assert sum(totals.states.values()) == totals.stations
    assert [station.name for station in day.stations.all()] == ["57-001", "57-002", "57-003", "57-004"]
    unlisted = Stations(Roster(stations=()), now_us=day.now_us)
    News(day.reader, unlisted).refresh()
    totals = unlisted.totals()
    assert (totals.unlisted, totals.expected, totals.live, totals.states[StationState.LIVE]) == (1, 0, 0, 1)


def test_gaps_of_the_list_are_those_of_the_account_and_keep_their_address(day: Watched) -> None:
    day.begin()
    day.record(3)
    day.deliver()
    day.station.gap("cam-0", seconds=10)
    first = len(day.station.lines) - 1
    day.deliver()
    (newest, *_) = day.page()
    assert (newest.kind, newest.what, newest.ongoing, newest.seq) == (Kind.GAP, "camera", True, first)
    for _ in range(4):
        day.station.gap("cam-0", seconds=10)
        day.deliver()
    for _ in range(25):
        day.station.segment("cam-1")
    day.record(1)
    before = day.station.reboot()
    day.restart(before)
    day.record(1)
    day.deliver()
    listed = day.incidents.of(NAME, 0, first)
    assert listed is not None
    assert (listed.duration_ms, listed.ongoing) == ((50_000, 50_000), False)
    account = day.agree()
    for camera in account.cameras:
        gaps = [each for each in reversed(day.page()) if each.kind is Kind.GAP and each.camera == camera.camera]
        told = [(gap.what, place(gap.start), place(gap.end)) for gap in gaps]
        assert told == [(gap.cause, place(gap.start), place(gap.end)) for gap in camera.gaps]
    (power,) = [each for each in day.page() if (each.what, each.camera) == (Cause.POWER, "cam-0")]
    (gap,) = [gap for gap in account.cameras[0].gaps if gap.cause == Cause.POWER]
    least, most = power.duration_ms or (0, None)
    assert most is not None
    assert least <= gap.duration_ms[0] <= (gap.duration_ms[1] or 0) <= most


def test_events_and_findings_are_listed_the_newest_first_page_by_page(day: Watched) -> None:
    day.begin()
    for event in ("opened", "pin-refused", "bitrate", "tamper", "counting"):
        day.record(1)
        day.station.event(event, data="x")
    day.record(1)
    day.deliver()
    events = [each.what for each in day.page() if each.kind is Kind.EVENT]
    assert events == ["counting", "tamper", "pin-refused", "opened", "armed"], "what nobody looks for is left out"
    listed, total = day.incidents.page("57-002", 0, 3)
    rest, again = day.incidents.page("57-002", 3, 50)
    assert total == again == len(listed) + len(rest)
    assert [*listed, *rest] == day.page()
    assert day.incidents.page("57-003", 0, 9) == ([], 0)
    day.archive.stop()
    index = Index(day.archive.config.database, ELECTION)
    lost = next(iter(media_of(day.station)))
    index.lose(NAME, [lost], day.now_us() + SECOND)
    index.close()
    day.news.refresh()
    (newest, *_) = day.page()
    assert (newest.kind, newest.what, newest.branch) == (Kind.FINDING, Oddity.LOST_BY_ARCHIVE, NO_BRANCH)
    assert day.incidents.of(NAME, NO_BRANCH, newest.seq) == newest


def test_whoever_begins_later_lists_the_same(day: Watched) -> None:
    day.begin()
    for _ in range(3):
        day.record(2)
        day.station.gap("cam-0", seconds=10)
        day.station.event("opened")
        day.deliver()
    before = day.station.reboot()
    day.restart(before)
    day.record(1)
    day.deliver()
    late = Incidents(day.reader)
    News(day.reader, late).refresh()
    assert late.page(None, 0, 99) == day.incidents.page(None, 0, 99)


def test_an_index_that_was_made_anew_is_read_anew_and_says_the_same(day: Watched) -> None:
    day.begin()
    for _ in range(3):
        day.record(2)
        day.station.gap("cam-0", seconds=10)
        day.station.gap("cam-0", seconds=10)
        day.deliver()
    listed, _ = day.incidents.page(None, 0, 99)
    state = day.state()
    day.archive.stop()
    with open_parts(day.archive.config, Disk()) as parts:
        rebuild(parts)
    assert day.news.refresh() == 1
    again, _ = day.incidents.page(None, 0, 99)
    assert [(each.seq, each.what, each.start, each.end) for each in again] == [
        (each.seq, each.what, each.start, each.end) for each in listed
    ]
    assert day.state() is state


def test_an_outage_of_the_link_is_one_table_before_during_and_after_and_its_gap_is_told_at_the_reconnect(
    day: Watched,
) -> None:
    """F2: the link goes, nobody acts; the unit records on, loses its camera for a while, and comes back."""

    def table() -> tuple[int, list[str], list[str]]:
        found = reconcile(day.stations.all(), day.now_us())
        assert found.expected == found.recorded + len(found.missing)
        causes = [each.cause for each in found.missing if each.station == "57-002"]
        return found.recorded, causes, [each.what.value for each in found.contradictions]

    assert table() == (0, ["never-seen"], [])
    day.begin()
    day.record(6)
    day.deliver()
    assert table() == (1, [], [])
    day.late_us = SILENT_US + 60_000_000
    assert table() == (0, ["silent"], [])
    (silent,) = (each for each in reconcile(day.stations.all(), day.now_us()).missing if each.station == "57-002")
    assert silent.proven_us is not None
    assert silent.line is not None
    assert silent.line.seq == len(day.station.lines) - 1, "the last line that was heard is the evidence"
    day.late_us = 1_000_000
    day.record(30)
    day.station.gap("cam-0", seconds=20)
    gap_seq = len(day.station.lines) - 1
    day.record(3)
    day.deliver(media=False)
    assert table()[:2] == (1, []), "before any of the video is here"
    told = day.incidents.of(day.page()[0].name or silent.line.name, silent.line.branch, gap_seq)
    assert told is not None, "its page is there as soon as the lines are"
    day.deliver()
    assert day.state() is StationState.LIVE
    assert table() == (1, [], [])
