"""The publisher beside a real archive: what becomes public, what does not, and what a live list says of it."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from archive.index.reading import IndexReader
from archive.names import UnitName
from archive.publish.publications import LiveEntry, Publications
from archive.publish.publish import open_publisher
from archive.publish.publisher import Publisher
from base.errors import OperatorError
from evidence.lines import Event
from evidence.words import Mode
from tests.fakes.archive import RunningArchive, Uplink
from tests.fakes.archive_unit import again, armed_station, deliver, media_of
from tests.fakes.clock import FakeClock
from tests.fakes.station import NOON_US, SECOND, Station

UNIT = UnitName(station="57-002", unit="u1")
CAMERA = "cam-0"


class Publishing:
    """A publisher on a running archive, and what a site would read of it. ``restart`` is another process."""

    def __init__(self, archive: RunningArchive, station: Station) -> None:
        self.archive, self.station = archive, station
        self.clock = FakeClock(boot_ns=1, utc_us=NOON_US, error_us=5_000)
        self.uplink = archive.uplink()
        self._open = ExitStack()
        self.publisher = self._start()

    def restart(self) -> None:
        self._open.close()
        self.publisher = self._start()

    def close(self) -> None:
        self._open.close()

    def deliver(self, *digests: str) -> None:
        """All lines, and these media; then publish. The archive's clock stands at the unit's newest line."""
        now_us = NOON_US + self.station.boot_ns // 1_000
        for clock in (self.archive.clock, self.clock):
            clock.set_utc(now_us)
        assert self.uplink.lines(self.station.lines).status == 200
        for sha256 in digests:
            assert self.uplink.media(media_of(self.station)[sha256]).status in (200, 201)
        self.publish()

    def publish(self) -> None:
        while self.publisher.step():
            pass

    def public(self) -> set[str]:
        """The digests of all segments that have a name in the tree."""
        return {each.stem for each in self.archive.config.publish.folder.glob("??/*.m4s")}

    def live(self, camera: str = CAMERA) -> list[LiveEntry]:
        publications = Publications(self.archive.config.publish.database, writes=False)
        try:
            return publications.live(UNIT, camera, 10)
        finally:
            publications.close()

    def _start(self) -> Publisher:
        return self._open.enter_context(open_publisher(self.archive.config, self.clock))


@pytest.fixture
def publishing(archive: RunningArchive) -> Iterator[Publishing]:
    station = armed_station(archive, segments=0)
    archive.uplink().lines(station.lines)
    publishing = Publishing(archive, station)
    yield publishing
    publishing.close()


def record(publishing: Publishing, count: int = 1) -> list[str]:
    """The digests of so many more segments."""
    before = set(media_of(publishing.station))
    publishing.station.segments(count)
    return [sha256 for sha256 in media_of(publishing.station) if sha256 not in before]


def test_what_arrives_has_a_name_of_its_own_and_an_entry_that_says_when(publishing: Publishing) -> None:
    digests = record(publishing, 3)
    publishing.deliver(*digests)
    assert publishing.public() == set(digests)
    entries = publishing.live()
    assert [entry.sha256 for entry in entries] == digests
    assert [entry.msn for entry in entries] == [0, 1, 2]
    assert [entry.discontinuity for entry in entries] == [False, False, False]
    assert {entry.arrival for entry in entries} == {False}
    assert [entry.duration_us for entry in entries] == [2_000_000] * 3
    assert entries[1].date_us - entries[0].date_us == 2_000_000
    begins_us = NOON_US + (publishing.station.boot_ns - 6 * SECOND) // 1_000
    assert abs(entries[0].date_us - begins_us) <= 100_000, "the lines behind take a moment"


def test_a_name_is_a_link_to_the_very_bytes_and_the_runs_init_segment_lies_beside_it(publishing: Publishing) -> None:
    (sha256,) = record(publishing)
    publishing.deliver(sha256)
    folder = publishing.archive.config.publish.folder
    assert (folder / sha256[:2] / f"{sha256}.m4s").samefile(publishing.archive.object(sha256))
    init = publishing.live()[0].init_sha256
    data = (folder / init[:2] / f"{init}.mp4").read_bytes()
    assert hashlib.sha256(data).hexdigest() == init
    assert init == publishing.station.cameras[CAMERA].init_sha256


def test_the_lines_that_prove_an_entry_are_named_by_it(publishing: Publishing) -> None:
    (sha256,) = record(publishing)
    publishing.deliver(sha256)
    (entry,) = publishing.live()
    reader = IndexReader(publishing.archive.config.database, publishing.station.election)
    kinds = {each.seq: type(each.line.body).__name__ for each in reader.statements(UNIT)}
    reader.close()
    assert (kinds[entry.start_seq], kinds[entry.run_seq]) == ("Start", "Run")
    assert entry.seq == len(publishing.station.lines) - 1


def test_backfill_becomes_public_and_never_live(publishing: Publishing) -> None:
    first, second, third = record(publishing, 3)
    publishing.deliver(third)
    publishing.deliver(first)
    publishing.deliver(second)
    assert publishing.public() == {first, second, third}
    assert [entry.sha256 for entry in publishing.live()] == [third]


def test_what_is_left_out_makes_a_break_with_its_own_date(publishing: Publishing) -> None:
    first, _, third = record(publishing, 3)
    publishing.deliver(first, third)
    entries = publishing.live()
    assert [entry.discontinuity for entry in entries] == [False, True]
    assert [entry.discontinuities for entry in entries] == [0, 1]
    assert entries[1].date_us - entries[0].date_us == 4_000_000


def test_what_comes_an_hour_late_is_for_replay_only(publishing: Publishing) -> None:
    digests = record(publishing, 2)
    publishing.station.boot_ns += 3_600 * SECOND
    publishing.deliver(*digests)
    assert (publishing.public(), publishing.live()) == (set(digests), [])


def test_unarmed_media_are_never_public(archive: RunningArchive) -> None:
    station = Station(archive.by)
    station.begin()
    station.segments(2)
    station.arm()
    station.segments(1)
    publishing = _of(archive, station)
    unarmed, _, armed = media_of(station)
    publishing.deliver(armed)
    publishing.uplink.media(media_of(station)[unarmed])
    publishing.publish()
    assert publishing.public() == {armed}
    publishing.close()


def test_test_recordings_are_public_only_where_that_is_wanted(archive: RunningArchive) -> None:
    station = Station(archive.by)
    station.begin()
    station.arm(Mode.TEST)
    station.segments(2)
    publishing = _of(archive, station)
    publishing.close()
    archive.config = replace(archive.config, publish=replace(archive.config.publish, test=False))
    publishing = Publishing(archive, station)
    publishing.deliver(*media_of(station))
    assert (publishing.public(), publishing.live()) == (set(), [])
    publishing.close()


def test_without_utc_the_date_is_that_of_arrival_and_says_so_until_utc_is_known(archive: RunningArchive) -> None:
    station = Station(archive.by, utc_us=None, error_us=None)
    station.begin()
    station.arm()
    station.segments(1)
    publishing = _of(archive, station)
    publishing.deliver(*media_of(station))
    (entry,) = publishing.live()
    assert entry.arrival
    assert entry.date_us == NOON_US + station.boot_ns // 1_000 - 2_000_000
    station.utc_us, station.error_us = NOON_US + 7_000_000, 1_000
    publishing.deliver(*record(publishing))
    entries = publishing.live()
    assert [(entry.arrival, entry.discontinuity) for entry in entries] == [(True, False), (False, True)]
    assert entries[0] == entry, "what was said stays"
    publishing.close()


def test_a_publisher_that_starts_again_changes_nothing_and_goes_on(publishing: Publishing) -> None:
    publishing.deliver(*record(publishing, 2))
    before = publishing.live()
    publishing.restart()
    publishing.publish()
    assert publishing.live() == before
    publishing.deliver(*record(publishing))
    assert publishing.live()[:2] == before
    assert [entry.discontinuity for entry in publishing.live()] == [False, False, False]


def test_links_that_a_power_cut_took_are_made_again_at_the_next_start(publishing: Publishing) -> None:
    digests = record(publishing, 2)
    publishing.deliver(*digests)
    for each in publishing.archive.config.publish.folder.glob("??/*"):
        each.unlink()
    publishing.restart()
    publishing.publish()
    assert publishing.public() == set(digests)


def test_a_rebuilt_index_is_followed_from_its_beginning(publishing: Publishing) -> None:
    publishing.deliver(*record(publishing, 2))
    before = publishing.live()
    publishing.close()
    publishing.archive.stop()
    Path(publishing.archive.config.database.removeprefix("sqlite:///")).unlink()
    publishing.archive.start()
    publishing.restart()
    publishing.publish()
    assert publishing.live() == before
    publishing.uplink = publishing.archive.uplink()
    publishing.deliver(*record(publishing))
    assert publishing.live()[:2] == before


def test_an_index_that_was_made_anew_while_the_publisher_runs_is_followed(publishing: Publishing) -> None:
    publishing.deliver(*record(publishing, 4))
    before = publishing.live()
    lose_index(publishing)
    publishing.uplink = publishing.archive.uplink()
    (sha256,) = record(publishing)
    publishing.deliver(sha256)
    assert sha256 in publishing.public()
    assert [entry.msn for entry in publishing.live()] == [0, 1, 2, 3, 4]
    assert publishing.live()[:4] == before


def test_an_index_that_numbers_otherwise_hides_nothing_that_came_while_no_publisher_ran(publishing: Publishing) -> None:
    first, *others = record(publishing, 4)
    publishing.deliver(*others)
    publishing.station.boot_ns += 300 * SECOND  # further than a start goes back
    others += record(publishing)
    publishing.deliver(others[-1])
    publishing.close()
    publishing.uplink.media(media_of(publishing.station)[first])
    lose_index(publishing)
    publishing.uplink = publishing.archive.uplink()
    for sha256 in (first, *others):  # as the archive asks for all of it again
        publishing.uplink.media(media_of(publishing.station)[sha256])
    publishing.restart()
    publishing.publish()
    assert publishing.public() == {first, *others}


def lose_index(publishing: Publishing) -> None:
    """The archive makes a new one as it starts, which counts from the beginning."""
    publishing.archive.stop()
    index = Path(publishing.archive.config.database.removeprefix("sqlite:///"))
    for path in index.parent.glob(f"{index.name}*"):
        path.unlink()
    publishing.archive.start()


def test_two_publishers_never_work_on_one_tree(publishing: Publishing) -> None:
    other = open_publisher(publishing.archive.config, publishing.clock)
    with pytest.raises(OperatorError, match="Another process"):
        other.__enter__()


def test_media_that_the_store_has_lost_do_not_hold_up_what_comes_after(publishing: Publishing) -> None:
    lost, kept = record(publishing, 2)
    publishing.uplink.lines(publishing.station.lines)
    publishing.uplink.media(media_of(publishing.station)[lost])
    publishing.archive.object(lost).unlink()
    publishing.deliver(kept)
    assert publishing.public() == {kept}


def test_events_are_statements_with_the_time_at_which_they_came(publishing: Publishing) -> None:
    publishing.deliver(*record(publishing))
    reader = IndexReader(publishing.archive.config.database, publishing.station.election)
    (armed,) = reader.statements(UNIT, ["event"])
    reader.close()
    assert armed.heard_us is not None
    assert isinstance(armed.line.body, Event)
    assert armed.line.body.event == "armed"


def test_what_was_delivered_before_the_archive_stopped_is_published_after(publishing: Publishing) -> None:
    station = publishing.station
    station.segments(2)
    deliver(publishing.uplink, station)
    again(publishing.archive)
    publishing.publish()
    assert publishing.public() == set(media_of(station))


def _of(archive: RunningArchive, station: Station) -> Publishing:
    uplink: Uplink = archive.uplink()
    uplink.lines(station.lines)
    return Publishing(archive, station)
