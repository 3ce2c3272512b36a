"""A disk that belongs to another unit is never appended to (invariant 10)."""

import hashlib
from pathlib import Path

import pytest
from cryptography import x509

from appliance.guest import Guest, open_guest
from appliance.store.layout import Layout
from appliance.store.prepare import DiskIdentity, prepare, read_disk_identity
from base.durable import Disk
from tests.fakes.faultydisk import Failure, FaultyDisk

FOUND = DiskIdentity(election="e", station="57-002", unit="u1", board="1000", card="cid-1")
HERE = DiskIdentity(election="e", station="57-002", unit="u1", board="2000", card="cid-1")
RESERVE_BYTES = 1 << 16


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "disk")
    prepare(Disk(), layout, FOUND, RESERVE_BYTES)
    layout.ledger.write_bytes(b"the record of the other unit\n")
    return layout


def _open(layout: Layout, here: DiskIdentity = HERE, disk: Disk | None = None) -> Guest:
    found = read_disk_identity(layout)
    return open_guest(disk or Disk(), layout, found=found, here=here, reserve_bytes=RESERVE_BYTES)


def _digests(layout: Layout) -> dict[str, str]:
    """Of the other unit's files."""
    files = [path for path in layout.root.rglob("*") if path.is_file() and layout.guests not in path.parents]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_what_differs_is_named_and_what_one_does_not_know_proves_nothing() -> None:
    assert FOUND.differs(HERE) == ["board"]
    other = DiskIdentity(election="x", station="1", unit="u2", board="3", card="4")
    assert FOUND.differs(other) == ["election", "station", "unit", "board", "card"]
    unknown = DiskIdentity(election="e", station="57-002", unit="u1")
    assert FOUND.differs(unknown) == []
    assert unknown.differs(FOUND) == []


def test_the_record_of_the_other_unit_is_not_touched(layout: Layout) -> None:
    before = _digests(layout)
    guest = _open(layout)
    assert guest.layout.ledger.read_bytes() == b""
    assert _digests(layout) == before


def test_the_note_says_which_unit_was_found_and_what_differs(layout: Layout) -> None:
    note = _open(layout).note
    assert note.event == "foreign-disk"
    assert note.data["differs"] == "board"
    assert (note.data["found_unit"], note.data["found_board"], note.data["here_board"]) == ("u1", "1000", "2000")


def test_the_same_unit_comes_back_to_the_same_record_and_another_gets_its_own(layout: Layout) -> None:
    first, again = _open(layout), _open(layout)
    assert (first.layout, first.name, first.key.read_bytes()) == (again.layout, again.name, again.key.read_bytes())
    copy = DiskIdentity(election="e", station="57-002", unit="u1", board="2000", card="cid-2")
    other = _open(layout, copy)
    assert other.layout != first.layout
    assert other.name != first.name


def test_its_key_is_new_secret_and_vouched_for_by_nobody(layout: Layout) -> None:
    guest = _open(layout)
    assert guest.key.stat().st_mode & 0o077 == 0
    certificate = x509.load_pem_x509_certificate(guest.certificate.read_bytes())
    assert certificate.issuer == certificate.subject
    uris = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert uris.get_values_for_type(x509.UniformResourceIdentifier) == [f"urn:unbroken:e:unit:57-002:{guest.name}"]
    assert guest.name.startswith("guest-")


@pytest.mark.parametrize("failure", Failure)
def test_whichever_step_of_its_making_fails_the_next_start_has_a_whole_one(tmp_path: Path, failure: Failure) -> None:
    number = 0
    while True:
        layout = Layout(tmp_path / str(number) / "disk")
        prepare(Disk(), layout, FOUND, RESERVE_BYTES)
        before = _digests(layout)
        disk = FaultyDisk(layout.root, fail_at=number, failure=failure)
        try:
            _open(layout, disk=disk)
        except OSError:
            disk.lose_unsynced()
        else:
            assert number > 15
            return
        guest = _open(layout)
        assert read_disk_identity(guest.layout).unit == guest.name
        assert _digests(layout) == before
        number += 1
