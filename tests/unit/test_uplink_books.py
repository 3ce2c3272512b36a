"""What the uplink remembers: read from the ledger, rebuilt from nothing, and right again after lines were lost."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.uplink.database import open_database
from appliance.uplink.follow import Follower
from appliance.uplink.linebook import LINE_INDEXES, LINE_TABLES, LineBook
from appliance.uplink.mediabook import MEDIA_INDEXES, MEDIA_TABLES, MediaBook
from appliance.uplink.plan import State
from evidence import jws
from evidence.certificate import Trust
from evidence.lines import Segment, line_hash, read_payload
from evidence.words import Cause, Mode
from tests.fakes.station import NOON_US, Station, authority

WHOSE = ("az-2026", "57-002", "u1")


@dataclass
class Books:
    """A follower with its books over a station's ledger file."""

    follower: Follower
    lines: LineBook
    media: MediaBook

    def read(self) -> "Books":
        """All that is new."""
        while self.follower.step():
            pass
        return self


@pytest.fixture
def unit() -> Station:
    """Armed after two segments; five more."""
    unit = Station(authority())
    unit.begin()
    unit.segments(2)
    unit.arm()
    unit.segments(5)
    return unit


def publish(folder: Path, unit: Station, lines: int | None = None) -> None:
    """The ledger file, and the durable head at its end or behind its first ``lines``."""
    (folder / "ledger.jws").write_bytes(unit.ledger)
    durable = unit.lines[:lines]
    size = sum(len(line) + 1 for line in durable)
    head = {"seq": len(durable) - 1, "sha256": line_hash(durable[-1]), "size_bytes": size}
    (folder / "head.json").write_text(json.dumps(head))


def open_books(folder: Path, whose: tuple[str, str, str] = WHOSE) -> Books:
    database = open_database(folder / "uplink.sqlite", LINE_TABLES | MEDIA_TABLES, LINE_INDEXES + MEDIA_INDEXES)
    follower = Follower(
        ledger=folder / "ledger.jws",
        head=folder / "head.json",
        database=database,
        trust=Trust.from_pem(authority().root_pem),
        whose=whose,
    )
    return Books(follower=follower, lines=LineBook(database), media=MediaBook(database))


def test_every_durable_line_is_known_by_its_place_and_digest(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    for seq, text in enumerate(unit.lines):
        line = books.lines.line(seq)
        assert line is not None
        assert line.head.sha256 == line_hash(text)
        assert unit.ledger[line.begin_bytes : line.end_bytes] == text + b"\n"
    assert books.follower.trouble is None


def test_armed_segments_are_known_and_unarmed_ones_are_not(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    unproven = books.media.unproven(len(unit.lines), 100)
    assert [each.index for each in unproven] == [2, 3, 4, 5, 6]
    assert {each.session for each in unproven} == {unit.kid}


def test_nothing_beyond_the_durable_head_is_read(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit, lines=5)
    books = open_books(tmp_path).read()
    assert _tail(books) == 4
    publish(tmp_path, unit)
    assert _tail(books.read()) == len(unit.lines) - 1


def test_a_batch_keeps_its_limits_and_lies_without_a_break(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    whole = books.lines.stretch(0, 1 << 20)
    assert whole is not None
    assert (whole.begin_bytes, whole.end_bytes, whole.head.seq) == (0, len(unit.ledger), len(unit.lines) - 1)
    first = books.lines.stretch(0, 1)
    assert first is not None
    assert first.head.seq == 0
    assert books.lines.stretch(len(unit.lines), 1 << 20) is None


def test_a_process_that_starts_anew_goes_on_where_the_last_one_was(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit, lines=8)
    open_books(tmp_path).read()
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    assert books.follower.lines_read == len(unit.lines) - 8
    assert len(books.media.unproven(99, 100)) == 5


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 999])
def test_books_that_cannot_be_read_are_made_anew(tmp_path: Path, unit: Station, damage: bytes) -> None:
    publish(tmp_path, unit)
    open_books(tmp_path).read()
    for path in tmp_path.glob("uplink.sqlite*"):
        path.unlink()
    (tmp_path / "uplink.sqlite").write_bytes(damage)
    books = open_books(tmp_path).read()
    assert books.follower.lines_read == len(unit.lines)


def test_where_no_file_can_be_kept_memory_serves(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    (tmp_path / "uplink.sqlite").mkdir()
    assert _tail(open_books(tmp_path).read()) == len(unit.lines) - 1


def test_lost_lines_are_forgotten_and_their_place_is_read_anew(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    kept = unit.lines[:-2]
    unit.lines[:] = kept
    ended = unit.reboot()
    unit.start("power")
    unit.gap(cause=Cause.POWER, from_boot=ended)
    publish(tmp_path, unit)
    books.read()
    assert _tail(books) == len(unit.lines) - 1
    for seq, text in enumerate(unit.lines):
        line = books.lines.line(seq)
        assert line is not None
        assert line.head.sha256 == line_hash(text)
    assert len(books.media.unproven(99, 100)) == 3


def test_a_ledger_of_another_unit_is_told_and_not_read(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    books = open_books(tmp_path, ("az-2026", "57-002", "u2")).read()
    assert books.follower.trouble == "the ledger is another unit's"
    assert books.lines.tail() is None


def test_a_head_that_is_not_of_this_ledger_is_told(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    head = json.loads((tmp_path / "head.json").read_text())
    (tmp_path / "head.json").write_text(json.dumps({**head, "sha256": "x" * 43}))
    books = open_books(tmp_path).read()
    assert "does not end with the line" in str(books.follower.trouble)


@pytest.mark.parametrize("head", [None, b"", b"{", b"[]", b'{"seq": -1}', b"\xff" * 10_000, b"[" * 4000])
def test_without_a_head_nothing_is_read(tmp_path: Path, unit: Station, head: bytes | None) -> None:
    publish(tmp_path, unit)
    (tmp_path / "head.json").unlink()
    if head is not None:
        (tmp_path / "head.json").write_bytes(head)
    books = open_books(tmp_path).read()
    assert "no durable head" in str(books.follower.trouble)


def test_a_ledger_that_is_gone_is_told(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    (tmp_path / "ledger.jws").unlink()
    assert "cannot be read" in str(open_books(tmp_path).read().follower.trouble)


def test_a_damaged_line_is_passed_over_and_no_batch_leads_across_it(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    ledger = bytearray(unit.ledger)
    at = sum(len(line) + 1 for line in unit.lines[:3])
    ledger[at : at + 20] = bytes(20)
    (tmp_path / "ledger.jws").write_bytes(ledger)
    books = open_books(tmp_path).read()
    assert books.lines.line(3) is None
    before = books.lines.stretch(0, 1 << 20)
    assert before is not None
    assert before.head.seq == 2
    assert _tail(books) == len(unit.lines) - 1


def test_synced_lines_and_an_armed_window_prove_what_time_it_is(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    window_us = NOON_US - 6 * 3600 * 10**6
    line_us, now_us = max(books.lines.marks()), unit.stamp().utc_us
    assert min(books.lines.marks()) == window_us
    assert now_us is not None
    assert NOON_US < line_us <= now_us


def test_recovered_media_lie_with_the_session_that_recorded_them(tmp_path: Path, unit: Station) -> None:
    session, found = unit.kid, unit.record()
    unit.reboot()
    unit.start("power")
    unit.recovered(found, session)
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    (media,) = books.media.named([found.sha256])
    assert media.session == session != unit.kid


def test_pruned_media_are_gone(tmp_path: Path) -> None:
    unit = Station(authority())
    unit.begin()
    unit.mode = Mode.TEST
    unit.segments(4)
    unit.pruned("cam-0", 1, 3)
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    digests = [each.sha256 for each in books.media.unproven(99, 10)]
    for sha256 in digests:
        books.media.want(sha256)
    assert [each.index for each in books.media.waiting()] == [0, 3]
    totals = books.media.totals()
    assert (totals.media[State.WAITING], totals.lost) == (2, 2)


def test_an_entry_is_spent_when_all_its_media_are_gone(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    first, second, *_ = _digests(unit)
    books.media.receipted([first, second], "a.json")
    assert books.media.entry_is_known("a.json")
    books.media.gone(first)
    assert books.media.spent_entries() == []
    books.media.gone(second)
    assert books.media.spent_entries() == ["a.json"]
    books.media.drop_entry("a.json")
    assert books.media.spent_entries() == []


def test_what_the_archive_lacks_though_it_was_receipted_is_wanted_again(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    digests = _digests(unit)
    books.media.acknowledge(digests)
    books.media.receipted(digests, "a.json")
    books.media.settle({digests[0]}, len(unit.lines), complete=True, but=())
    assert [each.sha256 for each in books.media.waiting()] == [digests[0]]
    books.media.doubt_behind(-1)
    assert len(books.media.unproven(99, 10)) == len(digests)


def test_of_what_lies_here_no_more_the_archives_silence_says_nothing(tmp_path: Path, unit: Station) -> None:
    publish(tmp_path, unit)
    books = open_books(tmp_path).read()
    digests = _digests(unit)
    books.media.gone(digests[0])
    books.media.settle((), len(unit.lines), complete=True, but=())
    assert books.media.named([digests[0]])[0].state is State.UNKNOWN
    assert books.media.named([digests[1]])[0].state is State.HELD


def _digests(unit: Station) -> Sequence[str]:
    bodies = [read_payload(jws.unseal(text).payload).body for text in unit.lines]
    return [body.sha256 for body in bodies if isinstance(body, Segment) and body.mode is not Mode.UNARMED]


def _tail(books: Books) -> int:
    tail = books.lines.tail()
    assert tail is not None
    return tail.head.seq
