"""Which time is proven, and what a certificate is worth by it: real handshakes for units with a clock and without."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.uplink.client import ArchiveClient
from appliance.uplink.proven import ProvenTime, proven_time, refusal
from appliance.uplink.tls import archive_context
from base.clock import Reading
from base.errors import PeerError
from evidence.certificate import Trust
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import write_key
from tests.fakes.station import NOON_US, authority, private_key

HOUR_US = 3_600_000_000
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def _reading(utc_us: int | None, error_us: int | None) -> Reading:
    return Reading(boot_ns=1, utc_us=utc_us, error_us=error_us)


def test_a_synchronised_clock_is_the_present() -> None:
    assert proven_time(_reading(NOON_US, 500), [1]) == ProvenTime(utc_us=NOON_US, now=True, error_us=500)


@pytest.mark.parametrize("reading", [_reading(None, None), _reading(NOON_US + HOUR_US, None), _reading(1, 5)])
def test_without_a_synchronised_clock_the_newest_mark_is_the_least_that_it_can_be(reading: Reading) -> None:
    assert proven_time(reading, [1, NOON_US, 2]) == ProvenTime(utc_us=NOON_US)


def test_a_revoked_certificate_is_refused_and_a_unit_without_a_clock_does_not_wait_for_the_date() -> None:
    by = authority()
    cert = by.certify_archive(private_key("x").public_key(), ["localhost"])
    trust = Trust([by.root], [x509.load_pem_x509_crl(by.revoke(cert, NOON + DAY))])
    certified = trust.check([cert.public_bytes(Encoding.DER)])
    assert refusal(certified, ProvenTime(utc_us=NOON_US, now=True)) is None
    assert refusal(certified, ProvenTime(utc_us=NOON_US)) is not None
    assert refusal(certified, ProvenTime(utc_us=NOON_US + 25 * HOUR_US, now=True)) is not None


WITHOUT = ProvenTime(utc_us=NOON_US)
"""A unit without a clock, that has proof of this noon."""
WITH = ProvenTime(utc_us=NOON_US, now=True, error_us=1_000)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "time", "told"),
    [
        (NOON - DAY, NOON + DAY, WITH, None),
        (NOON - DAY, NOON + DAY, WITHOUT, None),
        (NOON - 2 * DAY, NOON - DAY, WITH, "has expired"),
        (NOON - 2 * DAY, NOON - DAY, WITHOUT, "has expired"),
        (NOON + DAY, NOON + 2 * DAY, WITH, "not yet valid"),
        # Its beginning is not judged: it may be that day already.
        (NOON + DAY, NOON + 2 * DAY, WITHOUT, None),
        # Expired by the machine's own clock, which nobody vouches for; not by any proof.
        (NOON - DAY, NOON + timedelta(seconds=1), WITHOUT, None),
        (NOON - DAY, NOON, ProvenTime(utc_us=NOON_US + 1), "has expired"),
    ],
)
def test_dates_are_judged_by_the_newest_proven_time(
    tmp_path: Path, valid_from: datetime, valid_to: datetime, time: ProvenTime, told: str | None
) -> None:
    by = authority()

    async def connect() -> None:
        async with ArchivePeer(by, tmp_path / "archive", valid_from=valid_from, valid_to=valid_to) as archive:
            async with ArchiveClient(archive.url, _context(tmp_path, Trust([by.root]), time)) as client:
                if told is None:
                    assert (await client.lines()).head is None
                    return
                with pytest.raises(PeerError, match=told):
                    await client.lines()
            assert archive.exchanges == 0, "nothing was said to it"

    asyncio.run(connect())


@pytest.mark.parametrize("change", ["root", "name", "role", "revoked"])
def test_chain_name_and_role_are_judged_as_always(tmp_path: Path, change: str) -> None:
    by = authority()
    role = "uplink" if change == "role" else "archive"

    async def connect() -> None:
        names = ["archive.example"] if change == "name" else ["127.0.0.1"]
        async with ArchivePeer(by, tmp_path / "archive", role=role, names=names) as archive:
            cert = x509.load_pem_x509_certificate((tmp_path / "archive" / "archive.pem").read_bytes())
            trust = Trust([authority(seed="stranger").root if change == "root" else by.root])
            if change == "revoked":
                trust = Trust([by.root], [x509.load_pem_x509_crl(by.revoke(cert, NOON - DAY))])
            async with ArchiveClient(archive.url, _context(tmp_path, trust, WITH)) as client:
                with pytest.raises(PeerError, match="TLS fails"):
                    await client.lines()
            assert archive.exchanges == 0

    asyncio.run(connect())


def test_a_station_without_an_uplink_certificate_is_not_let_in(tmp_path: Path) -> None:
    by, stranger = authority(), authority(seed="stranger")

    async def connect() -> None:
        async with ArchivePeer(by, tmp_path / "archive") as archive:
            certificate, key = write_key(tmp_path / "keys", stranger)
            context = archive_context(
                trust=Trust([by.root]), certificate=certificate, key=key, election="az-2026", proven=lambda: WITH
            )
            async with ArchiveClient(archive.url, context) as client:
                with pytest.raises(PeerError):
                    await client.lines()
            assert archive.exchanges == 0

    asyncio.run(connect())


def test_without_a_root_there_is_no_connection(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no election root"):
        _context(tmp_path, Trust(), WITH)


def _context(folder: Path, trust: Trust, time: ProvenTime) -> ssl.SSLContext:
    certificate, key = write_key(folder / "keys", authority())
    return archive_context(trust=trust, certificate=certificate, key=key, election="az-2026", proven=lambda: time)
