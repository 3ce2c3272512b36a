"""Cards that are damaged, incomplete, or not what they claim, brought by a courier."""

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from archive.brought import in_words
from evidence.words import Cause
from tests.fakes.archive import RunningArchive, timeless_authority
from tests.fakes.archive_unit import armed_station, codes, head_of, media_of, verified
from tests.fakes.courier import bring, counts, findings, over_the_network, serves, stored
from tests.fakes.station import SECOND


def test_each_damaged_or_missing_segment_is_named_and_blocks_nothing(either: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(either, 6)
    card = station.write(tmp_path / "card")
    flipped, gone, short, pipe, folder, good = sorted(card.rglob("*.m4s"))
    flipped.write_bytes(flipped.read_bytes()[:-1] + b"?")
    gone.unlink()
    short.write_bytes(short.read_bytes()[:100])
    pipe.unlink()
    os.mkfifo(pipe)
    folder.unlink()
    folder.mkdir()
    (card / "ledger.jws").write_bytes(station.ledger + b"eyJ0")
    whole = station.write(tmp_path / "whole")
    (brought,) = bring(either, card)
    assert not brought.complete
    assert counts(brought) == (len(station.lines), 0, 0, 1, 0, 1)
    assert [text.split(": ")[0] for text in sorted(brought.refused)] == [str(flipped), str(short)]
    assert sorted(text.split(": ")[0] for text in brought.unread) == [str(pipe), str(folder)]
    assert list(brought.missing.values()) == [str(gone)]
    assert len(brought.notes) == 1, "an unfinished last line is what every power cut may leave"
    assert stored(either) == {hashlib.sha256(good.read_bytes()).hexdigest(): good.read_bytes()}
    (again,) = bring(either, whole)
    assert again.complete
    assert counts(again) == (0, len(station.lines), 0, 5, 1, 0)
    assert stored(either) == media_of(station)


def test_what_one_copy_lacks_another_has(either: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(either, 3)
    copies = [station.write(tmp_path / "copies" / name) for name in ("a", "b")]
    for number, copy in enumerate(copies):
        sorted(copy.rglob("*.m4s"))[number].unlink()
    brought = bring(either, tmp_path / "copies")
    assert [each.complete for each in brought] == [True, True]
    assert [each.missing for each in brought] == [{}, {}]
    assert stored(either) == media_of(station)


def test_behind_a_damaged_line_nothing_is_taken_unless_the_archive_has_that_line(
    either: RunningArchive, tmp_path: Path
) -> None:
    station = armed_station(either, 4)
    good = len(station.lines) - 3
    card = station.write(tmp_path / "card")
    lines = list(station.lines)
    lines[good] = lines[good][:40] + b"!" + lines[good][41:]
    (card / "ledger.jws").write_bytes(b"".join(line + b"\n" for line in lines))
    (brought,) = bring(either, card)
    assert counts(brought) == (good, 0, 2, 1, 0, 0)
    assert len(brought.unread) == 1
    assert "the archive has nothing that they follow" in brought.refused[0]

    def network() -> None:
        assert either.uplink().lines(station.lines[good : good + 1]).status == 200

    over_the_network(either, network)
    (brought,) = bring(either, card)
    assert counts(brought) == (2, good, 0, 3, 1, 0)
    assert either.ledger() == station.ledger
    assert not brought.complete, "the damaged line is named still"


def test_a_ledger_that_is_lost_does_not_lose_the_media_that_the_archive_knows_of(
    either: RunningArchive, tmp_path: Path
) -> None:
    station = armed_station(either)

    def lines_only() -> None:
        assert either.uplink().lines(station.lines).status == 200

    over_the_network(either, lines_only)
    card = station.write(tmp_path / "card")
    (card / "ledger.jws").unlink()
    (card / "unit.json").write_text('{"election": "az-2026", "station": "57-002", "unit": "u1", "board": null}')
    (brought,) = bring(either, card)
    assert counts(brought) == (0, 0, 0, 3, 0, 0)
    assert stored(either) == media_of(station)
    (card / "unit.json").write_text('{"station": "../..", "unit": "u1"}')
    (brought,) = bring(either, card)
    assert (brought.name, brought.complete) == (None, False)


def test_the_card_of_a_revoked_unit_is_kept_aside_and_does_not_count(either: RunningArchive, tmp_path: Path) -> None:
    started = serves(either)
    if started:
        either.stop()
    station = armed_station(either)
    revoked = either.folder / "revoked.pem"
    revoked.write_bytes(either.by.revoke(station.certificate, datetime(2026, 1, 1, tzinfo=UTC)))
    either.config = replace(either.config, revoked=revoked)
    if started:
        either.start()
    (brought,) = bring(either, station.write(tmp_path / "card"))
    assert counts(brought) == (0, 0, len(station.lines), 0, 0, 0)
    assert "revoked" in brought.refused[0]
    assert stored(either) == {}
    (row,) = findings(either)
    assert (str(row.name), row.code, row.seq) == ("57-002/u1", "cert-revoked", 0)
    (aside,) = (either.config.data / "aside").rglob("*.lines")
    assert aside.read_bytes() == station.ledger


def test_the_record_of_a_guest_is_kept_aside_and_its_host_is_taken(either: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(either)
    guest = armed_station(RunningArchive(tmp_path / "other", timeless_authority("nobody")), 1, unit="guest-0", seed="g")
    card = station.write(tmp_path / "card")
    guest.write(card / "guests" / "0123")
    host, other = bring(either, card)
    assert host.complete
    assert counts(other) == (0, 0, len(guest.lines), 0, 0, 0)
    assert stored(either) == media_of(station)
    (row,) = findings(either)
    assert (str(row.name), row.code) == ("57-002/guest-0", "cert-untrusted")


def test_another_unit_cannot_speak_in_a_name_that_is_not_its_own(either: RunningArchive, tmp_path: Path) -> None:
    station, liar = armed_station(either), armed_station(either, 1, unit="u2", seed="liar")
    card = station.write(tmp_path / "card")
    (card / "ledger.jws").write_bytes(station.ledger + liar.ledger)
    (brought,) = bring(either, card)
    assert counts(brought) == (len(station.lines), 0, len(liar.lines), 3, 0, 0)
    assert either.ledger() == station.ledger
    assert not (either.config.data / "ledgers" / "57-002" / "u2").exists()


def test_both_histories_of_a_salvaged_card_are_kept(either: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(either)
    common = len(station.lines)
    stood = replace(station.cameras["cam-0"])
    station.segments(2)
    lost = list(station.lines)
    del station.lines[common:]
    station.cameras["cam-0"] = stood
    before = station.reboot()
    station.start("power")
    station.gap(to_ns=station.boot_ns + SECOND, cause=Cause.POWER, from_boot=before)
    station.run()
    station.segments(2)
    card = station.write(tmp_path / "card")
    (card / "branches").mkdir()
    (card / "branches" / "1.jws").write_bytes(b"".join(line + b"\n" for line in lost))
    (brought,) = bring(either, card)
    assert brought.complete, list(in_words(brought))
    assert brought.lines_new == len(station.lines) + 2
    assert (either.ledger(0), either.ledger(1)) == (b"".join(line + b"\n" for line in lost), station.ledger)
    assert stored(either) == media_of(station)
    (tmp_path / "copy").mkdir()
    assert "tail-lost" in codes(verified(either, tmp_path / "copy"))

    def goes_on() -> None:
        station.segment()
        assert either.uplink().lines(station.lines[-1:]).json["head"] == head_of(station)

    over_the_network(either, goes_on)


def test_what_folders_on_a_card_are_called_does_nothing_to_a_terminal(either: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(either, 1)
    card = station.write(tmp_path / os.fsdecode(b"\x1b[2J\xff\n"))
    (brought,) = bring(either, card.parent)
    told = "\n".join(in_words(brought))
    assert all(each.isprintable() for each in told.split("\n"))
    assert told.encode()
    assert brought.complete
