"""Who is let in, and what the access log keeps of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text

from archive.supervision.accesslog import AccessLog
from archive.supervision.database import SupervisionDatabase
from archive.supervision.doors import Doors, NotAdmitted, Operator, Right
from archive.trust import Trusted
from provisioning.authority import Authority

NOW = datetime(2027, 2, 7, 8, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000


class Town:
    """An authority, its files, and a door."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority.generate("az-2027")
        self.root, self.revoked = folder / "root.pem", folder / "revoked.pem"
        self.root.write_bytes(self.authority.root_pem)
        other = self.authority.certify_receipts(self.key())
        self.revoked.write_bytes(self.authority.revoke(other, NOW - timedelta(hours=1)))
        self.now_us: int | None = NOW_US
        self.doors = Doors(Trusted(self.root, self.revoked), "az-2027", lambda: self.now_us)

    def key(self) -> ec.EllipticCurvePublicKey:
        return ec.generate_private_key(ec.SECP256R1()).public_key()

    def refusal(self, der: bytes | None) -> str:
        with pytest.raises(NotAdmitted) as caught:
            self.doors.admit(der)
        return caught.value.text or ""


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def test_each_right_holds_those_before_it(town: Town) -> None:
    for right in Right:
        cert = town.authority.certify_operator(town.key(), "desk-1", right.word)
        operator = town.doors.admit(cert.public_bytes(Encoding.DER))
        assert (operator.name, operator.right) == ("desk-1", right)
        assert [each for each in Right if operator.may(each)] == list(Right)[: right.value]


def test_nobody_else_comes_in(town: Town) -> None:
    unit = town.authority.certify_uplink(town.key(), "57-002", "u1")
    assert "no operator's" in town.refusal(unit.public_bytes(Encoding.DER))
    stranger = Authority.generate("az-2027").certify_operator(town.key(), "desk-1", "administer")
    assert "trusted root" in town.refusal(stranger.public_bytes(Encoding.DER))
    assert "needed" in town.refusal(None)
    assert town.refusal(b"no certificate")


def test_a_certificate_ends_with_its_time_and_with_its_revocation(town: Town) -> None:
    cert = town.authority.certify_operator(town.key(), "desk-1", "watch", valid_to=NOW + timedelta(hours=1))
    der = cert.public_bytes(Encoding.DER)
    assert town.doors.admit(der).name == "desk-1"
    town.now_us = NOW_US + 3_601_000_000
    assert "not valid now" in town.refusal(der)
    town.now_us = None
    assert "not valid now" in town.refusal(der)
    town.now_us = NOW_US
    town.revoked.write_bytes(town.authority.revoke(cert, NOW))
    assert "revoked" in town.refusal(der)


def test_without_a_certificate_only_what_the_configuration_gives(town: Town) -> None:
    doors = Doors(Trusted(town.root, None), "az-2027", lambda: NOW_US, Right.WATCH)
    operator = doors.admit(None)
    assert (operator.name, operator.may(Right.WATCH), operator.may(Right.OPERATE)) == ("loopback", True, False)


def test_the_log_keeps_who_saw_what_and_the_database_itself_refuses_to_change_it(tmp_path: Path) -> None:
    database = SupervisionDatabase(f"sqlite:///{tmp_path / 's.sqlite'}")
    log = AccessLog(database)
    operator = Operator(name="desk-1", right=Right.WATCH, certificate="ab" * 32)
    for number in range(3):
        log.add(operator, at_us=number, address="192.0.2.7", what="station", target=f"57-{number:03d}")
    rows = log.newest()
    assert [row.access.target for row in rows] == ["57-002", "57-001", "57-000"]
    assert rows[0].access.role == "watch"
    assert log.broken_at() is None
    for change in ("DELETE FROM access_log WHERE id = 2", "UPDATE access_log SET operator = 'x' WHERE id = 2"):
        with pytest.raises(OSError, match="append-only"), database.writing() as connection:
            connection.execute(text(change))
    with database.writing() as connection:
        connection.execute(text("DROP TRIGGER access_log_no_delete"))
        connection.execute(text("DELETE FROM access_log WHERE id = 2"))
    assert log.broken_at() == 3
    database.close()
