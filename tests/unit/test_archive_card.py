"""Reading a card: whose it is, which lines follow each other, and what is none."""

import os
from pathlib import Path

import pytest

from archive.card import MOST_LINES, Batch, CardError, Damage, find_records, read_batches, read_file, whose
from archive.names import UnitName
from evidence import jws
from tests.fakes.station import Station, authority


def recorded(segments: int = 3) -> Station:
    station = Station(authority(), media=False)
    station.begin()
    station.segments(segments)
    return station


def read(tmp_path: Path, ledger: bytes) -> list[Batch | Damage]:
    path = tmp_path / "ledger.jws"
    path.write_bytes(ledger)
    return list(read_batches(path))


def test_a_whole_ledger_is_one_batch(tmp_path: Path) -> None:
    station = recorded()
    assert read(tmp_path, station.ledger) == [Batch(from_seq=0, texts=tuple(station.lines), joined=False)]


def test_an_empty_ledger_is_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, b"") == []


def test_more_lines_than_fit_come_in_joined_batches(tmp_path: Path) -> None:
    station = recorded(MOST_LINES)
    first, second = read(tmp_path, station.ledger)
    assert isinstance(first, Batch)
    assert isinstance(second, Batch)
    assert [*first.texts, *second.texts] == station.lines
    assert (first.joined, second.joined, second.from_seq) == (False, True, len(first.texts))
    assert sum(len(text) + 1 for text in first.texts) <= 1 << 20


def test_a_lost_line_parts_what_is_before_from_what_is_behind(tmp_path: Path) -> None:
    lines = recorded().lines
    found = read(tmp_path, b"".join(line + b"\n" for line in [*lines[:2], *lines[3:]]))
    assert found == [
        Batch(from_seq=0, texts=tuple(lines[:2]), joined=False),
        Batch(from_seq=3, texts=tuple(lines[3:]), joined=False),
    ]


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"\xff" * 100, b"a.b.c", bytes(4096), b"x" * (jws.MAX_BYTES + 9)])
def test_rubbish_between_lines_is_named_with_its_place(tmp_path: Path, rubbish: bytes) -> None:
    lines = recorded().lines
    begin = b"".join(line + b"\n" for line in lines[:2])
    before, damage, after = read(tmp_path, begin + rubbish + b"\n" + b"".join(line + b"\n" for line in lines[2:]))
    assert isinstance(damage, Damage)
    assert (damage.offset, damage.torn) == (len(begin), False)
    assert before == Batch(from_seq=0, texts=tuple(lines[:2]), joined=False)
    assert after == Batch(from_seq=2, texts=tuple(lines[2:]), joined=False)


@pytest.mark.parametrize("tail", [b"eyJhbGci", b"\0" * 700])
def test_an_unfinished_last_line_is_told_apart(tmp_path: Path, tail: bytes) -> None:
    station = recorded()
    *_, damage = read(tmp_path, station.ledger + tail)
    assert isinstance(damage, Damage)
    assert (damage.offset, damage.torn) == (len(station.ledger), True)


def test_a_whole_last_line_without_its_end_is_unfinished_too(tmp_path: Path) -> None:
    batch, damage = read(tmp_path, recorded().ledger[:-1])
    assert isinstance(batch, Batch)
    assert isinstance(damage, Damage)
    assert damage.torn


def test_megabytes_without_a_line_are_damage_and_not_memory(tmp_path: Path) -> None:
    found = read(tmp_path, b"x" * (3 << 20))
    assert all(isinstance(each, Damage) and not each.torn for each in found[:-1])
    assert len(found) < 10


def test_a_ledger_that_is_no_file_is_said_to_be_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for name in ("pipe", "link", "none"):
        (damage,) = read_batches(tmp_path / name)
        assert isinstance(damage, Damage)
        assert not damage.torn


def test_reading_a_file_takes_no_more_than_asked_and_no_file_for_another(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 10_000)
    assert read_file(tmp_path / "file", 5_001) == b"x" * 5_001
    assert len(read_file(tmp_path / "file", 1 << 20)) == 10_000
    (tmp_path / "link").symlink_to("file")
    for name in ("link", "."):
        with pytest.raises(CardError):
            read_file(tmp_path / name, 10)
    for name in ("none", "file/below"):
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            read_file(tmp_path / name, 10)


def test_records_are_found_with_their_guests_and_not_among_media(tmp_path: Path) -> None:
    card = recorded().write(tmp_path / "b" / "card")
    (card / "media" / "s").mkdir(parents=True)
    (card / "media" / "s" / "ledger.jws").write_bytes(b"")
    recorded().write(card / "guests" / "0123")
    recorded().write(tmp_path / "a")
    records, unread = find_records(tmp_path)
    assert [record.folder for record in records] == [tmp_path / "a", card, card / "guests" / "0123"]
    assert unread == []


def test_a_link_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    recorded().write(tmp_path / "elsewhere")
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / "link").symlink_to(tmp_path / "elsewhere")
    assert find_records(tmp_path / "card")[0] == []


def test_whose_it_is_says_the_first_start_else_the_identity_else_nobody(tmp_path: Path) -> None:
    station = recorded()
    card = station.write(tmp_path / "card")
    (card / "unit.json").write_text('{"station": "57-009", "unit": "u9"}')
    (record,), _ = find_records(card)
    assert whose(record) == UnitName(station="57-002", unit="u1")
    (card / "ledger.jws").write_bytes(b"".join(line + b"\n" for line in station.lines[1:]))
    assert whose(record) == UnitName(station="57-009", unit="u9")
    for rubbish in (
        b"",
        b"[]",
        b"{}",
        b"[" * 9_999,
        b'{"station": 1, "unit": "u"}',
        b'{"station": "../x", "unit": "u"}',
    ):
        (card / "unit.json").write_bytes(rubbish)
        assert whose(record) is None
