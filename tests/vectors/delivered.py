"""What the vectors of spec/upload.md deliver: ledgers and segments of one unit, and the keys of both sides.

Certificates have neither beginning nor end, since TLS judges them by the clock of the machine that runs the vectors.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evidence.words import Cause, Mode
from provisioning.authority import Authority
from tests.vectors import day, world
from tests.vectors.conversation import OTHER_UPLINK, UPLINK, sha256
from tests.vectors.record import Clock, Record
from tests.vectors.world import SECOND

ARCHIVE_NAMES = ("localhost", "127.0.0.1", "::1")
FORK_SEQ = 8
"""The first line that differs between ``ledger.jws`` and ``branch.jws``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Lines without LF, segments, and all other files, each by its name."""

    ledgers: dict[str, list[bytes]]
    media: dict[str, bytes]
    others: dict[str, bytes]

    def digest(self, name: str) -> str:
        """Of a segment."""
        return sha256(self.media[name])

    @property
    def files(self) -> dict[str, bytes]:
        """All of it, as it lies on disk."""
        ledgers = {name: b"".join(line + b"\n" for line in lines) for name, lines in self.ledgers.items()}
        return ledgers | self.media | self.others


def _seed(name: str) -> str:
    return f"{world.ELECTION} upload {name}"


def _timeless(name: str) -> Authority:
    return Authority(
        world.ELECTION,
        root_key=world.private_key(_seed(f"{name} root")),
        authority_key=world.private_key(_seed(f"{name} authority")),
        valid_from=datetime(1970, 1, 1, tzinfo=UTC),
        valid_to=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        deterministic=True,
    )


@functools.cache
def delivery() -> Delivery:
    """Made once; nothing changes it."""
    by = _timeless("good")
    media: dict[str, bytes] = {}
    ledger, branch = _fork(by, media)
    contradicting = _contradicting(by, media)
    ledgers = {
        "ledger.jws": ledger.lines,
        "branch.jws": branch.lines,
        "changed.jws": [*ledger.lines[:6], _changed(ledger.lines[6]), *ledger.lines[7:]],
        "contradicting.jws": contradicting.lines,
        "strange.jws": day.armed(Record(by=_timeless("strange"))).lines[:2],
    }
    return Delivery(ledgers=ledgers, media=media, others=_keys(by))


def _fork(by: Authority, media: dict[str, bytes]) -> tuple[Record, Record]:
    """A closed record, with a line behind its end; and what the unit has after a power cut took its last lines."""
    record = Record(by=by)
    record.start(day.START_NS)
    record.run()
    record.gap(day.FIRST_PICTURE_NS, Cause.STARTING)
    _keep(media, record, "unarmed")
    record.arm()
    for name in ("first", "second"):
        _keep(media, record, name)
    other = record.fork()
    assert record.seq == FORK_SEQ
    _keep(media, record, "third")
    record.event("finished")
    record.close()
    record.event("opened")
    ended, at_ns = other.boot, 20 * SECOND
    other.start(at_ns, boot="second", clock=Clock(offset_us=world.FIRST_BOOT_US + 60_000_000), ended="power")
    other.gap(at_ns, Cause.POWER, from_boot=ended)
    other.run()
    other.gap(at_ns + SECOND, Cause.STARTING)
    _keep(media, other, "after-power-cut")
    return record, other


def _contradicting(by: Authority, media: dict[str, bytes]) -> Record:
    """Segments that are not what their lines say, and a good one behind them."""
    record = day.armed(Record(by=by))
    _keep(media, record, "fewer-pictures", line={"frames": 11})
    _keep(media, record, "of-another-run", identity={"run": 7})
    _keep(media, record, "test-as-live", identity={"mode": Mode.TEST})
    _keep(media, record, "no-segment", media=lambda data: data[:400])
    _keep(media, record, "good")
    return record


def _keep(kept: dict[str, bytes], record: Record, name: str, **bend: Any) -> None:
    record.record(**bend)
    kept[f"{name}.m4s"] = record.media[record.path(record.indexes["cam1"] - 1)]


def _changed(line: bytes) -> bytes:
    """The line with another letter in its signature."""
    return line[:-20] + (b"B" if line[-20:-19] == b"A" else b"A") + line[-19:]


def _keys(by: Authority) -> dict[str, bytes]:
    """The root, and key and certificate of each who speaks, in PEM."""
    station, unit, other = world.STATION, world.UNIT, world.OTHER_UNIT
    certificates: dict[str, Callable[[ec.EllipticCurvePublicKey], x509.Certificate]] = {
        "archive": lambda key: by.certify_archive(key, ARCHIVE_NAMES),
        "receipts": by.certify_receipts,
        UPLINK: lambda key: by.certify_uplink(key, station, unit),
        OTHER_UPLINK: lambda key: by.certify_uplink(key, station, other),
    }
    files = {"root.pem": by.root_pem}
    for name, certify in certificates.items():
        key = world.private_key(_seed(name))
        files[f"{name}.pem"] = certify(key.public_key()).public_bytes(Encoding.PEM)
        files[f"{name}.key"] = _pem(key)
    return files


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
