"""What may be deleted on the archive's word, and what a careless or lying uplink cannot bring about."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.store.layout import Layout
from appliance.store.receipted import LOOK_AGAIN_NS, MOST_ENTRIES, ReceiptedMedia
from evidence.certificate import Trust
from evidence.receipt import Acknowledged
from tests.fakes.clock import FakeClock
from tests.fakes.receipts import Acknowledger, Place
from tests.fakes.station import authority, private_key

SESSION = "s" * 43


class Disk:
    """Segments on a disk, an archive that acknowledges, and the recorder's look at both."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder / "disk")
        self.by = authority()
        self.archive = Acknowledger(self.by, folder / "receipts")
        self.clock = FakeClock(boot_ns=10**9)
        self.media = self.look()

    def look(self, folder: Path | None = None, trust: Trust | None = None) -> ReceiptedMedia:
        return ReceiptedMedia(
            folder or self.archive.folder,
            self.layout,
            trust=Trust.from_pem(self.by.root_pem) if trust is None else trust,
            election="az-2026",
            station="57-002",
            unit="u1",
            boot_ns=self.clock.boot_ns,
        )

    def segments(self, begin: int, end: int, camera: str = "cam1") -> tuple[list[Place], list[str]]:
        """So many files; where they lie and their digests."""
        places: list[Place] = [(SESSION, camera, 0, index) for index in range(begin, end)]
        digests: list[str] = []
        for place in places:
            path = self.layout.segment(*place)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{camera} {place[3]}".encode())
            digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
        return places, digests

    def stretches(self) -> list[tuple[str, int, int, str]]:
        return [(line.camera, line.from_index, line.to_index, line.reason) for line in self.media.shrink()]


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_what_the_archive_holds_may_go_oldest_entry_first_with_its_receipt_in_the_line(disk: Disk) -> None:
    first, first_digests = disk.segments(0, 5)
    other, other_digests = disk.segments(0, 3, "cam2")
    receipt = disk.archive.receipt(first_digests + other_digests)
    disk.archive.lay(receipt, [*other, *first])
    second, second_digests = disk.segments(5, 9)
    disk.archive.lay(disk.archive.receipt(second_digests), second)
    assert disk.media.prunable
    lines = disk.media.shrink()
    assert {line.receipt for line in lines} == {receipt}
    assert [(line.camera, line.from_index, line.to_index) for line in lines] == [("cam1", 0, 5), ("cam2", 0, 3)]
    assert disk.stretches() == [("cam1", 5, 9, "receipted")]
    assert disk.stretches() == []
    disk.clock.advance(LOOK_AGAIN_NS)
    assert not disk.media.prunable


def test_a_place_whose_bytes_are_not_the_acknowledged_ones_stays(disk: Disk) -> None:
    places, digests = disk.segments(0, 4)
    disk.layout.segment(*places[1]).write_bytes(b"something else")
    disk.layout.segment(*places[2]).unlink()
    disk.archive.lay(disk.archive.receipt(digests), places)
    assert disk.stretches() == [("cam1", 0, 1, "receipted"), ("cam1", 3, 4, "receipted")]


def test_a_place_that_the_receipt_does_not_name_stays(disk: Disk) -> None:
    places, digests = disk.segments(0, 4)
    disk.archive.lay(disk.archive.receipt(digests[:2]), places)
    assert disk.stretches() == [("cam1", 0, 2, "receipted")]


@pytest.mark.parametrize(
    "changes",
    [
        {"station": "57-003"},
        {"unit": "u2"},
        {"kind": Acknowledged.LOGGED, "media": (), "seq": 5, "sha256": "A" * 43},
    ],
)
def test_a_receipt_for_others_or_for_lines_lets_nothing_go(disk: Disk, changes: dict[str, object]) -> None:
    places, digests = disk.segments(0, 2)
    disk.archive.lay(disk.archive.receipt(digests, **changes), places)
    assert disk.stretches() == []
    assert disk.media.refused == 1


def test_a_forged_receipt_lets_nothing_go(disk: Disk) -> None:
    places, digests = disk.segments(0, 2)
    forger = authority("az-2026", seed="forger")
    disk.archive.lay(Acknowledger(forger, disk.archive.folder).receipt(digests), places)
    unit = disk.by.certify_unit(private_key("receipts").public_key(), "57-002", "u1").public_bytes(Encoding.DER)
    disk.archive.lay(disk.archive.receipt(digests, certs=(unit,)), places)
    assert disk.stretches() == []
    assert disk.media.refused == 2


def test_without_a_trusted_root_nothing_goes(disk: Disk) -> None:
    places, digests = disk.segments(0, 2)
    disk.archive.lay(disk.archive.receipt(digests), places)
    assert not disk.look(trust=Trust()).prunable


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"receipt": 5, "places": []}',
        b'{"receipt": "e.e.e", "places": {}}',
        json.dumps({"receipt": "x", "places": [["../..", "cam1", 0, 0]]}).encode(),
        json.dumps({"receipt": "x", "places": [[SESSION, "cam1", 0, True]]}).encode(),
        json.dumps({"receipt": "x", "places": [[SESSION, "cam1", -1, 0]]}).encode(),
    ],
)
def test_rubbish_is_passed_over_and_what_lies_behind_it_counts(disk: Disk, rubbish: bytes) -> None:
    places, digests = disk.segments(0, 2)
    disk.archive.lay("", []).write_bytes(rubbish)
    disk.archive.lay(disk.archive.receipt(digests), places)
    assert disk.stretches() == [("cam1", 0, 2, "receipted")]
    assert disk.media.refused == 1


def test_entries_that_are_used_up_cost_little_and_the_rest_is_found(disk: Disk) -> None:
    for number in range(3 * MOST_ENTRIES):
        disk.archive.lay("used up", [(SESSION, "cam1", 0, number)])
    places, digests = disk.segments(500, 502)
    disk.archive.lay(disk.archive.receipt(digests), places)
    looks = 0
    while not disk.media.prunable:
        looks += 1
    assert looks == 3
    assert disk.stretches() == [("cam1", 500, 502, "receipted")]


def test_the_folder_is_looked_at_every_few_seconds_only(disk: Disk) -> None:
    assert not disk.media.prunable
    places, digests = disk.segments(0, 1)
    disk.archive.lay(disk.archive.receipt(digests), places)
    disk.clock.advance(LOOK_AGAIN_NS - 1)
    assert not disk.media.prunable
    disk.clock.advance(1)
    assert disk.media.prunable


def test_without_a_folder_there_is_nothing(disk: Disk, tmp_path: Path) -> None:
    assert not disk.look(folder=tmp_path / "nothing").prunable
    none = ReceiptedMedia(
        None, disk.layout, trust=Trust(), election="e", station="s", unit="u", boot_ns=disk.clock.boot_ns
    )
    assert none.shrink() == []
