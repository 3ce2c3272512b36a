"""Receipts before they are kept, and entries for the recorder: what a lying archive or a lost memory cannot do."""

import hashlib
import json
from pathlib import Path

import pytest

from appliance.store.layout import Layout
from appliance.store.receipted import ReceiptedMedia
from appliance.uplink.receipts import Whose, read_logged, read_stored
from base.durable import Disk
from base.receiptfolder import Place, ReceiptFolder, next_name
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.receipt import Acknowledged
from tests.fakes.clock import FakeClock
from tests.fakes.receipts import Acknowledger
from tests.fakes.station import authority

WHOSE = Whose(election="az-2026", station="57-002", unit="u1")
DIGESTS = ["1" * 64, "2" * 64]
HASH = "h" * 43


def _archive(folder: Path) -> tuple[Acknowledger, Trust]:
    by = authority()
    return Acknowledger(by, folder), Trust.from_pem(by.root_pem)


def test_a_receipt_for_what_was_asked_is_taken(tmp_path: Path) -> None:
    archive, trust = _archive(tmp_path)
    receipt = read_stored(archive.receipt(DIGESTS), trust, WHOSE, DIGESTS)
    assert list(receipt.media) == DIGESTS


@pytest.mark.parametrize(
    "change",
    [
        {"station": "57-003"},
        {"unit": "u2"},
        {"election": "az-2030"},
        {"utc_us": 0},
        {"media": ("1" * 64,)},
        {"media": (*DIGESTS, "3" * 64)},
        {"kind": Acknowledged.LOGGED, "media": (), "seq": 1, "sha256": HASH},
    ],
)
def test_a_receipt_for_anything_else_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    archive, trust = _archive(tmp_path)
    with pytest.raises(EvidenceError, match="receipt"):
        read_stored(archive.receipt(DIGESTS, **change), trust, WHOSE, DIGESTS)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é" * 100, "x" * 20_000])
def test_what_is_no_receipt_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(EvidenceError):
        read_stored(text, _archive(tmp_path)[1], WHOSE, DIGESTS)


def test_without_a_root_nothing_is_believed(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no election root"):
        read_stored(_archive(tmp_path)[0].receipt(DIGESTS), Trust(), WHOSE, DIGESTS)


def test_a_logged_receipt_is_for_the_very_line(tmp_path: Path) -> None:
    archive, trust = _archive(tmp_path)
    text = archive.receipt([], kind=Acknowledged.LOGGED, media=(), seq=7, sha256=HASH)
    assert read_logged(text, trust, WHOSE, 7, HASH).seq == 7
    for seq, sha256 in ((8, HASH), (7, "g" * 43)):
        with pytest.raises(EvidenceError, match="another line"):
            read_logged(text, trust, WHOSE, seq, sha256)


def test_every_new_name_sorts_behind_all_before_it() -> None:
    names: list[str] = []
    for head_seq in (0, 0, 5, 5, 3, 1_000_000, 2):
        name = next_name(head_seq, names)
        assert all(name > each for each in names)
        assert name.endswith(".json")
        names.append(name)
    strange = next_name(9, [*names, "zzz.json"])
    assert strange > "zzz.json"


def test_names_grow_though_everything_was_forgotten_and_used_up() -> None:
    assert next_name(4_000, []) > next_name(3_999, [])


def test_the_recorder_finds_what_is_laid(tmp_path: Path) -> None:
    archive, trust = _archive(tmp_path)
    layout, clock = Layout(tmp_path / "disk"), FakeClock()
    place: Place = ("s" * 43, "cam1", 0, 0)
    path = layout.segment(*place)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"some video")
    text = archive.receipt([hashlib.sha256(b"some video").hexdigest()])
    folder = ReceiptFolder(tmp_path / "receipts", Disk())
    name = folder.lay(5, text, [place])
    assert folder.names() == [name]
    assert folder.receipt(name) == text
    recorder = ReceiptedMedia(
        tmp_path / "receipts",
        layout,
        trust=trust,
        election="az-2026",
        station="57-002",
        unit="u1",
        boot_ns=clock.boot_ns,
    )
    (line,) = recorder.shrink()
    assert (line.camera, line.from_index, line.to_index, line.receipt) == ("cam1", 0, 1, text)
    folder.remove(name)
    assert folder.names() == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"receipt": 1}', b"[" * 5000, b"\xff"])
def test_an_entry_that_is_none_holds_no_receipt(tmp_path: Path, content: bytes) -> None:
    folder = ReceiptFolder(tmp_path / "receipts", Disk())
    (tmp_path / "receipts" / "x.json").write_bytes(content)
    assert folder.receipt("x.json") is None
    assert folder.receipt("gone.json") is None


def test_an_entry_fits_what_the_recorder_reads(tmp_path: Path) -> None:
    archive, _ = _archive(tmp_path)
    digests = [f"{number:064x}" for number in range(128)]
    folder = ReceiptFolder(tmp_path / "receipts", Disk())
    places: list[Place] = [("s" * 43, "c" * 32, 10**9, 10**9 + number) for number in range(128)]
    name = folder.lay(1, archive.receipt(digests), places)
    data = (tmp_path / "receipts" / name).read_bytes()
    assert len(data) <= 64 << 10
    assert len(json.loads(data)["places"]) == 128
