"""The archive's ledger files and journal: what is durable, what a torn end costs, what a start takes over."""

from pathlib import Path

import pytest

from archive.names import UnitName
from archive.store.journal import ReceiptJournal
from archive.store.ledgers import LedgerFiles, Piece
from base.durable import Disk
from tests.fakes.faultydisk import FaultyDisk

UNIT = UnitName(station="57-002", unit="u1")


def piece(data: bytes, at: int | None, branch: int = 0, unit: UnitName = UNIT) -> Piece:
    return Piece(name=unit, branch=branch, at=at, data=data)


def test_a_branch_begins_whole_and_grows_at_its_end(tmp_path: Path) -> None:
    ledgers = LedgerFiles(Disk(), tmp_path / "ledgers")
    assert (ledgers.sizes(UNIT), ledgers.units()) == ({}, [])
    ledgers.write([piece(b"one\n", None)])
    ledgers.write([piece(b"two\n", 4), piece(b"one\nother\n", None, branch=1)])
    assert ledgers.sizes(UNIT) == {0: 8, 1: 10}
    assert ledgers.read(UNIT, 0) == b"one\ntwo\n"
    assert ledgers.read(UNIT, 0, 4, 3) == b"two"
    assert ledgers.units() == [UNIT]


def test_lines_are_never_put_behind_what_is_not_known(tmp_path: Path) -> None:
    ledgers = LedgerFiles(Disk(), tmp_path / "ledgers")
    ledgers.write([piece(b"one\n", None)])
    for at in (0, 3, 5):
        with pytest.raises(ValueError, match="bytes long"):
            ledgers.write([piece(b"two\n", at)])
    with pytest.raises(FileExistsError):
        ledgers.write([piece(b"two\n", None)])
    assert ledgers.read(UNIT, 0) == b"one\n"


def test_lines_of_many_units_are_durable_together(ram: Path) -> None:
    disk = FaultyDisk(ram)
    units = [UnitName(station=f"57-{number:03}", unit="u1") for number in range(5)]
    ledgers = LedgerFiles(disk, ram / "ledgers")
    ledgers.write([piece(b"one\n", None, unit=unit) for unit in units])
    ledgers.write([piece(b"two\n", 4, unit=unit) for unit in units])
    disk.lose_unsynced()
    ledgers = LedgerFiles(disk.restarted(), ram / "ledgers")
    assert ledgers.units() == units
    assert {ledgers.read(unit, 0) for unit in units} == {b"one\ntwo\n"}


def test_files_that_are_no_branch_are_none_of_the_ledgers(tmp_path: Path) -> None:
    ledgers = LedgerFiles(Disk(), tmp_path)
    ledgers.write([piece(b"one\n", None)])
    for name in ("00.jws", "1.jws.part", "0.jws.17.cut", "-1.jws", "x.jws"):
        (tmp_path / "57-002" / "u1" / name).write_bytes(b"?")
    assert list(ledgers.sizes(UNIT)) == [0]
    ledgers.write([piece(b"two\n", None, branch=1)])
    assert ledgers.read(UNIT, 1) == b"two\n", "a draft that was left behind does not hinder"


def test_a_receipt_is_found_again_by_its_place(tmp_path: Path) -> None:
    journal = ReceiptJournal(Disk(), tmp_path / "receipts.jws")
    written = journal.append(["first", "second"]) + journal.append([]) + journal.append(["third"])
    journal.close()
    journal = ReceiptJournal(Disk(), tmp_path / "receipts.jws")
    assert [journal.read(each.offset, each.size_bytes) for each in written] == ["first", "second", "third"]
    assert list(journal.behind(written[1].offset)) == written[1:]
    journal.close()


def test_receipts_survive_a_power_cut_and_a_torn_end_does_not(ram: Path) -> None:
    disk = FaultyDisk(ram)
    journal = ReceiptJournal(disk, ram / "receipts.jws")
    journal.settle(0)
    (first,) = journal.append(["first"])
    journal.close()
    disk.lose_unsynced()
    with (ram / "receipts.jws").open("ab") as file:
        file.write(b"torn")
    journal = ReceiptJournal(Disk(), ram / "receipts.jws")
    assert [each.text for each in journal.behind(0)] == ["first", "torn"]
    journal.settle(first.offset + first.size_bytes + 1)
    (second,) = journal.append(["second"])
    assert (ram / "receipts.jws").read_bytes() == b"first\nsecond\n"
    assert journal.read(second.offset, second.size_bytes) == "second"
    journal.close()
