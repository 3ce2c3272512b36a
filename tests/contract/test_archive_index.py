"""What the index promises, whichever database it is in."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from archive.finding import Finding
from archive.index.findings import read_findings
from archive.index.first import FIRST
from archive.index.index import Index
from archive.index.rows import (
    BranchRow,
    Changes,
    LineRow,
    NewLines,
    NewMedia,
    PrunedRow,
    ReceiptRow,
    RunRow,
    SegmentRow,
)
from archive.index.schema import findings
from archive.names import UnitName
from base.errors import OperatorError
from evidence.codes import Code
from evidence.lines import Run, Segment
from evidence.receipt import Acknowledged
from evidence.words import Mode
from tests.engines.databases import Database, PostgresDatabase, SqliteDatabase, execute, transact
from tests.engines.postgres import PASSWORD

ELECTION = "az-2026"
UNIT = UnitName(station="57-002", unit="u1")
OTHER = UnitName(station="s" * 32, unit="u" * 32)
SESSION, BOOT = "s" * 43, "b" * 32
MOST = (1 << 53) - 1
"""No number of a ledger is greater (spec/ledger.md)."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.engines)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return SqliteDatabase(tmp_path)
    return PostgresDatabase(request.getfixturevalue("postgres"))


def sha256(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def line(seq: int, *, start: bool = False, boot_ns: int | None = None) -> LineRow:
    at = seq if boot_ns is None else boot_ns
    return LineRow(seq=seq, sha256=f"{seq:043}", offset=seq * 10, size_bytes=9, boot_ns=at, start=start)


def segment(seq: int, **members: object) -> SegmentRow:
    values: dict[str, object] = {
        "camera": "cam1",
        "run": 0,
        "index": seq,
        "mode": Mode.LIVE,
        "sha256": sha256(seq),
        "size": 1_000 + seq,
        "from_ns": seq * 2,
        "to_ns": seq * 2 + 2,
        "frames": 30,
    }
    made = Segment(**{**values, **members})  # type: ignore[arg-type]
    return SegmentRow(seq=seq, session=SESSION, boot_id=BOOT, segment=made)


def run() -> RunRow:
    made = Run(
        camera="cam1",
        run=0,
        source="test",
        init_sha256="i" * 64,
        mask_sha256="m" * 64,
        width=1920,
        height=1080,
        timescale=90_000,
        fps=15,
        codec="avc1",
    )
    return RunRow(session=SESSION, run=made)


def grown(
    seqs: Sequence[int],
    *,
    name: UnitName = UNIT,
    number: int = 0,
    segments: tuple[SegmentRow, ...] | None = None,
    runs: tuple[RunRow, ...] = (),
    pruned: tuple[PrunedRow, ...] = (),
    closed: bool = False,
) -> NewLines:
    """A branch with these lines behind those it had; each names a segment of its own, if none are given."""
    last = line(seqs[-1])
    return NewLines(
        name=name,
        branch=BranchRow(
            number=number,
            parent=None if number == 0 else 0,
            from_seq=0 if number == 0 else seqs[0],
            head_seq=last.seq,
            head_sha256=last.sha256,
            size_bytes=last.offset + 10,
            closed=closed,
            used=last.seq,
        ),
        lines=tuple(line(seq, start=seq == 0) for seq in seqs),
        segments=tuple(segment(seq) for seq in seqs) if segments is None else segments,
        runs=runs,
        pruned=pruned,
    )


def test_a_new_index_knows_nothing(database: Database) -> None:
    index = Index(database.url, ELECTION)
    assert (index.units(), index.findings(), index.journal_end()) == ([], [], 0)
    assert (index.branches(UNIT), index.wanted(UNIT, 9), index.stored(UNIT)) == ([], [], set())
    assert index.line(UNIT, 0, 0) is None
    assert index.receipt(UNIT, Acknowledged.LOGGED, "x") is None
    index.close()


def test_lines_are_found_by_branch_seq_and_digest(database: Database) -> None:
    index = Index(database.url, ELECTION)
    index.commit(Changes(lines=(grown(range(5)),)))
    index.commit(Changes(lines=(grown(range(5, 8)), grown(range(3, 6), number=1), grown([0], name=OTHER))))
    assert index.units() == [UNIT, OTHER]
    assert [(row.number, row.parent, row.from_seq, row.head_seq) for row in index.branches(UNIT)] == [
        (0, None, 0, 7),
        (1, 0, 3, 5),
    ]
    assert index.line(UNIT, 1, 4) == line(4)
    assert index.line(UNIT, 1, 2) is None
    assert index.lines(UNIT, 6, 9) == {(6, f"{6:043}"): 0, (7, f"{7:043}"): 0}
    assert [row.seq for row in index.starts(UNIT, 0, 0, 8)] == [0]
    assert index.starts(UNIT, 0, 1, 8) == []
    assert index.span(UNIT, 0, 2, 99) == (2, 7, False)
    assert index.span(UNIT, 0, 0, 3) == (0, 2, True)
    assert index.span(UNIT, 0, 99, 100) is None
    index.close()


def test_media_are_wanted_until_they_are_stored_pruned_or_lost(database: Database) -> None:
    index = Index(database.url, ELECTION)
    unarmed = segment(9, mode=Mode.UNARMED)
    index.commit(Changes(lines=(grown(range(4), runs=(run(),)), grown([9], number=1, segments=(unarmed,)))))
    assert index.wanted(UNIT, 9) == [sha256(3), sha256(2), sha256(1), sha256(0)]
    assert index.wanted(UNIT, 2) == [sha256(3), sha256(2)]
    index.commit(Changes(media=(NewMedia(name=UNIT, sha256=sha256(1)), NewMedia(name=UNIT, sha256=sha256(2)))))
    assert index.stored(UNIT) == {sha256(1), sha256(2)}
    assert index.stored(UNIT, [sha256(2), sha256(3)]) == {sha256(2)}
    gone = PrunedRow(session=SESSION, camera="cam1", run=0, from_index=3, to_index=4)
    index.commit(Changes(lines=(grown([4], segments=(), pruned=(gone,)),)))
    assert index.wanted(UNIT, 9) == [sha256(0)]
    index.lose(UNIT, [sha256(1)], 5)
    assert index.wanted(UNIT, 9) == [sha256(1), sha256(0)]
    assert index.stored(UNIT) == {sha256(2)}
    ((expected, stored),) = index.named(UNIT, sha256(2))
    assert (expected.stream, expected.segment, stored) == ((1920, 1080, 90_000, 15), segment(2).segment, True)
    assert sorted(index.digests(UNIT)) == sorted((sha256(seq), 1_000 + seq) for seq in (0, 1, 2, 3, 9))
    index.close()


def test_what_is_lost_here_is_asked_for_only_where_the_unit_may_have_it(database: Database) -> None:
    index = Index(database.url, ELECTION)
    # One digest on an armed line and on an unarmed one: only a unit that lies does that.
    unarmed = segment(9, mode=Mode.UNARMED, sha256=sha256(0))
    index.commit(Changes(lines=(grown([0, 1, 2]), grown([9], number=1, segments=(unarmed,)))))
    index.commit(Changes(media=tuple(NewMedia(name=UNIT, sha256=sha256(seq)) for seq in range(3))))
    gone = PrunedRow(session=SESSION, camera="cam1", run=0, from_index=1, to_index=3)
    index.commit(Changes(lines=(grown([3], segments=(), pruned=(gone,)),)))
    assert index.stored(UNIT) == {sha256(0), sha256(1), sha256(2)}
    index.lose(UNIT, [sha256(1)], 5)
    assert index.wanted(UNIT, 9) == []
    index.lose(UNIT, [sha256(0)], 5)
    assert index.wanted(UNIT, 9) == [sha256(0)], "once"
    assert [row.detail for row in index.findings()] == sorted([sha256(0), sha256(1)]), "both are findings"
    index.close()


def test_a_receipt_is_found_by_what_it_speaks_of_and_the_first_stays(database: Database) -> None:
    index = Index(database.url, ELECTION)

    def receipt(offset: int, subject: str = "7:x") -> ReceiptRow:
        return ReceiptRow(name=UNIT, kind=Acknowledged.LOGGED, subject=subject, offset=offset, size_bytes=400)

    index.commit(Changes(receipts=(receipt(0), receipt(401, "y" * 128))))
    index.commit(Changes(receipts=(receipt(802),)))
    assert index.receipt(UNIT, Acknowledged.LOGGED, "7:x") == (0, 400)
    assert index.receipt(UNIT, Acknowledged.STORED, "7:x") is None
    assert index.journal_end() == 802
    index.close()


def test_the_greatest_numbers_and_longest_names_fit(database: Database) -> None:
    index = Index(database.url, ELECTION)
    most = {"run": MOST, "index": MOST, "size": MOST, "to_ns": MOST, "frames": MOST, "holes": (MOST, MOST)}
    last = segment(MOST, camera="c" * 32, from_ns=MOST - 1, **most)
    new = replace(grown([0], name=OTHER, segments=(last,)), lines=(line(MOST, boot_ns=MOST),))
    index.commit(Changes(lines=(new,)))
    ((expected, _),) = index.named(OTHER, sha256(MOST))
    assert expected.segment == last.segment
    assert index.span(OTHER, 0, MOST, MOST + 1) == (MOST, MOST, False)
    assert index.line(OTHER, 0, MOST) == line(MOST, boot_ns=MOST)
    index.close()


def test_a_backlog_is_taken_in_at_once(database: Database) -> None:
    index = Index(database.url, ELECTION)
    index.commit(Changes(lines=(grown(range(2_048)),)))
    index.commit(Changes(media=tuple(NewMedia(name=UNIT, sha256=sha256(seq)) for seq in range(256))))
    index.commit(Changes(lines=(grown(range(1_000), number=1, segments=tuple(map(segment, range(1_000)))),)))
    assert len(index.stored(UNIT)) == 256
    assert len(index.wanted(UNIT, 512)) == len(set(index.wanted(UNIT, 512)))
    assert index.stored(UNIT, [sha256(seq) for seq in range(500)]) == {sha256(seq) for seq in range(256)}
    index.close()


@pytest.mark.parametrize("words", ["a\0b", "lone \ud800", "Ə ş 🗳", "x" * 10_000])
def test_no_words_of_a_stranger_break_it(database: Database, words: str) -> None:
    index = Index(database.url, ELECTION)
    index.commit(Changes(findings=(Finding(name=UNIT, subject="x", code=Code.KEY_UNKNOWN, detail=words),)))
    (row,) = index.findings()
    assert row.detail
    assert [each.detail for each in read_findings(database.url, ELECTION)] == [row.detail]
    index.close()


def test_what_fails_changes_nothing_and_is_final(database: Database) -> None:
    index = Index(database.url, ELECTION)
    index.commit(Changes(lines=(grown([0]),)))
    with pytest.raises(OSError, match="the index has failed"):
        index.commit(Changes(lines=(grown([1]), grown([5], name=OTHER), grown([0]))))
    with pytest.raises(OSError, match="not open"):
        index.commit(Changes(lines=(grown([1]),)))
    index.close()
    again = Index(database.url, ELECTION)
    assert (again.units(), again.branches(UNIT)[0].head_seq) == ([UNIT], 0)
    again.commit(Changes(lines=(grown([1]),)))
    again.close()


def test_what_was_committed_survives_the_end_of_the_database(database: Database) -> None:
    index = Index(database.url, ELECTION)
    index.commit(Changes(lines=(grown(range(3)),), media=(NewMedia(name=UNIT, sha256=sha256(1)),)))
    database.cut()
    with pytest.raises(OSError, match="cannot be read"):
        index.wanted(UNIT, 9)
    with pytest.raises(OSError, match="the index has failed"):
        index.commit(Changes(lines=(grown([3]),)))
    with pytest.raises(OperatorError, match="cannot be opened"):
        Index(database.url, ELECTION)
    database.back()
    with pytest.raises(OSError, match="not open"):
        index.commit(Changes(lines=(grown([3]),)))
    index.close()
    again = Index(database.url, ELECTION)
    assert (again.branches(UNIT)[0].head_seq, again.stored(UNIT)) == (2, {sha256(1)})
    again.commit(Changes(lines=(grown([3]),)))
    again.close()


def test_who_only_reads_sees_each_commit_and_writes_nothing(database: Database) -> None:
    writer = Index(database.url, ELECTION)
    reader = Index(database.url, ELECTION, writes=False)
    assert reader.units() == []
    for seq in range(3):
        writer.commit(Changes(lines=(grown([seq]),)))
        assert reader.branches(UNIT)[0].head_seq == seq
    with pytest.raises(OSError, match="not open"):
        reader.commit(Changes(lines=(grown([3]),)))
    reader.close()
    writer.close()


def test_many_threads_read_whole_commits_while_one_writes(database: Database) -> None:
    index = Index(database.url, ELECTION)
    index.commit(Changes(lines=(grown([0]),)))
    wrong: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            head = index.branches(UNIT)[0].head_seq
            found = index.lines(UNIT, 0, head + 1)
            if len(found) != head + 1:
                wrong.append((head, len(found)))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for each in threads:
        each.start()
    for start in range(1, 100, 3):
        index.commit(Changes(lines=(grown(range(start, start + 3)),)))
    done.set()
    for each in threads:
        each.join()
    assert wrong == []
    index.close()


def test_a_rebuild_forgets_everything(database: Database) -> None:
    index = Index(database.url, ELECTION)
    found = Finding(name=UNIT, subject="x", code=Code.KEY_UNKNOWN, detail="")
    index.commit(Changes(lines=(grown(range(3), closed=True),), findings=(found,)))
    index.rebuild()
    assert (index.units(), index.findings(), index.branches(UNIT)) == ([], [], [])
    index.commit(Changes(lines=(grown(range(2)),)))
    assert index.branches(UNIT)[0].head_seq == 1
    index.close()


def test_an_index_of_the_first_version_keeps_what_it_holds(database: Database) -> None:
    def make(connection: Connection) -> None:
        FIRST.create_all(connection)
        connection.execute(insert(FIRST.tables["schema"]).values(version=1))
        unit = {"election": ELECTION, "station": UNIT.station, "unit": UNIT.unit, "state": "open"}
        connection.execute(insert(FIRST.tables["units"]).values(unit))

    transact(database.url, make)
    index = Index(database.url, ELECTION)
    assert index.units() == [UNIT]
    found = Finding(name=UNIT, subject="x", code=Code.KEY_UNKNOWN, detail="")
    index.commit(Changes(lines=(grown([0]), grown([0], name=OTHER)), findings=(found,)))
    index.close()
    again = Index(database.url, ELECTION)
    assert (again.units(), len(again.findings())) == ([UNIT, OTHER], 1)
    again.close()


def test_an_index_of_the_second_version_knows_what_was_given_up(database: Database) -> None:
    def make(connection: Connection) -> None:
        FIRST.create_all(connection)
        findings.create(connection)
        connection.execute(insert(FIRST.tables["schema"]).values(version=2))
        unit = {"id": 1, "election": ELECTION, "station": UNIT.station, "unit": UNIT.unit, "state": "open"}
        connection.execute(insert(FIRST.tables["units"]).values(unit))
        text = {"session": SESSION, "boot_id": BOOT, "camera": "cam1", "mode": "LIVE"}
        numbers = ("run", "size_bytes", "from_ns", "to_ns", "frames", "dropped_frames", "max_hole_ms")
        row = {"unit_id": 1, "branch": 0, **text, **dict.fromkeys(numbers, 0)}
        for seq, (stored, wanted) in enumerate([(True, False), (False, True), (False, False)]):
            place = {"seq": seq, "number": seq, "sha256": sha256(seq), "stored": stored, "wanted": wanted}
            connection.execute(insert(FIRST.tables["segments"]).values(row | place))

    transact(database.url, make)
    index = Index(database.url, ELECTION)
    index.lose(UNIT, [sha256(seq) for seq in range(3)], 5)
    assert index.wanted(UNIT, 9) == [sha256(1), sha256(0)]
    index.close()


def test_an_index_of_a_later_version_is_refused_and_left_alone(database: Database) -> None:
    Index(database.url, ELECTION).close()
    execute(database.url, "UPDATE schema SET version = version + 1")
    for _ in range(2):
        with pytest.raises(OperatorError, match="newer program"):
            Index(database.url, ELECTION)
    execute(database.url, "UPDATE schema SET version = version - 1")
    Index(database.url, ELECTION).close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> PostgresDatabase:
    return PostgresDatabase(request.getfixturevalue("postgres"))


@pytest.mark.engines
def test_a_second_archive_on_a_database_of_a_server_is_refused(server: PostgresDatabase) -> None:
    index = Index(server.url, ELECTION)
    with pytest.raises(OperatorError, match="Another archive works on this database"):
        Index(server.url, "another")
    index.commit(Changes(lines=(grown([0]),)))
    other = Index(PostgresDatabase(server.postgres).url, ELECTION)
    other.close()
    index.close()
    Index(server.url, ELECTION).close()


@pytest.mark.engines
def test_who_has_lost_the_lock_writes_no_more(server: PostgresDatabase) -> None:
    index = Index(server.url, ELECTION)
    index.commit(Changes(lines=(grown([0]),)))
    execute(server.url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    other = Index(server.url, ELECTION)
    with pytest.raises(OSError, match="the index has failed"):
        index.commit(Changes(lines=(grown([1]),)))
    with pytest.raises(OSError, match="not open"):
        index.commit(Changes(lines=(grown([1]),)))
    assert index.branches(UNIT)[0].head_seq == 0, "reading goes on"
    other.commit(Changes(lines=(grown([1]),)))
    other.close()
    index.close()


@pytest.mark.engines
def test_each_commit_is_on_the_disk_whatever_the_server_s_owner_has_set(server: PostgresDatabase) -> None:
    name = server.name
    execute(
        server.url,
        f"ALTER DATABASE {name} SET synchronous_commit = off",
        f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'",
        f"ALTER DATABASE {name} SET idle_session_timeout = '50ms'",
    )
    index = Index(server.url, ELECTION)
    written = "SELECT current_setting('synchronous_commit') || ' ' || current_setting('idle_session_timeout')"
    with index._writing() as connection:
        assert connection.exec_driver_sql(written).scalar() == "on 0"
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
    index.close()


@pytest.mark.engines
def test_a_server_that_runs_without_fsync_is_refused(server: PostgresDatabase) -> None:
    execute(server.url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    try:
        server.postgres.stop()
        server.postgres.resume()
        with pytest.raises(OperatorError, match="without fsync"):
            Index(server.url, ELECTION)
    finally:
        execute(server.url, "ALTER SYSTEM RESET fsync")
        server.postgres.stop()
        server.postgres.resume()


@pytest.mark.engines
def test_a_password_may_lie_in_a_file_and_is_told_to_nobody(server: PostgresDatabase, tmp_path: Path) -> None:
    passfile = tmp_path / "pass"
    passfile.write_text(f"*:*:*:*:{PASSWORD}\n")
    passfile.chmod(0o600)
    Index(f"{server.postgres.url_with_password(server.name, None)}?passfile={passfile}", ELECTION).close()
    Index(server.postgres.url_with_password(server.name), ELECTION).close()
    for url in (
        server.postgres.url_with_password(server.name, "s3cr3t"),
        server.postgres.url_with_password("nothing", "s3cr3t"),
        "postgresql://u:s3cr3t@127.0.0.1:1/x",
        "postgresql://u:s3cr3t@127.0.0.1:port/x",
        "postgresql://u:s3cr3t@127.0.0.1/x?nonsense=1",
    ):
        for what in (lambda url=url: Index(url, ELECTION), lambda url=url: read_findings(url, ELECTION)):
            with pytest.raises(OperatorError) as refused:
                what()
            assert "s3cr3t" not in str(refused.value)
