"""What readers of the index and of what is published are promised, whichever database they are in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.index import reading
from archive.index.index import Index
from archive.index.reading import IndexReader
from archive.index.rows import Changes, NewMedia
from archive.ingest.record import UnitRecord
from archive.names import UnitName
from archive.publish.dating import Dating
from archive.publish.live import entry
from archive.publish.publications import NewEntry, Publications, PublicSegment
from archive.store.ledgers import LedgerFiles
from archive.trust import Trusted
from base.durable import Disk
from base.errors import OperatorError
from evidence.lines import Event, Gap, Recovered, Start, line_hash
from evidence.words import Cause
from tests.engines.databases import Database, PostgresDatabase, SqliteDatabase
from tests.fakes.archive_unit import media_of
from tests.fakes.station import SECOND, Station, authority

UNIT = UnitName(station="57-002", unit="u1")
HEARD_US = 1_777_636_900_000_000


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.engines)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return SqliteDatabase(tmp_path)
    return PostgresDatabase(request.getfixturevalue("postgres"))


@dataclass(slots=True)
class Taken:
    """A unit's ledger as it is taken in, and a reader beside it."""

    station: Station
    index: Index
    record: UnitRecord
    ledgers: LedgerFiles
    reader: IndexReader

    def lines(self, texts: list[bytes] | None = None, utc_us: int | None = HEARD_US) -> None:
        planned = self.record.plan(texts or self.station.lines, forks=True, now_us=HEARD_US)
        assert planned.refused is None, planned.refused
        assert planned.new is not None
        assert planned.piece is not None
        self.ledgers.write([planned.piece])
        self.index.commit(Changes(lines=(planned.new,), utc_us=utc_us))
        self.record.applied(planned)

    def media(self, *digests: str, utc_us: int = HEARD_US) -> None:
        self.index.commit(Changes(media=tuple(NewMedia(name=UNIT, sha256=each) for each in digests), utc_us=utc_us))


@pytest.fixture
def taken(database: Database, tmp_path: Path) -> Iterator[Taken]:
    by = authority()
    (tmp_path / "root.pem").write_bytes(by.root_pem)
    index = Index(database.url, by.election)
    ledgers = LedgerFiles(Disk(), tmp_path / "ledgers")
    record = UnitRecord(
        UNIT,
        election=by.election,
        trust=Trusted(tmp_path / "root.pem", None),
        index=index,
        ledgers=ledgers,
        most_branches=4,
    )
    station = Station(by, cameras=("cam-0", "cam-1"))
    station.begin()
    station.arm()
    reader = IndexReader(database.url, by.election)
    yield Taken(station, index, record, ledgers, reader)
    reader.close()
    index.close()


def test_a_database_without_an_index_is_waited_for_by_whoever_asks(database: Database) -> None:
    with pytest.raises(OperatorError, match="cannot be read"):
        IndexReader(database.url, "az-2026")


def test_nothing_is_known_of_a_unit_that_nobody_delivered(taken: Taken) -> None:
    assert (taken.reader.units(), taken.reader.last_arrival()) == ([], 0)
    assert (taken.reader.segments(UNIT), taken.reader.newest(UNIT, 9), taken.reader.lacking(UNIT)) == ([], [], 0)
    assert (taken.reader.statements(UNIT), taken.reader.stamps(UNIT), taken.reader.places(UNIT, 0, 0, 9)) == (
        [],
        [],
        [],
    )


def test_media_arrive_in_an_order_of_their_own_and_keep_the_time_of_it(taken: Taken) -> None:
    taken.station.segments(3)
    taken.lines()
    first, second, third = media_of(taken.station)
    taken.media(third, utc_us=HEARD_US + 1)
    taken.media(first, second, utc_us=HEARD_US + 2)
    taken.media(third, utc_us=HEARD_US + 3)
    arrived = taken.reader.arrivals(0, 9)
    assert [each.segment.sha256 for each in arrived] == [third, first, second]
    assert [each.arrival for each in arrived] == [1, 2, 3]
    assert [each.stored_us for each in arrived] == [HEARD_US + 1, HEARD_US + 2, HEARD_US + 2]
    assert [each.arrival for each in taken.reader.arrivals(1, 1)] == [2]
    assert taken.reader.last_arrival() == 3


def test_what_was_lost_and_comes_again_arrives_anew(taken: Taken) -> None:
    taken.station.segments(1)
    taken.lines()
    (sha256,) = media_of(taken.station)
    taken.media(sha256)
    taken.index.lose(UNIT, [sha256])
    assert taken.reader.arrivals(0, 9) == []
    taken.media(sha256)
    assert [each.arrival for each in taken.reader.arrivals(1, 9)] == [2]


def test_a_segment_names_the_lines_that_prove_it_and_the_init_segment_of_its_run(taken: Taken) -> None:
    taken.station.segments(1, "cam-1")
    taken.lines()
    (held,) = taken.reader.newest(UNIT, 9)
    kinds = {each.seq: each.line.body for each in taken.reader.statements(UNIT)}
    assert isinstance(kinds[held.start_seq or 0], Start)
    run = kinds[held.run_seq or 0]
    assert (getattr(run, "camera", None), getattr(run, "init_sha256", None)) == ("cam-1", held.init_sha256)
    assert taken.reader.segment(UNIT, held.branch, held.seq) == held
    assert (held.stored, held.wanted, held.pruned, held.arrival) == (False, True, False, None)
    assert taken.reader.lacking(UNIT) == 1


def test_segments_are_found_by_camera_boot_and_time(taken: Taken) -> None:
    taken.station.segments(3)
    taken.station.segments(2, "cam-1")
    taken.lines()
    mine = taken.reader.segments(UNIT, camera="cam-0")
    assert [each.segment.index for each in mine] == [0, 1, 2]
    begin_ns = mine[1].segment.from_ns
    some = taken.reader.segments(UNIT, camera="cam-0", boot_id=mine[0].boot_id, from_ns=begin_ns, to_ns=begin_ns + 1)
    assert some == [mine[1]]
    assert taken.reader.segments(UNIT, boot_id="0" * 32) == []
    assert taken.reader.segments_after(UNIT, 0, mine[1].seq)[0] == mine[2]


def test_no_question_for_segments_has_an_answer_without_end(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_SEGMENTS", 2)
    taken.station.segments(3)
    taken.lines()
    assert [each.segment.index for each in taken.reader.segments(UNIT)] == [0, 1]


def test_lines_without_media_are_there_as_they_were_signed(taken: Taken) -> None:
    taken.station.gap("cam-0", seconds=3)
    taken.station.event("view-covered", "cam-0", share=80)
    taken.lines()
    gap = taken.reader.statements(UNIT, ["gap"])[-1]
    assert isinstance(gap.line.body, Gap)
    assert gap.line.body.cause is Cause.CAMERA
    assert gap.line.prev == line_hash(taken.station.lines[gap.seq - 1])
    assert gap.heard_us == HEARD_US
    assert taken.reader.statement(UNIT, gap.branch, gap.seq) == gap
    events = [each for _, each in taken.reader.statements_of(["event"])]
    assert [each.line.body.event for each in events if isinstance(each.line.body, Event)] == ["armed", "view-covered"]


def test_what_is_said_of_utc_goes_with_the_boot_in_which_it_was_said(taken: Taken) -> None:
    first = taken.station.boot
    taken.station.segments(1)
    ended = taken.station.boot_ns
    taken.station.reboot()
    taken.station.start("power")
    taken.lines()
    stamps = taken.reader.stamps(UNIT)
    assert {each.boot_id for each in stamps} == {first, taken.station.boot}
    assert stamps[-1].boot_id == taken.station.boot
    assert max(each.boot_ns for each in stamps if each.boot_id == first) <= ended
    assert len(stamps) == len(taken.station.lines)
    assert taken.reader.stamps(UNIT, 0, stamps[-2].seq) == [stamps[-1]]


def test_recovered_media_are_of_the_session_that_recorded_them(taken: Taken) -> None:
    lost = taken.station.record()
    session, boot = taken.station.kid, taken.station.boot
    taken.station.reboot()
    taken.station.start("power")
    taken.station.recovered(lost, session)
    taken.lines()
    (held,) = taken.reader.newest(UNIT, 9)
    assert isinstance(held.segment, Recovered)
    assert (held.session, held.boot_id) == (session, boot)


def test_a_fork_has_the_lines_before_it_from_the_branch_that_it_left(taken: Taken) -> None:
    taken.station.segments(1)
    before = list(taken.station.lines)
    taken.station.segments(2)
    taken.lines()
    taken.station.lines = list(before)
    taken.station.reboot()
    taken.station.start("power")
    taken.lines(taken.station.lines)
    first, second = taken.reader.branches(UNIT)
    assert (second.parent, second.from_seq) == (0, len(before))
    places = taken.reader.places(UNIT, 1, 0, second.head_seq + 1)
    assert [place.seq for place in places] == list(range(len(before) + 1))
    data = taken.ledgers.read(UNIT, 1)
    for place, text in zip(places, taken.station.lines, strict=True):
        assert data[place.offset : place.offset + place.size_bytes] == text
    assert {each.boot_id for each in taken.reader.stamps(UNIT, 1)} == {taken.station.boot}
    assert first.number == 0


def test_whoever_follows_learns_which_units_have_changed(taken: Taken) -> None:
    taken.lines()
    (unit,) = taken.reader.units()
    assert (unit.name, unit.state, unit.heard_us) == (UNIT, "open", HEARD_US)
    assert taken.reader.changed(unit.changed) == []
    taken.station.segments(1)
    taken.lines(utc_us=HEARD_US + 5)
    (again,) = taken.reader.changed(unit.changed)
    assert again.heard_us == HEARD_US + 5
    taken.media(*media_of(taken.station))
    assert [each.name for each in taken.reader.changed(again.changed)] == [UNIT]


def test_numbers_go_on_behind_a_rebuilt_index(taken: Taken) -> None:
    taken.station.segments(1)
    taken.lines()
    taken.media(*media_of(taken.station))
    (before,) = taken.reader.units()
    taken.index.rebuild()
    assert taken.reader.units() == []
    taken.record.branches.clear()
    taken.record.plan([], forks=False, now_us=None)
    taken.ledgers.path(UNIT, 0).unlink()
    taken.lines()
    taken.media(*media_of(taken.station))
    (after,) = taken.reader.units()
    assert after.changed > before.changed
    assert taken.reader.last_arrival() == 2


def entries_of(taken: Taken) -> list[NewEntry]:
    held = taken.reader.segments(UNIT, camera="cam-0")
    made = [entry(each, Dating(offset_us=7, arrival=True), None) for each in held]
    return [each for each in made if each is not None]


def test_live_entries_are_numbered_by_camera_and_only_the_newest_stay(taken: Taken, database: Database) -> None:
    taken.station.segments(3)
    taken.lines()
    publications = Publications(database.url, writes=True)
    new = entries_of(taken)
    place = PublicSegment(name=UNIT, branch=0, seq=new[0].seq, arrival=1)
    for _ in range(50):
        publications.add([place], new, 3, HEARD_US)
    live = publications.live(UNIT, "cam-0", 4)
    assert [each.msn for each in live] == [146, 147, 148, 149]
    assert (live[-1].date_us, live[-1].arrival) == (7 + new[-1].date_us - 7, True)
    assert publications.cameras() == [(UNIT, "cam-0")]
    assert publications.published(UNIT, 0, 0, 99) == {new[0].seq}
    behind = publications.entries_after(live[-1].position - 1, 9)
    assert behind == [live[-1]]
    assert publications.entries_after(0, 999)[0].msn >= 64, "old ones are gone"
    publications.close()


def test_a_publisher_begins_a_little_before_it_ended_and_anew_with_a_new_index(
    taken: Taken, database: Database
) -> None:
    publications = Publications(database.url, writes=True)
    assert publications.begin() == 0
    for arrival in (1, 2, 3):
        place = PublicSegment(name=UNIT, branch=0, seq=arrival, arrival=arrival)
        publications.add([place], [], arrival, HEARD_US + arrival * 100 * SECOND // 1_000)
    assert publications.begin() == 1, "two minutes"
    publications.close()
    reader = Publications(database.url, writes=False)
    assert reader.published(UNIT, 0, 0, 9) == {1, 2, 3}
    reader.close()
