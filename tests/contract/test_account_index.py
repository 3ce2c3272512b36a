"""What accounts and states read of the index is the same in either database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.account.account import account
from archive.index.index import Index
from archive.index.latest import read_latest
from archive.index.reading import IndexReader
from archive.index.rows import Changes, NewMedia
from archive.index.told import read_told
from archive.ingest.record import UnitRecord
from archive.names import UnitName
from archive.store.ledgers import LedgerFiles
from archive.trust import Trusted
from base.durable import Disk
from evidence.coverage import State
from evidence.jws import unseal
from evidence.lines import Gap, Segment, Start, line_hash, read_payload
from evidence.words import Cause, Mode
from tests.engines.databases import Database, PostgresDatabase, SqliteDatabase
from tests.fakes.archive_unit import media_of
from tests.fakes.station import NOON_US, SECOND, Station, authority

UNIT = UnitName(station="57-002", unit="u1")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.engines)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return SqliteDatabase(tmp_path)
    return PostgresDatabase(request.getfixturevalue("postgres"))


class Taken:
    """A unit's lines as they are taken in, and a reader beside that."""

    def __init__(self, folder: Path, url: str) -> None:
        by = authority()
        (folder / "root.pem").write_bytes(by.root_pem)
        self.index = Index(url, by.election)
        self._ledgers = LedgerFiles(Disk(), folder / "ledgers")
        self._record = UnitRecord(
            UNIT,
            election=by.election,
            trust=Trusted(folder / "root.pem", None),
            index=self.index,
            ledgers=self._ledgers,
            most_branches=4,
        )
        self.station = Station(by, cameras=("cam-0", "cam-1"))
        self.reader = IndexReader(url, by.election)

    def lines(self) -> None:
        planned = self._record.plan(self.station.lines, forks=True, now_us=NOON_US)
        assert planned.new is not None
        assert planned.piece is not None
        self._ledgers.write([planned.piece])
        self.index.commit(Changes(lines=(planned.new,), utc_us=NOON_US))
        self._record.applied(planned)

    def media(self, *digests: str, utc_us: int = NOON_US) -> None:
        self.index.commit(Changes(media=tuple(NewMedia(name=UNIT, sha256=each) for each in digests), utc_us=utc_us))


@pytest.fixture
def taken(database: Database, tmp_path: Path) -> Iterator[Taken]:
    taken = Taken(tmp_path, database.url)
    taken.station.begin()
    taken.station.arm()
    for _ in range(3):
        taken.station.segment("cam-0")
        taken.station.segment("cam-1")
    taken.lines()
    yield taken
    taken.reader.close()
    taken.index.close()


def test_lines_are_told_as_they_were_signed_with_what_came_of_their_media(taken: Taken) -> None:
    first = next(iter(media_of(taken.station)))
    taken.media(first)
    told = list(read_told(taken.reader, UNIT, 0, 0, 99))
    lines = [read_payload(unseal(text).payload) for text in taken.station.lines]
    assert [each.seq for each in told] == [line.seq for line in lines]
    assert [each.sha256 for each in told] == [line_hash(text) for text in taken.station.lines]
    assert [(each.boot_ns, each.utc_us, each.error_us) for each in told] == [
        (line.stamp.boot_ns, line.stamp.utc_us, line.stamp.error_us) for line in lines
    ]
    assert [each.segment for each in told] == [line.body if isinstance(line.body, Segment) else None for line in lines]
    named = [each for each in told if each.segment is not None]
    assert [each.stored for each in named] == [each.segment == named[0].segment for each in named]
    assert [each.wanted for each in named] == [not each.stored for each in named]
    assert [each.seq for each in read_told(taken.reader, UNIT, 0, 3, 6)] == [3, 4, 5]
    assert list(read_told(taken.reader, UNIT, 7, 0, 99)) == []


def test_the_newest_of_a_unit_says_what_is_named_and_what_is_here(taken: Taken) -> None:
    first = next(iter(media_of(taken.station)))
    taken.media(first, utc_us=NOON_US + 7)
    (latest,) = read_latest(taken.reader, -1)
    assert (latest.name, latest.closed, latest.branch, latest.lacks) == (UNIT, False, 0, True)
    assert (latest.head_seq, latest.heads) == (len(taken.station.lines) - 1, {0: len(taken.station.lines) - 1})
    assert (latest.heard_us, latest.arrived_us) == (NOON_US, NOON_US + 7)
    assert (latest.boot_ns, latest.utc_us) == (taken.station.boot_ns, taken.station.stamp().utc_us)
    cameras = {each.camera: each for each in latest.cameras}
    assert [(each.named, each.here, each.mode) for each in cameras.values()] == [(3, 1, Mode.LIVE), (3, 0, Mode.LIVE)]
    assert cameras["cam-0"].here_ns == 23 * SECOND
    assert cameras["cam-1"].here_ns is None
    assert isinstance(latest.statements[0].line.body, Start)
    assert read_latest(taken.reader, latest.changed) == []
    assert read_latest(taken.reader, -1, arrival=1)[0].arrived_us is None


def test_what_was_told_is_not_told_again(taken: Taken) -> None:
    (latest,) = read_latest(taken.reader, -1)
    seen = {UNIT: latest.heads}
    assert read_latest(taken.reader, -1, seen)[0].statements == ()
    taken.station.gap("cam-0", seconds=10, cause=Cause.CAMERA)
    taken.lines()
    ((statement,),) = [each.statements for each in read_latest(taken.reader, latest.changed, seen)]
    assert isinstance(statement.line.body, Gap)


def test_an_account_is_the_same_in_either(taken: Taken) -> None:
    taken.media(*media_of(taken.station))
    record = account(taken.reader, UNIT)
    assert record is not None
    assert [[span.state for span in camera.spans] for camera in record.cameras] == [[State.GAP, State.SEGMENT]] * 2
    assert (record.cameras[0].covered_ms, record.cameras[0].missing_ms) == ((6_000, 6_000), (1_000, 1_000))
