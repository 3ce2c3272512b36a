"""A courier brings a unit's card to the archive, which serves meanwhile or does not."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.store.layout import Layout
from appliance.store.receipted import ReceiptedMedia
from archive.brought import in_words
from archive.store.lock import DataLock
from base.errors import OperatorError
from evidence.receipt import Acknowledged, read_receipt
from provisioning.authority import Authority
from tests.fakes.archive import ELECTION, RunningArchive, timeless_authority
from tests.fakes.archive_unit import armed_station, media_of
from tests.fakes.courier import armed, bring, counts, delivered, over_the_network, state, stored
from tests.fakes.station import NOON_US, Station
from unbroken.cli import main
from unbroken.demo_archive import make_archive
from unbroken.demo_station import ELECTION as SAMPLE


def test_a_station_whose_network_never_came(either: RunningArchive, tmp_path: Path) -> None:
    station = Station(either.by)
    station.begin()
    station.segments(2)
    station.arm()
    station.segments(3)
    card = station.write(tmp_path / "card")
    before = state(card)
    (brought,) = bring(either, tmp_path / "card", receipts=tmp_path / "receipts")
    assert brought.complete, list(in_words(brought))
    assert counts(brought) == (len(station.lines), 0, 0, 3, 0, 0)
    assert state(card) == before, "nothing on the card is written"
    assert either.ledger() == station.ledger
    assert stored(either) == armed(station), "what was not armed stays on the unit"
    folder = tmp_path / "receipts" / "57-002" / "u1"
    logged = read_receipt((folder / "logged.jws").read_text(), either.trust)
    assert (logged.kind, logged.seq) == (Acknowledged.LOGGED, len(station.lines) - 1)
    recorder = ReceiptedMedia(
        folder,
        Layout(card),
        trust=either.trust,
        election=ELECTION,
        station="57-002",
        unit="u1",
        boot_ns=either.clock.boot_ns,
    )
    (pruned,) = recorder.shrink()
    assert (pruned.from_index, pruned.to_index, recorder.refused) == (2, 5, 0), "the unit may delete what is receipted"


def test_brought_twice_it_is_there_once(either: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(either)
    card = station.write(tmp_path / "card")
    receipts = tmp_path / "receipts"
    bring(either, card, receipts=receipts)
    kept, laid = state(either.config.data / "cas"), state(receipts)
    journal = (either.config.data / "receipts.jws").read_bytes()
    (brought,) = bring(either, card, receipts=receipts)
    assert counts(brought) == (0, len(station.lines), 0, 0, 3, 0)
    assert brought.complete
    assert (either.config.data / "receipts.jws").read_bytes() == journal
    assert (either.ledger(), state(either.config.data / "cas")) == (station.ledger, kept)
    assert {name: each[2] for name, each in state(receipts).items()} == {name: each[2] for name, each in laid.items()}


def test_what_the_network_has_brought_before_is_known(either: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(either, 2)
    lines = len(station.lines)
    first = min(media_of(station).values())

    def half() -> None:
        uplink = either.uplink()
        assert uplink.lines(station.lines).status == 200
        assert uplink.media(first).status == 201

    over_the_network(either, half)
    station.segments(2)
    card = station.write(tmp_path / "card")
    (brought,) = bring(either, card)
    assert counts(brought) == (2, lines, 0, 3, 1, 0)
    assert (either.ledger(), stored(either)) == (station.ledger, media_of(station))

    def afterwards() -> None:
        answer = either.uplink().lines()
        assert answer.json["lacks"] == []
        station.segment()
        assert either.uplink().lines(station.lines[-1:]).status == 200, "the unit goes on over the network"

    over_the_network(either, afterwards)


def test_an_older_copy_of_a_card_that_the_archive_is_ahead_of_changes_nothing(
    either: RunningArchive, tmp_path: Path
) -> None:
    station = armed_station(either, 2)
    card = station.write(tmp_path / "card")
    station.segments(2)
    over_the_network(either, lambda: delivered(either, station))
    (brought,) = bring(either, card)
    assert brought.complete
    assert counts(brought) == (0, len(station.lines) - 2, 0, 0, 4, 0)
    assert either.ledger() == station.ledger


def test_what_the_archive_has_lost_comes_back_from_the_card(either: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(either)
    over_the_network(either, lambda: delivered(either, station))
    lost = min(media_of(station))
    either.object(lost).unlink()
    (brought,) = bring(either, station.write(tmp_path / "card"))
    assert counts(brought) == (0, len(station.lines), 0, 1, 2, 0)
    assert stored(either) == media_of(station)


def test_two_cards_of_a_station_whose_unit_was_replaced(either: RunningArchive, tmp_path: Path) -> None:
    first = armed_station(either, 2)
    second = armed_station(either, 3, unit="u2", seed="second", utc_us=NOON_US + 60 * 10**6)
    for station in (first, second):
        station.write(tmp_path / "cards" / station.unit)
    brought = bring(either, tmp_path / "cards", receipts=tmp_path / "receipts")
    assert [each.complete for each in brought] == [True, True]
    assert [str(each.name) for each in brought] == ["57-002/u1", "57-002/u2"]
    assert either.ledger() == first.ledger
    assert either.ledger(unit="u2") == second.ledger
    assert stored(either) == media_of(first) | media_of(second)
    assert sorted(path.name for path in (tmp_path / "receipts" / "57-002").iterdir()) == ["u1", "u2"]


def test_interrupted_and_done_again_it_goes_on(either: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(either, 140)
    card = station.write(tmp_path / "card")
    receipts = tmp_path / "receipts"

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(either, card, receipts=receipts, progress=interrupt)
    assert len(stored(either)) == 128
    (brought,) = bring(either, card, receipts=receipts)
    assert brought.complete
    assert counts(brought) == (0, len(station.lines), 0, 12, 128, 0)
    assert (either.ledger(), stored(either)) == (station.ledger, media_of(station))
    journal = (either.config.data / "receipts.jws").read_text().splitlines()
    given = [read_receipt(text, either.trust) for text in journal]
    subjects = [(each.kind, each.seq, each.media) for each in given]
    assert len(subjects) == len(set(subjects)) == 3
    assert len(list(receipts.rglob("*.json"))) == 2


def test_a_second_courier_waits_outside(either: RunningArchive, tmp_path: Path) -> None:
    card = armed_station(either).write(tmp_path / "card")
    bring(either, card)
    lock = DataLock(either.config.data / "courier")
    try:
        with pytest.raises(OperatorError, match="Another import runs"):
            bring(either, card)
    finally:
        lock.close()


def test_a_folder_without_a_record_is_said_to_have_none(either: RunningArchive, tmp_path: Path) -> None:
    (tmp_path / "empty" / "photos").mkdir(parents=True)
    with pytest.raises(OperatorError, match="There is no record"):
        bring(either, tmp_path / "empty")


def test_a_disk_that_is_nearly_full_takes_no_media_and_later_they_come(either: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(either)
    card = station.write(tmp_path / "card")
    config = either.config
    either.config = replace(config, limits=replace(config.limits, free_mib=1 << 30))
    with pytest.raises(OperatorError, match="takes no media now"):
        bring(either, card)
    assert stored(either) == {}
    either.config = config
    (brought,) = bring(either, card)
    assert counts(brought) == (0, len(station.lines), 0, 3, 0, 0)


def test_receipts_that_cannot_be_laid_are_said(either: RunningArchive, tmp_path: Path) -> None:
    card = armed_station(either).write(tmp_path / "card")
    (tmp_path / "receipts").write_bytes(b"a file")
    with pytest.raises(OperatorError, match="Receipts cannot be written"):
        bring(either, card, receipts=tmp_path / "receipts")


def test_who_holds_the_data_and_takes_nothing_in_is_named(tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path / "archive", timeless_authority())
    card = armed_station(archive).write(tmp_path / "card")
    archive.start()
    archive.stop()
    lock = DataLock(archive.config.data)
    try:
        with pytest.raises(OperatorError, match="does not take it"):
            bring(archive, card)
    finally:
        lock.close()


def test_an_archive_without_a_receipt_key_in_force_takes_it_all_and_says_so(
    either: RunningArchive, tmp_path: Path
) -> None:
    either.clock.set_utc(None)
    (brought,) = bring(either, armed_station(either).write(tmp_path / "card"), receipts=tmp_path / "receipts")
    assert brought.complete
    assert (brought.media_new, brought.receipts, len(brought.notes)) == (3, 0, 2)
    assert list((tmp_path / "receipts").rglob("*.js*")) == []


def test_the_verb_says_what_came_and_exits_with_1_where_something_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by = Authority.generate(SAMPLE)
    (tmp_path / "root.pem").write_bytes(by.root_pem)
    made = make_archive(tmp_path, by)
    station = Station(by)
    station.begin()
    station.arm()
    station.segments(3)
    card = station.write(tmp_path / "card")
    shutil.copytree(card, tmp_path / "copy")
    gone = max(card.rglob("*.m4s"))
    gone.unlink()
    verb = ["archive", "import", "--config", str(made.config)]
    assert main([*verb, str(card)]) == 1
    out = capsys.readouterr().out
    assert f"{gone}" in out
    assert "Not complete." in out
    assert main([*verb, str(tmp_path / "copy"), "--receipts", str(tmp_path / "receipts")]) == 0
    assert "All that its ledger names is in the archive." in capsys.readouterr().out
    assert main([*verb, str(tmp_path / "root.pem")]) == 2
    assert "salvage" in capsys.readouterr().err
    assert main([*verb, str(card), "--receipts", str(card / "receipts")]) == 2
    assert "only read" in capsys.readouterr().err
