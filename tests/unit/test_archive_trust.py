"""Whose word counts: a revocation list never gives way to an older one, not even over a restart."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from archive.trust import REMEMBERED, Trusted
from base.durable import Disk
from base.errors import OperatorError
from tests.fakes.faultydisk import FaultyDisk
from tests.fakes.station import authority, private_key

NOON = datetime(2026, 1, 1, tzinfo=UTC)


class Centre:
    """Roots and lists of one archive, and what it has of its data folder."""

    def __init__(self, folder: Path) -> None:
        self.by = authority()
        self.cert = self.by.certify_uplink(private_key("stolen").public_key(), "57-002", "u1")
        other = self.by.certify_uplink(private_key("nobody").public_key(), "57-002", "u9")
        self.older, self.newer = self.by.revoke(other, NOON), self.by.revoke(self.cert, NOON)
        self.root, self.revoked, self.remembered = folder / "root.pem", folder / "revoked.pem", folder / REMEMBERED
        self.root.write_bytes(self.by.root_pem)

    def start(self, *, disk: Disk | None = None) -> Trusted:
        return Trusted(self.root, self.revoked, remembered=self.remembered, disk=disk)

    def refuses(self, trusted: Trusted) -> bool:
        return trusted.now().check([self.cert.public_bytes(Encoding.DER)]).revoked_us is not None


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path)


def test_a_restart_takes_no_older_list_than_the_one_that_was_in_force(
    centre: Centre, caplog: pytest.LogCaptureFixture
) -> None:
    centre.revoked.write_bytes(centre.older)
    running = centre.start(disk=Disk())
    assert not centre.refuses(running)
    centre.revoked.write_bytes(centre.newer)
    assert centre.refuses(running)
    centre.revoked.write_bytes(centre.older)
    for disk in (Disk(), None):
        assert centre.refuses(centre.start(disk=disk)), "whoever starts, and however often"
    told = [record for record in caplog.records if record.message.endswith("stay in force")]
    assert len(told) == 2
    assert "older than the one in force: number 1 of" in str(vars(told[0])["fields"])
    centre.revoked.write_bytes(centre.newer)
    assert centre.refuses(centre.start(disk=Disk()))


def test_a_list_that_is_taken_out_of_the_configuration_stays_in_force(centre: Centre) -> None:
    centre.revoked.write_bytes(centre.newer)
    centre.start(disk=Disk())
    assert centre.refuses(Trusted(centre.root, None, remembered=centre.remembered))


def test_who_has_no_disk_of_its_own_remembers_nothing(centre: Centre) -> None:
    centre.revoked.write_bytes(centre.newer)
    assert centre.refuses(centre.start())
    assert not centre.remembered.exists()


def test_without_any_list_nothing_is_written(centre: Centre) -> None:
    Trusted(centre.root, None, remembered=centre.remembered, disk=Disk())
    assert not centre.remembered.exists()


@pytest.mark.parametrize("kind", ["damaged", "empty", "forged"])
def test_what_was_remembered_and_cannot_be_read_is_told_and_written_anew(
    centre: Centre, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    impostor = authority(seed="impostor")
    centre.revoked.write_bytes(centre.newer)
    forged = impostor.revoke(centre.cert, NOON)
    centre.remembered.write_bytes({"damaged": centre.older[:200], "empty": b"", "forged": forged}[kind])
    assert centre.refuses(centre.start(disk=Disk()))
    assert x509.load_pem_x509_crl(centre.remembered.read_bytes()) == x509.load_pem_x509_crl(centre.newer)
    assert any("which revocation lists were in force" in record.message for record in caplog.records)


def test_a_full_disk_takes_nothing_from_a_revocation(
    centre: Centre, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    centre.revoked.write_bytes(centre.older)
    disk = FaultyDisk(tmp_path)
    running = centre.start(disk=disk)
    disk.full = True
    centre.revoked.write_bytes(centre.newer)
    assert centre.refuses(running)
    assert any("a restart will not know" in record.message for record in caplog.records)
    assert x509.load_pem_x509_crl(centre.remembered.read_bytes()) == x509.load_pem_x509_crl(centre.older)


@pytest.mark.parametrize("kind", ["cut off", "forged"])
def test_a_list_that_is_cut_off_or_not_its_roots_is_refused_at_the_start(centre: Centre, kind: str) -> None:
    forged = authority(seed="impostor").revoke(centre.cert, NOON)
    centre.revoked.write_bytes(forged if kind == "forged" else centre.newer[:-30])
    with pytest.raises(OperatorError):
        centre.start()


def test_an_authoritys_lists_are_numbered_and_name_all_that_it_has_revoked(centre: Centre) -> None:
    first, second = (x509.load_pem_x509_crl(text) for text in (centre.older, centre.newer))
    numbers = [each.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for each in (first, second)]
    assert numbers == [1, 2]
    assert {entry.serial_number for entry in first} < {entry.serial_number for entry in second}
